"""A scan: every strategy on every dataset and timeframe, each through the kernel, and the verdict at the last closed bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.market.timeframe import Timeframe
from domain.params import build
from domain.risk.positions import OpenPosition
from domain.strategies import STRATEGIES
from worker.code import manifest_of
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.load import dataset_of
from worker.jobs.questions import rate_of, rules_of, series_of
from worker.jobs.trial_rows import in_words
from worker.model_use import of_spec
from worker.store import Dataset, Unit
from worker.win_chance import chance_of_win

KIND = "scan"


@job("scan", limit=21_600, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: strategies (label, name, params), datasets (versions), timeframes, start, end, rates, account, costs, execution, sizing, limits, criteria, positions (instrument, side, lots, entry),
    equity (None: the start balance), and as for a backtest ``outside`` and ``model``."""
    work.stage("Load bars")
    request, datasets = request_of(spec, work)
    work.stage("Backtest")
    from domain.scanner.scan import scan
    from domain.scanner.tables import correlation_table, trade_table, verdict_table

    result = scan(request, work.within(0.05, 0.95))
    work.stage("Report")
    verdicts = verdict_table(result)
    tables = dict(verdicts=verdicts, trades=trade_table(result), correlations=correlation_table(result))
    frames = {name: work.store.frames.put(in_words(table)) for name, table in tables.items()}
    summary, trials = summary_of(result, verdicts), trials_of(result, spec)
    decided = {**manifest_of(dict(spec), KIND), "data": list(spec["datasets"])}

    def commit(unit: Unit) -> JobResult:
        for version, rows in trials.items():
            unit.trials.add(rows, kind=KIND, datasets=[version], job_id=work.job.id, actor=work.job.actor, at=unit.now())
        run_id = unit.runs.add(
            kind=KIND, job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=decided, summary=summary, frames=frames, actor=work.job.actor,
            created_at=unit.now(), example=work.job.example, synthetic=any(dataset.synthetic for dataset in datasets),
        )  # fmt: skip
        detail = dict(title=work.job.title, code=decided["code"], frames=frames, combinations=summary["combinations"], proposals=len(summary["proposals"]), reasons=summary["reasons"])
        return JobResult(dict(run=run_id), "scan_finished", (f"run:{run_id}", *(f"dataset:{dataset.id}" for dataset in datasets)), detail)

    return commit


def request_of(spec: Mapping[str, Any], work: Work) -> tuple[Any, list[Dataset]]:
    """The request with its bars, and the datasets that they come from."""
    from domain.scanner.criteria import Criteria
    from domain.scanner.scan import ScanRequest

    with work.store.read() as unit:
        stored = {dataset.version: dataset for dataset in unit.datasets.all()}
    datasets = [dataset_of(stored, version) for version in spec["datasets"]]
    rules = rules_of(spec, [dataset.instrument for dataset in datasets])
    wanted = [(dataset, timeframe) for dataset in datasets for timeframe in spec["timeframes"] if Timeframe.named(timeframe) >= Timeframe.named(dataset.timeframe)]
    series = []
    for k, (dataset, timeframe) in enumerate(wanted):
        work.progress(0.05 * k / len(wanted), f"{dataset.instrument} {timeframe}")
        series.append(series_of(work, dataset, {**spec, "timeframe": timeframe}))
    rates = [rate_of(work, stored[version], spec) for version in spec.get("rates", []) if version in stored]
    strategies: dict[str, Any] = {each["label"]: build(STRATEGIES[each["name"]], each["params"]) for each in spec["strategies"]}
    positions = [OpenPosition(each["instrument"], each["side"], each["lots"], each["entry"], each["entry"]) for each in spec["positions"]]
    probability = _probability(spec, work, series, rules, rates, strategies)
    return ScanRequest(series, strategies, rules, build(Criteria, spec["criteria"]), rates, positions, spec["equity"], **probability), datasets


def _probability(spec: Mapping[str, Any], work: Work, series: Any, rules: Any, rates: Any, strategies: Mapping[str, Any]) -> dict[str, Any]:
    model = of_spec(work.store, spec)
    if model is None:
        return {}
    named = next((each for each in spec["strategies"] if each["name"] == spec["model"]["strategy"]), None)
    if named is None:
        raise BadRequest(f"{model.title} was trained on signals of {spec['model']['strategy']}, which is not scanned; add it, or leave the model out")
    chance = chance_of_win(work.store, model, work.job.actor, named["name"], strategies[named["label"]], series, rules, rates)
    return dict(probability=lambda traded, label, ts: chance(traded, named["name"] if label == named["label"] else "", ts))


def summary_of(result: Any, verdicts: pd.DataFrame) -> dict[str, Any]:
    """What the page and the list show without reading a table."""
    from domain.params import values_of
    from domain.scanner.tables import PROPOSAL, reason_counts

    request = result.request
    plain = [{name: _plain(value) for name, value in row.items()} for row in verdicts[verdicts["reason"] == PROPOSAL].to_dict("records")]
    return dict(
        at=pd.Timestamp(result.at, unit="ns", tz="UTC").isoformat(), combinations=len(verdicts), reasons=reason_counts(result), proposals=plain, equity=request.capital,
        currency=request.rules.account.currency, criteria=values_of(request.criteria), positions=len(request.positions),
        instruments=list(dict.fromkeys(verdicts["instrument"])), strategies=list(request.strategies), timeframes=sorted({str(entry.timeframe) for entry in request.series}, key=lambda name: Timeframe.named(name)),
    )  # fmt: skip


def trials_of(result: Any, spec: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Version of a dataset -> rows of the ledger: each combination is a backtest of its own, and counts as one."""
    from domain.backtest.sweep import Ledger

    names = {each["label"]: each["name"] for each in spec["strategies"]}
    rows: dict[str, list[dict[str, Any]]] = {}
    ledgers: dict[int, Any] = {}
    for each in result.combinations:
        if each.evaluation is None:
            continue
        strategy = result.request.strategies[each.strategy]
        ledger = ledgers.setdefault(id(each.series), Ledger([each.series], result.request.rules, strategy))
        trial = ledger.trial(names[each.strategy], strategy, result.request.rules, each.evaluation)
        rows.setdefault(each.series.version, []).append(trial._asdict())
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value
