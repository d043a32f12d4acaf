"""Holes in an equity path: stretches in which the market was open and no row tells what the account was worth."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import numpy as np

from domain.compliance.path import Path, stamp
from domain.errors import BadRequest
from domain.market.calendar import CALENDARS, calendar
from domain.market.zones import DAY, HOUR

FEWEST = 10  # rows from which on a path can be called regular
REGULAR = 0.8  # share of the steps that must be the commonest one; an irregular path has a row when something happens
LEAST = 2 * HOUR  # of open market: less may be missing, as bars of quiet hours are


class Gap(NamedTuple):
    """From the last row before it to the first after it; ``open_time``: of the market, without a row."""

    start: int
    end: int
    open_time: int

    def __str__(self) -> str:
        return f"no row between {stamp(self.start)} and {stamp(self.end)}, {self.open_time / HOUR:.4g} hours of open market"


def refuse_gaps(path: Path, markets: Iterable[str] = ("fx",), allowed: bool = False) -> list[str]:
    """Raise BadRequest at the first gap of a path; where gaps are ``allowed``, a note on them instead."""
    gaps = gaps_of(path, markets)
    if not gaps:
        return []
    if not allowed:
        raise BadRequest(
            f"the equity has a gap: {gaps[0]}; what happened there cannot be judged, so fill it in, "
            "judge the parts, or say --allow-gaps"
        )
    more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return [f"The equity has gaps, and what happened in them was not judged: {gaps[0]}{more}."]


def gaps_of(path: Path, markets: Iterable[str] = ("fx",)) -> list[Gap]:
    """The gaps of a path of regular rows: more than a step, and at least ``LEAST``, of open time of every one of these calendars, thin days
    left out."""
    steps = np.diff(path.ts)
    if len(steps) < FEWEST - 1:
        return []
    sizes, counts = np.unique(steps, return_counts=True)
    step = int(sizes[counts.argmax()])
    if counts.max() < REGULAR * len(steps):
        return []
    gaps, names, thin = [], tuple(markets), _thin(int(path.ts[0]), int(path.ts[-1]))
    for row in np.flatnonzero(steps >= step + min(LEAST, step)).tolist():
        start, end = int(path.ts[row]), int(path.ts[row + 1])
        missing = min(_open_time(name, start, end, thin) for name in names) - step
        if missing >= max(LEAST, step):
            gaps.append(Gap(start, end, missing))
    return gaps


def _open_time(name: str, start: int, end: int, thin: np.ndarray) -> int:
    """Nanoseconds in which a market is surely open: thin days are left out."""
    market = calendar(name)
    opens, closes = market.sessions(start, end)
    opens, closes = np.maximum(opens, start), np.minimum(closes, end)
    days = (opens + closes) // 2 // DAY
    return int((closes - opens)[~np.isin(days, thin)].sum())


def _thin(start: int, end: int) -> np.ndarray:
    """Days, since 1970, that are thin or closed in any calendar."""
    epoch = date(1970, 1, 1).toordinal()
    return np.array(
        sorted({day.toordinal() - epoch for name in CALENDARS for day in calendar(name).holidays(start, end)}), np.int64
    )
