"""What a filter does to the trades: R with and without it, and the equity of both in R."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.significance import Significance, significance_of
from domain.training.compared import DAY, FEWEST_DAYS, block_of, daily, interval, ns
from domain.training.protocols import Tried

POINTS = 1_000          # of an equity curve in the report
FIGURES = ("signals", "taken", "mean_r", "mean_r_taken", "sum_r", "sum_r_taken", "win_rate", "win_rate_taken")
NO_TRADES = "Its samples are no trades, so there is no R, no equity and no Sharpe ratio."


def has_trades(frame: pd.DataFrame) -> bool:
    return {"r", "taken"} <= set(frame.columns) and bool(np.isfinite(frame["r"].to_numpy(float)).any())


def sizes(frame: pd.DataFrame) -> np.ndarray:
    """What was risked on each signal, in units of the usual risk: 0 where it was not taken."""
    taken = frame["taken"].to_numpy(bool) & np.isfinite(frame["r"].to_numpy(float))
    return np.where(taken, frame["size"].to_numpy(float) if "size" in frame else 1.0, 0.0)


def decisions(frame: pd.DataFrame) -> dict[str, Any]:
    """``signals taken mean_r mean_r_taken sum_r sum_r_taken win_rate win_rate_taken``; ``mean_r_taken`` is R for each unit risked, None where nothing was.

    Signals whose R is not known are left out.
    """
    r, size = frame["r"].to_numpy(float), sizes(frame)
    known, taken = np.isfinite(r), size > 0
    total = float(np.nansum(np.where(taken, size * r, 0.0)))
    return dict(
        signals=int(known.sum()), taken=int(taken.sum()), mean_r=_mean(r[known]), mean_r_taken=total / float(size.sum()) if taken.any() else None,
        sum_r=float(r[known].sum()), sum_r_taken=total, win_rate=_mean((r[known] > 0) * 1.0), win_rate_taken=_mean((r[taken] > 0) * 1.0),
    )  # fmt: skip


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def filter_gain(frame: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """``gain, low, high, days, reason``: R for each unit risked with the filter less R of every signal, and its 95 % from blocks of days of decisions."""
    frame = frame[np.isfinite(frame["r"].to_numpy(float))]
    r, size = frame["r"].to_numpy(float), sizes(frame)
    if not size.any():
        return dict(gain=None, low=None, high=None, days=0, reason="No signal was taken.")
    days, means = daily(frame, size * r, size, r)
    counts = frame.drop_duplicates("sample").pipe(lambda first: pd.Series(ns(first["start"]) // DAY).value_counts().reindex(days).to_numpy(float))
    if len(days) < FEWEST_DAYS:
        return dict(gain=None, low=None, high=None, days=len(days), reason=f"There are {len(days)} days with signals; {FEWEST_DAYS} are needed.")
    sums = means * counts[:, None]
    taken, whole = float(sums[:, 0].sum() / sums[:, 1].sum()), float(sums[:, 2].sum() / counts.sum())
    # the ratio's influence, linear around its value: what a day adds to it
    influence = (sums[:, 0] - taken * sums[:, 1]) / sums[:, 1].sum() - (sums[:, 2] - whole * counts) / counts.sum()
    low, high = interval(influence * len(days), np.ones(len(days)), block_of(frame, len(days)), seed)
    return dict(gain=taken - whole, low=taken - whole + low, high=taken - whole + high, days=len(days), reason="")


def daily_r(frame: pd.DataFrame) -> pd.DataFrame:
    """R by UTC day on which it was known (``end``): ``without``, every signal; ``with``, the taken ones at their size. Index: days.

    Every weekday between the first decision and the last end of each fold is there, with 0 where nothing ended.
    """
    r = np.nan_to_num(frame["r"].to_numpy(float))
    table = pd.DataFrame({"day": ns(frame["end"]) // DAY, "without": r, "with": np.where(sizes(frame) > 0, sizes(frame) * r, 0.0)})
    summed = table.groupby("day")[["without", "with"]].sum()
    spans = [(ns(part["start"]).min() // DAY, ns(part["end"]).max() // DAY) for _, part in frame.groupby("fold")]
    days = np.unique(np.concatenate([np.arange(first, last + 1) for first, last in spans]))
    weekdays = days[(days + 3) % 7 < 5]         # 1970-01-01 was a Thursday
    return summed.reindex(np.union1d(weekdays, summed.index.to_numpy()), fill_value=0.0)


def curve(by_day: pd.DataFrame, points: int = POINTS) -> list[dict[str, Any]]:
    """Rows ``day, without, with``: cumulative R at the end of days, at most ``points`` of them, the last among them."""
    summed = by_day.cumsum()
    places = np.unique(np.linspace(0, len(summed) - 1, min(points, len(summed))).round().astype(int))
    days = pd.to_datetime(summed.index.to_numpy()[places], unit="D").strftime("%Y-%m-%d")
    return [dict(day=day, without=float(a), **{"with": float(b)}) for day, a, b in zip(days, summed["without"].to_numpy()[places], summed["with"].to_numpy()[places], strict=True)]


def equity_of(by_day: pd.DataFrame) -> dict[str, Any]:
    """``days``, and ``with`` and ``without`` the filter: ``sum_r, max_drawdown_r, sharpe_day`` (None where nothing varies)."""
    return dict(days=len(by_day)) | {name: _side(by_day[name].to_numpy(float)) for name in ("with", "without")}


def _side(values: np.ndarray) -> dict[str, Any]:
    path = np.concatenate(([0.0], np.cumsum(values)))
    figures = significance_of(values)
    return dict(sum_r=float(values.sum()), max_drawdown_r=float((np.maximum.accumulate(path) - path).max()), sharpe_day=figures.sharpe)


def paths_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows ``path`` and ``decisions`` of each path through all groups."""
    return [dict(path=int(path)) | decisions(part) for path, part in frame.groupby("path", sort=True)]


def spread(values: Sequence[float | None]) -> dict[str, float | None]:
    """``low, median, high`` of those that exist.

    >>> spread([3.0, None, 1.0, 2.0])
    {'low': 1.0, 'median': 2.0, 'high': 3.0}
    """
    known = [value for value in values if value is not None]
    return dict(low=min(known), median=float(np.median(known)), high=max(known)) if known else dict(low=None, median=None, high=None)


def deflated(by_day: pd.DataFrame, trials: Tried) -> Significance:
    """Of the daily R with the filter, against the best of so many trials without any edge."""
    return significance_of(by_day["with"].to_numpy(float), trials.count, trials.variance)
