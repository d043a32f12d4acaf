"""The traded period of a backtest on files: bars before it are history for features, bars after it are left out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from domain.errors import BadRequest
from worker.terminal.options import instant


class Period(NamedTuple):
    """``start <= ts < end``; None where that side is open."""

    start: datetime | None
    end: datetime | None


def period_of(start: str, end: str) -> Period:
    """
    >>> period_of("2024-02-01", "2024-01-01")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --from is 2024-02-01 and --to 2024-01-01; the period must end after it begins
    """
    unset = datetime.min.replace(tzinfo=UTC)
    first = instant("--from", start, unset) if start.strip() else None
    last = instant("--to", end, unset) if end.strip() else None
    if first and last and first >= last:
        raise BadRequest(f"--from is {start} and --to {end}; the period must end after it begins")
    return Period(first, last)


def within(series: Sequence[Any], period: Period) -> list[Any]:
    """Each series with the bars of the period, and those before it as its history."""
    import pandas as pd

    from domain.backtest.history import split

    start, end = (None if edge is None else pd.Timestamp(edge) for edge in period)
    cut = []
    for series_ in series:
        history, bars = split(series_.bars, start, end, f"{series_.instrument.name} {series_.timeframe}")
        cut.append(replace(series_, bars=bars, history=history))
    return cut


def signals_within(table: Any, series: Sequence[Any], period: Period) -> Any:
    """The signals of the period, read and checked as a whole; the number of others is printed."""
    from domain.trading.signals import read_signals

    read = read_signals(table, tuple(dict.fromkeys(series_.instrument.name for series_ in series)))
    rows = read
    if period.start is not None:
        rows = rows[rows["ts"] >= period.start]
    if period.end is not None:
        rows = rows[rows["ts"] < period.end]
    if left := len(read) - len(rows):
        print(f"tidemark: {left:,} of {len(read):,} signals lie outside the period and are left out", file=sys.stderr)
    return rows.reset_index(drop=True)
