"""Cases that Hypothesis draws: few bars, many small numbers, so that everything touches, ties and overlaps; it shrinks what fails.

A series, a bar and a signal are a few bytes each, and each byte picks one of a few choices, the plainest first: many draws
would cost more than both simulations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from domain.market.instrument import Instrument, instrument
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.risk.sizing import SIZERS, Sizing
from domain.trading.account import Account
from domain.trading.costs import COMMISSION, SLIPPAGE, Costs, OwnByInstrument
from domain.trading.execution import Execution
from domain.trading.signals import NUMBERS, SIGNAL_COLUMNS
from domain.trading.task import Rate, Task
from tests.reference.cases import FRACTIONS, Case, as_words

T = TypeVar("T")
TRADED = ("EURUSD", "EURUSD", "USDJPY", "CL=F", "XAUUSD")
STARTS = {"EURUSD": 110_000, "USDJPY": 110_000, "CL=F": 3, "XAUUSD": 195_000}  # ticks; oil is around zero
WEDNESDAY, FRIDAY = (pd.Timestamp(day, tz="UTC") for day in ("2024-07-10T18:00", "2024-07-12T16:00"))
FINER = {"M5": "M1", "H1": "M15"}
MISSING = 7
VALUES = {
    "fixed_lots": (0.1, 0.1, 1.0, 0.337),
    "notional": (0.5, 5.0),
    "fraction_at_risk": (0.001, 0.02),
    "kelly": (0.25, 1.0),
    "volatility": (0.1, 1.0),
    "kelly_entropy": (0.25, 1.0),
}


def _bytes(count: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=count, max_size=count)


SERIES = st.tuples(_bytes(10), st.lists(_bytes(6), min_size=8, max_size=16), st.lists(_bytes(28), min_size=1, max_size=6))


class Picks:
    """Choices by byte: 0 picks the first.

    >>> Picks(bytes([0, 3])).choice("ab"), Picks(bytes([3])).number(-2, 2)
    ('a', 1)
    """

    def __init__(self, raw: bytes) -> None:
        self.rest = iter(raw)

    def number(self, low: int, high: int) -> int:
        return low + next(self.rest) % (high - low + 1)

    def choice(self, choices: Sequence[T]) -> T:
        return choices[next(self.rest) % len(choices)]


def drawn_cases(intrabar: str) -> st.SearchStrategy[Case]:
    return st.builds(_case, st.just(intrabar), _bytes(48), st.lists(SERIES, min_size=1, max_size=2))


def _case(intrabar: str, raw: bytes, series: list[tuple[bytes, list[bytes], list[bytes]]]) -> Case:
    pick = Picks(raw)
    tasks = tuple(_task(Picks(header), bars, signals, intrabar == "magnify") for header, bars, signals in series)
    first = tasks[0].instrument
    currency = pick.choice((first.quote, first.quote, "USD", "EUR"))
    balance = pick.choice((10_000.0, 50_000.0, 50_000.0, 1e6, 200.0)) * {"USD": 1.0, "EUR": 1.0, "JPY": 110.0}[currency]
    account = Account(balance, currency, pick.choice((30.0, 500.0, 500.0, 1.0)), pick.choice((0.0, 0.5, 1.0)))
    execution = Execution(intrabar, pick.choice((False, True)))
    costs, sizing = _by_instrument(_costs(pick, first.tick), [task.instrument for task in tasks]), _sizing(pick)
    return Case(tasks, account, costs, execution, sizing, _rates(pick, currency, tasks), _limits(pick))


# --- bars ---


class Bars(NamedTuple):
    frame: pd.DataFrame
    ticks: np.ndarray
    scale: int  # ticks a step


def _task(pick: Picks, shapes: list[bytes], rows: list[bytes], magnified: bool) -> Task:
    traded = instrument(pick.choice(TRADED))
    traded = replace(traded, swap_long=pick.choice((0.0, -6.5, 2.0)), swap_short=pick.choice((0.0, -6.5, 2.0)), max_lot=pick.choice((traded.max_lot, 2.0)))
    timeframe = Timeframe.named(pick.choice(("H1", "M5")))
    bars = _bars(pick, shapes, traded, timeframe)
    signals = _table([_row(Picks(row), len(bars.ticks) - 1) for row in rows], bars, traded)
    side = pick.choice(("bid", "mid"))
    finer = _finer(bars, shapes, traded, Timeframe.named(FINER[timeframe.name])) if magnified else None
    trail = np.array([(math.nan, 0.0, 2.0)[shape[4] % 3] for shape in shapes[: len(bars.ticks)]]) * traded.tick + bars.frame["low"].to_numpy()
    return Task(traded, timeframe, bars.frame, signals, side, finer, Timeframe.named(FINER[timeframe.name]) if magnified else None, trail)


def _bars(pick: Picks, shapes: list[bytes], traded: Instrument, timeframe: Timeframe) -> Bars:
    """Each opens a gap away from the close before it; it may be of one tick, or of one price; some are missing."""
    first, scale, wide = pick.choice((WEDNESDAY, FRIDAY)), pick.choice((4, 10, 10, 1)), pick.choice((1, 1, 1, 40))
    rows, spreads, numbers, close = [], [], [], STARTS[traded.name]
    for number, shape in enumerate(shapes):
        gap, above, below, closing, spread = _shape(Picks(shape))
        opened = close + gap * scale
        close = opened + (min(closing, above + below) - below) * scale
        if number == 0 or shape[5] % 16 != MISSING:
            rows.append((opened, opened + above * scale, opened - below * scale, close))
            spreads.append(spread * wide * traded.tick)
            numbers.append(number)
    ticks = np.array(rows, np.int64)
    frame = _frame(ticks, [first + number * pd.Timedelta(timeframe.nanoseconds, "ns") for number in numbers], traded)
    return Bars(frame.assign(spread=spreads) if pick.choice((False, True)) else frame, ticks, scale)


def _shape(pick: Picks) -> tuple[int, int, int, int, int]:
    """Gap, above and below the open, the close from below, spread."""
    gap = pick.choice((0, 0, 0, 1, -1, 3, -3, 0, 8, -12))
    return gap, pick.number(0, 4), pick.number(0, 4), pick.number(0, 8), pick.number(0, 3)


def _frame(ticks: np.ndarray, times: list[pd.Timestamp], traded: Instrument) -> pd.DataFrame:
    prices = np.round(ticks * traded.tick, 9)
    data = {name: prices[:, column] for column, name in enumerate(("open", "high", "low", "close"))}
    return pd.DataFrame({"ts": pd.DatetimeIndex(times).as_unit("ns"), **data})


def _finer(bars: Bars, shapes: list[bytes], traded: Instrument, finer: Timeframe) -> pd.DataFrame:
    """Three pieces of most bars: a path from open to close by way of high and low, in either order; or off by some ticks."""
    rows: list[tuple[int, int, int, int]] = []
    times: list[pd.Timestamp] = []
    for (opened, high, low, close), ts, shape in zip(bars.ticks.tolist(), bars.frame["ts"], shapes, strict=False):
        if shape[5] % 4 == 3 and len(rows):
            continue
        off = 3 if shape[5] % 5 == 4 else 0
        path = [opened, *((high, low) if shape[5] % 2 else (low, high)), close + off]
        for k, (a, b) in enumerate(pairwise(path)):
            rows.append((a, max(a, b), min(a, b), b))
            times.append(ts + k * pd.Timedelta(finer.nanoseconds, "ns"))
    return _frame(np.array(rows, np.int64), times, traded)


# --- signals ---


def _row(pick: Picks, last: int) -> dict[str, Any]:
    """A signal whose levels are in steps from the close of the bar it is decided at."""
    row: dict[str, Any] = {"at": pick.number(0, last), "side": pick.choice((1, -1)), "tag": pick.choice(("", "b", "c")), "oco": pick.choice(("", "", "x"))}
    row["order"] = pick.choice(("market", "market", "market", "stop", "stop", "limit", "limit", "exit"))
    away = pick.number(0, 6) - pick.choice((0, 0, 3))
    row["from"] = {"stop": away, "limit": -away}.get(row["order"], 0) * row["side"]
    row["stop"] = pick.choice((4, 2, 3, 5, 6, 8, 1, None, 0, -1))
    row["lots"] = pick.choice((None, None, None, None, 1.0, 0.29, 3.7, 0.004))
    row["valid_bars"], row["max_bars"] = pick.choice((None, None, 1, 2, 4)), pick.choice((None, None, 1, 2, 3))
    row["flat_by"] = pick.choice(("", "", "", "Fri 17:00 America/New_York", "Wed 20:30 UTC"))
    grid = pick.choice((False, False, False, False, True))
    row |= _grid(pick) if grid else _protection(pick)
    row["size"] = pick.choice((None, None, None, None, None, 0.5, 1 / 3, 2.0, 1.0, 0.0))
    return row | ({"first_factor": pick.choice((None, None, 2.0, 0.5, 1.0))} if grid else {})


def _grid(pick: Picks) -> dict[str, Any]:
    return {"grid": (pick.number(1, 5), pick.number(0, 3), pick.choice((1.0, 1.5, 0.5)), pick.number(1, 6))}


def _protection(pick: Picks) -> dict[str, Any]:
    count = pick.number(0, 3)
    fractions = pick.choice(FRACTIONS.get(count, ((),)))
    return {
        "targets": [(pick.choice((3, 2, 4, 5, 8, 1, 0, -1)), pick.choice((False, True)), 1.0 if math.isnan(share) else share) for share in fractions],
        "break_even_r": pick.choice((None, None, 0.5, 1.0)),
        "break_even_offset": pick.number(-2, 4),
        "trail_kind": pick.choice(("", "", "points", "percent", "atr", "quantile")),
        "trail_value": pick.number(1, 5),
        "trail_start_r": pick.choice((None, None, 0.0, 1.0)),
    }


def _table(rows: list[dict[str, Any]], bars: Bars, traded: Instrument) -> pd.DataFrame:
    """As ``read_signals`` returns them."""
    cells = [_cells(row, int(bars.ticks[row["at"], 3]), bars.scale, traded.tick) for row in rows]
    columns: dict[str, Any] = {"ts": pd.DatetimeIndex(bars.frame["ts"].iloc[[row["at"] for row in rows]])}
    words = {name: [cell.get(name, "") for cell in cells] for name in ("order", "trail_kind", "flat_by", "tag", "oco")}
    columns |= {name: as_words(values) for name, values in ({"instrument": [traded.name] * len(rows)} | words).items()}
    columns["side"] = np.array([row["side"] for row in rows], np.int8)
    columns |= {name: np.array([cell.get(name, math.nan) for cell in cells], np.float64) for name in NUMBERS}
    return pd.DataFrame({name: columns[name] for name in ("ts", "instrument", "order", "side", *SIGNAL_COLUMNS[4:])})


def _cells(row: dict[str, Any], close: int, scale: int, tick: float) -> dict[str, Any]:
    """The cells of a row: steps become prices, what is None is left out."""
    cells = {name: row[name] for name in ("order", "tag", "oco", "flat_by", "lots", "size", "valid_bars", "max_bars") if row[name] is not None}
    if row["order"] == "exit":
        return {"order": "exit", "tag": row["tag"]}
    side, step, entry = row["side"], scale * tick, close + row["from"] * scale

    def price(steps: int) -> float:
        return round((entry + side * steps * scale) * tick, 9)

    if row["order"] != "market":
        cells["price"] = price(0)
    if row["stop"] is not None:
        cells["stop_loss"] = price(-row["stop"])
    if "grid" in row:
        spacing, adds, factor, basket = row["grid"]
        first = {} if row["first_factor"] is None else dict(grid_first_factor=row["first_factor"])
        return cells | first | dict(grid_spacing=spacing * step, grid_max_adds=adds, grid_lots_factor=factor, grid_basket_target=basket * step)
    for k, (distance, in_r, share) in enumerate(row["targets"], 1):
        cells[f"target_r_{k}" if in_r else f"target_{k}"] = max(1, distance) / 2 if in_r else price(distance)
        cells[f"fraction_{k}"] = share
    if row["break_even_r"] is not None:
        cells |= dict(break_even_r=row["break_even_r"], break_even_offset=row["break_even_offset"] * tick)
    if row["trail_kind"]:
        size = {"points": row["trail_value"] * step, "percent": 0.01 * row["trail_value"], "atr": row["trail_value"] / 2, "quantile": math.nan}
        cells |= dict(trail_kind=row["trail_kind"], trail_value=size[row["trail_kind"]], trail_window=2.0 if row["trail_kind"] == "atr" else math.nan)
    return cells if row["trail_start_r"] is None else cells | dict(trail_start_r=row["trail_start_r"])


# --- money ---


def _costs(pick: Picks, tick: float) -> Costs:
    kind = pick.choice(SLIPPAGE)
    return Costs(
        spread=pick.choice((0.0, tick, 3 * tick, None, 3 * tick, 100 * tick)),
        slippage=pick.choice((0.0, 0.5)) * (1.0 if kind == "atr" else 3 * tick),
        slippage_kind=kind,
        slippage_window=pick.number(1, 3),
        seed=pick.number(0, 255),
        commission_per_lot=pick.choice((0.0, 3.5)),
        commission_kind=pick.choice(COMMISSION),
        swap_long=pick.choice((None, None, -6.5, 0.0, 3.0)),
        swap_short=pick.choice((None, None, -6.5, 0.0, 3.0)),
    )


def _by_instrument(costs: Costs, traded: list[Instrument]) -> Costs:
    """Costs in pips, where the pips differ at least, and sometimes some that are the last instrument's own: by the bits of the seed."""
    pip, last = traded[0].pip, traded[-1]
    if costs.seed & 1 or len({instrument.pip for instrument in traded}) > 1:
        slippage = costs.slippage if costs.slippage_kind == "atr" else costs.slippage / pip
        costs = replace(costs, unit="pips", spread=None if costs.spread is None else costs.spread / pip, slippage=slippage)
    if not costs.seed & 2:
        return costs
    scale = 1.0 if costs.unit == "pips" else last.pip
    own = dict(slippage=0.25 if costs.slippage_kind == "atr" else 2.0 * scale, commission_per_lot=1.25) | (dict(spread=scale) if costs.seed & 4 else {})
    return replace(costs, instruments=OwnByInstrument({last.name: own}))


def _sizing(pick: Picks) -> Sizing:
    kind = pick.choice(("fixed_lots", *SIZERS))
    return Sizing(
        kind, pick.choice(VALUES[kind]), kelly_window=5, kelly_first=pick.number(1, 2), kelly_start=0.01, kelly_cap=pick.choice((0.02, 0.5)),
        volatility_window=pick.number(2, 4), entropy_lambda=pick.choice((0.5, 1.0, 0.0)),
    )  # fmt: skip


def _limits(pick: Picks) -> Limits:
    """None in half of the cases."""
    if pick.choice((True, False)):
        return Limits()
    return Limits(
        max_leverage=pick.choice((0.0, 0.0, 1.0, 8.0)),
        max_positions=pick.number(0, 2),
        max_per_symbol=pick.number(0, 2),
        max_currency=pick.choice((0.0, 0.0, 1.0, 8.0)),
        daily_loss=pick.choice((0.0, 0.0005, 0.02)),
        day_reset=pick.choice(("17:00 America/New_York", "19:00 UTC")),
        max_drawdown=pick.choice((0.0, 0.001, 0.03)),
        flatten=pick.choice((True, False)),
        spread_spike=pick.choice((0.0, 0.0, 1.5, 2.0)),
        volatility_spike=pick.choice((0.0, 0.0, 1.5, 2.0)),
        spike_window=pick.number(2, 3),
        blackout=pick.choice(("", "", "19:00-20:00 UTC", "Wed 18:15-Wed 18:40 UTC; Fri 20:00-Sun 23:00 Europe/Athens")),
    )


def _rates(pick: Picks, currency: str, tasks: tuple[Task, ...]) -> tuple[Rate, ...]:
    """A day of each pair with the dollar that may be needed, at a price that moves; sometimes old, or, with one series, missing."""
    needed = {currency, *(task.instrument.quote for task in tasks)} - {"USD"}
    first, slope = WEDNESDAY - pd.Timedelta(days=pick.choice((1, 5))), pick.number(-3, 3)
    if (pick.number(0, 15) == 15 and len(tasks) == 1) or not any(currency != task.instrument.quote for task in tasks):
        return ()
    return tuple(_rate({"EUR": "EURUSD", "JPY": "USDJPY"}[name], first, slope) for name in sorted(needed))


def _rate(name: str, first: pd.Timestamp, slope: int) -> Rate:
    closes = STARTS[name] + slope * np.arange(30)
    times = [first + hours * pd.Timedelta(hours=1) for hours in range(30)]
    return Rate(instrument(name), Timeframe.named("H1"), _frame(np.column_stack([closes] * 4), times, instrument(name)))
