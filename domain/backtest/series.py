"""One series as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.backtest.kernel import layout
from domain.backtest.memory import address_of
from domain.errors import BadRequest
from domain.market.bars import nanoseconds as nanoseconds
from domain.market.calendar import ends_of
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.trading.costs import Costs
from domain.trading.task import Rate, Task


class Bars(NamedTuple):
    """One series as arrays: times in nanoseconds, prices as float64, every bar with a spread."""

    ts: np.ndarray
    end: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    spread: np.ndarray


NO_BARS = Bars(np.zeros(0, np.int64), np.zeros(0, np.int64), *(np.zeros(0) for _ in range(5)))


def bars_of(task: Task | Rate, costs: Costs) -> Bars:
    frame = task.bars
    if frame.empty:
        raise BadRequest(f"{task.instrument.name} {task.timeframe} has no bars in this date range; choose another")
    ts = np.ascontiguousarray(nanoseconds(frame["ts"]))
    open_, high, low, close = (frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close"))
    return Bars(ts, ends_of(frame, task.timeframe, task.instrument.calendar), open_, high, low, close, spread_of(frame, task.instrument, task.timeframe, costs))


def spread_of(frame: pd.DataFrame, instrument: Instrument, timeframe: Timeframe, costs: Costs) -> np.ndarray:
    """One spread a bar: its own; else the costs'; else the instrument's."""
    default = costs.of(instrument).spread
    if "spread" not in frame:
        return np.full(len(frame), default, np.float64)
    own = np.ascontiguousarray(frame["spread"].to_numpy(np.float64))
    spread = np.empty(len(own))
    if not layout.own_spreads(address_of(own), float(default), address_of(spread), len(own)):
        raise BadRequest(f"{instrument.name} {timeframe}: a spread is negative or infinite; import the bars again, and let them be repaired")
    return spread


def on_grid(x: np.ndarray) -> np.ndarray:
    return np.rint(x * 1e9) / 1e9


def lies_on_grid(x: np.ndarray) -> bool:
    x = np.ascontiguousarray(x)
    return bool(layout.lies_on_grid(address_of(x), len(x)))


def joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if len(parts) > 1 else np.ascontiguousarray(parts[0])


def instants_of(bars: Sequence[Bars]) -> np.ndarray:
    """Every instant at which a bar opens or ends, in order, each once."""
    parts = [_opens_and_ends(own_bars) for own_bars in bars]
    return parts[0] if len(parts) == 1 else distinct(np.sort(np.concatenate(parts), kind="stable"))


def _opens_and_ends(bars: Bars) -> np.ndarray:
    moments = np.empty(2 * len(bars.ts), np.int64)
    return moments[: layout.opens_and_ends(address_of(bars.ts), address_of(bars.end), address_of(moments), len(bars.ts))]


def distinct(in_order: np.ndarray) -> np.ndarray:
    return in_order[np.concatenate(([True], in_order[1:] != in_order[:-1]))]
