"""Scores by fold, year, regime, months since training and path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.training.compared import DAY, ns
from domain.training.equity import decisions, has_trades
from domain.training.protocols import FoldLike, SetLike
from domain.training.scores import Outputs, scores_of

MONTH = 365.25 / 12 * DAY
LEARNING = ("train", "validation", "calibration")
BOTH_SIDES = "Training lies on both sides of what is tested, so no time has passed since it."
NO_REGIMES = "No regimes were given."


def row_of(frame: pd.DataFrame, outputs: Outputs, prefix: str = "") -> dict[str, Any]:
    """Scores of some rows, with ``start`` and ``end`` (ISO), and what the filter did where there are trades."""
    times = dict(start=iso(ns(frame["start"]).min()), end=iso(ns(frame["end"]).max())) if len(frame) else dict(start=None, end=None)
    traded = decisions(frame) if not prefix and has_trades(frame) else {}
    return {**times, **scores_of(frame, outputs, prefix), **traded}


def iso(instant: int) -> str:
    """
    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    return pd.Timestamp(int(instant)).strftime("%Y-%m-%dT%H:%M:%SZ")


def by(frame: pd.DataFrame, keys: Iterable[Any], name: str, outputs: Outputs) -> list[dict[str, Any]]:
    """A row of scores for each value of ``keys`` (aligned with ``frame``), in order; rows whose key is missing belong to none."""
    of_rows = pd.Series(list(keys), index=frame.index, dtype=object)
    return [{name: key} | row_of(frame[of_rows == key], outputs) for key in sorted(of_rows.dropna().unique())]


def years(frame: pd.DataFrame) -> list[int]:
    """UTC year of each decision."""
    return [int(year) for year in pd.to_datetime(ns(frame["start"])).year]


def months_since(frame: pd.DataFrame, folds: Sequence[FoldLike], sample_set: SetLike) -> tuple[list[int | None], str]:
    """Whole months from the last label that a row's fold learnt from to its decision, and why there are none."""
    learnt = {fold.number: last_learnt(fold, sample_set) for fold in folds}
    starts = {number: ns(part["start"]).min() for number, part in frame.groupby("fold")}
    if any(learnt.get(number) is None for number, first in starts.items()):
        return [None] * len(frame), "A fold has nothing that it learnt from."
    if any(learnt[number] > first for number, first in starts.items()):
        return [None] * len(frame), BOTH_SIDES
    since = [learnt[number] for number in frame["fold"]]
    return [int((start - last) // MONTH) for start, last in zip(ns(frame["start"]), since, strict=True)], ""


def last_learnt(fold: FoldLike, sample_set: SetLike) -> Any:
    """When the last label that the fold learnt from was known, int64 ns; None where it learnt from none."""
    rows = [np.asarray(fold.parts[part], np.int64) for part in LEARNING if part in fold.parts]
    every = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    return int(sample_set.samples.end[every].max()) if len(every) else None


def tables(
    frame: pd.DataFrame, outputs: Outputs, folds: Sequence[FoldLike], sample_set: SetLike, regimes: Sequence[Any] | None = None, sizes: Mapping[int, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """``fold year regime months path``: rows of scores; ``reasons``: why one of them has no rows."""
    months, no_months = months_since(frame, folds, sample_set)
    at = [None] * len(frame) if regimes is None else list(np.asarray(regimes, object)[frame["sample"].to_numpy(np.int64)])
    named = [None if label is None or label != label or label == "" else str(label) for label in at]
    grouped = dict(
        fold=by(frame, frame["fold"], "fold", outputs), year=by(frame, years(frame), "year", outputs), regime=by(frame, named, "regime", outputs),
        months=by(frame, months, "months", outputs), path=by(frame, frame["path"], "path", outputs) if frame["path"].nunique() > 1 else [],
    )  # fmt: skip
    for row in grouped["fold"] if sizes else ():
        row["sizes"] = dict((sizes or {}).get(row["fold"], {}))
    no_regimes = "" if grouped["regime"] else NO_REGIMES
    return grouped | dict(reasons={name: reason for name, reason in (("months", no_months), ("regime", no_regimes)) if reason})
