"""Made-up markets: seeded bars for an example, a test or a null hypothesis, never to be mistaken for real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import frame
from domain.market.calendar import bar_ends, calendar
from domain.market.instrument import Instrument
from domain.market.sessions import Calendar
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR, instant, to_local
from domain.params import param
from domain.registry import Registry

CHUNK = 100_000                 # bars made at once; part of what a seed means, so it never changes
START_PIPS = 11_000             # the first price where none is given: 1.1 for EURUSD, 110 for USDJPY
CYCLE = (2001, 2029)            # 28 years, after which weekdays and leap years repeat: the mean trading year of a calendar
NEW_YORK = "America/New_York"

# Root mean square of EURUSD's M5 returns by hour of New York, over that of all; measured on 2008-2021.
HOURLY = np.array([
    0.62, 0.78, 1.09, 1.24, 1.16, 1.07, 1.00, 1.07, 1.55, 1.40, 1.48, 1.23, 1.04, 0.93, 1.07, 0.81, 0.69, 0.62, 0.63, 0.72, 0.82, 0.77, 0.67, 0.61,
])  # fmt: skip


class Slots(NamedTuple):
    """Where bars go: their opens, the trading hours each lasts, the trading hours from the first open, whether the market was shut a day or
    more before, and the trading hours in a mean year of the calendar."""

    opens: np.ndarray
    hours: np.ndarray
    elapsed: np.ndarray
    after_break: np.ndarray
    year_hours: float


class Course(NamedTuple):
    """The values of a model for each bar: volatility and drift of its log price (over the bar), a jump before it, volume and spread if there are any."""

    volatility: np.ndarray
    drift: np.ndarray
    jump: np.ndarray
    volume: np.ndarray | None
    spread: np.ndarray | None


class Model(Protocol):
    """A frozen dataclass of parameters. ``start_price`` None: 11,000 pips of the instrument; ``steps`` sub-steps make up a bar."""

    @property
    def start_price(self) -> float | None: ...

    @property
    def steps(self) -> int: ...

    def course(self, slots: Slots, instrument: Instrument, streams: Iterator[np.random.Generator]) -> Course: ...


MODELS: Registry[type[Model]] = Registry("synthetic model")


@dataclass(frozen=True)
class GBM:
    """Geometric Brownian motion: log returns are normal and independent. Without drift the price is a martingale, E[S_t] = S_0:
    nothing can be predicted, so whatever a strategy earns on it before costs is luck."""

    drift: float = param(0.0, low=-1.0, high=1.0, unit="p.a.", help="drift of the expected price, continuously compounded")
    volatility: float = param(0.09, low=0.0, high=3.0, unit="p.a.", help="annualised volatility of log returns; EURUSD had 0.088 in 2008-2021 (measured on daily closes)")
    start_price: float | None = param(None, low=1e-6, high=1e9, unit="price units", help="first open; empty: 11,000 pips")
    steps: int = param(10, low=2, high=200, unit="sub-steps", title="Intrabar steps (per bar)", help="price moves inside a bar, from which its high and low come")

    def course(self, slots: Slots, instrument: Instrument, streams: Iterator[np.random.Generator]) -> Course:
        years = slots.hours / slots.year_hours
        return Course(self.volatility * np.sqrt(years), self.drift * years, np.zeros(len(years)), None, None)


@dataclass(frozen=True)
class RegimeSwitching:
    """A market that is calm, trends or panics in turn, with fat tails, the hours of FX, gaps over weekends, and a spread that widens with
    volatility and at the rollover. Trends go up or down with equal chance, so the price still has no drift on average, but it has memory."""

    volatility: float = param(0.09, low=0.001, high=3.0, unit="p.a.", help="annualised volatility in a trend at an average hour; EURUSD had 0.088 in 2008-2021 (measured)")
    calm_hours: float = param(40.0, low=0.5, high=10_000.0, unit="trading hours", title="Mean calm duration (h)", help="mean duration of a calm regime, trading hours; assumed")
    trend_hours: float = param(16.0, low=0.5, high=10_000.0, unit="trading hours", title="Mean trend duration (h)", help="mean duration of a trend regime, trading hours; assumed")
    panic_hours: float = param(3.0, low=0.1, high=10_000.0, unit="trading hours", title="Mean panic duration (h)", help="mean duration of a panic regime, trading hours; assumed")
    panic_share: float = param(0.1, low=0.0, high=1.0, unit="probability", title="Panic probability (per change)", help="probability that a calm or a trend is followed by panic; assumed")
    calm_volatility: float = param(0.7, low=0.05, high=1.0, unit="times volatility", title="Calm volatility (× volatility)", help="volatility in a calm regime; assumed")
    panic_volatility: float = param(2.5, low=1.0, high=20.0, unit="times volatility", title="Panic volatility (× volatility)", help="volatility in a panic regime; assumed")
    trend_strength: float = param(0.15, low=0.0, high=2.0, unit="hourly volatilities per hour", title="Trend strength (hourly volatilities per hour)", help="drift of a trend, up or down; assumed")
    tail: float = param(4.0, low=2.1, high=100.0, unit="degrees of freedom", title="Student-t degrees of freedom", help="degrees of freedom of Student's t for a bar's return; 3 to 5 by Cont (2001), Empirical properties of asset returns")
    weekend_gap: float = param(0.4, low=0.0, high=10.0, unit="daily volatilities", title="Weekend gap (× daily volatility)", help="size of the gap after a day or more closed; EURUSD 0.41 in 2008-2021 (measured)")
    spread_widening: float = param(0.5, low=0.0, high=20.0, unit="times, per unit of relative volatility above 1", title="Spread sensitivity to volatility", help="relative widening of the spread per unit of relative volatility above 1; assumed")
    rollover_spread: float = param(4.0, low=1.0, high=50.0, unit="times", title="Rollover spread (× usual)", help="spread from 17:00 to 18:00 New York; assumed")
    ticks_per_hour: float = param(2_000.0, low=0.0, high=1e7, unit="ticks", help="mean tick volume at average volatility; assumed")
    start_price: float | None = param(None, low=1e-6, high=1e9, unit="price units", help="first open; empty: 11,000 pips")
    steps: int = param(10, low=2, high=200, unit="sub-steps", title="Intrabar steps (per bar)", help="price moves inside a bar, from which its high and low come")

    def course(self, slots: Slots, instrument: Instrument, streams: Iterator[np.random.Generator]) -> Course:
        regimes, tails, gaps, ticks = (next(streams) for _ in range(4))
        state, direction = self._regimes(slots.elapsed, regimes)
        hour = (to_local(slots.opens, NEW_YORK) % DAY // HOUR).astype(np.int64)
        short = slots.hours < 4
        relative = np.array([self.calm_volatility, 1.0, self.panic_volatility])[state] * np.where(short, HOURLY[hour], 1.0)
        hourly = self.volatility / np.sqrt(slots.year_hours)
        volatility = hourly * relative * np.sqrt(slots.hours)
        fat = np.sqrt((self.tail - 2) / tails.chisquare(self.tail, len(state)))
        jump = np.where(slots.after_break, self.weekend_gap * self.volatility / np.sqrt(260) * gaps.standard_normal(len(state)), 0.0)
        drift = (state == 1) * direction * self.trend_strength * hourly * slots.hours
        volume = ticks.poisson(self.ticks_per_hour * slots.hours * relative).astype(np.float64)
        return Course(volatility * fat, drift, jump, volume, self._spread(relative, (hour == 17) & short, instrument))

    def _regimes(self, elapsed: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The regime (0 calm, 1 trend, 2 panic) and the direction of each bar: a Markov chain in trading time, begun in a calm."""
        means, total = (self.calm_hours, self.trend_hours, self.panic_hours), float(elapsed[-1]) if len(elapsed) else 0.0
        begins, states, directions, at, state = [], [], [], 0.0, 0
        while at <= total:
            length, chance, up = random.exponential(means[state]), random.random(), random.random()
            begins.append(at)
            states.append(state)
            directions.append(1.0 if up < 0.5 else -1.0)
            at += max(length, 1e-3)
            other = 1 - state if state < 2 else int(chance < 0.5)
            state = 2 if state < 2 and chance < self.panic_share else other
        which = np.searchsorted(begins, elapsed, side="right") - 1
        return np.array(states, np.int64)[which], np.array(directions)[which]

    def _spread(self, relative: np.ndarray, rollover: np.ndarray, instrument: Instrument) -> np.ndarray:
        wide = instrument.spread * (1 + self.spread_widening * np.maximum(relative - 1, 0)) * np.where(rollover, self.rollover_spread, 1.0)
        return np.maximum(_on_ticks(wide, instrument), instrument.tick)


MODELS.add("gbm", GBM)
MODELS.add("regimes", RegimeSwitching)


def generate(model: Model, instrument: Instrument, timeframe: Timeframe, start: datetime | int, end: datetime | int, seed: int) -> pd.DataFrame:
    """Bars of ``instrument`` on every slot of its calendar that opens in [start, end), prices on its ticks. The same seed, the same bytes.

    >>> from domain.market.instrument import instrument
    >>> one_day = (instrument("EURUSD"), Timeframe.named("H1"), datetime.fromisoformat("2024-07-10T00:00Z"), datetime.fromisoformat("2024-07-11T00:00Z"))
    >>> bars = generate(GBM(), *one_day, seed=1)
    >>> len(bars), float(bars["open"][0]), bars.equals(generate(GBM(), *one_day, seed=1)), bars.equals(generate(GBM(), *one_day, seed=2))
    (24, 1.1, True, False)
    """
    slots = _slots(calendar(instrument.calendar), timeframe, instant(start), instant(end))
    if not len(slots.opens):
        raise BadRequest(f"the {instrument.calendar} calendar has no {timeframe} bar between {start} and {end}; choose a longer date range")
    children = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(8))
    moves = next(children)
    course = model.course(slots, instrument, children)
    first = model.start_price if model.start_price is not None else START_PIPS * instrument.pip
    prices = _prices(course, first, model.steps, moves, instrument)
    return frame(slots.opens, **prices, volume=course.volume, spread=course.spread)


def _slots(market: Calendar, timeframe: Timeframe, start: int, end: int) -> Slots:
    opens = market.expected_opens(start, end, timeframe)
    ends = bar_ends(opens, timeframe, market.name)
    before = np.r_[opens[:1], ends[:-1]]
    shut = opens - before - market.open_time(before, opens)
    first, last = (int(np.datetime64(f"{year}-01-01", "ns").astype(np.int64)) for year in CYCLE)
    year = market.open_time(first, last) / HOUR / (CYCLE[1] - CYCLE[0])
    return Slots(opens, market.open_time(opens, ends) / HOUR, market.open_time(before[:1], opens) / HOUR, shut >= DAY, float(year))


def _prices(course: Course, first: float, steps: int, moves: np.random.Generator, instrument: Instrument) -> dict[str, np.ndarray]:
    """Open, high, low and close of each bar from ``steps`` normal moves inside it. Half the variance is taken off the drift of the log price,
    so that the price itself has exactly the requested drift."""
    n, level = len(course.volatility), float(np.log(first))
    prices = {name: np.empty(n) for name in ("open", "high", "low", "close")}
    for begin in range(0, n, CHUNK):
        part = slice(begin, min(begin + CHUNK, n))
        volatility, drift, jump = course.volatility[part], course.drift[part], course.jump[part]
        path = np.cumsum(moves.standard_normal((len(volatility), steps)) * (volatility / np.sqrt(steps))[:, None] + ((drift - volatility**2 / 2) / steps)[:, None], axis=1)
        close = level + np.cumsum(jump + path[:, -1])
        open_ = close - path[:, -1]
        prices["open"][part], prices["close"][part] = open_, close
        prices["high"][part] = open_ + np.maximum(path.max(axis=1), 0.0)
        prices["low"][part] = open_ + np.minimum(path.min(axis=1), 0.0)
        level = float(close[-1])
    prices = {name: np.maximum(_on_ticks(np.exp(values), instrument), instrument.tick) for name, values in prices.items()}
    prices["high"] = np.maximum(prices["high"], np.maximum(prices["open"], prices["close"]))
    prices["low"] = np.minimum(prices["low"], np.minimum(prices["open"], prices["close"]))
    return prices


def _on_ticks(values: np.ndarray, instrument: Instrument) -> np.ndarray:
    return np.round(np.rint(values / instrument.tick) * instrument.tick, instrument.digits)
