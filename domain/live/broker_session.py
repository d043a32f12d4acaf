"""A session whose orders a broker fills: the kernel decides, sizes, reviews and moves stops; fills and costs are the broker's, booked as they come.

What it wants of the broker is stated as a whole (``wanted``), so that nothing is lost with whoever carries it out, and what the broker's side finds is handed in
(``booked``). Market orders go out one after the other: each is reviewed on an account that knows what became of the one before.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.backtest.live import Booked, LiveSimulation
from domain.backtest.live_outside import OutsideAccount
from domain.backtest.live_records import Review
from domain.backtest.verbs import ticket_row
from domain.errors import BadRequest
from domain.features import Context
from domain.live.arrivals import Arrivals
from domain.live.broker_book import BrokerBook, Taken, legs_of
from domain.live.broker_exits import due, levels_of
from domain.live.broker_orders import SessionOrder, entry_of, sized, tags_held, targets_of
from domain.live.broker_record import Booking, Standing
from domain.live.broker_wanted import Adopted, BrokerReport, Closed, Leave, Refused, Wanted
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.seen import Seen, Tape
from domain.live.session import Session, together
from domain.live.shared import Lines
from domain.live.tape import TapeBar
from domain.live.worked import View, Worked
from domain.market.instrument import Instrument
from domain.trading.order import NOUGHT, Fill
from domain.trading.signal_row import Row, read_row

SECOND = 1_000_000_000
AGAIN = 5 * SECOND          # before an exit that the broker has refused is tried again
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BrokerSession(Session):
    """``connect`` it after ``start`` or ``restore``."""

    def __init__(self, plan: Plan, arrivals: Arrivals, seen: Seen, contexts: Mapping[str, Context], account: LiveSimulation, lines: Lines | None = None) -> None:
        super().__init__(plan, arrivals, seen, contexts, account, lines)
        self.outside = OutsideAccount(account)
        self.name, self.at = "", 0                          # the session's name; the vendor's time as the broker's side reported it last
        self.orders: dict[int, SessionOrder] = {}
        self.book: Mapping[str, Any] = {}                   # of the broker's side, as it was when all that is booked here was found
        self.dropped: dict[str, int] = {}                   # orders that came to nothing at the broker, by reason
        self.differences: tuple[str, ...] = ()              # client ids of what the broker has otherwise
        self._next, self._adopts = 1, dict[str, bool]()     # client id -> whether it is closed, too
        self._obeyed = 0                                    # commands so far
        self._recorded = True                               # whether all bookings so far are on record; not of a session that an earlier program began
        self._standing: Standing | None = None              # of the broker's account, as it was reported last
        self._quiet: Booking | None = None                  # the last report, where it said nothing new
        self._bookings: list[Booking] = []                  # since they were taken last
        self._rows: dict[tuple[int, int], Row] = {}         # signals of the instant that is worked
        self._reviews: list[Review] = []
        self._remarks: list[str] = []

    def connect(self, name: str, stored: Mapping[str, Any] | None = None) -> BrokerSession:
        """``stored``: what ``kept`` gave with the same state."""
        self.name = name
        if stored:
            self.orders = {plain["number"]: SessionOrder.of(plain) for plain in stored["orders"]}
            self.book, self.dropped, self._next, self._adopts, self.at = stored["book"], dict(stored["dropped"]), stored["next"], dict(stored["adopts"]), stored["at"]
            self._recorded, self._obeyed = stored.get("recorded", False), stored.get("obeyed", 0)
            self._quiet = Booking.of(stored["quiet"]) if stored.get("quiet") else None
            self._standing = self._quiet.standing if self._quiet else None
        return self

    @classmethod
    def again(cls, name: str, plan: Plan, stored: bytes, kept: Mapping[str, Any], tape: Tape, commands: Iterable[Command], bookings: Iterable[Booking], contexts: Mapping[str, Context] = {}) -> tuple[BrokerSession, list[Worked]]:
        """As ``rebuild``: from its tape, its commands and its ``bookings``, all of them. Raises BadRequest where that gives other orders than ``kept`` has."""
        if not kept.get("recorded"):
            raise BadRequest(f"the state of {name} was stored by another program, which kept no record of what its broker said: go on with the program that started it, or close its positions there and start a new session")
        session, state = cls._again(plan, stored, tape, contexts)
        session.connect(name)
        left, worked = deque(commands), list[Worked]()
        for booking in (*bookings, *([Booking.of(kept["quiet"])] if kept.get("quiet") else ())):
            worked += session._book_again(booking, left)
        for command in left:
            session.command(command)
        worked += session.work(state["arrivals"]["worked"])
        session._stands(state, tape)
        if (orders := session.kept["orders"]) != list(kept["orders"]):
            raise BadRequest(f"the tape of {name} gives other orders with this program than it has at its broker ({len(orders)}, not {len(kept['orders'])}, or others): nothing is traded; go on with the earlier program, or close its positions there and start a new session")
        return session.connect(name, kept), worked

    def _book_again(self, booking: Booking, commands: deque[Command]) -> list[Worked]:
        while commands and self._obeyed + len(self._commands) < booking.commands:
            self.command(commands.popleft())
        worked = self.work(booking.ts)
        if booking.standing is not None:
            self.stands_at(*booking.standing)
        self.differences = booking.differences
        return [*worked, *self.booked(booking.report)]

    @property
    def kept(self) -> dict[str, Any]:
        """As JSON, to be stored with the state."""
        return dict(orders=self._plain_orders(), book=self.book, dropped=self.dropped, next=self._next, adopts=self._adopts, at=self.at) | dict(
            recorded=self._recorded, obeyed=self._obeyed, quiet=self._quiet.plain() if self._quiet else None,
        )  # fmt: skip

    def bookings(self) -> list[Booking]:
        """What is new on record: to be stored in their order, with the state."""
        bookings, self._bookings = self._bookings, []
        return bookings

    # ---- what happens

    def _worked(self, until: int) -> Iterator[Worked]:
        for worked in super()._worked(until):
            yield worked
            yield from self._go_on()

    def booked(self, news: BrokerReport) -> list[Worked]:
        """What the broker's side has found. Handed over twice it would be booked twice: it is stored with the state, ``book`` says up to where."""
        booking, before = Booking(self.ts, self._obeyed, replace(news, book={}), self._standing, self.differences), self._plain_orders()
        worked = self._booked(news)
        if booking.is_news or worked or self._plain_orders() != before:
            self._note_quiet()
            self._bookings.append(booking)
        else:
            self._quiet = booking
        return worked

    def _plain_orders(self) -> list[dict[str, Any]]:
        return [order.plain() for order in self.orders.values()]

    def _note_quiet(self) -> None:
        """The last report that said nothing new is on record once something happens after it."""
        if self._quiet is not None:
            self._bookings.append(self._quiet)
            self._quiet = None

    def _booked(self, news: BrokerReport) -> list[Worked]:
        self.at, self.book = max(self.at, news.at), news.book
        for taken in news.taken:
            self._take(taken)
        for refused in news.refused:
            self._refuse(refused)
        for closed in news.closed:
            self._closed(closed)
        for adopted in news.adopted:
            self._adopt(adopted)
        return [*self._go_on(), *self._stopped()]

    def stands_at(self, balance: float, equity: float) -> None:
        """The broker's account as it was last looked at, in account currency: what the gate of a rule set looks at."""
        self._standing = (balance, equity)
        self.outside.stands_at(balance, equity)

    def wanted(self) -> Wanted:
        """All that the broker is to have now."""
        entries = tuple(entry_of(order, self._instrument(order.task), self._until(order)) for order in self.orders.values() if order.sent and order.open and not self._withdrawn(order))
        held = {p.trade_id: p for p in self.outside.held()}
        leaves = tuple(Leave(order.number, order.leaving.event, order.leaving.lots) for order in self.orders.values() if order.leaving is not None)
        levels = tuple(level for order in self.orders.values() if (level := levels_of(order, held, self.outside, self._instrument(order.task))) is not None)
        return Wanted(entries, levels, leaves, tuple(self._adopts))

    def view(self) -> View:
        view = super().view()
        return replace(view, counts={**view.counts, **{reason: view.counts.get(reason, 0) + count for reason, count in self.dropped.items()}})

    @property
    def leaving(self) -> list[dict[str, Any]]:
        """What is due to leave, as rows for people."""
        return [
            dict(trade_id=order.trades.get(leg, 0), instrument=self._instrument(order.task).name, lots=str(lots), reason=order.leaving.reason, client_id=f"{order.number}-{leg}")
            for order in self.orders.values() if order.leaving is not None for leg, lots in order.leaving.lots.items()
        ]  # fmt: skip

    # ---- orders on their way out

    def _instant(self, at: int) -> Worked:
        self._note_quiet()
        worked = super()._instant(at)
        self._note(at)
        return worked

    def _decided(self, k: int, bar: TapeBar, rows: list[Row], monitored: Mapping[str, float | None]) -> list[Row]:
        rows = super()._decided(k, bar, rows, monitored)
        first = self._decisions.numbers[k] - len(rows)
        self._rows |= {(k, row["number"] + 1 if "number" in row else first + place): row for place, row in enumerate(rows, 1) if row["order"] != "exit"}
        return rows

    def _obey(self, command: Command) -> Worked:
        self._note_quiet()
        self._obeyed += 1
        worked = super()._obey(command)
        if command.command == "order":
            number = self._obeying.verbs.tickets
            self._rows[self._obeying.task_of(command), -number] = ticket_row(command.payload, number)
            self._note(None)
        if command.command == "adopt":
            if command.payload.client_id not in self.differences:
                return replace(worked, remarks=(*worked.remarks, f"adopt: nothing differs for order {command.payload.client_id}; look at the session again"))
            self._adopts[command.payload.client_id] = command.payload.close
        return worked

    def _note(self, at: int | None) -> None:
        """Orders that the account has since this instant, and until when those at the market are in time: the end of the bar that opens next."""
        known = {order.key: order for order in self.orders.values()}
        for resting in self.outside.resting():
            key = resting.series, resting.order_id
            if key not in known and key in self._rows:
                known[key] = self.orders[self._next] = SessionOrder(self._next, *key, self._rows[key])
                self._next += 1
            bar = self.outside.open_bar(resting.series)
            if at is not None and key in known and known[key].until is None and not resting.held and bar is not None and bar[0] == at:
                known[key].until = bar[1]
        self._rows.clear()

    def _go_on(self) -> list[Worked]:
        """What can go out goes, what is too late does not, what is due to leave is handed over; and what all that has booked."""
        resting = {(each.series, each.order_id): each for each in self.outside.resting()}
        for order in list(self.orders.values()):
            if not order.sent and order.key not in resting:
                del self.orders[order.number]
            elif not order.sent and order.is_market and order.until is not None and order.until <= self.ts:
                self._drop(order, "missed", "its bar ended before it could be sent; there is no late entry")
        for each in self.outside.leaving():
            due(each, self._order_of(each.trade), self.outside, max(self.at, self.ts), self._instrument)
        for order in list(self.orders.values()):
            if not order.sent and not resting[order.key].held:
                self._release(order)
        for order in list(self.orders.values()):
            if order.over:
                del self.orders[order.number]
        return self._gathered()

    def _release(self, order: SessionOrder) -> None:
        """Review an order, and let it go to the broker."""
        if order.until is None or self.outside.open_bar(order.task) is None or self._holds_back(order):
            return
        if not math.isnan(order.row["grid_spacing"]):
            return self._drop(order, "rejected", "a grid is not traded at a broker; use a strategy without one, or trade it on paper")
        order.lots = sized(self.outside.review(order.task, order.order_id), self._instrument(order.task))
        if order.lots <= 0:
            del self.orders[order.number]
            return
        order.targets = targets_of(order.row, self.outside.expected(order.task, order.row), self._instrument(order.task))
        order.legs = {leg: "" for leg in self._legs(order)}

    def _holds_back(self, order: SessionOrder) -> bool:
        """One that waits for its price: a position of its tag. One at the market: another one on its way, and exits, which come first."""
        if not order.is_market:
            return self._tag_held(order)
        under_way = any(other.is_market and other.open for other in self.orders.values())
        exits = any(other.leaving is not None and (not other.again or (other.task, other.row["tag"]) == (order.task, order.row["tag"])) for other in self.orders.values())
        return under_way or exits

    def _legs(self, order: SessionOrder) -> list[int]:
        instrument, book = self._instrument(order.task), BrokerBook(self.name)
        orders = legs_of(self.name, entry_of(order, instrument, None), Decimal(str(instrument.lot_step)), Decimal(str(instrument.min_lot)))
        return [book.number_of(each.client_id)[1] for each in orders]

    def _withdrawn(self, order: SessionOrder) -> bool:
        """A pending order that the account has let go, or whose tag is held by now."""
        resting = any((each.series, each.order_id) == order.key for each in self.outside.resting())
        return not order.is_market and not order.held_legs and (not resting or self._tag_held(order))

    def _tag_held(self, order: SessionOrder) -> bool:
        return (order.task, order.row["tag"]) in tags_held([other for other in self.orders.values() if other is not order])

    def _drop(self, order: SessionOrder, reason: str, sentence: str) -> None:
        """An order of which nothing filled: a decision that was refused."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        lots = float(order.lots) if order.lots else math.nan
        self._reviews.append(Review(order.order_id, self.ts, self._instrument(order.task).name, "refused", reason, lots, 0.0, math.nan, math.nan, math.nan, order.task))
        self._remarks.append(f"order {order.number} of {self._instrument(order.task).name}: {sentence}")
        self.outside.drop(order.task, order.order_id)
        self.orders.pop(order.number, None)

    # ---- what the broker's side found

    def _take(self, taken: Taken) -> None:
        order, fill = self.orders.get(taken.number) or self._stranger(taken.number, taken.fill), taken.fill
        k, leg, ts = order.task, taken.leg, (fill.at - EPOCH) // timedelta(microseconds=1) * 1000
        if fill.opens:
            order.trades[leg] = self.outside.enter(k, order.order_id, order.row, float(fill.lots), float(fill.price), float(fill.commission), ts, order.row["order"])
            order.legs[leg], order.held[leg] = "filled", order.held.get(leg, NOUGHT) + fill.lots
            return
        order.held[leg] = order.held.get(leg, NOUGHT) - fill.lots
        if not self.outside.leave(order.trades.get(leg, 0), float(fill.lots), float(fill.price), float(fill.commission), float(fill.swap), ts, _reason(order, leg, fill)):
            self._remarks.append(f"order {order.number}-{leg}: the broker closed {fill.lots} lots of a position that the session does not have")

    def _refuse(self, refused: Refused) -> None:
        order = self.orders.get(refused.number)
        leg = int(refused.client_id.rpartition("-")[2])
        if order is None or order.legs.get(leg) != "":
            return
        order.legs[leg] = refused.reason
        rests = any((each.series, each.order_id) == order.key for each in self.outside.resting())
        if order.open or any(became == "filled" for became in order.legs.values()):
            self._remarks.append(f"order {refused.client_id} was not filled, others of it are or may be: {refused.sentence}")
        elif not rests and refused.reason in ("cancelled", "expired", "halted"):
            self.orders.pop(order.number)               # the account has let it go before, and reported that
        elif refused.reason == "cancelled" and rests and self._tag_held(order):
            self.orders.pop(order.number)               # its tag was taken: it waits, and goes out again under another number
            self.orders[self._next] = SessionOrder(self._next, order.task, order.order_id, order.row, order.until)
            self._next += 1
        else:
            self._drop(order, refused.reason, refused.sentence)

    def _closed(self, closed: Closed) -> None:
        order = self.orders.get(closed.number)
        if order is None or order.leaving is None or order.leaving.event != closed.event:
            return
        order.leaving.lots.pop(closed.leg, None)
        if closed.refused:
            order.again = max(self.at, self.ts) + AGAIN
            self._remarks.append(f"order {order.number}-{closed.leg} could not be closed and is tried again: {closed.refused}")
        if not order.leaving.lots:
            order.leaving = None

    def _adopt(self, adopted: Adopted) -> None:
        closes, difference = self._adopts.pop(adopted.client_id, False), adopted.difference
        if difference is None:
            return
        order = self.orders.get(adopted.number) or self._stranger(adopted.number, difference)
        more, k, leg = difference.actual - difference.expected, order.task, adopted.leg
        position = difference.position
        price = float(position.price) if position is not None and more > 0 else self.outside.last_price(k)
        if more > 0:
            order.trades[leg] = self.outside.enter(k, order.order_id, order.row, float(more), price, 0.0, self.ts, order.row["order"])
            order.legs[leg] = "filled"
        else:
            self.outside.leave(order.trades.get(leg, 0), float(-more), price, 0.0, 0.0, self.ts, "manual")
        order.held[leg] = difference.actual
        self._remarks.append(f"{difference.instrument}: the broker's {difference.actual} lots of order {difference.client_id} were adopted in the place of {difference.expected}")
        if closes and difference.actual:
            self._account.leave(order.trades[leg], 1.0)

    def _stranger(self, number: int, of: Any) -> SessionOrder:
        """An order under one of our ids of which the session knows nothing: it is taken in, for the broker has it."""
        k = next((k for k, series in enumerate(self._account.series) if series.instrument.name == of.instrument), None)
        if k is None:
            raise BadRequest(f"the broker has a position of {of.instrument} under an id of this session, which does not trade it; close it there")
        side = of.side if isinstance(of, Fill) else "buy" if of.position.side == "long" else "sell"
        order = SessionOrder(number, k, -1_000_000 - number, read_row(dict(side="long" if side == "buy" else "short", order="market", tag=f"broker {number}")))
        self.orders[number], self._next = order, max(self._next, number + 1)
        return order

    # ---- inside

    def _gathered(self) -> list[Worked]:
        booked = self.outside.booked(self.ts)
        if self._reviews:
            booked.append(Booked(self.ts, reviews=tuple(self._reviews)))
        remarks, self._reviews, self._remarks = tuple(self._remarks), [], []
        if not booked and not remarks:
            return []
        worked = self._outcome(together(self.ts, booked))
        return [replace(worked, remarks=(*worked.remarks, *remarks))]

    def _stopped(self) -> list[Worked]:
        """The end, where a stop was requested and the last position has left."""
        if self.state == "finished" or not (self._obeying.verbs.stopped and self._rests()):
            return []
        self.state = "finished"
        return [Worked(self.ts, ended=True)]

    def _rests(self) -> bool:
        return not self._account.open_positions() and not any(order.open or order.leaving for order in self.orders.values())

    def _order_of(self, trade: int) -> SessionOrder | None:
        return next((order for order in self.orders.values() if trade in order.trades.values()), None)

    def _instrument(self, task: int) -> Instrument:
        return self.plan.instrument(self.plan.decided[task][0])

    def _until(self, order: SessionOrder) -> datetime | None:
        return None if order.until is None else EPOCH + timedelta(microseconds=order.until // 1000)


def _reason(order: SessionOrder, leg: int, fill: Fill) -> str:
    """Why a position left, as the session has it: the broker says how it was ordered, our id of which exit it is."""
    if fill.reason.startswith("target"):
        return f"target_{leg}" if leg else "target_1"
    if fill.reason in ("stop_loss", "stop_out"):
        return fill.reason
    event = fill.client_id.rpartition("x")[2]
    if event.isdigit() and 0 < int(event) <= len(order.reasons):
        return order.reasons[int(event) - 1]
    return order.leaving.reason if order.leaving is not None and leg in order.leaving.lots else "manual"
