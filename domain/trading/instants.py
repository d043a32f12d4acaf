"""Times of signals as people write them: ISO 8601, UTC where no zone is given."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest

EPOCH = re.compile(r"[+-]?\d{9,19}(\.\d+)?")
UNITS = (("seconds", 1e9), ("milliseconds", 1e12), ("microseconds", 1e15), ("nanoseconds", float("inf")))     # and below what today's are
WANTED = "write it in ISO 8601, such as 2024-01-31T08:00Z"


def instants(column: pd.Series) -> Any:
    """The instants of ``ts`` at nanoseconds in UTC; the first that cannot be read is named with its row."""
    if column.dtype == pd.DatetimeTZDtype("ns", "UTC"):
        times = column
    elif pd.api.types.is_datetime64_any_dtype(column):
        times = _in_utc(column)
    else:
        times = _from_text(column)
    if len(times) and bool(times.isna().any()):
        _refuse(column, int(times.isna().to_numpy().argmax()))
    return times.array.copy()


def _from_text(column: pd.Series) -> pd.Series:
    """NaT where a cell is empty, an epoch, or no ISO 8601."""
    words = (column.fillna("") if isinstance(column.dtype, pd.StringDtype) else column.astype(object).where(column.notna(), "").map(str).astype("str")).str.strip()
    as_epoch = words.str.fullmatch(EPOCH.pattern).to_numpy(bool)
    return _in_utc(pd.to_datetime(words.where(~as_epoch, ""), utc=True, format="ISO8601", errors="coerce"))


def _in_utc(times: pd.Series) -> pd.Series:
    """Years that nanoseconds do not reach become NaT."""
    utc = times.dt.tz_localize("UTC") if times.dt.tz is None else times.dt.tz_convert("UTC")
    return utc.where((utc.dt.year > 1677) & (utc.dt.year < 2262)).dt.as_unit("ns")


def _refuse(column: pd.Series, row: int) -> None:
    cell = column.iloc[row]
    text = "" if pd.isna(cell) else str(cell).strip()
    if not text:
        raise BadRequest(f"row {row + 1} of the signals: ts is empty; {WANTED}")
    start = f"row {row + 1} of the signals: ts is {text!r}"
    if EPOCH.fullmatch(text):
        raise BadRequest(f"{start}, which looks like a count since 1970{_read_as(float(text))}; {WANTED}")
    raise BadRequest(f"{start}; {WANTED}")


def _read_as(count: float) -> str:
    """
    >>> _read_as(1704880800.0)
    ' (in seconds 2024-01-10T10:00:00Z)'
    """
    size = abs(count)
    place = next(k for k, (_, below) in enumerate(UNITS) if size < below * 10)
    seconds = count / 10.0 ** (3 * place)
    return f" (in {UNITS[place][0]} {np.datetime64(int(seconds), 's')}Z)"
