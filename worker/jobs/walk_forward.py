"""A walk-forward: combinations fitted on moving windows by all workers, the choices traded in the windows after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from domain.optimise.objective import Objective
from domain.params import build, values_of
from worker.jobs import questions
from worker.jobs.base import Commit, Work, job
from worker.jobs.part_best import best_of_folds
from worker.jobs.parts import Evaluate, Owner, PartResult, Watch, shared
from worker.jobs.sweeps import axes_of, refused_of, rows_of, save_result, together
from worker.store.chunks import Chunk

CURVE = 120     # points of the small curve that lists show


@shared("walk_forward", trial="walk_forward")
def ready(spec: Mapping[str, Any], work: Work) -> Evaluate:
    request = questions.read(spec, work)
    return _evaluator(request, questions.points_of(spec, request.rules)[0], _folds(spec, request), build(Objective, spec["objective"]))


def _folds(spec: Mapping[str, Any], request: questions.LoadedRequest) -> Sequence[Any]:
    from domain.optimise import Windows, folds

    longest = max(request.series, key=lambda series: len(series.bars))
    return folds(longest.bars["ts"], build(Windows, spec["windows"]))


def _evaluator(request: questions.LoadedRequest, points: Sequence[Mapping[str, Any]], folds: Sequence[Any], objective: Objective) -> Evaluate:
    from domain.backtest import walk_forward

    bench, combinations = request.bench(), request.combinations(points)

    def evaluate(chunk: Chunk, watch: Watch) -> PartResult:
        fits = walk_forward.fit(bench, combinations, folds, chunk.spec["numbers"], watch)
        best = best_of_folds(fits.table, objective.column, list(points[0]), objective.fewest_trades)
        return PartResult(dict(table=fits.table), fits.trials, dict(refused=fits.refused, best=best))

    return evaluate


@job("walk_forward", limit=86_400, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: a sweep's, and ``windows`` and ``objective``."""
    work.stage("Load bars")
    request = questions.read(spec, work)
    work.stage("Check combinations")
    points, refused = questions.points_of(spec, request.rules)
    folds = _folds(spec, request)
    work.stage("Fit")
    from domain.analytics import account_calendar, measure
    from domain.backtest import sweep, walk_forward
    from domain.optimise import drift, efficiency

    combinations, objective = request.combinations(points), build(Objective, spec["objective"])
    size = min(sweep.part_size(sum(len(series.bars) for series in request.series), len(points)), walk_forward.LARGEST_PART)
    rows = [(number, units * len(folds), part) for number, units, part in rows_of(sweep.order(combinations), size)]
    parts = Owner(work, _evaluator(request, points, folds, objective), 0.02, 0.85, len(points) * len(folds), "fits").share(rows)
    refused = refused_of(parts, refused)
    fits = walk_forward.merged(together(work, parts, "table", work.within(0.85, 0.86)))
    work.stage("Test")
    picked = walk_forward.choices(fits, folds, objective)
    tested = walk_forward.trade(request.bench(), combinations, folds, picked, fits, work.within(0.86, 0.97))
    work.stage("Report")
    frames = {name: work.store.frames.put(frame) for name, frame in dict(fits=fits, folds=tested.folds, equity=tested.equity, trades=tested.trades, fills=tested.fills).items()}
    axes, balance = axes_of(points), request.rules.account.balance
    at = np.unique(np.linspace(0, len(tested.equity) - 1, CURVE).astype(int))
    summary = dict(
        history=request.history(), metrics=measure(tested.trades, tested.fills, tested.equity, balance, market=account_calendar(series.instrument.calendar for series in request.series)),
        combinations=fits["number"].nunique(), refused=refused, infeasible=sum(refused.values()), grid=axes, folds=len(folds),
        traded=sum(choice is not None for choice in picked), objective=values_of(objective), windows=dict(spec["windows"]), efficiency=efficiency(tested.folds),
        drift=drift(tested.folds, axes), curve=[round(float(value), 2) for value in tested.equity["equity"].to_numpy()[at]],
        currency=request.rules.account.currency, balance=balance, remarks=[],
    )  # fmt: skip
    return save_result(request, work, "walk_forward", summary, frames, folds=len(folds), combinations=len(points))
