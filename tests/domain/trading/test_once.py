"""Sending once: whatever is lost, wherever the process dies, however often it is tried again."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.trading.broker import Intent, MemoryIntents
from domain.trading.once import APART, AnswerLost, Once
from domain.trading.order import Order, Target, Ticket

NOON = datetime(2024, 7, 10, 12, tzinfo=UTC)
ORDER = Order("a", "EURUSD", "buy", "market", Decimal("0.1"))
CASES = int(os.environ.get("TIDEMARK_CASES", "300"))


class Killed(BaseException):
    """The process dies here."""


@dataclass
class World:
    """A vendor that fills whatever arrives, as often as it arrives, and a network and processes that fail as the script says."""

    script: list[str] = field(default_factory=list)
    filled: int = 0
    sent: int = 0
    looks: int = 0
    seconds: float = 0.0
    arrives_at: list[float] = field(default_factory=list)       # requests on their way

    def next(self) -> str:
        return self.script.pop(0) if self.script else "well"

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.filled += sum(at <= self.seconds for at in self.arrives_at)
        self.arrives_at = [at for at in self.arrives_at if at > self.seconds]

    def mark(self) -> str:
        self.die_at("mark")
        return "0"

    def send(self, order: Order) -> Ticket:
        self.sent += 1
        event = self.next()
        if event == "not sent":
            raise SourceUnavailable("no connection")
        if event == "slow":                     # on its way, and there before the second look: adapters wait until their time-outs have ended a request
            self.arrives_at.append(self.seconds + 5.0)
            self.wait(1.0)
            raise AnswerLost("no answer")
        if event == "lost":
            raise AnswerLost("no answer")
        self.filled += 1
        if event == "answer lost":
            raise AnswerLost("no answer")
        if event == "killed after":
            raise Killed
        return Ticket(order.client_id, "filled", filled_lots=order.lots)

    def find(self, intent: Intent) -> Ticket | None:
        self.looks += 1
        event = self.next() if self.script and self.script[0] in ("away", "killed asking") else "well"
        if event == "away":
            raise SourceUnavailable("no connection")
        if event == "killed asking":
            raise Killed
        return Ticket("a", "filled", filled_lots=intent.order.lots) if self.filled else None

    def die_at(self, place: str) -> None:
        if self.script and self.script[0] == f"killed at {place}":
            self.script.pop(0)
            raise Killed


@dataclass
class Dying(MemoryIntents):
    """A record of intents whose process may die just before or just after it wrote."""

    world: World

    def __post_init__(self) -> None:
        super().__init__()

    def begin(self, intent: Intent) -> bool:
        self.world.die_at("begin")
        begun = super().begin(intent)
        self.world.die_at("send")
        return begun

    def note(self, client_id: str, ticket: Ticket) -> None:
        self.world.die_at("note")
        super().note(client_id, ticket)


EVENTS = ("not sent", "slow", "lost", "answer lost", "killed after", "away", "killed asking", "killed at mark", "killed at begin", "killed at send", "killed at note")


def once(world: World, intents: MemoryIntents) -> Once:
    return Once(intents, world, lambda: NOON, world.wait)


def retried(world: World, intents: MemoryIntents, most: int = 30) -> list[str]:
    """The states of ``submit`` by one process after the other until it is filled."""
    states = []
    for _ in range(most):
        try:
            states.append(once(world, intents).submit(ORDER).state)
        except (Killed, SourceUnavailable) as error:
            states.append(type(error).__name__)
        if states[-1] == "filled":
            return states
    raise AssertionError(states)


def test_a_fill_comes_of_every_course_of_events_and_never_two():
    chance = random.Random(7)
    for _ in range(CASES):
        script = [chance.choice(EVENTS) for _ in range(chance.randint(0, 8))]
        world = World(list(script))
        intents = Dying(world)
        states = retried(world, intents)
        world.wait(60.0)
        again = once(world, intents).submit(ORDER)
        assert (world.filled, again.state) == (1, "filled"), (script, states)


@pytest.mark.parametrize(("script", "states", "sent"), [
    ([], ["filled"], 1),
    (["answer lost"], ["filled"], 1),
    (["slow"], ["filled"], 1),
    (["lost"], ["unknown", "filled"], 2),
    (["not sent"], ["unknown", "filled"], 2),
    (["killed after"], ["Killed", "filled"], 1),
    (["killed at send"], ["Killed", "filled"], 1),
    (["answer lost", "away", "away"], ["unknown", "unknown", "filled"], 1),
])  # fmt: skip
def test_what_is_sent_and_what_is_reported_of_it(script, states, sent):
    world = World(script)
    assert retried(world, Dying(world)) == states and world.sent == sent


def test_absence_is_believed_after_two_looks_five_seconds_apart_then_it_is_sent_once_more():
    world, intents = World(["lost"]), MemoryIntents()
    assert once(world, intents).submit(ORDER).reason == "no_answer" and world.seconds == APART == 5.0 and world.looks == 2
    assert once(world, intents).submit(ORDER).state == "filled" and world.seconds == APART and (world.looks, world.sent) == (3, 2)


def test_after_a_crash_absence_is_looked_for_twice_before_anything_is_sent():
    world = World(["killed at send"])
    intents = Dying(world)
    assert retried(world, intents) == ["Killed", "filled"] and (world.looks, world.seconds, world.sent) == (2, APART, 1)



def test_what_was_refused_before_it_was_sent_is_never_sent():
    world, intents = World(), MemoryIntents()
    refused = Ticket("a", "rejected", reason="stale_price")
    assert once(world, intents).submit(ORDER, lambda order: refused) == refused
    assert once(world, intents).submit(ORDER) == refused and world.sent == 0


def test_what_the_vendor_knew_and_has_no_more_is_not_sent_again():
    world, intents = World(), MemoryIntents()
    intents.begin(Intent(ORDER, NOON, "0"))
    intents.note("a", Ticket("a", "accepted", "17", open_lots=ORDER.lots))
    ticket = once(world, intents).submit(ORDER)
    assert (ticket.state, world.sent) == ("unknown", 0) and "reconcile" in ticket.sentence


@pytest.mark.parametrize(("changes", "sentence"), [
    (dict(lots=Decimal(0)), "0 lots"), (dict(lots=Decimal("nan")), "finite"), (dict(lots=0.1), "Decimal"), (dict(side="long"), "order side"), (dict(kind="market", price=Decimal(1)), "with a price"),
    (dict(kind="stop"), "without a price"), (dict(client_id=""), "client id"), (dict(client_id="ü"), "client id"), (dict(client_id="x" * 65), "client id"), (dict(expires=datetime(2024, 1, 1)), "time zone"),
    (dict(targets=(Target(Decimal(1), Decimal("0.6")), Target(Decimal(2), Decimal("0.6")))), "at most 1"), (dict(closes="7", stop_loss=Decimal(1)), "protect"),
])  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused_where_it_is_made(changes, sentence):
    values = dict(client_id="a", instrument="EURUSD", side="buy", kind="market", lots=Decimal("0.1")) | changes
    with pytest.raises(BadRequest, match=sentence):
        Order(**values)
