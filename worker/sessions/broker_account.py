"""A session's account at a broker: entries become orders, fills become what the session books, and the two books are compared.

Its steps wait for the vendor, so they are made in a thread of their own. Before anything is sent the intent is committed, by the record of intents that the
broker was made with; a lost answer is asked for by id there, and an order that the vendor does not have is sent once more under the same id.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.errors import BadRequest, SourceUnavailable
from domain.live.broker_book import BrokerBook, Entry, Leg, Taken, legs_of, prefix_of
from domain.live.reconcile import Difference, Reconciled, adopted, reconcile
from domain.trading.broker import Broker
from domain.trading.order import Account, Order, Position, Ticket

RECONCILE, LOOK = 60.0, 5.0         # seconds between comparisons, and between looks at the account's equity
ROUNDS = 3                          # looks at fills and positions until no fill came between


@dataclass
class Waiting:
    """An order that is to be sent. ``tries``: how often it was."""

    order: Order
    number: int
    until: datetime | None
    tries: int = 0
    why: str = "missed"             # what it is called where it is too late for it


@dataclass(frozen=True)
class Refused:
    """An order that came to nothing: ``reason`` as it is counted, ``sentence`` for people."""

    number: int
    client_id: str
    reason: str
    sentence: str


@dataclass
class Step:
    """What came of a step."""

    taken: list[Taken] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """What is handed in: ``now`` the vendor's time, ``monotonic`` seconds, ``fresh`` whether an instrument's price is, ``halted`` the kill switch (empty: it is
    not set), looked at before every order; ``sizes`` the lot step and the smallest order of an instrument."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    fresh: Callable[[str], bool]
    halted: Callable[[], str]
    sizes: Callable[[str], tuple[Decimal, Decimal]]


class BrokerAccount:
    """``trouble``: why the broker's book is not known, empty where it is; then no order is sent. ``found``: what the last comparison found."""

    def __init__(self, broker: Broker, book: BrokerBook, around: Surroundings) -> None:
        self.broker, self.book, self._around = broker, book, around
        self.trouble, self.found = "the broker's book has not been read yet", Reconciled()
        self.account: Account | None = None
        self.unknown: dict[str, Ticket] = {}            # orders of which it is not known whether they arrived
        self._looked: dict[str, float] = {}             # when they were looked for first
        self._waiting: deque[Waiting] = deque()
        self._compare_at = self._look_at = around.monotonic()

    @property
    def state(self) -> str:
        """``away``, ``differs``, or empty where entries may be sent."""
        return "away" if self.trouble else "differs" if self.found.differs else ""

    # what a session asks

    def enter(self, entry: Entry) -> None:
        """An entry that was decided: it is sent with the next step."""
        orders = legs_of(self.book.session, entry, *self._around.sizes(entry.instrument))
        self.book.place(entry.number, orders)
        self._waiting.extend(Waiting(order, entry.number, entry.until) for order in orders)

    def protect(self, number: int, stop: Decimal | None) -> None:
        """The stop of every position of an order is moved; its targets stay."""
        for _, position in self._held(number):
            self.broker.protect(position, stop, position.targets)

    def close(self, number: int, share: Decimal, event: str) -> list[Ticket]:
        """Close a share of each position of an order, rounded down to the step. ``event`` names the decision: the same one closes once."""
        tickets = []
        for leg, position in self._held(number):
            step, _ = self._around.sizes(position.instrument)
            lots = position.lots if share >= 1 else position.lots * share // step * step
            if lots > 0:
                side = "sell" if position.side == "long" else "buy"
                order = Order(f"{prefix_of(self.book.session)}-{number}-{leg.leg}x{event}", position.instrument, side, "market", lots, closes=position.position_id)
                tickets.append(self.broker.submit(self.book.closings.setdefault(order.client_id, order)))
        return tickets

    def adopt(self, client_id: str) -> Difference:
        """A person takes the broker's lots of a position for right."""
        difference = next((each for each in self.found.differences if each.client_id == client_id), None)
        if difference is None:
            raise BadRequest(f"nothing differs for order {client_id}; look at the session again")
        adopted(self.book, difference)
        self._compare_at = self._around.monotonic()
        return difference

    # what is done for it

    def step(self) -> Step:
        """Compare where that is due, send what waits, and take what was filled."""
        step = Step()
        if self._around.monotonic() >= self._compare_at:
            self.compare(step)
        self._look()
        for _ in range(len(self._waiting)):
            self._send(self._waiting.popleft(), step)
        if self._around.monotonic() >= self._compare_at:        # an order is unknown, or filled
            self.compare(step)
        step.alarms = (*self.found.alarms, *(ticket.sentence for ticket in self.unknown.values()))
        return step

    def compare(self, step: Step) -> None:
        """Take the fills, then compare positions. A snapshot that fails is no empty book: nothing is concluded, and nothing is sent until one succeeds."""
        try:
            step.taken += self._take()
            for _ in range(ROUNDS):
                positions = self.broker.positions()
                more = self._take()
                step.taken += more
                if not more:
                    break
        except (SourceUnavailable, BadRequest) as error:
            self.trouble, self._compare_at = str(error), self._around.monotonic() + LOOK
            return
        self.trouble, self.found = "", reconcile(self.book, positions)
        self._known(step)
        self._compare_at = self._around.monotonic() + (LOOK if self.unknown else RECONCILE)

    def _known(self, step: Step) -> None:
        """Orders that were unknown: those whose fill has come are known; one at the market that two looks 5 s apart have not found never arrived."""
        now, coming = self._around.monotonic(), {waiting.order.client_id for waiting in self._waiting}
        for name in list(self.unknown):
            leg, since = self.book.legs[name], self._looked.setdefault(name, now)
            if leg.opened:
                self._heard(Waiting(leg.order, leg.number, None, 2), self.broker.submit(leg.order), step)
            elif leg.order.kind == "market" and name not in coming and now >= since + LOOK:
                del self.unknown[name]
                step.refused.append(Refused(leg.number, name, "missed", f"order {name}: no answer came, and the broker does not have it"))
        self._looked = {name: self._looked[name] for name in self.unknown}

    def _take(self) -> list[Taken]:
        return self.book.take(self.broker.fills(self.book.after))

    def _look(self) -> None:
        """The account every 5 s, for the limits on its equity."""
        if self._around.monotonic() < self._look_at:
            return
        self._look_at = self._around.monotonic() + LOOK
        try:
            self.account = self.broker.account()
        except SourceUnavailable as error:
            self.trouble, self._compare_at = str(error), self._around.monotonic()

    def _send(self, waiting: Waiting, step: Step) -> None:
        """One order, once everything allows it. One that may have been sent already is never refused: what became of it is found out."""
        refusal = self._refused(waiting)
        if refusal is not None and not waiting.tries:
            step.refused.append(refusal)
        elif refusal is None and (self.state or not (waiting.tries or self._around.fresh(waiting.order.instrument))):
            waiting.why = "missed" if self.state else "stale"
            self._waiting.append(waiting)
        elif refusal is None:
            self._submit(waiting, step)

    def _refused(self, waiting: Waiting) -> Refused | None:
        if halted := self._around.halted():
            return Refused(waiting.number, waiting.order.client_id, "halted", halted)
        return self._too_late(waiting)

    def _too_late(self, waiting: Waiting) -> Refused | None:
        if waiting.until is None or self._around.now() < waiting.until:
            return None
        why = {"stale": "no fresh price came before its bar ended", "missed": "its bar ended before it could be sent; there is no late entry"}[waiting.why]
        return Refused(waiting.number, waiting.order.client_id, waiting.why, f"order {waiting.order.client_id}: {why}")

    def _submit(self, waiting: Waiting, step: Step) -> None:
        waiting.tries += 1
        try:
            ticket = self.broker.submit(waiting.order)
        except SourceUnavailable as error:              # nothing was sent
            waiting.tries -= 1
            self.trouble, self._compare_at = str(error), self._around.monotonic()
            self._waiting.append(waiting)
            return
        except BadRequest as error:
            step.refused.append(Refused(waiting.number, waiting.order.client_id, "rejected", str(error)))
            return
        self._heard(waiting, ticket, step)

    def _heard(self, waiting: Waiting, ticket: Ticket, step: Step) -> None:
        if ticket.state == "unknown":
            self._compare_at = self._around.monotonic()
            self.unknown[ticket.client_id] = ticket
            if waiting.tries < 2 or ticket.reason == "not_sent":
                self._waiting.append(waiting)           # asked for by id first, then sent once more under it
            return
        self.unknown.pop(ticket.client_id, None)
        if ticket.filled_lots:
            self._compare_at = self._around.monotonic()
        elif ticket.state in ("rejected", "cancelled", "expired"):
            step.refused.append(Refused(waiting.number, ticket.client_id, _counted(ticket), ticket.sentence))

    def _held(self, number: int) -> Sequence[tuple[Leg, Position]]:
        """Legs of an order with the broker's positions of them."""
        positions = {leg.order.client_id: position for position in self.broker.positions() if (leg := self.book.leg_at(position.position_id, position.client_id)) is not None}
        return [(leg, positions[name]) for name, leg in self.book.legs.items() if leg.number == number and name in positions]


def _counted(ticket: Ticket) -> str:
    return "stale" if ticket.reason == "stale_price" else ticket.reason or ticket.state
