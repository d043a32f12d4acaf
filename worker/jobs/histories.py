"""Monte Carlo paths of a finished run, drawn by all workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from domain.errors import BadRequest
from domain.params import build
from worker.code import manifest_of
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.parts import Evaluate, Owner, PartResult, Watch, shared
from worker.jobs.sweeps import together
from worker.store import Run, Unit
from worker.store.chunks import Chunk

COLUMNS = ["path", "final", "max_drawdown"]    # of each history


@dataclass(frozen=True)
class Source:
    """The sample to resample. ``kind``: trades or days."""

    run: Run
    sample: np.ndarray
    kind: str
    plan: Any


@shared("histories", trial="run")
def ready(spec: Mapping[str, Any], work: Work) -> Evaluate:
    return _evaluator(_source(spec, work))


def _source(spec: Mapping[str, Any], work: Work) -> Source:
    from domain.analytics import MonteCarloConfig
    from domain.analytics.daily import calendar_of
    from domain.analytics.histories import sample_of

    with work.store.read() as unit:
        run = unit.runs.get(spec["run"])
    if run is None:
        raise BadRequest(f"there is no run {spec['run']}; it may have been deleted. Choose one from the list")
    try:
        trades, equity = work.store.frames.get(run.frames["trades"], ["exit_ts", "r"]), work.store.frames.get(run.frames["equity"], ["ts", "equity"])
    except (OSError, pa.ArrowException):
        raise BadRequest(f"the trades of run {run.id} are no longer stored, or no longer readable. Reproduce the run to see whether they come out again") from None
    sample, kind = sample_of(trades, equity, run.summary["balance"], calendar_of(run.manifest.get("spec", {})))
    if len(sample) < 2:
        raise BadRequest(f"run {run.id} has {len(trades)} trades, too few for a Monte Carlo; choose a run with two or more")
    return Source(run, sample, kind, build(MonteCarloConfig, spec["plan"]))


def _evaluator(source: Source) -> Evaluate:
    from domain.analytics import draw
    from domain.analytics.histories import thinned

    def evaluate(chunk: Chunk, watch: Watch) -> PartResult:
        drawn = draw(source.sample, source.plan, source.kind, chunk.spec["part"], chunk.spec["parts"], watch)
        return PartResult(dict(draws=thinned(drawn)), ())

    return evaluate


@job("histories", limit=86_400)
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: run, plan, and the datasets of the run. Not a search, so it adds nothing to the trials."""
    work.stage("Load trades")
    source = _source(spec, work)
    work.stage("Monte Carlo")
    from domain.analytics import merge
    from domain.analytics.histories import parts_of, summary

    paths = source.plan.paths
    parts = parts_of(len(source.sample), paths)
    rows = [(part, (part + 1) * paths // parts - part * paths // parts, dict(part=part, parts=parts)) for part in range(parts)]
    done = Owner(work, _evaluator(source), 0.02, 0.9, paths, "histories").share(rows)
    work.stage("Merge")
    drawn = merge(together(work, done, "draws", work.within(0.9, 0.95)))
    figures = summary(drawn, source.sample, source.plan, source.kind)
    work.progress(0.98)
    return _save(spec, source.run, figures, dict(draws=work.store.frames.put(drawn[COLUMNS])), work)


def _save(spec: Mapping[str, Any], of: Run, summary: Mapping[str, Any], frames: Mapping[str, str], work: Work) -> Commit:
    from domain.backtest.study import spec_hash

    request = dict(run=of.id, trades=of.frames["trades"], equity=of.frames["equity"], plan=dict(spec["plan"]))
    decided = {**manifest_of(request, work.job.kind), "data": list(spec["datasets"]), "spec_hash": spec_hash(request)}

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind="histories", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=decided, frames=dict(frames), actor=work.job.actor, created_at=unit.now(),
            summary=dict(histories=dict(summary), currency=of.summary["currency"], balance=of.summary["balance"]), example=work.job.example, synthetic=of.synthetic,
        )  # fmt: skip
        unit.chunks.remove(work.job.id)
        detail = dict(title=work.job.title, plan=dict(spec["plan"]), spec=decided["spec_hash"], code=decided["code"], frames=dict(frames))
        return JobResult(dict(run=run_id), "run_histories_drawn", (f"run:{of.id}", f"run:{run_id}"), detail)

    return commit
