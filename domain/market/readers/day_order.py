"""Whether 01/02/2024 is 1 February or 2 January: inferred from the dates of the whole file and by the market's week, never
guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from domain.errors import BadRequest
from domain.market.readers import stamps
from domain.market.readers.files import blocks
from domain.market.readers.layout import Layout

SATURDAY = 5
NEAR = 5  # days: consecutive days of bars lie no further apart, a weekend and a holiday between them
Dates = Sequence[tuple[int, int, int]]


def with_day_order(path: Path, layout: Layout, max_bytes: int) -> tuple[Layout, tuple[str, ...]]:
    """The layout with the order of day and month, from every date in the file, and a note on how it was inferred."""
    if layout.kind != stamps.EITHER:
        return layout, ()
    dates = _dates(path, layout, max_bytes)
    kind = day_order(dates)
    if kind is None:
        first, second, year = dates[0] if dates else (1, 2, 2024)
        raise BadRequest(
            f"{path.name} writes dates as {first:02d}/{second:02d}/{year}, and nothing in it tells days from "
            "months: no number is above 12, and both "
            f"readings give an ordinary week. Write them as {stamps.ISO} (2024-02-01) and import again"
        )
    order = "day, month" if kind == stamps.DAY_FIRST else "month, day"
    return replace(layout, kind=kind), (
        f"dates are read as {order}, year: the only order in which they follow each other through the week",
    )


def day_order(dates: Dates) -> str | None:
    """The kind of stamps that distinct ``(first, second, year)`` in the order of a file are; None where both or none
    will do.

    >>> day_order([(1, 2, 2024), (2, 2, 2024), (5, 2, 2024)]), day_order([(1, 2, 2024)])
    ('DD.MM.YYYY', None)
    """
    days_first, months_first = _dates_of([(y, b, a) for a, b, y in dates]), _dates_of([(y, a, b) for a, b, y in dates])
    if days_first is None or months_first is None:
        return stamps.DAY_FIRST if days_first is not None else stamps.MONTH_FIRST if months_first is not None else None
    if len(dates) and np.array_equal(days_first, months_first):
        return stamps.DAY_FIRST
    if _like_a_market(days_first) == _like_a_market(months_first):
        return None
    return stamps.DAY_FIRST if _like_a_market(days_first) else stamps.MONTH_FIRST


def _dates_of(dates: Dates) -> np.ndarray | None:
    """Days since 1970, or None if one of the dates does not exist."""
    try:
        return np.array([date(*part).toordinal() - 719_163 for part in dates], np.int64)
    except ValueError:
        return None


def _like_a_market(days: np.ndarray) -> bool:
    """Days that go one way, have hardly a Saturday among them, and lie close together."""
    if not len(days):
        return False
    steps = np.diff(days)
    one_way = bool((steps > 0).all() or (steps < 0).all())
    saturdays = float(((days + 3) % 7 == SATURDAY).mean())
    return one_way and saturdays <= 0.01 and (not len(steps) or float(np.median(np.abs(steps))) <= NEAR)


def _dates(path: Path, layout: Layout, max_bytes: int) -> list[tuple[int, int, int]]:
    """The distinct dates of a file in the order in which they come."""
    before = layout.columns.index(layout.times[0])
    cell = rb"[^" + re.escape(layout.separator).encode() + rb"\n]*" + re.escape(layout.separator).encode()
    dates = re.compile(rb"(?m)^(?:" + cell + rb"){%d}\s*\"?\s*(\d{1,2}[./-]\d{1,2}[./-]\d{4})" % before)
    distinct: dict[bytes, None] = {}
    for block in blocks(path, max_bytes):
        distinct |= dict.fromkeys(dates.findall(block.data))
    return [(int(parts[0]), int(parts[1]), int(parts[2])) for parts in (re.split(rb"[./-]", text) for text in distinct)]
