"""A session's account at OANDA's and MetaTrader's doubles through a bad day: one position, one audit story. The intents are in the database."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.live.broker_book import BrokerBook, Entry
from domain.trading.order import Order, Target
from tests.conformance.rig import Rig
from worker.sessions.broker_account import BrokerAccount, Step, Surroundings
from worker.store.order_intents import StoredIntents
from worker.store.trail import Filter

D = Decimal
VENDORS = ("metatrader", "oanda")
ENTRY = Entry(1, "EURUSD", "buy", "market", D("0.30"), stop_loss=D("1.09500"), targets=(Target(D("1.11000"), D("0.5")), Target(D("1.12000"), D("0.3"))), tag="swing")


@pytest.fixture(params=VENDORS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    built = importlib.import_module(f"tests.conformance.rig_{request.param}").RIG()
    yield built
    built.close()


@pytest.fixture
def kind() -> str:
    return "sqlite"


class Desk:
    """The account of the session ``gold``, as a process makes it; ``again`` is the next process on the same database and the same book."""

    def __init__(self, rig: Rig, store) -> None:
        self.rig, self.store = rig, store
        rig.intents = StoredIntents(store, "practice", "session gold")
        self.is_fresh, self.halt, self.steps = True, "", list[Step]()
        self.book = BrokerBook("gold")
        self.again()

    def again(self) -> None:
        surroundings = Surroundings(lambda: self.rig.time.now, self.rig.time.monotonic, lambda name: self.is_fresh, lambda: self.halt, lambda name: (D("0.01"), D("0.01")))
        self.account = BrokerAccount(self.rig.broker(), self.book, surroundings)

    def step(self, seconds: float = 1.0) -> Step:
        self.rig.time.advance(seconds)
        self.steps.append(self.account.step())
        return self.steps[-1]

    @property
    def taken(self) -> list[tuple[int, int, str, str, Decimal]]:
        return [(taken.number, taken.leg, taken.fill.side, taken.fill.reason, taken.fill.lots) for step in self.steps for taken in step.taken]

    @property
    def refused(self) -> list[tuple[str, str]]:
        return [(refused.client_id, refused.reason) for step in self.steps for refused in step.refused]


@pytest.fixture
def desk(rig, store) -> Desk:
    return Desk(rig, store)


def test_an_entry_is_one_order_per_target_and_one_for_the_rest_each_with_its_stop(desk):
    desk.account.enter(ENTRY)
    desk.step()
    positions = desk.account.broker.positions()
    assert [(position.client_id, position.lots, position.stop_loss, [target.price for target in position.targets]) for position in positions] == [
        ("gold-1-1", D("0.15"), D("1.09500"), [D("1.11000")]), ("gold-1-2", D("0.09"), D("1.09500"), [D("1.12000")]), ("gold-1-0", D("0.06"), D("1.09500"), []),
    ]  # fmt: skip
    assert [row[:3] for row in desk.taken] == [(1, 1, "buy"), (1, 2, "buy"), (1, 0, "buy")] and desk.account.state == ""


def test_a_bad_day_leaves_one_position_of_each_leg_and_one_story_of_each_order(desk, rig):
    rig.lose_answer()
    rig.repeat_fills()
    desk.account.enter(ENTRY)
    for _ in range(3):
        desk.step()
    assert rig.accepted() == 3 and len(desk.account.broker.positions()) == 3
    assert sorted(row[1] for row in desk.taken) == [0, 1, 2] and not desk.account.unknown and not desk.refused
    rig.away(True)
    assert desk.step(61.0).taken == [] and desk.account.state == "away" and len(desk.book.legs) == 3
    rig.move("EURUSD", "1.11005", "1.11015")        # the first target fills while nobody is there
    rig.away(False)
    desk.step(6.0)
    assert desk.account.state == "" and desk.taken[-1] == (1, 1, "sell", "target_1", D("0.15"))
    desk.again()                                    # another process
    desk.step(61.0)
    assert len(desk.taken) == 4 and [position.client_id for position in desk.account.broker.positions()] == ["gold-1-2", "gold-1-0"]
    for leg in range(3):
        story = events_of(desk.store, f"gold-1-{leg}")
        assert story[0] == "order_intent" and story[-1] == "order_filled" and story.count("order_filled") == 1, story


def test_a_request_that_was_lost_is_sent_once_more_under_the_same_id(desk, rig):
    rig.lose_request()
    desk.account.enter(Entry(2, "EURUSD", "sell", "market", D("0.10"), stop_loss=D("1.11000")))
    desk.step()
    desk.step()
    assert rig.accepted() == 1 and [row[:3] for row in desk.taken] == [(2, 0, "sell")] and not desk.account.unknown
    assert events_of(desk.store, "gold-2-0") == ["order_intent", "order_unknown", "order_unknown", "order_filled"]


def test_an_order_waits_for_a_fresh_price_until_its_bar_ends(desk, rig):
    desk.step()
    desk.is_fresh = False
    until = rig.time.now + timedelta(seconds=30)
    desk.account.enter(Entry(3, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000"), until=until))
    assert desk.step(10.0).refused == [] and rig.accepted() == 0
    desk.step(25.0)
    assert desk.refused == [("gold-3-0", "stale")] and rig.accepted() == 0


def test_an_order_on_a_price_that_stands_still_at_the_broker_is_stale(desk, rig):
    desk.account.enter(Entry(2, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000")))
    desk.step()
    rig.freeze()
    rig.time.advance(90.0)
    desk.account.enter(Entry(3, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000")))
    desk.step()
    assert desk.refused == [("gold-3-0", "stale")] and rig.accepted() == 1


def test_an_order_that_fills_in_part_is_held_as_it_filled(desk, rig):
    rig.fill_only("0.04")
    desk.account.enter(Entry(8, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000")))
    desk.step()
    desk.step(61.0)
    assert desk.book.legs["gold-8-0"].held == D("0.04") and desk.account.state == ""


def test_a_vendor_that_asks_for_fewer_requests_is_requested_again_and_its_book_is_not_empty(desk, rig):
    desk.account.enter(Entry(9, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000")))
    desk.step()
    if not hasattr(rig, "double"):
        pytest.skip("a terminal answers no 429")
    rig.double.faults.extend([lambda handler: handler.send(429, {"errorMessage": "too many"}, {"Retry-After": "1"}) is None] * 9)
    desk.step(61.0)
    assert desk.account.state == "away" and "fewer requests (429)" in desk.account.trouble and desk.book.legs["gold-9-0"].held == D("0.10")
    rig.double.faults.clear()
    desk.step(6.0)
    assert desk.account.state == "" and len(desk.taken) == 1


def test_a_process_that_has_lost_its_book_takes_its_own_orders_in_by_their_ids(desk, rig):
    desk.account.enter(ENTRY)
    desk.step()
    desk.account.close(1, D("0.5"), "c9")
    desk.book = BrokerBook("gold")
    desk.again()
    desk.step()
    assert desk.account.state == "" and sum(leg.held for leg in desk.book.legs.values()) == D("0.16")


def test_a_bar_that_ended_while_the_broker_was_away_makes_no_late_entry(desk, rig):
    rig.away(True)
    desk.account.enter(Entry(4, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000"), until=rig.time.now + timedelta(seconds=30)))
    desk.step()
    rig.away(False)
    desk.step(60.0)
    assert desk.refused == [("gold-4-0", "missed")] and rig.accepted() == 0


def test_the_kill_switch_is_looked_at_before_every_order(desk, rig):
    desk.step()
    desk.halt = "halted by ana: enough"
    desk.account.enter(ENTRY)
    desk.step()
    assert [reason for _, reason in desk.refused] == ["halted"] * 3 and rig.accepted() == 0


def test_what_is_foreign_is_shown_and_left_alone(desk, rig):
    desk.step()
    rig.broker().submit(Order("by-hand", "EURUSD", "buy", "market", D("0.05"), stop_loss=D("1.09000")))
    desk.step(61.0)
    assert [position.client_id for position in desk.account.reconciled.foreign] == ["by-hand"] and desk.account.state == "" and desk.taken == []
    desk.account.enter(ENTRY)
    desk.step()
    assert len(desk.account.broker.positions()) == 4


def test_lots_that_differ_stop_entries_until_a_person_adopts_them(desk, rig):
    desk.account.enter(Entry(5, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000")))
    desk.step()
    desk.book.legs["gold-5-0"].opened += D("0.02")      # a book that is wrong
    desk.step(61.0)
    assert desk.account.state == "differs" and "the broker has 0.1" in desk.account.reconciled.differences[0].sentence
    desk.account.enter(Entry(6, "EURUSD", "buy", "market", D("0.10"), stop_loss=D("1.09000"), until=rig.time.now + timedelta(seconds=5)))
    desk.step(10.0)
    assert desk.refused == [("gold-6-0", "missed")]
    desk.account.adopt("gold-5-0")
    desk.step()
    assert desk.account.state == "" and desk.book.legs["gold-5-0"].held == D("0.10")


def test_a_position_without_a_stop_is_an_alarm(desk, rig):
    desk.account.enter(Entry(7, "EURUSD", "buy", "market", D("0.10")))
    assert desk.step().alarms and "has no stop at the broker" in desk.step(61.0).alarms[0]
    desk.account.protect(7, D("1.09000"))
    assert desk.step(61.0).alarms == ()


def test_a_share_is_closed_once_for_its_event(desk, rig):
    desk.account.enter(ENTRY)
    desk.step()
    desk.account.close(1, D("0.5"), "c9")
    desk.account.close(1, D("0.5"), "c9")
    desk.step(61.0)
    assert sorted(position.lots for position in desk.account.broker.positions()) == [D("0.03"), D("0.05"), D("0.08")] and desk.account.state == ""


def events_of(store, client_id: str) -> list[str]:
    """The kinds of the audit events of an order, in their order."""
    with store.read() as unit:
        return [record.kind for record in unit.trail.all(Filter(entity=f"order:{client_id}"))]
