"""What a grid search, walk-forward or search has so far, while it runs: from its finished parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from domain.optimise import OBJECTIVES
from worker.store import Job
from worker.store.chunks import Chunk

CURVE = ["number", "value", "best"]


@dataclass(frozen=True)
class SweepProgress:
    """``done`` of ``total`` combinations (of a walk-forward fits, of a search trials), the ``best`` of them by ``figure``, and how it grew.

    ``best``: number, value, point and figures; None where none of them has the figure. ``curve``: ``number`` of combinations that were done, the best
    ``value`` of what came last, and the ``best`` so far. ``folds``: of a walk-forward, the best of each fold that has one: fold, value, point.
    """

    figure: str
    done: int = 0
    total: int = 0
    best: Mapping[str, Any] | None = None
    curve: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CURVE))
    folds: Sequence[Mapping[str, Any]] = ()


def progress_of(job: Job, parts: Sequence[Chunk]) -> SweepProgress:
    """From the parts of a job, in the order in which they were done."""
    finished = sorted((part for part in parts if part.done_at is not None), key=lambda part: (part.done_at, part.number))
    done, total = sum(part.units for part in finished), sum(part.units for part in parts)
    if job.kind == "walk_forward":
        return SweepProgress(OBJECTIVES[job.spec["objective"]["figure"]], done, total, folds=_best_of_folds(finished))
    search = job.kind == "optimise"
    bests = list(_trials(finished) if search else ((sum(part.units for part in finished[: k + 1]), (part.result or {}).get("best")) for k, part in enumerate(finished)))
    figure, total = (OBJECTIVES[job.spec["search"]["first"]], int(job.spec["search"]["trials"])) if search else ("sharpe", total)
    return SweepProgress(figure, done, total, _highest(best for _, best in bests), _curve(bests))


def _trials(parts: Sequence[Chunk]) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """How many trials were done after each, and the trial; None for one without a value."""
    count = 0
    for part in parts:
        for place, row in enumerate(part.result):
            count += 1
            yield count, None if row["values"] is None else dict(number=row["number"], value=row["values"][0], point=part.spec["points"][place], figures=row["figures"])


def _highest(rows: Any) -> Mapping[str, Any] | None:
    """The highest value; of equals the lowest number."""
    return max((row for row in rows if row), key=lambda row: (row["value"], -row["number"]), default=None)


def _curve(bests: Sequence[tuple[int, Mapping[str, Any] | None]]) -> pd.DataFrame:
    values = pd.Series([best["value"] if best else float("nan") for _, best in bests], dtype=float)
    return pd.DataFrame(dict(number=[count for count, _ in bests], value=values, best=values.cummax().ffill()), columns=CURVE)


def _best_of_folds(parts: Sequence[Chunk]) -> list[Mapping[str, Any]]:
    folds: dict[int, list[Mapping[str, Any]]] = {}
    for part in parts:
        for fold, best in ((part.result or {}).get("best") or {}).items():
            folds.setdefault(int(fold), []).append(best)
    return [dict(fold=fold, **(_highest(rows) or {})) for fold, rows in sorted(folds.items())]
