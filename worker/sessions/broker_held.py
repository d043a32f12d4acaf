"""What a session holds at its broker: closed, and its stops and targets moved. Each change is requested once, and one that is refused is reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.errors import BadRequest
from domain.live.broker_book import BrokerBook, Leg, prefix_of
from domain.live.broker_wanted import Closed, Leave, Levels
from domain.trading.broker import Broker, Intents
from domain.trading.order import NOUGHT, Order, Position, Target, Ticket

AGREED = 5.0        # seconds for which two books have agreed, after which a fill that names no order is taken for booked
Level = tuple[Decimal | None, Decimal | None]       # stop, target


class BrokerHeld:
    """``over``: exits that are over and were not reported yet. ``remarks``: stops that the broker did not take, a sentence each."""

    def __init__(self, broker: Broker, book: BrokerBook, intents: Intents, ticks: Callable[[str], Decimal]) -> None:
        self._broker, self._book, self._intents, self._ticks = broker, book, intents, ticks
        self._over: dict[str, tuple[Closed, Decimal, float] | None] = {}       # exits that are over, their lots and since when; None: reported
        self._moved: dict[str, Level] = {}              # by position: as they were last requested
        self._refused: dict[str, tuple[Level, str]] = {}

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(sentence for _, sentence in self._refused.values())

    def close(self, leaves: Iterable[Leave], now: float) -> bool:
        """Whether any of these was sent or requested. SourceUnavailable where the broker cannot be reached: nothing is lost, they are wanted still."""
        named, tried = set[str](), False
        for leave in leaves:
            for leg, lots in leave.lots.items():
                name = f"{prefix_of(self._book.session)}-{leave.number}-{leg}x{leave.event}"
                named.add(name)
                if name not in self._over:
                    self._exit(name, leave, leg, lots, now)
                    tried = True
        self._over = {name: over for name, over in self._over.items() if name in named}
        return tried

    def ended(self, now: float, differs: Collection[str]) -> list[Closed]:
        """Exits that are over and whose fill has been taken: by its name, as nothing is left, or as the books have agreed for 5 s. ``differs``: client ids of differences."""
        closed = []
        for name, over in self._over.items():
            opening = name.rpartition("x")[0]
            leg = self._book.legs.get(opening)
            if over is not None and (self._book.exited.get(name, NOUGHT) >= over[1] or leg is None or not leg.held or (now >= over[2] + AGREED and opening not in differs)):
                closed.append(over[0])
                self._over[name] = None
        return closed

    def _exit(self, name: str, leave: Leave, leg: int, lots: Decimal, now: float) -> None:
        order = self._order(name, self._book.legs.get(name.rpartition("x")[0]), lots)
        closed = Closed(leave.number, leg, leave.event)
        if order is None:
            self._over[name] = closed, NOUGHT, now
            return
        try:
            ticket = self._broker.submit(order)
        except BadRequest as error:
            self._over[name] = replace(closed, refused=str(error)), NOUGHT, now
            return
        if ticket.over:
            self._over[name] = replace(closed, refused="" if ticket.filled_lots else _sentence(ticket)), ticket.filled_lots, now

    def _order(self, name: str, leg: Leg | None, lots: Decimal) -> Order | None:
        """The order that closes, as it was decided first; None where there is nothing to close."""
        known = self._intents.find(name)
        if known is not None:
            return known.order
        if leg is None or not leg.held or not leg.position_id:
            return None
        side = "sell" if leg.order.side == "buy" else "buy"
        return self._book.closings.setdefault(name, Order(name, leg.order.instrument, side, "market", min(lots, leg.held), closes=leg.position_id))

    def protect(self, levels: Iterable[Levels], positions: Sequence[Position]) -> None:
        """Stops and targets to where they are wanted."""
        there = {leg.order.client_id: position for position in positions if (leg := self._book.leg_at(position.position_id, position.client_id)) is not None}
        for wanted in levels:
            for name, leg in self._book.legs.items():
                if leg.number == wanted.number and name in there and leg.held:
                    self._move(there[name], (wanted.stop, wanted.targets.get(leg.leg)))
        self._refused = {key: refused for key, refused in self._refused.items() if key in {position.position_id for position in positions}}

    def _move(self, position: Position, level: Level) -> None:
        key, now = position.position_id, self._moved.get(position.position_id) or _level(position)
        if self._same(position.instrument, level, now) or self._refused.get(key, (None, ""))[0] == level:
            return
        try:
            self._broker.protect(position, level[0], (Target(level[1]),) if level[1] is not None else ())
        except BadRequest as error:
            self._refused[key] = level, f"position {key} of {position.instrument}: {error}"
            return
        self._moved[key] = level
        self._refused.pop(key, None)

    def looked(self) -> None:
        """The positions were looked at again: what stands there now is what counts."""
        self._moved = {}

    def _same(self, instrument: str, level: Level, now: Level) -> bool:
        near = self._ticks(instrument) / 2
        return all((a is None) == (b is None) and (a is None or b is None or abs(a - b) < near) for a, b in zip(level, now, strict=True))


def _level(position: Position) -> Level:
    return position.stop_loss, position.targets[0].price if position.targets else None


def _sentence(ticket: Ticket) -> str:
    return ticket.sentence or f"the broker's word is {ticket.reason or ticket.state}"
