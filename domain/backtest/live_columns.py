"""What is laid out beforehand for a whole run, appended bar by bar with the same bits: ATR, spikes, blackouts, yearly volatility, daily closes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from domain.backtest.governor_tables import DRIFT_ROWS, STRONG, bits, drift_now
from domain.backtest.kernel.codes import DRIFTED
from domain.backtest.limit_tables import DARK_END, DARK_OPEN, SPREAD_SPIKE, VOLATILITY_SPIKE, mean_before, rolling, yearly_volatility
from domain.backtest.live_clocks import is_dark
from domain.backtest.series import Bars
from domain.market.instrument import Instrument
from domain.market.zones import DAY
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing

NAN = math.nan


class Wilder:
    """Wilder's average true range, as ``numbers.wilder_atr`` computes it.

    >>> atr = Wilder(2)
    >>> [atr.add(true_range) for true_range in (NAN, 1.0, 2.0, 4.0)]
    [nan, nan, 1.5, 2.75]
    """

    __slots__ = ("count", "value", "window")

    def __init__(self, window: int, count: int = 0, value: float = 0.0) -> None:
        self.window, self.count, self.value = window, count, value      # the value: a sum until there are enough

    def add(self, true_range: float) -> float:
        """The average with one more bar; the first has no true range."""
        i, self.count = self.count, self.count + 1
        if i == 0:
            return NAN
        if i > self.window:
            self.value += (true_range - self.value) / self.window
            return self.value
        self.value += true_range
        if i < self.window:
            return NAN
        self.value /= self.window
        return self.value


def true_range(high: float, low: float, before: float) -> float:
    return max(high, before) - min(low, before)


class Tail:
    """The last values of a column, always in one piece."""

    def __init__(self, size: int, kind: type = np.float64) -> None:
        self.size, self._end = size, 0
        self._values: np.ndarray = np.empty(2 * size, kind)

    def add(self, value: float) -> None:
        if self._end == len(self._values):
            self._values[: self.size] = self._values[-self.size :]
            self._end = self.size
        self._values[self._end] = value
        self._end += 1

    def fill(self, values: np.ndarray) -> None:
        values = values[-self.size :]
        self._end = len(values)
        self._values[: self._end] = values

    def values(self) -> np.ndarray:
        return self._values[max(self._end - self.size, 0) : self._end]


class Rule(NamedTuple):
    """What the rules read of each bar."""

    spread_spike: float
    volatility_spike: float
    window: int
    blackout: str
    sigma: int          # 0: nothing reads it
    daily: bool         # closes of days, for correlations
    drift: bool         # a feature is monitored

    @property
    def looks_back(self) -> int:
        """How many earlier bars a restored account needs; -1: all."""
        return -1 if self.daily else max(self.window if self.spread_spike else 0, self.sigma + 1 if self.sigma else 0)


def governing(limits: Limits) -> Limits | None:
    """The limits on news and sessions, if there are any."""
    return replace(limits, drift="") if limits.news or limits.session.strip() else None


def governed(limits: Limits | None, instrument: Instrument, end: int, releases: np.ndarray | None) -> int:
    """Their warnings at the end of a bar."""
    return 0 if limits is None else int(bits(limits, instrument, np.array([end]), releases, None)[0])


def rule_of(limits: Limits, sizing: Sizing) -> Rule:
    sigma = sizing.volatility_window if sizing.kind == "volatility" else 0
    return Rule(limits.spread_spike, limits.volatility_spike, limits.spike_window, limits.blackout, sigma, bool(limits.max_correlation), bool(limits.drift.strip()))


class Columns:
    """Those of one series. ``spikes``: the ATR that a spike is measured by."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.spikes = rule, Wilder(rule.window)
        self.average = NAN                      # of the bars before the present one
        self.spreads = Tail(rule.window + 1) if rule.spread_spike else None
        self.ends = Tail(rule.sigma + 1, np.int64) if rule.sigma else None
        self.closes = Tail(rule.sigma + 1) if rule.sigma else None
        self.days: list[int] = []
        self.last_of_day: list[float] = []
        self.features = Tail(DRIFT_ROWS if rule.drift else 1)

    def opened(self, ts: int) -> int:
        return DARK_OPEN if self.rule.blackout and is_dark(self.rule.blackout, ts) else 0

    def ended(self, end: int, spread: float, span: float, close: float) -> int:
        """The warnings of a bar of this true range but that of its open; to be called once, in order."""
        rule, warn = self.rule, 0
        if self.spreads is not None:
            self.spreads.add(spread)
            warn |= SPREAD_SPIKE * self._spread_spikes(spread)
        if rule.volatility_spike:
            warn |= VOLATILITY_SPIKE * (self.average > 0.0 and grid(span) > grid(rule.volatility_spike * self.average))
            self.average = self.spikes.add(span)
        if rule.blackout and is_dark(rule.blackout, end):
            warn |= DARK_END
        self._remember(end, close)
        return warn

    def monitored(self, value: float) -> int:
        """Whether the monitored feature has drifted with this value, as a warning."""
        self.features.add(value)
        return DRIFTED * bool(drift_now(self.features.values()) > STRONG)

    def sigma(self) -> float:
        """Yearly volatility after the last bar."""
        if self.ends is None or self.closes is None or len(ends := self.ends.values()) <= self.rule.sigma:
            return NAN
        return float(yearly_volatility(ends, self.closes.values(), self.rule.sigma)[-1])

    def look_back(self, bars: Bars) -> None:
        """Earlier bars, all that have ended: for an account that was restored."""
        if self.spreads is not None:
            self.spreads.fill(bars.spread)
        if self.ends is not None and self.closes is not None:
            self.ends.fill(bars.end)
            self.closes.fill(bars.close)
        if self.rule.daily:
            self.days, self.last_of_day = [], []
            for end, close in zip(bars.end.tolist(), bars.close.tolist(), strict=True):
                self._add_to_day(end, close)

    def _spread_spikes(self, spread: float) -> bool:
        spreads = self.spreads.values() if self.spreads is not None else np.zeros(0)
        usual = float(mean_before(spreads, self.rule.window)[-1]) if len(spreads) > self.rule.window else NAN
        return usual > 0.0 and grid(spread) > grid(self.rule.spread_spike * usual)

    def _remember(self, end: int, close: float) -> None:
        if self.ends is not None and self.closes is not None:
            self.ends.add(end)
            self.closes.add(close)
        if self.rule.daily:
            self._add_to_day(end, close)

    def _add_to_day(self, end: int, close: float) -> None:
        day = end // DAY
        if self.days and self.days[-1] == day:
            self.last_of_day[-1] = close
        else:
            self.days.append(day)
            self.last_of_day.append(close)


def grid(price: float) -> float:
    """On the grid of 1e-9.

    >>> grid(0.1 + 0.2)
    0.3
    """
    return float(np.rint(price * 1e9) / 1e9)


def correlation(a: Columns, b: Columns, window: int, day: int) -> float:
    """Pearson's correlation of the last ``window`` daily changes before a day."""
    (days_a, closes_a), (days_b, closes_b) = ((np.array(each.days), np.array(each.last_of_day)) for each in (a, b))
    common = np.intersect1d(days_a[days_a < day], days_b[days_b < day], assume_unique=True)[-window - 1 :]
    if len(common) <= window:
        return NAN
    parts = [(common, closes[np.searchsorted(days, common)]) for days, closes in ((days_a, closes_a), (days_b, closes_b))]
    return float(rolling(parts[0], parts[1], window, np.array([day]))[0])
