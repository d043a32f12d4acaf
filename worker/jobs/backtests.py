"""Backtest one strategy on stored bars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market import instrument, resample
from domain.market.timeframe import Timeframe
from domain.params import build
from domain.risk.sizing import Sizing
from domain.strategies import STRATEGIES
from domain.strategies.base import Strategy
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from worker.jobs.base import Keep, Kept, Work, job
from worker.store import Dataset, Unit

CURVE = 120     # points of the small curve that lists show


@job("backtest", limit=3_600)
def backtest(spec: Mapping[str, Any], work: Work) -> Keep:
    """``spec``: datasets (versions), timeframe, start, end, strategy, params, account, costs, execution, sizing."""
    work.stage("Load bars")
    strategy: Strategy = build(STRATEGIES[spec["strategy"]], spec["params"])
    with work.store.look() as unit:
        known = {dataset.version: dataset for dataset in unit.datasets.all()}
    series = [_series(work, _known(known, version), spec) for version in spec["datasets"]]
    rates = [_rate(work, known[version], spec) for version in spec.get("rates", []) if version in known]
    rules = _rules(spec)
    work.progress(0.1)
    work.stage("Compile" if _first_use() else "Simulate")
    from domain.backtest import study
    from domain.manifest import manifest

    result = study.run(series, rules, strategy, rates=rates, watch=lambda share: work.progress(0.1 + 0.7 * share))
    work.stage("Report")
    outcome, asked = result.outcome, study.spec_of(series, rules, strategy)
    frames = {name: work.store.frames.put(_plain(getattr(outcome, name))) for name in ("fills", "trades", "equity")}
    work.progress(0.95)
    used = [known[version] for version in spec["datasets"]]
    summary = dict(
        metrics=dict(result.metrics), counts=dict(outcome.counts), ambiguous=outcome.ambiguous, signals=result.signals, bars=result.bars,
        remarks=list(result.remarks), curve=_curve(outcome.equity), currency=rules.account.currency, balance=rules.account.balance,
    )  # fmt: skip

    def keep(unit: Unit) -> Kept:
        run_id = unit.runs.add(
            kind="backtest", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest={**manifest(asked), "data": list(spec["datasets"]), "spec_hash": study.spec_hash(asked)},
            summary=summary, frames=frames, actor=work.job.actor, created_at=unit.now(), example=work.job.example, synthetic=any(one.synthetic for one in used),
        )  # fmt: skip
        told = dict(title=work.job.title, strategy=spec["strategy"], params=spec["params"], spec=study.spec_hash(asked), code=manifest(asked)["code"], frames=frames, trades=len(outcome.trades), net=result.metrics["net_profit"])
        return Kept(dict(run=run_id), "run_finished", (f"run:{run_id}", *(f"dataset:{one.id}" for one in used)), told)

    return keep


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
    bars, finer = _bars(work, dataset, spec), None
    own, asked = Timeframe.named(dataset.timeframe), Timeframe.named(spec["timeframe"])
    if own != asked:
        finer = bars
        bars = resample(bars, own, asked, one.calendar)
    if bars.empty:
        raise BadRequest(f"{dataset.instrument} {asked} has no whole bar in this span; choose a longer one")
    return Series(one, asked, bars, dataset.side, dataset.version, finer, own if finer is not None else None)


def _rate(work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> Any:
    from domain.trading.task import Rate

    return Rate(instrument(dataset.instrument, work.settings.instruments_file), Timeframe.named(dataset.timeframe), _bars(work, dataset, spec), dataset.side)


def _bars(work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> pd.DataFrame:
    start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
    bars = work.store.frames.get(dataset.frame, start=start, end=end)
    if bars.empty:
        raise BadRequest(f"{dataset.instrument} {dataset.timeframe} has bars from {dataset.first_ts:%Y-%m-%d} to {dataset.last_ts:%Y-%m-%d}, and the span asks for {start:%Y-%m-%d} to {end:%Y-%m-%d}. Choose a span inside")
    return bars.assign(ts=bars["ts"].dt.as_unit("ns"))


def _rules(spec: Mapping[str, Any]) -> Any:
    from domain.backtest.study import Rules

    return Rules(build(Account, spec["account"]), build(Costs, spec["costs"]), build(Execution, spec["execution"]), build(Sizing, spec["sizing"]))


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as words: the hash is over what is said, not over how it is stored."""
    return frame.assign(**{name: frame[name].astype(str) for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)})


def _curve(equity: pd.DataFrame) -> list[float]:
    if equity.empty:
        return []
    at = np.unique(np.linspace(0, len(equity) - 1, CURVE).astype(int))
    return [round(float(value), 2) for value in equity["equity"].to_numpy()[at]]


