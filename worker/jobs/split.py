"""A finished backtest split by the regime known at the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from domain.errors import BadRequest
from worker.code import manifest_of
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Run, Unit

FIGURES = ("win_rate", "expectancy_r", "profit_factor", "max_drawdown", "sharpe")      # beside what the split itself says


@job("split")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: run (a backtest), labels (a run of regimes on its bars), and the datasets of the backtest. Nothing is simulated."""
    from domain.analytics.daily import calendar_of, nanoseconds
    from domain.analytics.regimes import lag_sensitivity, pooled, split
    from domain.features.regimes import Regimes

    work.stage("Load trades")
    of, labelled = _run(work, spec["run"]), _run(work, spec["labels"])
    trades, fills, equity = (_frame(work, of, name) for name in ("trades", "fills", "equity"))
    stored = _frame(work, labelled, "regimes")
    names = pd.Categorical(stored["label"], categories=labelled.summary["names"], ordered=True)
    work.stage("Split")
    regimes, rare = pooled(Regimes(nanoseconds(stored["end"]), names), trades)
    parts = split(trades, fills, equity, of.summary["balance"], regimes, calendar_of(of.manifest.get("spec", {})))
    work.progress(0.7)
    figures = pd.DataFrame([{name: metric[name] for name in FIGURES} for metric in parts.metrics.values()], index=list(parts.metrics))
    table = parts.table.join(figures.astype(float), on="regime") if len(parts.table) else parts.table
    late = lag_sensitivity(trades, regimes)
    late = late[late["regime"].isin(parts.table["regime"])].reset_index(drop=True)
    frames = {name: work.store.frames.put(frame) for name, frame in (("table", table), ("late", late), ("equity", parts.equity))}
    return _save(spec, of, labelled, dict(metrics=parts.metrics, pooled=rare), frames, work)


def _run(work: Work, run_id: str) -> Run:
    with work.store.read() as unit:
        stored = unit.runs.get(run_id)
    if stored is None:
        raise BadRequest(f"there is no run {run_id}; it may have been deleted. Choose one from the list")
    return stored


def _frame(work: Work, of: Run, name: str) -> pd.DataFrame:
    try:
        return work.store.frames.get(of.frames[name])
    except (OSError, pa.ArrowException):
        raise BadRequest(f"the {name} of run {of.id} are no longer stored, or no longer readable. Reproduce the run to see whether they come out again") from None


def _save(spec: Mapping[str, Any], of: Run, labelled: Run, summary: Mapping[str, Any], frames: Mapping[str, str], work: Work) -> Commit:
    from domain.backtest.study import spec_hash

    inputs = dict(run=of.id, labels=labelled.id, trades=of.frames["trades"], fills=of.frames["fills"], equity=of.frames["equity"], regimes=labelled.frames["regimes"])
    decided = {**manifest_of(inputs, work.job.kind), "data": list(of.spec["datasets"]), "spec_hash": spec_hash(inputs)}

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind="split", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=decided, summary=dict(summary), frames=dict(frames),
            actor=work.job.actor, created_at=unit.now(), example=work.job.example, synthetic=of.synthetic,
        )  # fmt: skip
        detail = dict(title=work.job.title, spec=decided["spec_hash"], code=decided["code"], frames=dict(frames))
        return JobResult(dict(run=run_id), "run_split", (f"run:{of.id}", f"run:{run_id}"), detail)

    return commit
