"""Bars, rows and files made for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from domain.market import Timeframe, calendar, frame, ts_of
from domain.market.readers import RawBars
from domain.market.zones import to_local

M1, M5, M15, M30, H1, H4, D1 = (Timeframe.named(name) for name in ("M1", "M5", "M15", "M30", "H1", "H4", "D1"))


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def texts(instants: np.ndarray) -> list[str]:
    return [str(t)[:16] for t in np.asarray(instants, np.int64).view("datetime64[ns]")]


def bars_at(ts: np.ndarray, seed: int = 1, level: float = 1.1, step: float = 1e-4) -> pd.DataFrame:
    """A quiet random walk on the given opens, always in order and always possible."""
    random = np.random.default_rng(seed)
    close = np.round(level + np.cumsum(random.normal(0, step, len(ts))), 5)
    open_ = np.r_[level, close[:-1]][: len(ts)]
    high = np.round(np.maximum(open_, close) + np.abs(random.normal(0, step, len(ts))), 5)
    low = np.round(np.minimum(open_, close) - np.abs(random.normal(0, step, len(ts))), 5)
    return frame(ts, open=open_, high=high, low=low, close=close)


def fx_bars(start: str, end: str, timeframe: Timeframe = M5, calendar_name: str = "fx") -> pd.DataFrame:
    return bars_at(calendar(calendar_name).expected_opens(ns(start), ns(end), timeframe))


def raw_of(bars: pd.DataFrame, **changes: np.ndarray) -> RawBars:
    """What a reader would give for these bars, on the UTC clock."""
    columns = {name: bars[name].to_numpy().copy() if name in bars else None for name in ("open", "high", "low", "close", "volume", "spread")}
    return RawBars(**{"local_ns": ts_of(bars), "line": np.arange(2, len(bars) + 2), **columns, **changes})


def wall(ts: np.ndarray, zone: str, shift_hours: int = 0) -> np.ndarray:
    return to_local(ts, zone) + shift_hours * 3_600_000_000_000


def own_csv(path: Path, bars: pd.DataFrame, separator: str = ",", stamp: str = "%Y-%m-%dT%H:%M:%SZ", newline: str = "\n") -> Path:
    rows = [separator.join(bars.columns)]
    rows += [separator.join([t.strftime(stamp), *(repr(float(v)) for v in row)]) for t, *row in bars.itertuples(index=False)]
    path.write_bytes((newline.join(rows) + newline).encode())
    return path
