"""Backtest one strategy on stored bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.analytics import daily_sharpe
from domain.compiled_folder import is_compiled
from domain.params import build
from domain.strategies import STRATEGIES
from domain.strategies.base import Strategy
from worker.code import manifest_of
from worker.jobs.assessment import assess, summary_of
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.feature_sets import columns_of
from worker.jobs.load import dataset_of
from worker.jobs.questions import named_in, rate_of, rules_of, series_of, signals_of
from worker.jobs.trial_rows import in_words, trial_of
from worker.jobs.warm import compile_with
from worker.model_use import forecast_series, of_spec, used
from worker.store import Unit

FRAMES = ("fills", "trades", "equity", "reviews", "moves")


def _of_model(model: Any, applied: Any, forecasts: str) -> dict[str, Any]:
    """For the summary: the model, and how much of what it used, as a filter or as forecasts."""
    if model and applied:
        return dict(model=dict(title=model.title, until=applied.until.isoformat(), used=applied.counts(), sentence=applied.sentence))
    return dict(model=dict(title=model.title, sentence=f"{forecasts}.")) if model else {}


def compile_first(work: Work) -> None:
    """Compile the engine as a stage of its own where no job has compiled it on this machine yet."""
    if not is_compiled("backtest"):
        from domain.backtest.warm import warm

        compile_with(work, warm)


@job("backtest", limit=3_600, after="compile")
def backtest(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets (versions), timeframe, start, end, strategy, params, account, costs, execution, sizing, limits, versions of external data where the strategy's features need some, ``signals`` (frame, name) in the place of a strategy, and ``model`` (name, version, hash) where one filters the signals."""
    work.stage("Load bars")
    strategy: Strategy | None = None if "signals" in spec else build(STRATEGIES[spec["strategy"]], spec["params"])
    with work.store.read() as unit:
        datasets = {dataset.version: dataset for dataset in unit.datasets.all()}
    series: Sequence[Any] = [series_of(work, dataset_of(datasets, version), spec) for version in spec["datasets"]]
    rates = [rate_of(work, datasets[version], spec) for version in spec.get("rates", []) if version in datasets]
    names = [series_.instrument.name for series_ in series]
    rules, signals = rules_of(spec, names), signals_of(spec, work.store, names)
    compile_first(work)
    work.progress(0.1)
    work.stage("Simulate")
    from domain.backtest import study, trust
    from domain.backtest.buy_and_hold import held_of

    model = of_spec(work.store, spec)
    series, forecasts = forecast_series(work.store, spec, work.job.actor, series, rules, rates, columns_of(work))
    applied = used(work.store, model, work.job.actor, series, rules, rates, strategy, spec["strategy"], columns_of(work)) if model and strategy and not forecasts else None
    result = study.run(series, rules, strategy, signals, rates=rates, watch=work.within(0.1, 0.7), keep=applied.keep if applied else None)
    work.stage("Robustness checks")
    assessment = assess(result, strategy, rates, work)
    held = held_of(series, rules, rates)
    work.stage("Report")
    outcome, request = result.outcome, named_in(study.spec_of(series, rules, strategy, spec.get("model")), spec)
    decided = {**manifest_of(request, "backtest"), "data": list(spec["datasets"]), "spec_hash": study.spec_hash(request)}
    tables = {name: getattr(outcome, name) for name in FRAMES} | dict(protection=trust.protection(result), benchmark=held.curve)
    frames = {name: work.store.frames.put(in_words(frame)) for name, frame in tables.items()} | (dict(signals=spec["signals"]["frame"]) if "signals" in spec else {})
    work.progress(0.95)
    traded = [datasets[version] for version in spec["datasets"]]
    trial = trial_of(spec, request, strategy, daily_sharpe(assessment.daily), len(assessment.daily))

    def commit(unit: Unit) -> JobResult:
        unit.trials.add([trial], kind="run", datasets=spec["datasets"], job_id=work.job.id, actor=work.job.actor, at=unit.now())
        run_id = unit.runs.add(
            kind="backtest", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=decided,
            summary=summary_of(assessment, unit, spec) | dict(benchmark=held.summary) | _of_model(model, applied, forecasts), frames=frames, actor=work.job.actor, created_at=unit.now(), example=work.job.example, synthetic=any(dataset.synthetic for dataset in traded),
        )  # fmt: skip
        detail = dict(title=work.job.title, strategy=spec["strategy"], params=spec["params"], spec=decided["spec_hash"], code=decided["code"], frames=frames, trades=len(outcome.trades), net=result.metrics["net_profit"])
        return JobResult(dict(run=run_id), "run_finished", (f"run:{run_id}", *(f"dataset:{dataset.id}" for dataset in traded)), detail)

    return commit
