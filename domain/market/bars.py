"""Bars: the one table of prices every part of the system reads, and the hash that names its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pandas as pd

from domain.errors import BadBars, unknown
from domain.market.timeframe import Timeframe

PRICES = ("open", "high", "low", "close")
OPTIONAL = ("volume", "spread")
COLUMNS = ("ts", *PRICES, *OPTIONAL)
END = "end"            # of bars as they were traded: when each was known, in the place of what its timeframe says
SIDES = ("bid", "mid", "ask", "last")
QUIET_NAN = np.int64(0x7FF8_0000_0000_0000)
CHUNK = 1 << 17
PART = 1 << 14          # rows that fit into the processor's cache
NOT_A_TIME = np.iinfo(np.int64).min


def frame(ts_ns: np.ndarray, **columns: np.ndarray | None) -> pd.DataFrame:
    """Bars from arrays: ``ts_ns`` is int64 nanoseconds UTC; a column that is None is left out.

    >>> one = np.array([1.0])
    >>> frame(np.array([0]), open=one, high=one, low=one, close=one, volume=None).columns.tolist()
    ['ts', 'open', 'high', 'low', 'close']
    """
    end = columns.pop(END, None)
    data: dict[str, object] = {"ts": pd.DatetimeIndex(np.asarray(ts_ns, np.int64).view("datetime64[ns]"), tz="UTC")}
    data.update({name: np.asarray(columns[name], np.float64) for name in COLUMNS[1:] if columns.get(name) is not None})
    if end is not None:
        data[END] = pd.DatetimeIndex(np.asarray(end, np.int64).view("datetime64[ns]"), tz="UTC")
    return pd.DataFrame(data)


def ts_of(bars: pd.DataFrame) -> np.ndarray:
    """The opens of bars as int64 nanoseconds UTC."""
    return nanoseconds(bars["ts"])


def nanoseconds(times: pd.Series) -> np.ndarray:
    """The instants of a column as int64: the column's own memory where it counts nanoseconds."""
    array = times.array
    return (array if array.unit == "ns" else array.as_unit("ns")).asi8


def check(bars: pd.DataFrame, negative_prices: bool = False) -> pd.DataFrame:
    """``bars`` themselves, if they keep the contract; else BadBars with the row and its time.

    A RangeIndex; ``ts`` in UTC, nanoseconds, strictly rising; finite float64 prices, above 0 unless ``negative_prices``; open and close
    between low and high; volume and spread, where there are any, float64 and 0 or more, NaN for unknown.

    >>> one = np.array([1.0])
    >>> check(frame(np.array([0]), open=one, high=one * 0.5, low=one * 0.5, close=one * 0.5))
    Traceback (most recent call last):
    ...
    domain.errors.BadBars: row 0 (1970-01-01 00:00): the open 1.0 is above the high 0.5
    """
    _check_columns(bars)
    ts = ts_of(bars)
    if not _keep(-np.inf if negative_prices else 0.0, ts, *(bars[name].to_numpy() for name in PRICES)):
        _check_prices(bars, ts, negative_prices)
    for name in OPTIONAL:
        if name in bars:
            values = bars[name].to_numpy()
            _refuse(bars, (values < 0) | np.isinf(values), f"the {name} {{{name}}} is negative or infinite; unknown is NaN")
    if END in bars:
        _check_ends(bars, ts, bars[END].dt.as_unit("ns").to_numpy(dtype="datetime64[ns]"))
    return bars


def _keep(least: float, ts: np.ndarray, open_: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> bool:
    """Whether times and prices keep the contract, in one pass over them; lows are above ``least``."""
    for first in range(0, len(ts), PART):
        part, before = slice(first, first + PART), slice(max(first - 1, 0), first + PART)
        above, below = np.maximum(open_[part], close[part]), np.minimum(open_[part], close[part])
        in_order = ts[first] != NOT_A_TIME and (ts[before][1:] > ts[before][:-1]).all()
        if not (in_order and low[part].min() > least and high[part].max() < np.inf and (above <= high[part]).all() and (below >= low[part]).all()):
            return False
    return True


def _check_prices(bars: pd.DataFrame, ts: np.ndarray, negative_prices: bool) -> None:
    _refuse(bars, np.isnat(ts.view("datetime64[ns]")), "has no time")
    _refuse(bars, np.r_[False, ts[1:] <= ts[:-1]], "is not after the row before it; sort the bars and merge duplicates")
    for name in PRICES:
        _refuse(bars, ~np.isfinite(bars[name].to_numpy()), f"the {name} is not a number")
        if not negative_prices:
            _refuse(bars, bars[name].to_numpy() <= 0, f"the {name} is not above 0")
    for name in ("open", "close", "low"):
        _refuse(bars, (bars[name] > bars["high"]).to_numpy(), f"the {name} {{{name}}} is above the high {{high}}")
    for name in ("open", "close"):
        _refuse(bars, (bars[name] < bars["low"]).to_numpy(), f"the {name} {{{name}}} is below the low {{low}}")


def _check_ends(bars: pd.DataFrame, ts: np.ndarray, end: np.ndarray) -> None:
    _refuse(bars, np.isnat(end), "has no end")
    ends = end.view(np.int64)
    _refuse(bars, ends <= ts, "ends before it begins, or as it does")
    _refuse(bars, np.r_[ends[:-1] > ts[1:], np.zeros(len(ts[:1]), bool)], "ends after the next bar opens")


def content_version(bars: pd.DataFrame, instrument: str, timeframe: Timeframe, side: str) -> str:
    """SHA-256, in hex, of what the bars are and say: the same on every machine, in every file format and library version.

    Hashed are a line of JSON (what, instrument, timeframe, side, columns, rows) and each column's values one after the other, ``ts`` as int64
    nanoseconds and numbers as float64, little endian, with 0.0 for -0.0 and one bit pattern for NaN.

    >>> one = np.array([1.0])
    >>> content_version(frame(np.array([0]), open=one, high=one, low=one, close=one), "EURUSD", Timeframe.named("M1"), "bid")[:16]
    '5d6d8ab2c974882c'
    """
    if side not in SIDES:
        raise unknown("side", side, SIDES)
    _check_columns(bars)
    columns = [name for name in (*COLUMNS, END) if name in bars]
    identity = dict(what="tidemark bars 1", instrument=instrument, timeframe=str(timeframe), side=side, columns=columns, rows=len(bars))
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    for name in columns:
        for part in _parts(bars[name].dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").view(np.int64) if name in ("ts", END) else bars[name].to_numpy()):
            digest.update(part)
    return digest.hexdigest()


def _parts(values: np.ndarray) -> Iterator[bytes]:
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        if part.dtype == np.float64:
            part = np.where(np.isnan(part), QUIET_NAN, (part + 0.0).view(np.int64))
        yield part.astype("<i8", copy=False).tobytes()


def _check_columns(bars: pd.DataFrame) -> None:
    for name in bars.columns:
        if name not in (*COLUMNS, END):
            raise BadBars(f"bars have a column {str(name)!r}; they may have {', '.join(COLUMNS)}")
    for name in COLUMNS[:5]:
        if name not in bars:
            raise BadBars(f"bars have no column {name!r}; they need {', '.join(COLUMNS[:5])}")
    if str(bars["ts"].dtype) != "datetime64[ns, UTC]":
        raise BadBars(f"ts is {bars['ts'].dtype}; it must be datetime64[ns, UTC]")
    if END in bars and str(bars[END].dtype) != "datetime64[ns, UTC]":
        raise BadBars(f"{END} is {bars[END].dtype}; it must be datetime64[ns, UTC]")
    for name in bars.columns.drop(["ts", END], errors="ignore"):
        if bars[name].dtype != np.float64:
            raise BadBars(f"{name} is {bars[name].dtype}; it must be float64")
    if not (isinstance(bars.index, pd.RangeIndex) and bars.index.start == 0 and bars.index.step == 1):
        raise BadBars("bars need a plain index 0, 1, 2 …; call reset_index(drop=True)")


def _refuse(bars: pd.DataFrame, wrong: np.ndarray, problem: str) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    cells = {name: float(bars[name].iloc[row]) for name in bars.columns.drop(["ts", END], errors="ignore")}
    raise BadBars(f"row {row} ({bars['ts'].iloc[row]:%Y-%m-%d %H:%M}): {problem.format(**cells)}")
