"""Random bars for the cases: whole ticks that walk, gap and pause, over real clocks with weekends, rolls and missing bars."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pandas as pd

from domain.market.timeframe import Timeframe
from tests.reference.clocks import nanoseconds, roll_of, utc

MINUTE = 60_000_000_000
WEEKEND = 48 * 60 * MINUTE
ANCHORS = (
    "2024-07-10T21:00", "2024-07-12T21:00", "2024-07-10T10:00", "2024-03-08T22:00", "2024-03-10T21:00", "2024-03-28T21:00",
    "2024-03-29T21:00", "2024-03-31T02:00", "2024-10-25T21:00", "2024-10-27T22:00", "2024-11-01T21:00", "2024-11-06T22:00",
    "2024-12-24T22:00", "2024-12-31T22:00",
)  # fmt: skip
Ticks = tuple[int, int, int, int]


@dataclass(frozen=True)
class Style:
    """How the prices of one series move and are written."""

    tick: float
    volatility: int  # ticks a step
    gap_chance: float
    flat_chance: float
    same_chance: float
    missing: float
    writing: str  # clean, raw (floats as multiplied) or off (beside the tick)
    spread: str  # none, constant, each, holes or wild

    def price(self, ticks: int) -> float:
        if self.writing == "off":
            return ticks * self.tick * 1.000000123 + 0.37 * self.tick
        return ticks * self.tick if self.writing == "raw" else round(ticks * self.tick, 6)


@dataclass(frozen=True)
class Walk:
    """Bars of one series, in time order: opens in nanoseconds, ticks, and spreads in price units (NaN: none)."""

    timeframe: Timeframe
    times: list[int]
    ticks: list[Ticks]
    spreads: list[float] | None
    style: Style

    def prices(self, column: int) -> list[float]:
        return [self.style.price(bar[column]) for bar in self.ticks]

    def frame(self) -> pd.DataFrame:
        data: dict[str, object] = {"ts": pd.DatetimeIndex(np.array(self.times, np.int64).view("datetime64[ns]"), tz="UTC")}
        data.update({name: np.array(self.prices(column), np.float64) for column, name in enumerate(("open", "high", "low", "close"))})
        if self.spreads is not None:
            data["spread"] = np.array(self.spreads, np.float64)
        return pd.DataFrame(data)


def random_style(rng: Random, tick: float, volatility: int | None = None) -> Style:
    return Style(
        tick=tick,
        volatility=volatility or rng.choice((1, 2, 3, 5, 8, 12)),
        gap_chance=rng.choice((0.0, 0.1, 0.3)),
        flat_chance=rng.choice((0.0, 0.05, 0.3)),
        same_chance=rng.choice((0.0, 0.1)),
        missing=rng.choice((0.0, 0.0, 0.05, 0.25)),
        writing=rng.choice(("clean", "clean", "clean", "raw", "off")),
        spread=rng.choice(("none", "none", "constant", "each", "holes", "wild")),
    )


def anchor(rng: Random) -> int:
    """A moment at which something may happen: a roll, a weekend, a change of clocks, a holiday."""
    return nanoseconds(datetime.fromisoformat(rng.choice(ANCHORS)).replace(tzinfo=UTC))


def in_weekend(ts: int) -> bool:
    """From Friday 17:00 to Sunday 17:00 in New York, near enough for random bars."""
    day = utc(ts).date()
    friday = roll_of(day - timedelta(days=(day.weekday() - 4) % 7))
    return friday <= ts < friday + WEEKEND


def open_times(rng: Random, context: int, timeframe: Timeframe, count: int, missing: float) -> list[int]:
    """``count`` opens with ``around`` somewhere among them, no weekends, some missing, a few off the clock."""
    step = timeframe.nanoseconds
    shift = rng.choice((0, 0, 60, 120)) * MINUTE if timeframe.minutes == 240 else 0
    ts = (context // step - rng.randint(1, count)) * step + shift
    times: list[int] = []
    odd = 0.1 if rng.random() < 0.05 else 0.0
    while len(times) < count:
        if not in_weekend(ts) and (not times or rng.random() >= missing):
            times.append(ts + (step // 5 if rng.random() < odd else 0))
        ts += step
    return times


def random_walk(rng: Random, timeframe: Timeframe, times: list[int], start: int, style: Style) -> Walk:
    ticks: list[Ticks] = []
    price = start
    for _ in times:
        bar = ticks[-1] if ticks and rng.random() < style.same_chance else _bar(rng, price, style)
        ticks.append(bar)
        price = bar[3]
    return Walk(timeframe, times, ticks, _spreads(rng, style, len(times)), style)


def _bar(rng: Random, before: int, style: Style) -> Ticks:
    opened = before
    if rng.random() < style.gap_chance:
        opened += rng.randint(-6, 6) * style.volatility
    if rng.random() < style.flat_chance:
        return (opened,) * 4
    path = [opened]
    for _ in range(rng.randint(1, 5)):
        path.append(path[-1] + rng.randint(-style.volatility, style.volatility))
    return opened, max(path), min(path), path[-1]


def _spreads(rng: Random, style: Style, count: int) -> list[float] | None:
    usual = rng.choice((0, 1, 2, 3, 6))
    if style.spread == "none":
        return None
    choices = {
        "constant": (usual,),
        "each": (0, 1, 2, 3, 4),
        "holes": (usual, usual, math.nan, 0),
        "wild": (usual, usual, usual, 40, math.nan, 0),
    }[style.spread]
    return [rng.choice(choices) * style.tick for _ in range(count)]


def with_finer(rng: Random, timeframe: Timeframe, finer: Timeframe, times: list[int], start: int, style: Style) -> tuple[Walk, Walk]:
    """Coarse bars made of finer ones; then the finer lose some bars, or differ."""
    pieces = timeframe.minutes // finer.minutes
    following = [*times[1:], times[-1] + timeframe.nanoseconds]
    small = [ts + k * finer.nanoseconds for ts in times for k in range(pieces)]
    belongs = [n for n in range(len(times)) for _ in range(pieces)]
    keep = [k for k, ts in enumerate(small) if ts < following[belongs[k]]]
    fine = random_walk(rng, finer, [small[k] for k in keep], start, style)
    groups: dict[int, list[Ticks]] = {}
    for k, bar in zip(keep, fine.ticks, strict=True):
        groups.setdefault(belongs[k], []).append(bar)
    coarse = [(g[0][0], max(b[1] for b in g), min(b[2] for b in g), g[-1][3]) for g in groups.values()]
    return Walk(timeframe, times, coarse, _spreads(rng, style, len(times)), style), _spoiled(rng, fine)


def _spoiled(rng: Random, fine: Walk) -> Walk:
    how = rng.choice(("complete", "complete", "partly", "mismatched", "both"))
    ticks, indices = list(fine.ticks), list(range(len(fine.times)))
    if how in ("mismatched", "both"):
        for k in rng.sample(indices, max(1, len(indices) // 12)):
            opened, high, low, close = ticks[k]
            ticks[k] = (opened, high + rng.randint(0, 3), low - rng.randint(0, 3), close)
    if how in ("partly", "both"):
        hole = rng.randrange(len(indices))
        indices = [k for k in indices if rng.random() > 0.15 and not hole <= k < hole + 8] or indices[:1]
    spreads = None if fine.spreads is None else [fine.spreads[k] for k in indices]
    return replace(fine, times=[fine.times[k] for k in indices], ticks=[ticks[k] for k in indices], spreads=spreads)
