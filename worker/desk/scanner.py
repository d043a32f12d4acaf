"""Scans: every strategy on every dataset and timeframe, with at most three proposals and a reason for each of the others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from domain.errors import BadRequest, unknown
from domain.market import instrument
from domain.market.timeframe import MINUTES, Timeframe
from domain.params import Param, build, params_of, values_of
from domain.risk.limits import Limits
from domain.risk.positions import OpenPosition
from domain.scanner.criteria import GRADES, Criteria
from domain.scanner.reasons import REASONS
from domain.strategies import STRATEGIES
from domain.strategies.base import about, reads_forecasts, uses_of
from domain.trading.limit_inputs import limit_features
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import file_of
from worker.desk.model_names import named
from worker.desk.needs import resolved
from worker.desk.strategies import WRITTEN, saved_of
from worker.store import Dataset, Job, Run

KIND = "scan"
TABLES = {"verdicts": "Verdicts", "trades": "Closed trades", "correlations": "Correlations"}


@dataclass(frozen=True)
class Choice:
    """A strategy of a scan; ``label`` is what it is shown under, its name where it is empty."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def shown(self) -> str:
        return self.label or self.name


@dataclass(frozen=True)
class ScanRequest:
    """A scan to run. ``datasets`` are ids or versions, one an instrument. ``timeframes``: none for those of the datasets. ``start``, ``end``: None for all bars.
    ``rules`` and ``cost_profile`` as for a backtest; ``criteria`` holds changed values. ``positions``: instrument, side (1 or -1), lots, entry. ``model``: of the chance of a win."""

    strategies: Sequence[Choice]
    datasets: Sequence[str]
    timeframes: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cost_profile: str = ""
    criteria: Mapping[str, Any] = field(default_factory=dict)
    positions: Sequence[Mapping[str, Any]] = ()
    equity: float | None = None
    model: str = ""


class Scanner:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._backtests = context, Backtests(context)

    # -- choices

    def strategies(self) -> dict[str, str]:
        """Name -> what it does, of the strategies that decide with their defaults alone."""
        return {name: about(name) for name in usable()}

    def choices(self) -> list[Choice]:
        """Those, and the newest version of each strategy of the library, under its own name."""
        with self._context.store.read() as unit:
            saved = [saved_of(unit, row.name) for row in unit.strategies.all()]
        return [*(Choice(name) for name in usable()), *(Choice(WRITTEN, each.definition.params, each.stored.name) for each in saved)]

    def newest_datasets(self) -> list[Dataset]:
        """One of each instrument: the one with the newest bars, of those the finest; real ones where there are any."""
        with self._context.store.read() as unit:
            stored = unit.datasets.all()
        kind = [dataset for dataset in stored if not dataset.synthetic] or stored
        best: dict[str, Dataset] = {}
        for dataset in sorted(kind, key=lambda dataset: (dataset.last_ts, -Timeframe.named(dataset.timeframe).minutes, dataset.created_at)):
            best[dataset.instrument] = dataset
        return [best[name] for name in sorted(best)]

    def params(self) -> tuple[Param, ...]:
        """What a proposal must reach."""
        return params_of(Criteria)

    def reasons(self) -> dict[str, tuple[str, str]]:
        """Reason -> title and sentence, in the order in which they are looked for."""
        return {key: (title, sentence) for key, title, sentence in REASONS}

    def grades(self) -> dict[str, float]:
        """Grade -> the lowest Q* that has it."""
        return dict(GRADES)

    def timeframes(self, datasets: Sequence[str]) -> list[str]:
        """Those that the bars of at least one of the datasets make up."""
        own = [Timeframe.named(dataset.timeframe) for dataset in self._datasets(datasets)]
        return [name for name in MINUTES if own and Timeframe.named(name) >= min(own)]

    def combinations(self, request: ScanRequest) -> int:
        """How many combinations a scan has."""
        return len(request.strategies) * len(self._pairs(self._datasets(request.datasets), request.timeframes))

    # -- submission

    def submit(self, request: ScanRequest) -> Submitted:
        """Validate the request and queue it. An identical request on the same code returns the existing job."""
        spec = self.spec(request)
        names = [dataset.instrument for dataset in self._datasets(request.datasets)]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        title = f"Scan: {shown} · {len(spec['strategies'])} {'strategy' if len(spec['strategies']) == 1 else 'strategies'} · {', '.join(spec['timeframes'])}"
        return self._context.submit(KIND, title, spec, key=key_of(KIND, spec))

    def spec(self, request: ScanRequest) -> dict[str, Any]:
        """The request as plain values; raises ``BadRequest`` where it is not valid."""
        datasets, strategies = self._datasets(request.datasets), _built(request.strategies)
        if not datasets:
            raise BadRequest("no dataset is chosen; choose at least one, or import bars first")
        timeframes = sorted({*(request.timeframes or (dataset.timeframe for dataset in datasets))}, key=Timeframe.named)
        pairs = self._pairs(datasets, timeframes)
        if missing := [name for name in timeframes if name not in {timeframe for _, timeframe in pairs}]:
            raise BadRequest(f"no dataset has bars of {missing[0]} or shorter ones; choose a longer timeframe")
        base = self._base(request, datasets, timeframes, strategies)
        model = self._model(request, strategies)
        return base | model | dict(
            strategies=[dict(label=label, name=name, params=values_of(strategy)) for label, (name, strategy) in strategies.items()], timeframes=timeframes,
            criteria=values_of(build(Criteria, request.criteria)), positions=_positions(request.positions, [dataset.instrument for dataset in datasets]), equity=_equity(request.equity),
        )  # fmt: skip

    def _base(self, request: ScanRequest, datasets: Sequence[Dataset], timeframes: Sequence[str], strategies: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
        """What a scan shares with a backtest: data, span, rates, rules, external data."""
        start = request.start or min(dataset.first_ts for dataset in datasets)
        end = request.end or max(dataset.last_ts for dataset in datasets) + timedelta(days=1)
        longest = max((*timeframes, *(dataset.timeframe for dataset in datasets)), key=Timeframe.named)
        name, strategy = next(iter(strategies.values()))
        backtest = BacktestRequest(name, values_of(strategy), [dataset.id for dataset in datasets], longest, start, end, request.rules, request.cost_profile)
        spec = self._backtests.spec(backtest)
        uses = [*(use for _, strategy in strategies.values() for use in uses_of(strategy)), *limit_features(build(Limits, spec["limits"]))]
        with self._context.store.read() as unit:
            outside = resolved(unit, uses, [instrument(dataset.instrument, self._context.instruments_file) for dataset in datasets], self._context.settings.outside.release_impact)
        return {key: value for key, value in spec.items() if key not in ("strategy", "params", "timeframe", "outside", "model")} | outside

    def _model(self, request: ScanRequest, strategies: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
        if not request.model:
            return {}
        with self._context.store.read() as unit:
            model = named(unit, request.model)
        own = model.manifest.get("question", {}).get("strategy", "")
        if own not in {name for name, _ in strategies.values()}:
            raise BadRequest(f"{model.title} was trained on {'signals of ' + own if own else 'no signals of a strategy'}, which {'is' if own else 'are'} not scanned; add the strategy, or choose another model")
        return dict(model=dict(name=model.name, version=model.version, hash=model.digest, strategy=own))

    def _datasets(self, names: Sequence[str]) -> list[Dataset]:
        with self._context.store.read() as unit:
            return [required(unit.datasets.get(name), "dataset", name) for name in names]

    def _pairs(self, datasets: Sequence[Dataset], timeframes: Sequence[str]) -> list[tuple[Dataset, str]]:
        wanted = timeframes or sorted({dataset.timeframe for dataset in datasets})
        return [(dataset, name) for dataset in datasets for name in wanted if Timeframe.named(name) >= Timeframe.named(dataset.timeframe)]

    # -- reading

    def latest(self, limit: int = 100) -> list[Run]:
        """Newest first."""
        with self._context.store.read() as unit:
            return unit.runs.latest(KIND, limit)

    def find(self, run_id: str) -> Run | None:
        """A scan by its id; None if there is none."""
        with self._context.store.read() as unit:
            run = unit.runs.get(run_id) if run_id else None
        return run if run and run.kind == KIND else None

    def get(self, run_id: str) -> Run:
        return required(self.find(run_id), "scan", run_id)

    def table(self, run_id: str, name: str = "verdicts") -> pd.DataFrame:
        """``verdicts``, ``trades`` or ``correlations``."""
        if name not in TABLES:
            raise unknown("table of a scan", name, TABLES)
        return self._context.store.frames.get(self.get(run_id).frames[name])

    def open_job(self) -> Job | None:
        """The newest scan, where it has not succeeded."""
        with self._context.store.read() as unit:
            jobs = unit.jobs.latest(kinds=(KIND,), limit=1)
        return jobs[0] if jobs and jobs[0].state != "done" else None

    def download(self, run_id: str, what: str, form: str = "csv") -> bytes:
        """``what``: a table as csv or parquet, or ``scan`` as json: the request, the verdict's head and what decided it."""
        run = self.get(run_id)
        frame = None if what == "scan" else self.table(run_id, what)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=what, form=form)
        if frame is None:
            return json.dumps(dict(run=run.id, spec=run.spec, summary=run.summary, manifest=run.manifest, frames=run.frames), indent=1, ensure_ascii=False).encode()
        return file_of(frame, form)

    def delete(self, run_id: str) -> Run:
        """Remove the scan. Its trials stay counted, its audit events stay."""
        self.get(run_id)
        return self._backtests.delete(run_id)


def usable() -> list[str]:
    """The strategies that decide with their defaults alone: without a model's forecasts, and without conditions that somebody has to write first."""
    return [name for name in STRATEGIES if name != WRITTEN and not reads_forecasts(name) and _decides(name)]


def _decides(name: str) -> bool:
    try:
        uses_of(build(STRATEGIES[name], {}))
    except BadRequest:
        return False
    return True


def _built(choices: Sequence[Choice]) -> dict[str, tuple[str, Any]]:
    """Label -> name and strategy, each checked."""
    if not choices:
        raise BadRequest("no strategy is chosen; choose at least one")
    built: dict[str, tuple[str, Any]] = {}
    for choice in choices:
        if choice.shown in built:
            raise BadRequest(f"{choice.shown} is chosen twice; give one of them another label")
        if reads_forecasts(choice.name):
            raise BadRequest(f"{choice.name} decides on a model's forecasts, which a scan does not take; leave it out, and backtest it with its model")
        built[choice.shown] = choice.name, build(STRATEGIES[choice.name], choice.params)
    return built


def _positions(rows: Sequence[Mapping[str, Any]], scanned: Sequence[str]) -> list[dict[str, Any]]:
    positions = []
    for row in rows:
        name, side, lots, entry = str(row["instrument"]), int(row["side"]), float(row["lots"]), float(row["entry"])
        OpenPosition(name, side, lots, entry, entry)
        if name not in scanned:
            raise BadRequest(f"{name} has an open position and is not scanned, so its correlation is not known. Scan its bars too")
        positions.append(dict(instrument=name, side=side, lots=lots, entry=entry))
    return positions


def _equity(equity: float | None) -> float | None:
    if equity is not None and not 0 < equity < 1e15:
        raise BadRequest(f"the equity is {equity:,.2f}; a scan needs an amount above 0")
    return equity
