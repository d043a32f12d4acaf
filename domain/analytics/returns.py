"""Figures of a series of period returns, as shares: 0.01 is 1 %.

The names and conventions are empyrical's (Quantopian, 2015). Every function takes any sequence; a NaN is a period without a return and is
left out, unless a figure says otherwise. ``periods`` is how many of them a year has; where none is named, empyrical's 252 (the metrics of a run name the
trading days of their calendar). Where a figure has no value it is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.guards import deviation, size_of
from domain.rounding import ROUNDING

DAILY, WEEKLY, MONTHLY, YEARLY = 252, 52, 12, 1
STEPS = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}


def simple_returns(values: Any) -> np.ndarray:
    """Change of each value against the one before it, NaN from below 0, infinite from 0; one element less than ``values``.

    >>> simple_returns([100.0, 110.0, 99.0]).round(12).tolist()
    [0.1, -0.1]
    """
    values = np.asarray(values, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values[:-1] >= 0, values[1:] / values[:-1] - 1.0, np.nan)


def cumulative_returns(returns: Any, start: float = 0.0) -> np.ndarray:
    """Compounded return up to each period; with ``start`` the value that grew from it. A NaN changes nothing but keeps its place.

    >>> cumulative_returns([0.1, -0.1]).round(12).tolist(), cumulative_returns([0.1, -0.1], start=100).round(9).tolist()
    ([0.1, -0.01], [110.0, 99.0])
    """
    grown = np.cumprod(1.0 + np.nan_to_num(np.asarray(returns, float)))
    return grown * start if start else grown - 1.0


def total_return(returns: Any, start: float = 0.0) -> float:
    """Compounded return of all periods; with ``start`` the value that it grew to. NaN without a period.

    >>> round(total_return([0.1, -0.1]), 12)
    -0.01
    """
    values = _without_nan(returns)
    if not len(values):
        return np.nan
    grown = float(np.prod(1.0 + values))
    return grown * start if start else grown - 1.0


def aggregate(returns: pd.Series, to: str) -> pd.Series:
    """Returns compounded over each ``week`` (ISO, Monday to Sunday), ``month``, ``quarter`` or ``year`` of their index.

    >>> days = pd.date_range("2024-01-31", periods=2)
    >>> aggregate(pd.Series([0.1, 0.1], days), "month").round(12).tolist()
    [0.1, 0.1]
    """
    stretch = pd.DatetimeIndex(returns.index).to_period(STEPS[to])
    return (1.0 + returns).groupby(stretch).prod() - 1.0


def annual_return(returns: Any, periods: float = DAILY) -> float:
    """Yearly growth that gives the same end: (1 + total)^(periods ÷ n) − 1. NaN without a period, or where all is lost and more.
    n counts the periods without a return too: their time has passed.

    >>> round(annual_return([0.01] * 252), 6)
    11.274002
    """
    end = 1.0 + total_return(returns)
    return end ** (periods / len(returns)) - 1.0 if end >= 0 else np.nan


def annual_volatility(returns: Any, periods: float = DAILY) -> float:
    """Standard deviation (n − 1) × √periods. NaN under two periods.

    >>> round(annual_volatility([0.01, -0.01, 0.01, -0.01], periods=3), 6)
    0.02
    """
    values = _without_nan(returns)
    return deviation(values) * math.sqrt(periods) if len(values) > 1 else np.nan


def sharpe(returns: Any, risk_free: Any = 0.0, periods: float = DAILY) -> float:
    """Mean over standard deviation (n − 1) of returns above ``risk_free`` (per period), × √periods. Source: Sharpe (1994).

    NaN under two periods; infinite where nothing varies and something is earned or lost, NaN where nothing happens.

    >>> round(sharpe([0.01, 0.03], periods=1), 6)
    1.414214
    """
    return excess_sharpe(returns, risk_free) * math.sqrt(periods)


def excess_sharpe(returns: Any, benchmark: Any = 0.0) -> float:
    """Mean over standard deviation (n − 1) of returns above ``benchmark``, per period and not annualised (the information ratio)."""
    above = _above(returns, benchmark)
    return ratio(above.mean(), deviation(above)) if len(above) > 1 else np.nan


def downside_risk(returns: Any, required: Any = 0.0, periods: float = DAILY) -> float:
    """√ of the mean of squared shortfalls below ``required`` (per period) over all periods, × √periods. Source: Sortino & Price (1994).

    >>> round(downside_risk([0.02, -0.02], periods=2), 6)
    0.02
    """
    above = _above(returns, required)
    return float(np.sqrt(np.mean(np.minimum(above, 0.0) ** 2) * periods)) if len(above) else np.nan


def sortino(returns: Any, required: Any = 0.0, periods: float = DAILY) -> float:
    """Mean return above ``required`` × periods, over ``downside_risk``. NaN under two periods; infinite without a shortfall.

    >>> round(sortino([0.03, -0.01], periods=1), 6)
    1.414214
    """
    above = _above(returns, required)
    if len(above) < 2:
        return np.nan
    downside = downside_risk(above, 0.0, periods)
    return ratio(above.mean() * periods, downside if downside > ROUNDING * size_of(above) else 0.0)


def max_drawdown(returns: Any) -> float:
    """Deepest fall of the compounded value below its highest so far, the start included; 0 or below.

    >>> round(max_drawdown([0.1, -0.1, 0.1]), 12)
    -0.1
    """
    grown = np.concatenate(([1.0], np.cumprod(1.0 + _without_nan(returns))))
    return float((grown / np.maximum.accumulate(grown)).min() - 1.0) if len(grown) > 1 else np.nan


def calmar(returns: Any, periods: float = DAILY) -> float:
    """Annual return over the size of the deepest drawdown. NaN without a drawdown. Source: Young (1991)."""
    deepest = max_drawdown(returns)
    return annual_return(returns, periods) / -deepest if deepest < -ROUNDING else np.nan


def omega(returns: Any, risk_free: Any = 0.0, required: float = 0.0, periods: float = DAILY) -> float:
    """Sum of gains over sum of losses, both measured from ``required`` (a year) above ``risk_free`` (a period).

    NaN without a loss, or where ``required`` ≤ −1. Source: Keating & Shadwick (2002).

    >>> round(omega([0.03, -0.01, -0.01]), 6)
    1.5
    """
    if required <= -1:
        return np.nan
    above = _above(returns, risk_free) - ((1.0 + required) ** (1.0 / periods) - 1.0)
    lost = -above[above < 0].sum()
    return float(above[above > 0].sum() / lost) if lost > ROUNDING * size_of(above) else np.nan


def value_at_risk(returns: Any, share: float = 0.05) -> float:
    """The return that the worst ``share`` of periods do not exceed (linear between observations); negative is a loss.

    >>> value_at_risk([-0.03, -0.02, -0.01, 0.0, 0.01], share=0.25)
    -0.02
    """
    values = _without_nan(returns)
    return float(np.quantile(values, share)) if len(values) else np.nan


def conditional_value_at_risk(returns: Any, share: float = 0.05) -> float:
    """Mean of the worst ``share`` of periods, at least one (expected shortfall); negative is a loss. Source: Rockafellar & Uryasev (2000).

    >>> conditional_value_at_risk([-0.03, -0.01, 0.0, 0.01], share=0.5)
    -0.02
    """
    values = _without_nan(returns)
    if not len(values):
        return np.nan
    worst = int((len(values) - 1) * share)
    return float(np.partition(values, worst)[: worst + 1].mean())


def tail_ratio(returns: Any) -> float:
    """Size of the 95 % quantile over size of the 5 % quantile: above 1, good days are larger than bad ones.

    >>> round(tail_ratio([-0.01, 0.0, 0.03]), 6)
    3.0
    """
    values = _without_nan(returns)
    high, low = np.abs(np.quantile(values, (0.95, 0.05))) if len(values) else (np.nan, np.nan)
    return float(ratio(high, low if low > ROUNDING * size_of(values) else 0.0 * low))


def stability(returns: Any) -> float:
    """R² of a straight line through the logarithm of the compounded value: 1 is even growth (or even loss). NaN under two periods."""
    values = _without_nan(returns)
    if len(values) < 2 or np.any(values <= -1):
        return np.nan
    path, at = np.cumsum(np.log1p(values)), np.arange(len(values), dtype=float)
    if not deviation(path):
        return np.nan
    path, at = path - path.mean(), at - at.mean()
    return ratio(float(path @ at) ** 2, float(path @ path) * float(at @ at))


def skewness(values: Any) -> float:
    """Third standardised moment (n in the denominator); 0 is symmetric. NaN where nothing varies.

    >>> round(skewness([0.0, 0.0, 3.0]), 6)
    0.707107
    """
    return _moment(values, 3)


def kurtosis(values: Any) -> float:
    """Fourth standardised moment (n in the denominator); 3 is a normal distribution's. NaN where nothing varies.

    >>> kurtosis([-1.0, 1.0])
    1.0
    """
    return _moment(values, 4)


def rolling(returns: Any, window: int, figure: Callable[[np.ndarray], float]) -> np.ndarray:
    """``figure`` of each ``window`` following periods; window − 1 elements less than ``returns``.

    >>> rolling([0.1, -0.1, 0.1], 2, max_drawdown).round(12).tolist()
    [-0.1, -0.1]
    """
    returns = np.asarray(returns, float)
    if len(returns) < window:
        return np.zeros(0)
    return np.array([figure(part) for part in np.lib.stride_tricks.sliding_window_view(returns, window)])


def ratio(a: float, b: float) -> float:
    """a ÷ b; over 0 it is infinite with the sign of a, and 0 ÷ 0 is NaN."""
    if b != 0.0:
        return float(a) / float(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(a) / np.float64(b))


def _without_nan(returns: Any) -> np.ndarray:
    values = np.asarray(returns, float)
    return values[~np.isnan(values)] if np.isnan(values).any() else values


def _above(returns: Any, less: Any) -> np.ndarray:
    return _without_nan(np.asarray(returns, float) - np.asarray(less, float))


def _moment(values: Any, power: int) -> float:
    sample = _without_nan(values)
    if not len(sample):
        return np.nan
    apart, spread = sample - sample.mean(), deviation(sample, 0)
    return float(np.mean(apart**power) / spread**power) if spread else np.nan
