"""The example of an empty workspace: ordinary jobs, synthetic bars, one strategy on a market with memory and on one without, and a feature analysis."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain.errors import BadRequest
from worker.settings import Settings
from worker.store import Store

FACT = "example"
SEED = 20_190_101                       # fixed before any result was seen
SPAN = (datetime(2022, 1, 3, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
MODELS = ("regimes", "gbm")             # with memory; without: nothing on it can be more than luck
INSTRUMENT, TIMEFRAME, STRATEGY = "EURUSD", "M15", "breakout"
RECIPE, HORIZON = "vector50", 16        # feature set of the example analysis, and its horizon in bars
ENDED = ("done", "failed", "cancelled", None)
RULES: dict[str, dict[str, Any]] = {"account": {"balance": 100_000.0}, "costs": {"unit": "pips", "slippage": 0.2, "commission_per_lot": 3.0}, "sizing": {"kind": "fraction_at_risk", "value": 0.005}}


def step(store: Store, settings: Settings) -> bool:
    """Advance the example by one step: generate bars, backtest, analyse features. The scheduler calls it until the example is complete, and this True."""
    with store.read() as unit:
        fact = unit.fact(FACT) or {}
    if fact.get("state") in ("made", "removed") or not settings.example:
        return True
    from worker.desk import Desk

    desk = Desk(store, settings, "tidemark")
    jobs = dict(fact.get("jobs", {}))
    for model in MODELS:
        _run_once(desk, jobs, model)
    tested = all(_state(desk, jobs.get(f"test {model}")) in ENDED and f"test {model}" in jobs for model in MODELS)
    done = tested and _examined(desk, jobs)
    new = dict(state="made" if done else "making", jobs=jobs)
    if new != fact:
        with store.unit() as unit:
            if (unit.fact(FACT) or {}).get("state") != "removed":
                unit.remember(FACT, new)
                if done:
                    unit.audit("tidemark", "example_created", *(f"job:{job}" for job in jobs.values()), seed=SEED, strategy=STRATEGY)
    return False


def _run_once(desk, jobs: dict[str, str], model: str) -> None:
    if f"bars {model}" not in jobs:
        jobs[f"bars {model}"] = desk.data.generate(model, {}, INSTRUMENT, TIMEFRAME, *SPAN, SEED, example=True).job.id
    job = desk.jobs.get(jobs[f"bars {model}"])
    if f"test {model}" in jobs or job is None or job.state != "done":
        if job is not None and job.state in ("failed", "cancelled"):
            jobs.setdefault(f"test {model}", job.id)
        return
    from worker.desk.backtests import BacktestRequest

    try:
        request = BacktestRequest(STRATEGY, {}, [job.result["dataset"]], TIMEFRAME, *SPAN, RULES)
        jobs[f"test {model}"] = desk.backtests.submit(request, example=True).job.id
    except BadRequest:          # a user removed it meanwhile
        jobs[f"test {model}"] = job.id


def _examined(desk, jobs: dict[str, str]) -> bool:
    """Submit the feature analysis of the market with memory; returns whether it is done."""
    if "examine" not in jobs:
        bars = jobs[f"bars {MODELS[0]}"]
        jobs["examine"] = _examination(desk, desk.jobs.get(bars)) or bars
    return _state(desk, jobs["examine"]) in ENDED


def _examination(desk, job: Any) -> str | None:
    from worker.desk.features import FeatureRequest

    if job is None or job.state != "done":
        return None
    try:
        request = FeatureRequest([job.result["dataset"]], TIMEFRAME, *SPAN, desk.features.columns_of(RECIPE))
        return desk.examinations.submit_examination(request, dict(horizon=HORIZON), example=True).job.id
    except BadRequest:          # a user removed it meanwhile
        return None


def _state(desk, job_id: str | None) -> str | None:
    job = desk.jobs.get(job_id) if job_id else None
    return job.state if job else None


def remove(store: Store, user: str) -> None:
    """Delete the example permanently: its runs, its bars and its open jobs."""
    with store.unit() as unit:
        for job in unit.jobs.latest():
            if job.example and job.open:
                unit.jobs.cancel(job.id, user, unit.now())
        runs = [run for run in unit.runs.stored(limit=1_000) if run.example]
        bars = [dataset for dataset in unit.datasets.all() if dataset.example]
        unit.runs.remove([run.id for run in runs])
        for dataset in bars:
            unit.datasets.remove(dataset.id)
        unit.jobs.forget_key(*(job.id for job in unit.jobs.latest(limit=1_000) if job.example))
        unit.remember(FACT, dict(state="removed"))
        unit.audit(user, "example_removed", *(f"run:{run.id}" for run in runs), *(f"dataset:{dataset.id}" for dataset in bars))
