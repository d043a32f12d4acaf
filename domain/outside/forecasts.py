"""Forecasts as a file or a model gives them: quantiles of the log return, a row for each bar that they were made at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.outside.timed_values import TimedValues

QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
WRITTEN = re.compile(r"q(?:_?0?\.(?P<share>\d{1,2})|(?P<percent>\d{1,2}))", re.IGNORECASE)
BESIDE = "write ts (open of the deciding bar, UTC), or start as tidemark predict does (its end), and q05, q10, q25, q50, q75, q90 and q95"


@dataclass(frozen=True)
class Forecasts:
    """``values``: by quantile, known from the end of the bar that each was made at. ``seen``: rows left out, for the model was fitted to what
    came after them; ``beside``: rows at no bar of the series."""

    values: Mapping[str, TimedValues]
    seen: int
    beside: int

    @property
    def rows(self) -> int:
        return len(self.values[QUANTILES[0]].times)

    @property
    def sentence(self) -> str:
        parts = [f"forecasts at {self.rows:,} bars", *([f"{self.seen:,} left out, which the model may have been fitted to"] if self.seen else []), *([f"{self.beside:,} at no bar of these"] if self.beside else [])]
        return "; ".join(parts)


def quantile_name(column: str) -> str:
    """``q_0.05``, ``q0.05``, ``q5`` and ``q05`` are one; anything else is empty.

    >>> [quantile_name(name) for name in ("q_0.05", "q_0.5", "q95", "Q5", "raw_q_0.5", "q")]
    ['q05', 'q50', 'q95', 'q05', '', '']
    """
    match = WRITTEN.fullmatch(column.strip())
    if not match:
        return ""
    return f"q{int(match['percent']):02d}" if match["percent"] else f"q{match['share']:0<2}"


def forecasts_of(table: pd.DataFrame, instrument: str, ts: np.ndarray, ends: np.ndarray) -> Forecasts:
    """The quantiles of ``table`` on bars of ``instrument`` that open at ``ts`` and end at ``ends``, int64 nanoseconds UTC, in order.

    Raises BadRequest for a table without times or quantiles, with a cell that is no number, with two rows at one bar, or of other bars altogether.
    """
    columns = {quantile_name(str(name)): str(name) for name in table.columns}
    if missing := [name for name in QUANTILES if name not in columns]:
        raise BadRequest(f"the forecasts have no column{'s' if len(missing) > 1 else ''} {listed(missing)}; {BESIDE}")
    own = table
    if "instrument" in table:
        own = table[(table["instrument"].astype(str) == instrument).to_numpy()]
    bar = _bars(own, ts, ends)
    in_sample = _flags(own)
    used = (bar >= 0) & ~in_sample
    if not used.any():
        raise BadRequest(f"no forecast is made at a bar of {instrument}: {len(own):,} rows, {int(in_sample.sum()):,} of them fitted to what came after; {BESIDE}")
    order = np.argsort(bar[used], kind="stable")
    at = bar[used][order]
    if (np.diff(at) == 0).any():
        twice = pd.Timestamp(int(ts[at[int(np.flatnonzero(np.diff(at) == 0)[0])]]), tz="UTC")
        raise BadRequest(f"the forecasts of {instrument} have two rows at {twice:%Y-%m-%d %H:%M} UTC; give one for each bar")
    values = {name: TimedValues(ends[at], _numbers(own, columns[name])[used][order]) for name in QUANTILES}
    return Forecasts(values, int(in_sample.sum()), int((bar < 0).sum()))


def _bars(table: pd.DataFrame, ts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The bar of each row, −1 for one of none."""
    for name, moments in (("ts", ts), ("start", ends)):
        if name in table:
            times = _instants(table[name], name)
            row = np.searchsorted(moments, times)
            return np.where((row < len(moments)) & (moments[np.minimum(row, len(moments) - 1)] == times), row, -1)
    raise BadRequest(f"the forecasts have no times; {BESIDE}")


def _instants(column: pd.Series, name: str) -> np.ndarray:
    try:
        return pd.DatetimeIndex(pd.to_datetime(column, utc=True, format="ISO8601")).as_unit("ns").asi8
    except (ValueError, TypeError):
        raise BadRequest(f"{name} of the forecasts holds something that is no time; write it like 2024-01-31T08:00Z") from None


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """An empty cell is NaN: there is no forecast."""
    cells = table[name]
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    bad = np.isnan(numbers) & cells.notna().to_numpy() & (cells.astype(str).str.strip() != "").to_numpy()
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BadRequest(f"row {row + 1} of the forecasts: {name} is {cells.iloc[row]!r}; it must be a number")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _flags(table: pd.DataFrame) -> np.ndarray:
    if "in_sample" not in table:
        return np.zeros(len(table), bool)
    return table["in_sample"].astype(str).str.strip().str.lower().isin(("true", "1", "1.0")).to_numpy(bool)
