"""What readers of bars in JSON share: the document of a file, its numbers, and bars made of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.readers.base import BadLine, RawBars, ReadLimits
from domain.market.readers.files import content
from domain.market.readers.layout import CLIP, SHOWN
from domain.market.readers.sample import PREVIEW
from domain.market.readers.stamps import EARLIEST, LATEST
from domain.parsing import json_of


def document_of(path: Path, max_bytes: int) -> Any:
    """The JSON of a file."""
    return json_of(content(path, max_bytes).decode("utf-8", "replace"), path.name)


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of a document, in its order, an outer one before what is in it.

    >>> [sorted(part) for part in objects({"a": {"b": 1}, "c": [{"d": 2}]})]
    [['a', 'c'], ['b'], ['d']]
    """
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting += [each for each in reversed([*inner]) if isinstance(each, dict | list)]


def number(value: Any) -> float:
    """A number, or a text that is one; ValueError for anything else.

    >>> number("1.05"), number(3)
    (1.05, 3.0)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{value[:40]!r} is not a number" if isinstance(value, str) else "a number is too large") from None


def moment(value: Any, unit: int) -> int:
    """Nanoseconds of a count of ``unit`` nanoseconds since 1970; ValueError where that is no time of a market.

    >>> moment(1_704_672_000, 1_000_000_000)
    1704672000000000000
    """
    count = number(value)
    if not EARLIEST <= count * unit < LATEST:
        raise ValueError(f"its time {str(value)[:40]} is not between the years 1973 and 2200")
    return int(count) * unit


def part(value: Any, *names: str) -> Any:
    """What stands under these names, one in the other; None where an object is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def bars_of(
    rows: Sequence[tuple[int, ...]], bad: Sequence[tuple[int, Any, str]], columns: Sequence[str], notes: Sequence[str] = ()
) -> RawBars:
    """Bars in UTC. ``rows``: place in the file (from 1), ns, then a value of each of ``columns``; ``bad``: place, what stands there, why it is no bar."""
    table = np.array([row[2:] for row in rows], np.float64).reshape(len(rows), len(columns))
    read = {name: table[:, at].copy() for at, name in enumerate(columns)}
    prices: dict[str, Any] = {name: read[name] for name in PRICES}
    malformed = tuple(BadLine(place, str(value)[:CLIP], why) for place, value, why in bad[:SHOWN])
    ts, line = (np.array([row[at] for row in rows], np.int64) for at in (1, 0))
    return RawBars(ts, volume=read.get("volume"), spread=read.get("spread"), line=line, malformed=malformed, malformed_count=len(bad), clock="UTC", notes=tuple(notes), **prices)


def preview_of(raw: RawBars) -> pd.DataFrame:
    """The first bars as text."""
    shown = slice(0, PREVIEW)
    table = {"ts": raw.local_ns[shown].view("datetime64[ns]"), **{name: getattr(raw, name)[shown] for name in PRICES}}
    return pd.DataFrame(table).astype(str)


def within(path: Path, rows: int, limits: ReadLimits) -> None:
    """Refuses more rows than are allowed."""
    if rows > limits.max_rows:
        raise BadRequest(f"{path.name} has {rows:,} rows; the limit is {limits.max_rows:,}; split it, or raise the limit in the settings")
