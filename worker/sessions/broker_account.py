"""A session's account at a broker: entries become orders, fills become what the session books, and the two books are compared.

Its steps wait for the vendor, so they are made in a thread of their own. Before anything is sent the intent is committed, by the record of intents that the
broker was made with; a lost answer is looked up by id there, and an order that the vendor does not have is sent once more under the same id.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.errors import BadRequest, SourceUnavailable
from domain.live.broker_book import BrokerBook, Entry, Leg, Taken, legs_of, prefix_of
from domain.live.broker_wanted import Adopted, Closed, Refused, Wanted
from domain.live.reconcile import Difference, Reconciled, adopted, reconcile
from domain.trading.broker import Broker, Intents, MemoryIntents
from domain.trading.order import Account, Order, Position, Ticket
from worker.sessions.broker_held import BrokerHeld

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


@dataclass
class Step:
    """What came of a step."""

    taken: list[Taken] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)
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
    ticks: Callable[[str], Decimal] = lambda name: Decimal("1e-9")
    currency: str = ""


class BrokerAccount:
    """``trouble``: why the broker's book is not known, empty where it is; then no order is sent. ``found``: what the last comparison found."""

    def __init__(self, broker: Broker, book: BrokerBook, surroundings: Surroundings, intents: Intents | None = None) -> None:
        """``intents``: the record that the broker was made with; what stands in it may have been sent by a process that died."""
        self.broker, self.book, self._surroundings = broker, book, surroundings
        self._intents = MemoryIntents() if intents is None else intents
        self._held_there = BrokerHeld(broker, book, self._intents, surroundings.ticks)
        self._entered: set[int] = set()                 # numbers of orders that were taken up by this process
        self._early: list[Refused] = []                 # what became of orders of a process that died
        self.trouble, self.reconciled = "the broker's book has not been read yet", Reconciled()
        self.account: Account | None = None
        self.positions: tuple[Position, ...] = ()       # as of the last comparison
        self.unknown: dict[str, Ticket] = {}            # orders of which it is not known whether they arrived
        self._looked: dict[str, float] = {}             # when they were looked for first
        self._waiting: deque[Waiting] = deque()
        self._compare_at = self._look_at = surroundings.monotonic()

    @property
    def state(self) -> str:
        """``away``, ``differs``, or empty where entries may be sent."""
        return "away" if self.trouble else "differs" if self.reconciled.differs else ""

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """Orders that are to be sent."""
        return tuple(self._waiting)

    # what a session asks

    def enter(self, entry: Entry) -> None:
        """An entry that was decided: it is sent with the next step."""
        orders = legs_of(self.book.session, entry, *self._surroundings.sizes(entry.instrument))
        self.book.place(entry.number, orders)
        self._entered.add(entry.number)
        for order in orders:
            self._take_up(order, entry)

    def _take_up(self, order: Order, entry: Entry) -> None:
        """One that was begun before may have been sent: it is looked up by its id, whatever the time."""
        intent = self._intents.find(order.client_id)
        if intent is None:
            self._waiting.append(Waiting(order, entry.number, entry.until))
        elif intent.ticket is None or not intent.ticket.over:
            if intent.ticket is None or intent.ticket.state == "unknown":
                self.unknown[order.client_id] = Ticket(order.client_id, "unknown", sentence=f"order {order.client_id}: it was being sent when the process ended")
            self._waiting.append(Waiting(order, entry.number, entry.until, 1))
        elif not intent.ticket.filled_lots:
            self._early.append(Refused(entry.number, order.client_id, _counted(intent.ticket), intent.ticket.sentence))

    def protect(self, number: int, stop: Decimal | None) -> None:
        """The stop of every position of an order is moved; its targets stay."""
        for _, position in self._held(number):
            self.broker.protect(position, stop, position.targets)

    def close(self, number: int, share: Decimal, event: str) -> list[Ticket]:
        """Close a share of each position of an order, rounded down to the step. ``event`` names the decision: the same one closes once."""
        tickets = []
        for leg, position in self._held(number):
            step, _ = self._surroundings.sizes(position.instrument)
            lots = position.lots if share >= 1 else position.lots * share // step * step
            if lots > 0:
                side = "sell" if position.side == "long" else "buy"
                order = Order(f"{prefix_of(self.book.session)}-{number}-{leg.leg}x{event}", position.instrument, side, "market", lots, closes=position.position_id)
                tickets.append(self.broker.submit(self.book.closings.setdefault(order.client_id, order)))
        return tickets

    def adopt(self, client_id: str) -> Difference:
        """A person takes the broker's lots of a position for right."""
        difference = next((each for each in self.reconciled.differences if each.client_id == client_id), None)
        if difference is None:
            raise BadRequest(f"nothing differs for order {client_id}; look at the session again")
        adopted(self.book, difference)
        self._compare_at = self._surroundings.monotonic()
        return difference

    # what is done for it

    def carry(self, wanted: Wanted) -> Step:
        """A step towards what the session wants, whole: what is there already is left as it is, so that it may be wanted again after any death."""
        for entry in wanted.entries:
            if entry.number not in self._entered:
                self.enter(entry)
        step = self.step()
        if not self.trouble:
            self._adopts(wanted, step)
            self._withdraw(wanted, step)
            self._move(wanted, step)
            if step.taken or self._surroundings.monotonic() >= self._compare_at:
                self.compare(step)
        step.alarms = (*step.alarms, *self._held_there.remarks)
        if not self.trouble:
            step.closed = self._held_there.ended(self._surroundings.monotonic(), {each.client_id for each in self.reconciled.differences})
        self._forget(wanted)
        return step

    def _adopts(self, wanted: Wanted, step: Step) -> None:
        for client_id in wanted.adopts:
            try:
                difference = self.adopt(client_id)
            except BadRequest:
                difference = None
            step.adopted.append(Adopted(client_id, *self.book.number_of(client_id), difference))

    def _move(self, wanted: Wanted, step: Step) -> None:
        """Stops, targets and exits of what is held."""
        try:
            exits = self._held_there.close(wanted.leaves, self._surroundings.monotonic())
            self._held_there.protect(wanted.levels, self.positions)
        except SourceUnavailable as error:
            self.trouble, self._compare_at = str(error), self._surroundings.monotonic() + LOOK
            return
        if exits:
            self._compare_at = self._surroundings.monotonic()

    def _withdraw(self, wanted: Wanted, step: Step) -> None:
        """Orders that wait at the broker for their price and are wanted no more; and what became of the others."""
        numbers = {entry.number for entry in wanted.entries}
        for name, leg in self.book.legs.items():
            if leg.number in numbers or leg.order.kind == "market" or leg.opened or leg.number not in self._entered or name in self.unknown:
                continue
            waiting = [each for each in self._waiting if each.order.client_id == name]
            for each in waiting:
                self._waiting.remove(each)
            if waiting and not waiting[0].tries:
                step.refused.append(Refused(leg.number, name, "cancelled", f"order {name} was not sent: it is wanted no more"))
            else:
                self._cancel(leg, step)

    def _cancel(self, leg: Leg, step: Step) -> None:
        try:
            self.broker.cancel(leg.order.client_id)
            ticket = self.broker.submit(leg.order)      # only asks: it is known there
        except (SourceUnavailable, BadRequest) as error:
            self.trouble, self._compare_at = str(error), self._surroundings.monotonic() + LOOK
            return
        self._receive(Waiting(leg.order, leg.number, None, 2), ticket, step)

    def _forget(self, wanted: Wanted) -> None:
        """Orders of which nothing is wanted, held or under way."""
        named = {each.number for several in (wanted.entries, wanted.levels, wanted.leaves, self._waiting) for each in several}
        unsure = {leg.number for name, leg in self.book.legs.items() if name in self.unknown or leg.held}
        self.book.forget({leg.number for leg in self.book.legs.values()} - named - unsure)

    def step(self) -> Step:
        """Compare where that is due, send what waits, and take what was filled."""
        step = Step(refused=self._early)
        self._early = []
        if self._surroundings.monotonic() >= self._compare_at:
            self.compare(step)
        self._look(step)
        for _ in range(len(self._waiting)):
            self._send(self._waiting.popleft(), step)
        if self._surroundings.monotonic() >= self._compare_at:        # an order is unknown, or filled
            self.compare(step)
        step.alarms = (*self.reconciled.alarms, *(ticket.sentence for ticket in self.unknown.values()))
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
            refusal = self._refusal()
        except (SourceUnavailable, BadRequest) as error:
            self.trouble, self._compare_at = str(error), self._surroundings.monotonic() + LOOK
            return
        self.trouble, self.reconciled, self.positions = refusal, reconcile(self.book, positions), positions
        self._held_there.looked()
        self._known(step)
        self._pending(step)
        self._compare_at = self._surroundings.monotonic() + (LOOK if self.unknown else RECONCILE)

    def _known(self, step: Step) -> None:
        """Orders that were unknown: those whose fill has come are known; one at the market that two looks 5 s apart have not found never arrived."""
        now, coming = self._surroundings.monotonic(), {waiting.order.client_id for waiting in self._waiting}
        for name in list(self.unknown):
            leg, since = self.book.legs[name], self._looked.setdefault(name, now)
            if leg.opened:
                self._submit_again(leg, step)
            elif leg.order.kind == "market" and name not in coming and now >= since + LOOK:
                del self.unknown[name]
                step.refused.append(Refused(leg.number, name, "missed", f"order {name}: no answer came, and the broker does not have it"))
        self._looked = {name: self._looked[name] for name in self.unknown}

    def _pending(self, step: Step) -> None:
        """Orders that wait for their price there: one that ended there without a fill is over."""
        for name, leg in list(self.book.legs.items()):
            if leg.order.kind != "market" and not leg.opened and name not in self.unknown and not any(each.order.client_id == name for each in self._waiting):
                self._submit_again(leg, step)

    def _submit_again(self, leg: Leg, step: Step) -> None:
        """What became of an order that the vendor knows."""
        try:
            self._receive(Waiting(leg.order, leg.number, None, 2), self.broker.submit(leg.order), step)
        except (SourceUnavailable, BadRequest):         # the next comparison asks again
            return

    def _take(self) -> list[Taken]:
        return self.book.take(self.broker.fills(self.book.after))

    def _look(self, step: Step) -> None:
        """The account every 5 s, for the limits on its equity; and what stops, targets and orders that wait there have filled."""
        if self._surroundings.monotonic() < self._look_at:
            return
        self._look_at = self._surroundings.monotonic() + LOOK
        try:
            self.account = self.broker.account()
            taken = [] if self.trouble else self._take()
        except (SourceUnavailable, BadRequest) as error:
            self.trouble, self._compare_at = str(error), self._surroundings.monotonic()
            return
        step.taken += taken
        if taken:
            self._compare_at = self._surroundings.monotonic()

    def _refusal(self) -> str:
        """Why no order goes to this account, whatever it holds; empty where one may."""
        if self.account is None:
            self.account = self.broker.account()
        if not self.account.practice:
            return "the account is a live one, and sessions trade on practice and demo accounts only; give the number of a practice account"
        wanted = self._surroundings.currency
        return f"the account is in {self.account.currency}, and the session counts in {wanted}; give [account] currency = \"{self.account.currency}\"" if wanted not in ("", self.account.currency) else ""

    def _send(self, waiting: Waiting, step: Step) -> None:
        """One order, once everything allows it. One that may have been sent already is never refused: what became of it is found out."""
        refusal = self._refused(waiting)
        if refusal is not None and not waiting.tries:
            step.refused.append(refusal)
        elif refusal is None and (self.state or not (waiting.tries or self._surroundings.fresh(waiting.order.instrument))):
            waiting.why = "missed" if self.state else "stale"
            self._waiting.append(waiting)
        elif refusal is None:
            self._submit(waiting, step)

    def _refused(self, waiting: Waiting) -> Refused | None:
        if halted := self._surroundings.halted():
            return Refused(waiting.number, waiting.order.client_id, "halted", halted)
        return self._too_late(waiting)

    def _too_late(self, waiting: Waiting) -> Refused | None:
        if waiting.until is None or self._surroundings.now() < waiting.until:
            return None
        why = {"stale": "no fresh price came before its bar ended", "missed": "its bar ended before it could be sent; there is no late entry"}[waiting.why]
        return Refused(waiting.number, waiting.order.client_id, waiting.why, f"order {waiting.order.client_id}: {why}")

    def _submit(self, waiting: Waiting, step: Step) -> None:
        waiting.tries += 1
        try:
            ticket = self.broker.submit(waiting.order)
        except SourceUnavailable as error:              # nothing was sent
            waiting.tries -= 1
            self.trouble, self._compare_at = str(error), self._surroundings.monotonic()
            self._waiting.append(waiting)
            return
        except BadRequest as error:
            step.refused.append(Refused(waiting.number, waiting.order.client_id, "rejected", str(error)))
            return
        self._receive(waiting, ticket, step)

    def _receive(self, waiting: Waiting, ticket: Ticket, step: Step) -> None:
        if ticket.state == "unknown":
            self._compare_at = self._surroundings.monotonic()
            self.unknown[ticket.client_id] = ticket
            if waiting.tries < 2 or ticket.reason == "not_sent":
                self._waiting.append(waiting)           # looked up by id first, then sent once more under it
            return
        self.unknown.pop(ticket.client_id, None)
        if ticket.filled_lots:
            self._compare_at = self._surroundings.monotonic()
        elif ticket.state in ("rejected", "cancelled", "expired"):
            step.refused.append(Refused(waiting.number, ticket.client_id, _counted(ticket), ticket.sentence))

    def _held(self, number: int) -> Sequence[tuple[Leg, Position]]:
        """Legs of an order with the broker's positions of them."""
        positions = {leg.order.client_id: position for position in self.broker.positions() if (leg := self.book.leg_at(position.position_id, position.client_id)) is not None}
        return [(leg, positions[name]) for name, leg in self.book.legs.items() if leg.number == number and name in positions]


def _counted(ticket: Ticket) -> str:
    return "stale" if ticket.reason == "stale_price" else ticket.reason or ticket.state
