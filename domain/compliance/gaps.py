"""Holes in an equity path: stretches in which the market was open and no row tells what the account was worth."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from domain.compliance.path import Path, stamp
from domain.errors import BadRequest
from domain.market.calendar import CALENDARS, calendar
from domain.market.zones import DAY, HOUR

FEWEST = 10         # rows from which on a path can be called regular
REGULAR = 0.8       # share of the steps that must be the commonest one; an irregular path has a row when something happens
LEAST = 4 * HOUR    # of open market: less may be missing, as bars of quiet hours are


def refuse_gaps(path: Path, markets: Iterable[str] = ("fx",)) -> None:
    """Raise BadRequest at the first hole of a path of regular rows.

    A hole is more than a step, and at least ``LEAST``, of open time of every one of these calendars, thin days left out.
    """
    steps = np.diff(path.ts)
    if len(steps) < FEWEST - 1:
        return
    sizes, counts = np.unique(steps, return_counts=True)
    step = int(sizes[counts.argmax()])
    if counts.max() < REGULAR * len(steps):
        return
    wide = np.flatnonzero(steps >= step + min(LEAST, step))
    for row in wide.tolist():
        start, end = int(path.ts[row]), int(path.ts[row + 1])
        missing = min((_open_time(name, start, end) for name in markets), default=0) - step
        if missing >= max(LEAST, step):
            raise BadRequest(
                f"the equity has a gap: no row between {stamp(start)} and {stamp(end)}, {missing / HOUR:.4g} hours of open market; "
                "what happened there cannot be judged, so fill it in or judge the parts"
            )


def _open_time(name: str, start: int, end: int) -> int:
    """Nanoseconds in which a market is surely open: days that are thin in any calendar are left out."""
    market = calendar(name)
    opens, closes = market.sessions(start, end)
    opens, closes = np.maximum(opens, start), np.minimum(closes, end)
    thin = _thin(start, end)
    days = (opens + closes) // 2 // DAY
    return int((closes - opens)[~np.isin(days, list(thin))].sum())


def _thin(start: int, end: int) -> set[int]:
    import datetime

    epoch = datetime.date(1970, 1, 1).toordinal()
    return {day.toordinal() - epoch for name in CALENDARS for day in calendar(name).holidays(start, end)}
