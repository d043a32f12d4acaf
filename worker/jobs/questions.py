"""Simulation input from a job's spec: series, rates, rules and parameter combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from domain.backtest.history import split
from domain.errors import BadRequest
from domain.features import Context
from domain.market import instrument, resample
from domain.market.timeframe import Timeframe
from domain.trading.cost_units import without_unit
from domain.trading.rules import Rules, rules_from
from domain.trading.signals import read_signals
from worker.code import manifest_of
from worker.jobs.base import Work
from worker.jobs.load import bars_of, dataset_of
from worker.model_use import forecast_series
from worker.outside_context import context_of
from worker.store import Dataset, Store

RATES_BEFORE = timedelta(days=4)        # a rate is used for so long, so that one is known when the period begins


@dataclass(frozen=True)
class LoadedRequest:
    """The loaded input of a backtest's spec. ``data``: the versions of the traded datasets."""

    spec: Mapping[str, Any]
    series: Sequence[Any]
    rates: Sequence[Any]
    rules: Any
    datasets: Sequence[Dataset]
    signals: pd.DataFrame | None = None     # those that are traded in the place of a strategy's

    def bench(self) -> Any:
        from domain.backtest.bench import Bench

        return Bench(self.series, self.rates)

    def combinations(self, points: Sequence[Mapping[str, Any]]) -> Any:
        from domain.backtest.sweep import SweepRequest

        return SweepRequest(self.spec["strategy"], self.spec["params"], self.rules, [dict(point) for point in points])

    def strategy(self) -> Any:
        """None where a table of signals is traded."""
        return self.combinations([{}]).strategy_at(0) if self.signals is None else None

    def history(self) -> dict[str, Any]:
        """Bars before the period that features know, and how many the strategy needs at its own parameters, where those make a strategy."""
        from domain.backtest.study import history_of

        try:
            strategy = self.strategy()
        except BadRequest:
            strategy = None
        return history_of(self.series, strategy).plain()

    @property
    def days_a_year(self) -> float:
        """Trading days a year for annualised ratios."""
        from domain.analytics import account_calendar, days_a_year

        return days_a_year(account_calendar(series.instrument.calendar for series in self.series).name)

    @property
    def data(self) -> list[str]:
        return list(self.spec["datasets"])


def read(spec: Mapping[str, Any], work: Work) -> LoadedRequest:
    """``spec`` as for a backtest."""
    with work.store.read() as unit:
        datasets = {dataset.version: dataset for dataset in unit.datasets.all()}
    series: Sequence[Any] = [series_of(work, dataset_of(datasets, version), spec) for version in spec["datasets"]]
    rates = [rate_of(work, datasets[version], spec) for version in spec.get("rates", []) if version in datasets]
    rules = rules_of(spec, [bars.instrument.name for bars in series])
    series, _ = forecast_series(work.store, spec, work.job.actor, series, rules, rates)
    return LoadedRequest(spec, series, rates, rules, [datasets[version] for version in spec["datasets"]], signals_of(spec, work.store, [each.instrument.name for each in series]))


def signals_of(spec: Mapping[str, Any], store: Store, instruments: Sequence[str]) -> pd.DataFrame | None:
    """The signals of the period from the table that a spec names, checked; None where it names a strategy."""
    if "signals" not in spec:
        return None
    return in_period(read_signals(store.frames.get(spec["signals"]["frame"]), tuple(instruments)), spec)


def in_period(signals: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    start, end = (pd.Timestamp(spec[edge]) for edge in ("start", "end"))
    return signals[(signals["ts"] >= start) & (signals["ts"] < end)].reset_index(drop=True)


def named_in(study_spec: dict[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of a study, with the content of the signals that it traded."""
    return study_spec | (dict(signals=spec["signals"]["frame"]) if "signals" in spec else {})


def series_of(work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> Any:
    from domain.backtest.study import Series

    instrument_ = instrument(dataset.instrument, work.settings.instruments_file)
    every, finer = bars_of(work, dataset, spec, complete=True), None
    start, own, timeframe = pd.Timestamp(spec["start"]), Timeframe.named(dataset.timeframe), Timeframe.named(spec["timeframe"])
    if own != timeframe:
        finer = every[every["ts"] >= start].reset_index(drop=True)
        every = resample(every, own, timeframe, instrument_.calendar)
    if every.empty or every["ts"].iloc[-1] < start:
        raise BadRequest(f"{dataset.instrument} has no complete {timeframe} bar in the selected period; choose a longer one")
    history, bars = split(every, start, None, f"{dataset.instrument} {timeframe}")
    context = Context(**context_of(spec.get("outside", {}), work.store)(instrument_))
    return Series(instrument_, timeframe, bars, dataset.side, dataset.version, finer, own if finer is not None else None, context, spec.get("outside", {}), history)


def rate_of(work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> Any:
    from domain.trading.task import Rate

    return Rate(instrument(dataset.instrument, work.settings.instruments_file), Timeframe.named(dataset.timeframe), bars_of(work, dataset, spec, before=RATES_BEFORE), dataset.side)


def rules_of(spec: Mapping[str, Any], instruments: Sequence[str]) -> Rules:
    """The rules of a spec. Costs that were stored before they had a unit are price units of each instrument, as they were then."""
    return rules_from({**spec, "costs": without_unit(spec["costs"], instruments, _varied(spec))})


def _varied(spec: Mapping[str, Any]) -> set[str]:
    """The names that a sweep or search varies."""
    grid = spec.get("grid") or {}
    return {*spec.get("space", {}), *(grid if isinstance(grid, Mapping) else grid[0])}


def points_of(spec: Mapping[str, Any], rules: Rules) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The valid combinations of ``spec["grid"]`` over the ``rules``, and the messages of those refused."""
    from domain.optimise import combinations, feasible

    return feasible(spec["strategy"], spec["params"], combinations(spec["strategy"], spec["grid"]), rules.values())


def decided(request: LoadedRequest, kind: str, **more: Any) -> dict[str, Any]:
    """What decided the result: data, code, parameters, libraries."""
    from domain.backtest import study

    question_spec = study.spec_of(request.series, request.rules, request.strategy()) | more
    return {**manifest_of(question_spec, kind), "data": request.data, "spec_hash": study.spec_hash(question_spec)}


def about(request: LoadedRequest, work: Work) -> dict[str, Any]:
    """The columns of a run that every kind has."""
    return dict(
        job_id=work.job.id, title=work.job.title, spec=dict(request.spec), actor=work.job.actor, example=work.job.example,
        synthetic=any(dataset.synthetic for dataset in request.datasets),
    )  # fmt: skip
