"""The orders of a session at a broker: one per target and one for the rest, each with its stop there, and what became of each. Pure: orders go out, fills come in.

The broker's book is the truth. An order is known again by its client id, made of session, order number and leg; a position by the order that opened it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from hashlib import sha256
from typing import Any

from domain.errors import BadRequest
from domain.trading.order import LONGEST_ID, NOUGHT, Fill, Order, Position, Target
from domain.trading.order_text import order_of, values_of

SEEN = 200                  # fills that are remembered by their id, and of others
ROOM = 12                   # letters of a client id for order number and leg


@dataclass(frozen=True)
class Entry:
    """An entry as it was decided, sized and reviewed. ``number``: of its order in the session; ``until``: when it is too late for it."""

    number: int
    instrument: str
    side: str                               # buy or sell
    kind: str                               # market, limit or stop
    lots: Decimal
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    targets: tuple[Target, ...] = ()
    tag: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Taken:
    """A fill of the broker's on an order of the session: what its account books. ``number``: of the session's order."""

    number: int
    leg: int
    fill: Fill


@dataclass
class Leg:
    """An order at the broker and the position that it opened: lots as its fills say."""

    order: Order
    number: int
    leg: int
    position_id: str = ""
    opened: Decimal = NOUGHT
    closed: Decimal = NOUGHT

    @property
    def held(self) -> Decimal:
        return self.opened - self.closed


def prefix_of(session: str) -> str:
    """What the client ids of a session begin with.

    >>> prefix_of("gold"), len(prefix_of("x" * 64))
    ('gold', 52)
    """
    return session if len(session) <= LONGEST_ID - ROOM else f"{session[:39]}.{sha256(session.encode()).hexdigest()[:12]}"


def legs_of(session: str, entry: Entry, step: Decimal, least: Decimal) -> tuple[Order, ...]:
    """The orders of an entry. A target's share is rounded down to the lot step; the one that brings the shares to 1 takes what is left; one below the
    smallest order stays with the rest.

    >>> D = Decimal
    >>> entry = Entry(7, "EURUSD", "buy", "market", D("0.25"), stop_loss=D("1.09"), targets=(Target(D("1.11"), D("0.5")), Target(D("1.12"), D("0.3"))))
    >>> [(order.client_id, str(order.lots), [str(target.price) for target in order.targets]) for order in legs_of("gold", entry, D("0.01"), D("0.01"))]
    [('gold-7-1', '0.12', ['1.11']), ('gold-7-2', '0.07', ['1.12']), ('gold-7-0', '0.06', [])]
    """
    left, reached, shares = entry.lots, NOUGHT, list[tuple[int, Decimal, tuple[Target, ...]]]()
    for leg, target in enumerate(entry.targets, 1):
        reached += target.fraction
        lots = left if reached >= 1 else min(_stepped(entry.lots * target.fraction, step), left)
        if lots >= least and (left - lots >= least or left == lots):
            shares.append((leg, lots, (Target(target.price),)))
            left -= lots
    if left > 0:
        shares.append((0, left, ()))
    return tuple(_order(session, entry, leg, lots, targets) for leg, lots, targets in shares)


def _stepped(lots: Decimal, step: Decimal) -> Decimal:
    return (lots / step).to_integral_value(ROUND_FLOOR) * step


def _order(session: str, entry: Entry, leg: int, lots: Decimal, targets: tuple[Target, ...]) -> Order:
    expires = None if entry.kind == "market" else entry.until
    return Order(f"{prefix_of(session)}-{entry.number}-{leg}", entry.instrument, entry.side, entry.kind, lots, entry.price, entry.stop_loss, targets, entry.tag, expires)


@dataclass
class BrokerBook:
    """What a session has at its broker, as far as it has reported. ``after``: the last fill that was looked at."""

    session: str
    legs: dict[str, Leg] = field(default_factory=dict)          # by client id
    closings: dict[str, Order] = field(default_factory=dict)    # orders that close, as they were decided
    after: str = ""
    foreign: list[Fill] = field(default_factory=list)           # of others: shown, left alone
    exited: dict[str, Decimal] = field(default_factory=dict)    # by client id of an order that closes: lots of its fills, as far as they name it
    _seen: set[str] = field(default_factory=set)

    def plain(self) -> dict[str, Any]:
        """As JSON: what ``of`` reads. Of fills of others the last ones are kept.

        >>> book = BrokerBook("gold")
        >>> book.place(7, legs_of("gold", Entry(7, "EURUSD", "buy", "market", Decimal("0.1")), Decimal("0.01"), Decimal("0.01")))
        >>> BrokerBook.of("gold", book.plain()) == book
        True
        """
        legs = [[values_of(leg.order), leg.number, leg.leg, leg.position_id, str(leg.opened), str(leg.closed)] for leg in self.legs.values()]
        return dict(legs=legs, closings=[values_of(order) for order in self.closings.values()], after=self.after, seen=sorted(self._seen)[-SEEN:])

    @classmethod
    def of(cls, session: str, plain: Mapping[str, Any]) -> BrokerBook:
        legs = [Leg(order_of(order), number, leg, position, Decimal(opened), Decimal(closed)) for order, number, leg, position, opened, closed in plain.get("legs", ())]
        closings = [order_of(order) for order in plain.get("closings", ())]
        book = cls(session, {leg.order.client_id: leg for leg in legs}, {order.client_id: order for order in closings}, plain.get("after", ""))
        book._seen = set(plain.get("seen", ()))
        return book

    def forget(self, numbers: Iterable[int]) -> None:
        """Orders of these numbers are over, and so are their positions."""
        gone = {name for name, leg in self.legs.items() if leg.number in set(numbers) and not leg.held}
        self.legs = {name: leg for name, leg in self.legs.items() if name not in gone}
        self.closings = {name: order for name, order in self.closings.items() if name.rpartition("x")[0] not in gone}

    def place(self, number: int, orders: Iterable[Order]) -> None:
        """Orders of an entry, before they are sent."""
        for order in orders:
            self.legs.setdefault(order.client_id, Leg(order, number, self.number_of(order.client_id)[1]))

    def owns(self, client_id: str) -> bool:
        return self._numbers(client_id) is not None

    def number_of(self, client_id: str) -> tuple[int, int]:
        """Order number and leg of one of its client ids."""
        numbers = self._numbers(client_id)
        if numbers is None:
            raise BadRequest(f"{client_id} is no order of the session {self.session}")
        return numbers

    def take(self, fills: Sequence[Fill]) -> list[Taken]:
        """Fills of the broker's record, each booked once, however often it is reported; those of others are kept apart."""
        taken = [taken for fill in fills if fill.fill_id not in self._seen and (taken := self._take(fill)) is not None]
        self.after, self.foreign = fills[-1].fill_id if fills else self.after, self.foreign[-SEEN:]
        return taken

    def leg_at(self, position_id: str, client_id: str = "") -> Leg | None:
        """The leg whose position that is."""
        return self.legs.get(client_id) or next((leg for leg in self.legs.values() if position_id and leg.position_id == position_id), None)

    def _take(self, fill: Fill) -> Taken | None:
        self._seen.add(fill.fill_id)
        leg = self._opening(fill) if fill.opens else self.leg_at(fill.position_id)
        if leg is None:
            self.foreign.append(fill)
            return None
        if fill.opens:
            leg.position_id, leg.opened = fill.position_id, leg.opened + fill.lots
        else:
            leg.closed += fill.lots
            self.exited[fill.client_id] = self.exited.get(fill.client_id, NOUGHT) + fill.lots
        return Taken(leg.number, leg.leg, fill)

    def _opening(self, fill: Fill) -> Leg | None:
        """The leg of a fill that opens: one of our ids that this book has not is taken in, for the broker has it."""
        if not self.owns(fill.client_id):
            return None
        if fill.client_id not in self.legs:
            self._know(Order(fill.client_id, fill.instrument, fill.side, "market", fill.lots))
        return self.legs[fill.client_id]

    def know(self, client_id: str, position: Position) -> None:
        """Take in an order of ours of which only its position is left."""
        self._know(Order(client_id, position.instrument, "buy" if position.side == "long" else "sell", "market", position.lots))

    def _know(self, order: Order) -> None:
        self.legs[order.client_id] = Leg(order, *self.number_of(order.client_id))

    def _numbers(self, client_id: str) -> tuple[int, int] | None:
        match = re.fullmatch(re.escape(prefix_of(self.session)) + r"-(\d+)-(\d+)", client_id)
        return (int(match[1]), int(match[2])) if match else None
