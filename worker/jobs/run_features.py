"""The columns that a finished backtest's strategy decided on, computed as the run computed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import BadRequest
from domain.strategies.base import uses_of
from worker.code import manifest_of
from worker.jobs import questions
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.feature_sets import columns_of, computed
from worker.store import Unit


@job("run_features", limit=3_600, after="compile_features")
def run_features(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: ``run`` and its datasets. A frame of ``ts`` and the columns under the name of each instrument."""
    from domain.backtest.study import context_of

    work.stage("Load bars")
    with work.store.read() as unit:
        run = unit.runs.get(spec["run"])
    if run is None:
        raise BadRequest(f"there is no run {spec['run']}; it may have been deleted. Choose one from the list")
    request = questions.read(run.spec, work)
    uses = uses_of(request.strategy())
    work.stage("Compute")
    frames: dict[str, str] = {}
    for k, series in enumerate(request.series):
        watch = work.within(0.1 + 0.85 * k / len(request.series), 0.1 + 0.85 * (k + 1) / len(request.series))
        columns = computed(series.seen, uses, context_of(series, request.series), columns_of(work), watch)
        shown = columns.iloc[series.bars_of_history :][["ts", *(use.column for use in uses)]]
        frames[series.instrument.name] = work.store.frames.put(shown.reset_index(drop=True))
    columns_used = {use.column: use.name for use in uses}

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind="run_features", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=manifest_of(dict(spec), "run_features"), summary=dict(columns=columns_used), frames=frames,
            actor=work.job.actor, created_at=unit.now(), example=work.job.example, synthetic=run.synthetic,
        )  # fmt: skip
        return JobResult(dict(run=run_id), "run_finished", (f"run:{run.id}", f"run:{run_id}"), dict(title=work.job.title, run="run_features", frames=frames))

    return commit
