"""How much of its sessions a set of bars covers: the stretches in which most bars are missing, and the moment from which it is complete."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.market.sessions import Calendar
from domain.market.step import step_words, usual_step
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR

LEAST = 0.5             # of the bars of its sessions: a week with less is sparse
SPARSE_WEEKS = 4        # in a row make a stretch; fewer are holidays and outages
COARSE_WEEKS = 2        # in a row, where bars are hardly ever one step apart: another timeframe
COARSE_BARS = 5
ONE_STEP = 0.25         # of the bars of a stretch are followed after one step: less is another timeframe
TOLERATED = 0.1         # of the weeks may be in stretches that are sparse without being coarse
FEWEST = 20             # bars that there should be, below which coverage is not assessed
HOLE = 6 * HOUR
WEEK, SUNDAY = 7 * DAY, 3 * DAY     # 1 January 1970 was a Thursday


class Stretch(NamedTuple):
    """Weeks in a row in which most bars are missing, from the first to the last bar in them (nanoseconds UTC). ``step``: between most of its bars.
    ``coarse``: they are hardly ever one step of the timeframe apart, so these are bars of another timeframe."""

    first: int
    last: int
    weeks: int
    bars: int
    missing: int
    step: int
    coarse: bool


class Coverage(NamedTuple):
    """``bars`` there are and ``missing`` ones between them, in ``weeks`` that have any; ``complete_from``: the first bar after the last stretch,
    nanoseconds UTC, 0 where there is no stretch or nothing after it."""

    bars: int
    missing: int
    weeks: int
    stretches: tuple[Stretch, ...]
    complete_from: int

    @property
    def share(self) -> float:
        """Of the bars that its sessions have."""
        return self.bars / max(1, self.bars + self.missing)

    @property
    def insufficient(self) -> bool:
        """Most bars are missing, or a part of the file is of another timeframe, or sparse in more weeks than can be overlooked."""
        if self.bars + self.missing < FEWEST:
            return False
        sparse = sum(stretch.weeks for stretch in self.stretches)
        return self.share < LEAST or any(stretch.coarse for stretch in self.stretches) or sparse > TOLERATED * self.weeks

    def sentence(self, timeframe: Timeframe) -> str:
        """What is missing where, with what most of those bars are."""
        if not self.stretches:
            return f"{self.missing:,} of the {self.bars + self.missing:,} bars of its sessions are missing"
        worst = max(self.stretches, key=lambda stretch: (stretch.coarse, stretch.missing))
        coarse_words = f", and most of the {worst.bars:,} bars there are {step_words(worst.step)} apart, not {timeframe}" if worst.coarse else ""
        return f"from {_day(worst.first)} to {_day(worst.last)} {worst.missing:,} of {worst.bars + worst.missing:,} bars are missing{coarse_words}"


def coverage(ts_ns: np.ndarray, timeframe: Timeframe, market: Calendar) -> Coverage:
    """Bars and missing bars, and the stretches of weeks in which most are missing.

    Missing are the bars that fit into the open time between two others; weeks without any bar are a gap, not a stretch.
    """
    if len(ts_ns) < 2:
        return Coverage(len(ts_ns), 0, len(ts_ns), (), 0)
    lost = missing_after(ts_ns, timeframe, market)
    week = (ts_ns - SUNDAY) // WEEK
    edges = np.r_[np.flatnonzero(np.r_[True, week[1:] != week[:-1]]), len(ts_ns)]
    present, absent = np.diff(edges), np.add.reduceat(lost, edges[:-1])
    runs = _runs(present / (present + absent) < LEAST)
    sparse = [(run, stretch) for run in runs if (stretch := _sparse_stretch(ts_ns, lost, edges, run, timeframe))]
    complete = _complete_from(ts_ns, lost, edges, *sparse[-1], timeframe) if sparse else 0
    return Coverage(len(ts_ns), int(lost.sum()), len(present), tuple(stretch for _, stretch in sparse), complete)


def missing_after(ts_ns: np.ndarray, timeframe: Timeframe, market: Calendar) -> np.ndarray:
    """After each bar, how many would fit into the open time before the next one; after the last none."""
    if timeframe.ends_with_session:
        return np.r_[np.maximum(np.diff(market.day_of(ts_ns)) - 1, 0), 0].astype(np.int64)
    step = timeframe.nanoseconds
    lost = np.zeros(len(ts_ns), np.int64)
    apart = np.flatnonzero(np.diff(ts_ns) > step)
    if len(apart):
        lost[apart] = np.maximum(market.open_time(ts_ns[apart] + step, ts_ns[apart + 1]), 0) // step
    return lost


def _runs(sparse: np.ndarray) -> list[tuple[int, int]]:
    """Sparse weeks in a row, as positions from and to."""
    padded = np.r_[False, sparse, False]
    return [(int(start), int(stop)) for start, stop in np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)]


def _sparse_stretch(ts_ns: np.ndarray, lost: np.ndarray, edges: np.ndarray, run: tuple[int, int], timeframe: Timeframe) -> Stretch | None:
    """The run of weeks as a stretch, if it is long enough for one."""
    rows, weeks = slice(int(edges[run[0]]), int(edges[run[1]])), run[1] - run[0]
    inside = ts_ns[rows]
    near = np.count_nonzero(np.diff(inside) <= 1.1 * timeframe.nanoseconds)
    coarse = len(inside) >= COARSE_BARS and weeks >= COARSE_WEEKS and near < ONE_STEP * len(inside)
    if not coarse and weeks < SPARSE_WEEKS:
        return None
    return Stretch(int(inside[0]), int(inside[-1]), weeks, len(inside), int(lost[rows].sum()), usual_step(inside), bool(coarse))


def _complete_from(ts_ns: np.ndarray, lost: np.ndarray, edges: np.ndarray, run: tuple[int, int], stretch: Stretch, timeframe: Timeframe) -> int:
    """The first bar after the stretch; of one of another timeframe the first after the last hole in its last week and the week after
    that is followed by another after one step: its last bar may stand before a holiday, which is no hole."""
    after = int(edges[run[1]])
    begin, end = int(edges[run[1] - 1]), int(edges[min(run[1] + 1, len(edges) - 1)])
    holes = np.flatnonzero(lost[begin:end] * timeframe.nanoseconds >= HOLE)
    row = begin + int(holes[-1]) + 1 if len(holes) else after
    if stretch.coarse:
        row += int(np.argmax(np.r_[np.diff(ts_ns[row:]) <= 1.1 * timeframe.nanoseconds, True]))
    else:
        row = max(row, after)
    return int(ts_ns[row]) if row < len(ts_ns) - 1 else 0


def _day(ns: int) -> str:
    return str(np.datetime64(ns, "ns"))[:10]
