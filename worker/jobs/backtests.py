"""Backtest one strategy on stored bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from domain.analytics import daily_sharpe
from domain.analytics.guards import finite
from domain.backtest.history import split
from domain.errors import BadRequest
from domain.features import Around
from domain.market import instrument, resample
from domain.market.timeframe import Timeframe
from domain.params import build, values_of
from domain.strategies import STRATEGIES
from domain.strategies.base import Strategy
from domain.trading.cost_units import without_unit
from domain.trading.rules import Rules, rules_from
from worker.jobs.base import Keep, Kept, Work, job
from worker.jobs.judged import judge, summary_of
from worker.jobs.outside import around_of
from worker.store import Dataset, Unit
from worker.store.trials import data_of

FRAMES = ("fills", "trades", "equity", "reviews", "moves")
RATES_BEFORE = timedelta(days=4)        # a rate is used for so long, so that one is known when the period begins

@job("backtest", limit=3_600, after="compile")
def backtest(spec: Mapping[str, Any], work: Work) -> Keep:
    """``spec``: datasets (versions), timeframe, start, end, strategy, params, account, costs, execution, sizing, limits, and versions of outside data where the strategy's features need some."""
    work.stage("Load bars")
    strategy: Strategy = build(STRATEGIES[spec["strategy"]], spec["params"])
    with work.store.look() as unit:
        known = {dataset.version: dataset for dataset in unit.datasets.all()}
    series = [_series(work, _known(known, version), spec) for version in spec["datasets"]]
    rates = [_rate(work, known[version], spec) for version in spec.get("rates", []) if version in known]
    rules = rules_of(spec, [one.instrument.name for one in series])
    work.progress(0.1)
    work.stage("Compile" if _first_use() else "Simulate")
    from domain.backtest import study, trust
    from domain.manifest import manifest

    result = study.run(series, rules, strategy, rates=rates, watch=work.within(0.1, 0.7))
    work.stage("Judge")
    judged = judge(result, strategy, rates, work)
    work.stage("Report")
    outcome, asked = result.outcome, study.spec_of(series, rules, strategy)
    made = {name: getattr(outcome, name) for name in FRAMES} | dict(protection=trust.protection(result))
    frames = {name: work.store.frames.put(_plain(frame)) for name, frame in made.items()}
    work.progress(0.95)
    used = [known[version] for version in spec["datasets"]]
    trial = _trial(spec, asked, strategy, daily_sharpe(judged.daily), len(judged.daily))

    def keep(unit: Unit) -> Kept:
        unit.trials.add([trial], kind="run", data=data_of(spec["datasets"]), job_id=work.job.id, actor=work.job.actor, at=unit.now())
        run_id = unit.runs.add(
            kind="backtest", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest={**manifest(asked), "data": list(spec["datasets"]), "spec_hash": study.spec_hash(asked)},
            summary=summary_of(judged, unit, spec), frames=frames, actor=work.job.actor, created_at=unit.now(), example=work.job.example, synthetic=any(one.synthetic for one in used),
        )  # fmt: skip
        told = dict(title=work.job.title, strategy=spec["strategy"], params=spec["params"], spec=study.spec_hash(asked), code=manifest(asked)["code"], frames=frames, trades=len(outcome.trades), net=result.metrics["net_profit"])
        return Kept(dict(run=run_id), "run_finished", (f"run:{run_id}", *(f"dataset:{one.id}" for one in used)), told)

    return keep


def _trial(spec: Mapping[str, Any], asked: Mapping[str, Any], strategy: Strategy, sharpe: float, days: int) -> dict[str, Any]:
    """The run's line in the ledger of trials."""
    from domain.backtest.study import spec_hash
    from domain.backtest.sweep import params_hash

    return dict(strategy=spec["strategy"], params=params_hash(spec["strategy"], values_of(strategy)), spec=spec_hash(asked), sharpe=finite(sharpe), days=days)


def _first_use() -> bool:
    """Nothing compiled yet in this process and in its cache."""
    import sys

    return "domain.backtest.kernel" not in sys.modules


def _known(known: Mapping[str, Dataset], version: str) -> Dataset:
    if version not in known:
        raise BadRequest(f"the dataset with version {version[:8]}… is no longer here; choose another, or import it again")
    return known[version]


def _series(work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> Any:
    from domain.backtest.study import Series

    one = instrument(dataset.instrument, work.settings.instruments_file)
    every, finer = _bars(work, dataset, spec, whole=True), None
    start, own, asked = pd.Timestamp(spec["start"]), Timeframe.named(dataset.timeframe), Timeframe.named(spec["timeframe"])
    if own != asked:
        finer = every[every["ts"] >= start].reset_index(drop=True)
        every = resample(every, own, asked, one.calendar)
    if every.empty or every["ts"].iloc[-1] < start:
        raise BadRequest(f"{dataset.instrument} has no complete {asked} bar in the selected period; choose a longer one")
    history, bars = split(every, start, None, f"{dataset.instrument} {asked}")
    known = Around(**around_of(spec, work)(one))
    return Series(one, asked, bars, dataset.side, dataset.version, finer, own if finer is not None else None, known, spec.get("outside", {}), history)


def _rate(work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> Any:
    from domain.trading.task import Rate

    return Rate(instrument(dataset.instrument, work.settings.instruments_file), Timeframe.named(dataset.timeframe), _bars(work, dataset, spec, before=RATES_BEFORE), dataset.side)


def _bars(work: Work, dataset: Dataset, spec: Mapping[str, Any], whole: bool = False, before: timedelta = timedelta()) -> pd.DataFrame:
    """Of the period and what is ``before`` it; the ``whole`` dataset up to its end, with a bar in the period."""
    start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
    bars = work.store.frames.get(dataset.frame, start=None if whole else start - before, end=end)
    if bars.empty or bars["ts"].iloc[-1] < start - before:
        raise BadRequest(f"{dataset.instrument} {dataset.timeframe} has bars from {dataset.first_ts:%Y-%m-%d} to {dataset.last_ts:%Y-%m-%d}, and the date range asks for {start:%Y-%m-%d} to {end - timedelta(days=1):%Y-%m-%d}. Choose a range within the available data")
    return bars.assign(ts=bars["ts"].dt.as_unit("ns"))


def rules_of(spec: Mapping[str, Any], instruments: Sequence[str]) -> Rules:
    """The rules of a spec. Costs that were stored before they had a unit are price units of each instrument, as they were then."""
    return rules_from({**spec, "costs": without_unit(spec["costs"], instruments, _varied(spec))})


def _varied(spec: Mapping[str, Any]) -> set[str]:
    """The names that a sweep or search varies."""
    grid = spec.get("grid") or {}
    return {*spec.get("space", {}), *(grid if isinstance(grid, Mapping) else grid[0])}


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as words: the hash is over what is said, not over how it is stored."""
    return frame.assign(**{name: frame[name].astype(str) for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)})
