"""A search that learns from its trials, batch by batch; the trials of a batch are shared among all workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from domain.params import build
from worker.jobs import questions
from worker.jobs.base import Commit, Work, job
from worker.jobs.parts import Evaluate, Owner, PartResult, Watch, shared
from worker.jobs.sweeps import importance_of, save_result
from worker.store.chunks import Chunk

PARTS = 8       # of a batch


@shared("optimise", trial="optuna", stays=True)
def ready(spec: Mapping[str, Any], work: Work) -> Evaluate:
    return _evaluator(questions.read(spec, work), spec)


def _evaluator(request: questions.LoadedRequest, spec: Mapping[str, Any]) -> Evaluate:
    from domain.backtest import search
    from domain.optimise import Search

    bench, combinations_of, how = request.bench(), request.combinations, build(Search, spec["search"])

    def evaluate(chunk: Chunk, watch: Watch) -> PartResult:
        combinations = combinations_of(chunk.spec["points"])
        scores, trials = search.judge(bench, combinations, how, chunk.spec["numbers"], chunk.spec["beat"], watch)
        return PartResult({}, trials, [score._asdict() for score in scores])

    return evaluate


@job("optimise", limit=86_400, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: a backtest's, ``space``: parameter -> range, and ``search``. The state is the list of trials: resumed, it continues as it would have."""
    work.stage("Load bars")
    request = questions.read(spec, work)
    work.stage("Search")
    from domain.backtest import search
    from domain.optimise import Search, dimensions, notes

    how = build(Search, spec["search"])
    suggestions = search.Suggestions(how, dimensions(spec["strategy"], spec["space"]))
    owner = Owner(work, _evaluator(request, spec), 0.02, 0.98, how.trials, "trials")
    points, scores, first = list[dict[str, Any]](), list[Any](), 0
    while batch := suggestions.batch():
        rows = _rows(batch, len(points), first, search.bars_to_beat(scores) if how.prunes else None)
        batch_scores = [_score(search, row) for part in owner.share(rows) for row in part.result]
        suggestions.learn(batch_scores)
        points, scores, first = points + batch, scores + batch_scores, first + len(rows)
    work.stage("Report")
    table, best = _table(points, scores, how.objectives), suggestions.best()
    infeasible = Counter(score.refused for score in scores if score.refused)
    failed = sum(score.values is None and not score.given_up and not score.refused for score in scores)
    chosen = [dict(number=number, params=points[number], values=list(scores[number].values or ()), figures=dict(scores[number].figures)) for number in best]
    summary = dict(
        history=request.history(), trials=len(points), given_up=sum(score.given_up for score in scores), failed=failed, infeasible=infeasible.total(), refused=dict(infeasible), objectives=list(how.objectives), best=chosen,
        notes=notes(spec["strategy"], spec["space"]), importance=importance_of(table, spec["space"], f"objective_{how.objectives[0]}"), currency=request.rules.account.currency, balance=request.rules.account.balance, days_a_year=request.days_a_year,
    )  # fmt: skip
    return save_result(request, work, "optimise", summary, dict(table=work.store.frames.put(table)), trials=len(points))


def _rows(batch: Sequence[Mapping[str, Any]], number: int, first: int, beat: Sequence[float] | None) -> list[tuple[int, int, Any]]:
    size = -(-len(batch) // PARTS)
    cut = [list(range(at, min(at + size, len(batch)))) for at in range(0, len(batch), size)]
    return [(first + k, len(part), dict(numbers=[number + at for at in part], points=[dict(batch[at]) for at in part], beat=beat)) for k, part in enumerate(cut)]


def _score(search: Any, row: Mapping[str, Any]) -> Any:
    values = None if row["values"] is None else tuple(row["values"])
    return search.TrialResult(row["number"], values, tuple(row["rungs"]), row["given_up"], row["figures"], row.get("refused", ""))


def _table(points: Sequence[Mapping[str, Any]], scores: Sequence[Any], objectives: Sequence[str]) -> pd.DataFrame:
    """A row a trial: number, parameters, objectives (empty: failed, pruned or infeasible), whether it was pruned or infeasible, and figures."""
    from domain.optimise.objective import FIGURES

    rows = []
    for score in sorted(scores, key=lambda score: score.number):
        values = dict(zip((f"objective_{name}" for name in objectives), score.values or [float("nan")] * len(objectives), strict=True))
        figures = {name: float("nan") if score.figures.get(name) is None else float(score.figures[name]) for name in FIGURES}
        rows.append(dict(number=score.number, **points[score.number], **values, given_up=score.given_up, infeasible=bool(score.refused), **figures))
    return pd.DataFrame(rows)
