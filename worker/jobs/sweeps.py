"""A sweep: every combination of a grid, shared among all workers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from worker.jobs import questions
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.part_best import best_row
from worker.jobs.parts import Evaluate, Owner, PartResult, Watch, shared
from worker.store import Unit
from worker.store.chunks import PACE, Chunk

BEST = 10       # rows that the summary holds


@shared("sweep", trial="sweep")
def ready(spec: Mapping[str, Any], work: Work) -> Evaluate:
    request = questions.read(spec, work)
    return _evaluator(request, questions.points_of(spec, request.rules)[0])


def _evaluator(request: questions.LoadedRequest, points: Sequence[Mapping[str, Any]]) -> Evaluate:
    from domain.backtest import sweep

    bench, combinations = request.bench(), request.combinations(points)

    def evaluate(chunk: Chunk, watch: Watch) -> PartResult:
        began = time.monotonic()
        part = sweep.evaluate(bench, combinations, chunk.spec["numbers"], watch)
        best = best_row(part.table, "sharpe", list(points[0]))
        return PartResult(dict(table=part.table, matrix=part.matrix), part.trials, dict(seconds=time.monotonic() - began, refused=part.refused, best=best))

    return evaluate


@job("sweep", limit=86_400, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: a backtest's, and ``grid``: parameter -> values, or a list of combinations."""
    work.stage("Load bars")
    request = questions.read(spec, work)
    work.stage("Check combinations")
    points, refused = questions.points_of(spec, request.rules)
    work.stage("Simulate")
    from domain.backtest import sweep

    rows = rows_of(sweep.order(request.combinations(points)), sweep.part_size(sum(len(series.bars) for series in request.series), len(points)))
    parts = Owner(work, _evaluator(request, points), 0.02, 0.9, len(points), "combinations").share(rows)
    work.stage("Merge")
    refused = refused_of(parts, refused)
    table = sweep.merged(together(work, parts, "table", work.within(0.9, 0.91)))
    matrix = sweep.merged(together(work, parts, "matrix", work.within(0.91, 0.94)))
    frames = dict(table=work.store.frames.put(table), matrix=work.store.frames.put(matrix))
    work.stage("Robustness checks")
    summary = dict(
        history=request.history(), combinations=len(table), refused=refused, infeasible=sum(refused.values()), grid=axes_of(points), best=_best(table), sweep_spread=_spread(table), overfitting=_overfitting(matrix, work.within(0.94, 0.98)), importance=importance_of(table, axes_of(points)),
        currency=request.rules.account.currency, balance=request.rules.account.balance, days_a_year=request.days_a_year,
    )  # fmt: skip
    commit = save_result(request, work, "sweep", summary, frames, combinations=len(table))

    def commit_both(unit: Unit) -> JobResult:
        seconds = float(np.median([part.result["seconds"] / part.units for part in parts]))
        unit.remember(PACE, (unit.fact(PACE) or {}) | {spec["strategy"]: dict(bars=sum(len(series.bars) for series in request.series), seconds=seconds)})
        return commit(unit)

    return commit_both


def importance_of(table: pd.DataFrame, names: Iterable[str], figure: str = "sharpe") -> dict[str, object] | None:
    """Which parameters move the figure; None where too few combinations have it."""
    from domain.optimise.importance import importance

    measured = importance(table, list(names), figure)
    return measured.plain() if measured else None


def refused_of(parts: Sequence[Chunk], before: Mapping[str, int]) -> dict[str, int]:
    """Sentence -> how many combinations it refused, ``before`` and in these parts; a sentence of its own where that is all of them."""
    sentences = {number: sentence for part in parts for number, sentence in (part.result or {}).get("refused", {}).items()}
    if len(sentences) == len({number for part in parts for number in part.spec["numbers"]}):
        raise BadRequest(f"no combination can be tested: the strategy refuses all of them. The first: {next(iter(sentences.values()))}")
    return dict(Counter(before) + Counter(sentences.values()))


def together(work: Work, parts: Sequence[Chunk], name: str, progress: Watch) -> list[pd.DataFrame]:
    """The frame of that name of every part."""
    frames = []
    for k, part in enumerate(parts):
        progress(k / len(parts))
        frames.append(work.store.frames.get((part.frames or {})[name]))
    return frames


def rows_of(numbers: Sequence[int], size: int) -> list[tuple[int, int, Any]]:
    cut = [list(numbers[at : at + size]) for at in range(0, len(numbers), size)]
    return [(k, len(part), dict(numbers=part)) for k, part in enumerate(cut)]


def axes_of(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Parameter -> its values, in the order in which they first come."""
    return {name: list(dict.fromkeys(point[name] for point in points)) for name in (points[0] if points else ())}


def _best(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows with the highest Sharpe ratio, the first first."""
    best = table.sort_values(["sharpe", "number"], ascending=[False, True], kind="stable", na_position="last").head(BEST)
    return [{key: (None if isinstance(value, float) and np.isnan(value) else value) for key, value in row.items()} for row in best.to_dict("records")]


def _spread(table: pd.DataFrame) -> dict[str, float]:
    """Distribution of all Sharpe ratios: quantiles, and the fraction above 0."""
    sharpes = table["sharpe"].dropna()
    if sharpes.empty:
        return {}
    return {f"q{int(100 * q):02}": float(sharpes.quantile(q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95)} | dict(above_zero=float((sharpes > 0).mean()))


def _overfitting(matrix: pd.DataFrame, watch: Watch = lambda share: None) -> dict[str, Any] | None:
    """Probability of backtest overfitting of the whole sweep; None where it has too few combinations or days."""
    from dataclasses import asdict

    from domain.analytics import pbo

    daily = matrix.drop(columns="number").to_numpy(np.float32).T
    moved = daily[:, daily.std(axis=0) > 0]
    if moved.shape[1] < 2 or moved.shape[0] < 64:
        return None
    return asdict(pbo(moved, watch=watch))


def save_result(request: questions.LoadedRequest, work: Work, kind: str, summary: Mapping[str, Any], frames: Mapping[str, str], **facts: Any) -> Commit:
    """The commit that writes the run and deletes its parts."""
    decided = {name: request.spec[name] for name in ("grid", "windows", "objective", "search", "space", "scenarios") if name in request.spec}
    manifest = questions.decided(request, work.job.kind, **decided)

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(kind=kind, manifest=manifest, summary=dict(summary), frames=dict(frames), created_at=unit.now(), **questions.about(request, work))
        unit.chunks.remove(work.job.id)
        detail = dict(title=work.job.title, run=kind, strategy=request.spec["strategy"], spec=manifest["spec_hash"], code=manifest["code"], frames=dict(frames), **facts)
        return JobResult(dict(run=run_id), "run_finished", (f"run:{run_id}", *(f"dataset:{dataset.id}" for dataset in request.datasets)), detail)

    return commit
