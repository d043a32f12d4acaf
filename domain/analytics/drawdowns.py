"""Drawdowns: the deepest falls below the highest value so far, and the underwater curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.errors import unknown

CURVES = {
    "balance": "Balance: closed trades only.",
    "equity": "Equity: marked to market at bar close.",
    "equity_low": "Equity low: at the adverse extreme of each bar, below the highest closing equity.",
}
DAY = 86_400e9      # nanoseconds


def underwater(equity: pd.DataFrame, start: float, curve: str = "equity") -> pd.DataFrame:
    """``ts, share, money``: how far the curve is below its highest value so far, the start included; never above 0.

    >>> frame = pd.DataFrame(dict(ts=pd.date_range("2024-01-01", periods=3, tz="UTC"), equity=[110.0, 99.0, 121.0]))
    >>> underwater(frame, 100.0)["share"].round(12).tolist()
    [0.0, -0.1, 0.0]
    """
    values, highs = _lines(equity, curve)
    peak = running_peak(highs, start)
    money = np.minimum(values - peak, 0.0)
    return pd.DataFrame(dict(ts=equity["ts"], share=money / peak, money=money), copy=False)


def drawdown_table(equity: pd.DataFrame, start: float, curve: str = "equity", most: int = 10) -> pd.DataFrame:
    """The largest drawdowns, deepest first: ``rank, peak_ts, trough_ts, recovery_ts, share, money, days, fall_days, recovery_days``.

    A drawdown lasts from a high (the last row at it; at the start the first row) until that value is reached again at the close of a bar.
    ``share`` and ``money`` are negative. ``days``: from the peak to recovery or, where there was none (``recovery_ts`` NaT,
    ``recovery_days`` NaN), to the last row; ``fall_days``: from peak to trough. Calendar days.

    >>> frame = pd.DataFrame(dict(ts=pd.date_range("2024-01-01", periods=5, tz="UTC"), equity=[110.0, 99.0, 100.0, 121.0, 120.0]))
    >>> drawdown_table(frame, 100.0)[["share", "days", "recovery_days"]].round(4).to_numpy().tolist()
    [[-0.1, 3.0, 2.0], [-0.0083, 1.0, nan]]
    """
    values, highs = _lines(equity, curve)
    peak = running_peak(highs, start)
    share = np.minimum(values / peak - 1.0, 0.0)
    begin = spells(highs, peak)
    end = np.append(begin[1:], len(highs))[: len(begin)]
    chosen = _deepest(np.minimum.reduceat(share, begin) if len(begin) else share, most)
    begin, end = begin[chosen], end[chosen]
    trough = np.array([first + np.argmin(share[first:last]) for first, last in zip(begin, end, strict=True)], dtype=np.int64)
    return _table(equity["ts"], begin, trough, end, share[trough], share[trough] * peak[trough])


def running_peak(values: np.ndarray, start: float) -> np.ndarray:
    """The highest value so far, at least ``start``."""
    peak = np.maximum.accumulate(values)
    return peak if len(peak) and peak[0] >= start else np.maximum(peak, start)


def _lines(equity: pd.DataFrame, curve: str) -> tuple[np.ndarray, np.ndarray]:
    """The curve, and the one whose highs it is measured from."""
    if curve not in CURVES:
        raise unknown("curve", curve, CURVES)
    return equity[curve].to_numpy(float), equity["equity" if curve == "equity_low" else curve].to_numpy(float)


def spells(highs: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """The rows at the highest value so far, and the first row: each begins a spell that lasts to the next."""
    at = np.flatnonzero(highs >= peak)
    return at if len(at) and at[0] == 0 else np.concatenate(([0], at))[: len(highs)]


def _deepest(depth: np.ndarray, most: int) -> np.ndarray:
    """Places of the ``most`` lowest values below 0, lowest first; of equal ones the earlier first."""
    below = np.flatnonzero(depth < 0)
    if len(below) > most:
        below = below[depth[below] <= np.partition(depth[below], most - 1)[most - 1]]
    return below[np.argsort(depth[below], kind="stable")][:most]


def _table(ts: pd.Series, begin: np.ndarray, trough: np.ndarray, end: np.ndarray, share: np.ndarray, money: np.ndarray) -> pd.DataFrame:
    over = end < len(ts)
    last = np.minimum(end, len(ts) - 1)
    at = ts.dt.as_unit("ns").astype("int64").to_numpy() / DAY
    times = {name: ts.iloc[rows].reset_index(drop=True) for name, rows in (("peak_ts", begin), ("trough_ts", trough), ("recovery_ts", last))}
    times["recovery_ts"] = times["recovery_ts"].where(pd.Series(over))
    days = dict(days=at[last] - at[begin], fall_days=at[trough] - at[begin], recovery_days=np.where(over, at[last] - at[trough], np.nan))
    return pd.DataFrame(dict(rank=np.arange(1, len(begin) + 1), **times, share=share, money=money, **days))
