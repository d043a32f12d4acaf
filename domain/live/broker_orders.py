"""The orders of a session whose account a broker fills: decided here, on their way there, held, and what is stored of them between two instants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from domain.live.broker_book import Entry
from domain.market.instrument import Instrument
from domain.trading.order import NOUGHT, Target
from domain.trading.signal_row import Row

KINDS = {"market": "market", "limit": "limit", "stop": "stop"}


@dataclass
class Leaving:
    """An exit on its way: ``lots`` by leg, of those that are not over."""

    event: str
    reason: str
    lots: dict[int, Decimal]


@dataclass
class SessionOrder:
    """``number``: in the client ids; ``task`` and ``order_id``: as the decision has them; ``row``: the signal. ``until``: when it is too late for it, None before a bar
    has opened for it. ``legs``: those sent, each empty, ``filled`` or why it came to nothing; ``trades`` and ``held``: what each of them has become."""

    number: int
    task: int
    order_id: int
    row: Row
    until: int | None = None
    lots: Decimal = NOUGHT
    targets: tuple[Target, ...] = ()
    legs: dict[int, str] = field(default_factory=dict)
    trades: dict[int, int] = field(default_factory=dict)
    held: dict[int, Decimal] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)        # of its exits: the first one's event is 1
    leaving: Leaving | None = None
    again: int = 0                      # no exit is tried before then, nanoseconds

    @property
    def sent(self) -> bool:
        return bool(self.legs)

    @property
    def open(self) -> bool:
        """Whether it is out and may still fill."""
        return any(not became for became in self.legs.values())

    @property
    def over(self) -> bool:
        return self.sent and not self.open and not self.held_legs and self.leaving is None

    @property
    def is_market(self) -> bool:
        return bool(self.row["order"] == "market")

    @property
    def held_legs(self) -> dict[int, Decimal]:
        return {leg: lots for leg, lots in self.held.items() if lots > 0}

    @property
    def key(self) -> tuple[int, int]:
        return self.task, self.order_id

    def plain(self) -> dict[str, Any]:
        leaving = None if self.leaving is None else [self.leaving.event, self.leaving.reason, _texts(self.leaving.lots)]
        rest = dict(row=_packed(self.row), lots=str(self.lots), targets=[[str(each.price), str(each.fraction)] for each in self.targets], legs=_keyed(self.legs), trades=_keyed(self.trades), held=_texts(self.held), leaving=leaving)
        return {each.name: getattr(self, each.name) for each in fields(self)} | rest

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> SessionOrder:
        """
        >>> order = SessionOrder(7, 0, 3, {"order": "market", "side": 1, "price": math.nan, "tag": ""}, lots=Decimal("0.1"), legs={0: ""}, held={0: Decimal("0.1")})
        >>> again = SessionOrder.of(order.plain())
        >>> (again.number, again.lots, again.legs, again.held, math.isnan(again.row["price"]))
        (7, Decimal('0.1'), {0: ''}, {0: Decimal('0.1')}, True)
        """
        leaving = plain["leaving"]
        rest = dict(
            row={name: math.nan if value is None else value for name, value in plain["row"].items()}, lots=Decimal(plain["lots"]), targets=tuple(Target(Decimal(price), Decimal(fraction)) for price, fraction in plain["targets"]),
            legs=_numbered(plain["legs"]), trades=_numbered(plain["trades"]), held=_decimals(plain["held"]), leaving=None if leaving is None else Leaving(leaving[0], leaving[1], _decimals(leaving[2])),
        )  # fmt: skip
        return cls(**{**plain, **rest})


def entry_of(order: SessionOrder, instrument: Instrument, until: Any) -> Entry:
    """As it goes to the broker; prices on the instrument's ticks."""
    row, pending = order.row, not order.is_market
    price = priced(row["price"], instrument) if pending else None
    stop = None if math.isnan(row["stop_loss"]) else priced(row["stop_loss"], instrument)
    return Entry(order.number, instrument.name, "buy" if row["side"] > 0 else "sell", KINDS[row["order"]], order.lots, price, stop, order.targets, row["tag"], None if pending else until)


def targets_of(row: Row, expected: float, instrument: Instrument) -> tuple[Target, ...]:
    """The targets of a signal as prices; those in R from the entry that is expected: after the fill they are moved to where the fill puts them."""
    targets = []
    for t in range(1, 5):
        price = row[f"target_{t}"]
        if row[f"target_r_{t}"] > 0.0:
            price = expected + row["side"] * row[f"target_r_{t}"] * abs(expected - row["stop_loss"])
        if not math.isnan(price):
            targets.append(Target(priced(price, instrument), Decimal(str(row[f"fraction_{t}"]))))
    return tuple(targets)


def priced(price: float, instrument: Instrument) -> Decimal:
    """
    >>> from domain.market.instrument import instrument
    >>> priced(1.100004999, instrument("EURUSD"))
    Decimal('1.10000')
    """
    tick = Decimal(str(instrument.tick)).normalize()
    return ((Decimal(str(price)) / tick).quantize(Decimal(1), ROUND_HALF_UP) * tick).quantize(tick)


def sized(lots: float, instrument: Instrument) -> Decimal:
    """Lots of the account as a decimal number of whole steps.

    >>> from domain.market.instrument import instrument
    >>> sized(0.30000000000000004, instrument("EURUSD"))
    Decimal('0.30')
    """
    step = Decimal(str(instrument.lot_step)).normalize()
    return ((Decimal(str(lots)) / step).quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(step)


def shared(lots: Decimal, held: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """``lots`` of an exit over the legs that are held: the rest first, then the furthest targets.

    >>> D = Decimal
    >>> shared(D("0.15"), {1: D("0.15"), 2: D("0.09"), 0: D("0.06")})
    {0: Decimal('0.06'), 2: Decimal('0.09')}
    """
    out, left = dict[int, Decimal](), lots
    for leg in sorted(held, key=lambda leg: -leg if leg else -99):
        part = min(held[leg], left)
        if part > 0:
            out[leg], left = part, left - part
    return out


def purged(orders: Iterable[SessionOrder]) -> list[int]:
    """Numbers of those that are over."""
    return [order.number for order in orders if order.over]


def _packed(row: Row) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}


def _texts(lots: Mapping[int, Decimal]) -> dict[str, str]:
    return {str(leg): str(value) for leg, value in lots.items()}


def _decimals(plain: Mapping[str, str]) -> dict[int, Decimal]:
    return {int(leg): Decimal(value) for leg, value in plain.items()}


def _keyed(values: Mapping[int, Any]) -> dict[str, Any]:
    return {str(leg): value for leg, value in values.items()}


def _numbered(plain: Mapping[str, Any]) -> dict[int, Any]:
    return {int(leg): value for leg, value in plain.items()}


def tags_held(orders: Sequence[SessionOrder]) -> set[tuple[int, str]]:
    """Task and tag of what is held, or out at the market."""
    return {(order.task, order.row["tag"]) for order in orders if order.held_legs or (order.is_market and order.open)}
