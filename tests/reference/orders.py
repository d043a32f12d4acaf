"""Signals, orders and positions as plain objects (sections 3 and 4)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.trading.signals import SIGNAL_COLUMNS
from domain.trading.task import Task
from tests.reference.bars import Bar, Quote, on_grid, wilder_atr
from tests.reference.clocks import utc

BUY_OR_SELL = {1: "buy", -1: "sell"}
LONG_OR_SHORT = {1: "long", -1: "short"}
YEAR = 365.25 * 86_400_000_000_000
STOP_REASONS = ("stop_loss", "break_even", "trail")


@dataclass(frozen=True, slots=True)
class TargetOrder:
    """One of up to four ``(price or R, fraction)``; exactly one of ``price`` and ``r`` is given."""

    name: str
    price: float | None
    r: float | None
    fraction: float


@dataclass(frozen=True, slots=True)
class Grid:
    spacing: float
    max_adds: int
    first_factor: float
    lots_factor: float
    basket_target: float


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of the signals. ``number`` counts from 0 over the whole table of its task; empty cells are None or ""."""

    number: int
    bar: int
    order: str
    side: int
    price: float | None
    valid_bars: int | None
    stop_loss: float | None
    targets: tuple[TargetOrder, ...]
    break_even_r: float | None
    break_even_offset: float
    trail_kind: str
    trail_value: float | None
    trail_window: int | None
    trail_start_r: float
    max_bars: int | None
    flat_by: str
    tag: str
    oco: str
    grid: Grid | None
    lots: float | None
    size: float = 1.0


@dataclass(slots=True)
class Target:
    """A target of an open position: a level on the grid and a share of the lots filled at the entry."""

    name: str
    level: float
    fraction: float


@dataclass(slots=True, eq=False)
class Order:
    """An entry on its way: a signal's own order, or (``position`` is set) an add of a grid."""

    signal: Signal
    kind: str
    side: int
    lots: float
    level: float | None
    first_bar: int
    last_bar: int | None
    position: Position | None = None
    proposed: bool = False  # it waits until a person approves it


@dataclass(slots=True, eq=False)
class Position:
    """One open tag: what was bought, what protects it, and what it has booked so far."""

    series: Series
    signal: Signal
    side: int
    trade_id: int
    entry_bar: int
    entry_ts: int
    lots: float  # still open
    entry_lots: float  # of the first fill
    all_lots: float  # of the first fill and all adds
    first_price: float
    entry_price: float  # lot-weighted
    last_price: float  # of the latest entry fill, for the grid
    last_lots: float
    stop: float | None
    stop_reason: str
    risk: float | None  # R = |fill − stop_loss| of the first fill
    unit_value: float  # account currency per lot and price unit, at the entry
    targets: list[Target]
    margin: float
    notional: float
    adds_left: int
    flat_at: int | None
    shut_at: int | None
    inside_piece: bool = False  # it opened inside the bar, or the finer bar, of its fill, and not at its open
    inside_by: str = ""  # stop or limit, where it opened inside its bar
    mark: float = 0.0  # §8: a position's mark is 0 from its fill to its first step 3
    fills: int = 1  # of its signal so far, the entry included
    reached: float = 0.0  # shares of the targets reached
    leaves_by_signal: bool = False
    leaves_by_opposite: bool = False
    leaves_by_halt: bool = False
    leaves_by_hand: float = 0.0  # share of the lots
    anchor: float | None = None  # best favourable extreme since the fill
    best: float | None = None  # closing side, over the bars held
    worst: float | None = None
    exits_in_bar: tuple[int, float] = (-1, math.nan)  # bar, and the best price at which anything left in it
    gross: float = 0.0
    costs: float = 0.0
    swap: float = 0.0
    exit_money: float = 0.0  # lots × price of the exits, for the lot-weighted price

    def profit(self, price: float, lots: float) -> float:
        """Of ``lots`` at ``price``, in the quote currency."""
        return (price - self.entry_price) * self.side * lots * self.series.instrument.contract

    def r_level(self, r: float) -> float:
        """The price ``r`` times R in favour of the entry."""
        return on_grid(self.first_price + self.side * r * self.risk)

    def extreme(self, bar: Bar) -> float:
        """The favourable extreme of the closing side; the close alone, in the bar in which a limit entry filled inside."""
        quote = bar.closing(self.side)
        return quote.close if self.inside_by == "limit" and bar.number == self.entry_bar else quote.favourable(self.side)

    def see_favourable(self, price: float) -> None:
        self.best = price if self.best is None else max(self.best * self.side, price * self.side) * self.side

    def see_adverse(self, price: float) -> None:
        self.worst = price if self.worst is None else min(self.worst * self.side, price * self.side) * self.side

    def excursion(self, price: float | None, direction: int) -> float:
        """``mae_r`` and ``mfe_r`` are sizes, never negative, in R; without R empty."""
        if self.risk is None:
            return math.nan
        return max(0.0, (price - self.entry_price) * self.side * direction) / self.risk if price is not None else 0.0


@dataclass(slots=True, eq=False)
class Series:
    """One task as it runs: its bars, its positions by tag, its orders."""

    number: int
    task: Task
    bars: list[Bar]
    signals: dict[int, list[Signal]]
    rolls: list[tuple[int, int]]
    positions: dict[str, Position] = field(default_factory=dict)
    market: list[Order] = field(default_factory=list)
    pending: list[Order] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)  # tags of this step 2, with the side of who took them
    opened: Bar | None = None  # the latest bar that has begun
    held_back: set[str] = field(default_factory=set)  # why a person lets this task enter nothing
    closed: Bar | None = None  # the latest bar that has ended: its close is the last known
    filled: int = -1  # the number of the bar of its last fill
    _atr: dict[int, list[float]] = field(default_factory=dict)

    @property
    def instrument(self) -> Instrument:
        return self.task.instrument

    def atr(self, window: int, bar: int) -> float:
        """Wilder ATR at the close of ``bar``; NaN before there is one."""
        if window not in self._atr:
            self._atr[window] = wilder_atr(self.bars, window)
        return self._atr[window][bar] if bar >= 0 else math.nan

    def yearly_volatility(self, window: int, bar: int) -> float:
        """Section 9: √(Σ(c_j − c_{j−1})² over the last ``window`` changes × a year ÷ the time they took); NaN before there are so many."""
        if bar < window:
            return math.nan
        changes = [after.close - before.close for before, after in pairwise(self.bars[bar - window : bar + 1])]
        return math.sqrt(sum(change**2 for change in changes) * YEAR / (self.bars[bar].end - self.bars[bar - window].end))

    def last_known(self, side: int) -> Quote:
        return self.closed.closing(side)

    def nights(self, after: int, until: int) -> int:
        """Nights of the rolls in (after, until]."""
        return sum(nights for roll, nights in self.rolls if after < roll <= until)


def read_orders(task: Task, bars: list[Bar]) -> dict[int, list[Signal]]:
    """The signals by the number of the bar at whose close they are decided, in their order."""
    numbers = {bar.ts: bar.number for bar in bars}
    signals: dict[int, list[Signal]] = {}
    for number, (ts, row) in enumerate(_rows(task.signals)):
        if ts not in numbers:
            raise BadRequest(
                f"row {number + 1} of the signals is at {utc(ts):%Y-%m-%d %H:%M} UTC, where there is no bar of {task.instrument.name}"
            )
        own = number if task.numbers is None else int(task.numbers[number])
        signals.setdefault(numbers[ts], []).append(_signal(own, numbers[ts], row))
    return signals


def _rows(frame: pd.DataFrame) -> Iterator[tuple[int, dict]]:
    times = pd.DatetimeIndex(frame["ts"]).as_unit("ns").asi8.tolist()
    columns = {name: frame[name].tolist() for name in SIGNAL_COLUMNS if name != "ts"}
    for row, ts in enumerate(times):
        yield ts, {name: _given(values[row]) for name, values in columns.items()}


def _given(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _signal(number: int, bar: int, row: dict) -> Signal:
    return Signal(
        number=number, bar=bar, order=row["order"], side=int(row["side"]),
        price=_level(row["price"]), valid_bars=_integer(row["valid_bars"]), stop_loss=_level(row["stop_loss"]), targets=_targets(row),
        break_even_r=row["break_even_r"], break_even_offset=row["break_even_offset"] or 0.0,
        trail_kind=row["trail_kind"], trail_value=row["trail_value"], trail_window=_integer(row["trail_window"]),
        trail_start_r=row["trail_start_r"] or 0.0, max_bars=_integer(row["max_bars"]), flat_by=row["flat_by"],
        tag=row["tag"], oco=row["oco"], grid=_grid(row), lots=row["lots"], size=1.0 if row["size"] is None else row["size"],
    )  # fmt: skip


def _level(price: float | None) -> float | None:
    """Only numbers on the grid are compared (section 1), so levels a signal brings are put there too."""
    return None if price is None else on_grid(price)


def _integer(number: float | None) -> int | None:
    return None if number is None else int(number)


def _targets(row: dict) -> tuple[TargetOrder, ...]:
    numbers = [k for k in range(1, 5) if row[f"target_{k}"] is not None or row[f"target_r_{k}"] is not None]
    alone = 1.0 if len(numbers) == 1 else None  # §8: ``fraction_1`` empty with one target means all of it
    return tuple(TargetOrder(f"target_{k}", _level(row[f"target_{k}"]), row[f"target_r_{k}"], row[f"fraction_{k}"] or alone) for k in numbers)


def _grid(row: dict) -> Grid | None:
    if row["grid_spacing"] is None:
        return None
    further = row["grid_lots_factor"] or 1.0
    return Grid(row["grid_spacing"], int(row["grid_max_adds"]), row["grid_first_factor"] or further, further, row["grid_basket_target"])
