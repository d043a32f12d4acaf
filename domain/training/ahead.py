"""Labels of bars: what the price does after each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from domain.market.calendar import calendar
from domain.training.assembly import Draft, traded_bars
from domain.training.inputs import Inputs
from domain.training.sample_set import NEVER
from domain.training.targets import TARGETS, Target, TargetParams

if TYPE_CHECKING:
    from domain.backtest.series import Bars

MINUTE = 60_000_000_000     # nanoseconds
END, SHUT, PRICE = "end_of_data", "market_shut", "price_not_above_zero"


@dataclass(frozen=True)
class Ahead:
    """Each bar's stretch of time ahead: from the bar after it to bar ``last``, −1 where there is none. ``why``: the reason of those, empty elsewhere."""

    last: np.ndarray
    why: np.ndarray


def draft_of(inputs: Inputs, target: Target, params: TargetParams) -> Draft:
    """Every ``params.every``-th traded bar, the first included."""
    bars, series = traded_bars(inputs), inputs.series
    stretch, rows = ahead_of(bars, params, series.instrument.calendar), np.arange(0, len(bars.ts), params.every)
    by_target = {name: labels(name, bars, stretch)[rows] for name, other in TARGETS.items() if other.on == "bars"}
    y, why, last = by_target.pop(target.name), stretch.why[rows], stretch.last[rows]
    why[(why == "") & np.isnan(y)] = PRICE
    end = np.where(why == "", bars.end[last], NEVER)
    return Draft(rows + series.bars_of_history, y, end, why, np.full(len(rows), np.nan), beside=by_target)


def ahead_of(bars: Bars, params: TargetParams, market: str | None) -> Ahead:
    """``market``: name of the instrument's session calendar."""
    return _bars_ahead(bars, params.horizon) if params.unit == "bars" else _minutes_ahead(bars, params.horizon, market)


def _bars_ahead(bars: Bars, horizon: int) -> Ahead:
    last = np.arange(len(bars.ts), dtype=np.int64) + horizon
    beyond = last >= len(bars.ts)
    return Ahead(np.where(beyond, -1, last), np.where(beyond, END, "").astype(object))


def _minutes_ahead(bars: Bars, minutes: int, market: str | None) -> Ahead:
    """The last bar that ends within so many minutes of each bar's own end. None where the market is shut at that moment: no bar holds it, and by the
    calendar it lies outside every session. A close belongs to its session."""
    until = bars.end + minutes * MINUTE
    last = np.searchsorted(bars.end, until, side="right") - 1
    after = np.minimum(np.searchsorted(bars.end, until, side="left"), len(bars.end) - 1)      # the bar that ends there, or later
    held = (bars.ts[after] < until) & (until <= bars.end[after])
    open_then = held | (calendar(market).is_open(until - 1) if market else False)
    why = np.full(len(bars.ts), "", object)
    why[~open_then | (last <= np.arange(len(last)))] = SHUT
    why[until > bars.end[-1]] = END
    return Ahead(np.where(why == "", last, -1), why)


def labels(target: str, bars: Bars, ahead: Ahead) -> np.ndarray:
    """float64, one a bar, NaN for none: ``return``, ``volatility``, or the class of ``direction`` (0 down, 1 flat, 2 up)."""
    rows = np.flatnonzero(ahead.last >= 0)
    given = np.full(len(bars.ts), np.nan)
    given[rows] = {"return": _returns, "volatility": _volatilities, "direction": _directions}[target](bars, rows, ahead.last[rows])
    return given


def _log_of(price: np.ndarray) -> np.ndarray:
    """NaN for a price that is not above 0: it has no logarithm."""
    return np.log(price, where=price > 0, out=np.full(len(price), np.nan))


def _returns(bars: Bars, rows: np.ndarray, last: np.ndarray) -> np.ndarray:
    return _log_of(bars.close[last]) - _log_of(bars.open[rows + 1])


def _volatilities(bars: Bars, rows: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Root of the summed squared log returns from close to close, the first of them from the bar's own close."""
    squared = np.concatenate([[0.0], np.diff(_log_of(bars.close)) ** 2])
    missing = np.cumsum(np.isnan(squared))
    total = np.cumsum(np.nan_to_num(squared))
    return np.where(missing[last] > missing[rows], np.nan, np.sqrt(np.maximum(total[last] - total[rows], 0.0)))


def _directions(bars: Bars, rows: np.ndarray, last: np.ndarray) -> np.ndarray:
    """By the difference of the prices, which may be negative; flat within the spread of the bar that would be entered."""
    move = np.rint((bars.close[last] - bars.open[rows + 1]) * 1e9) / 1e9
    return 1.0 + np.sign(move) * (np.abs(move) > np.rint(bars.spread[rows + 1] * 1e9) / 1e9)
