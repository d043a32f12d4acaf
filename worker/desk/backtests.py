"""Backtests: options, submission and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from domain.analytics import FAMILIES, METRICS, underwater
from domain.errors import BadRequest, unknown
from domain.market import Instrument, instrument, instruments
from domain.market.timeframe import Timeframe
from domain.outside.forecast_models import LEVELS, asks_quantiles, horizon_of, without_a_model
from domain.params import Param, build, faults, params_of, values_of
from domain.strategies import STRATEGIES
from domain.strategies.base import Strategy, about, reads_forecasts, refuse_without_model
from domain.strategies.presets import Preset, presets_of
from domain.trading.cost_units import in_pips, overlaid, without_unit
from domain.trading.limit_inputs import limit_features
from domain.trading.rules import SECTIONS
from domain.trading.signal_file import SIGNALS
from worker.desk.cautions import cautions
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.cost_profiles import resolved_costs
from worker.desk.export import file_of
from worker.desk.gates import gate_of
from worker.desk.model_names import named
from worker.desk.needs import resolved
from worker.desk.signal_files import SignalFiles
from worker.desk.strategies import WRITTEN, conditions_at_fault, meant, saved_of, title_of
from worker.desk.thin import thinned
from worker.store import Dataset, Model, Run
from worker.store.cost_profiles import CostProfile
from worker.store.former_names import current

MOST = 100_000      # runs of a kind that are searched
DERIVED = ("histories", "run_features", "split", "judgement", "judged_presets", "pass_chance", "risk_now")      # kinds of run that are made of a backtest
RULES = {name: cls for name, cls in SECTIONS.items() if name != "gate"}       # those of a form; the rule set of the gate is chosen by name


@dataclass(frozen=True)
class BacktestRequest:
    """A backtest to run. ``datasets`` are ids; ``rules`` holds changed values of account, costs, execution, sizing and limits."""

    strategy: str
    params: Mapping[str, Any]
    datasets: Sequence[str]
    timeframe: str
    start: datetime
    end: datetime
    rules: Mapping[str, Mapping[str, Any]]
    cost_profile: str = ""      # name of the saved costs that take the place of ``rules["costs"]``
    model: str = ""             # NAME or NAME@VERSION of the model that filters the signals
    signals: Mapping[str, Any] = field(default_factory=dict)    # frame and name of a table of signals, where the strategy is ``signals``
    rule_set: str = ""          # name of the rule set whose floors orders keep clear of
    phase: str = ""


class Backtests:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._signals = context, SignalFiles(context)

    # -- choices

    def strategies(self) -> dict[str, str]:
        """Name -> what it does; the built-in ones, those that need a model of forecasts after the others, then those of the library."""
        with self._context.store.read() as unit:
            saved = [saved_of(unit, row.name) for row in unit.strategies.all()]
        return {name: about(name) for name in sorted(STRATEGIES, key=reads_forecasts)} | {each.stored.name: each.about for each in saved}

    def params(self, strategy: str) -> tuple[Param, ...]:
        """The parameters of a strategy: name, type, default, bounds, unit, help; none for a table of signals."""
        if strategy == SIGNALS:
            return ()
        name, saved = meant(self._context, strategy, {})
        return tuple(replace(param, default=saved.get(param.name, param.default)) for param in params_of(STRATEGIES[name]))

    def presets(self, strategy: str) -> dict[str, Preset]:
        """Name -> preset of the strategy's parameters, each for one timeframe; empty where it has none."""
        return presets_of(strategy)

    def cautions(self, strategy: str, params: Mapping[str, Any]) -> list[str]:
        """What to read before a run of these parameters."""
        return cautions(strategy, params)

    def rule_params(self, name: str) -> tuple[Param, ...]:
        """The parameters of account, costs, execution, sizing or limits."""
        return params_of(RULES[name])

    def faults(self, strategy: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Parameter -> error message, for invalid values."""
        if strategy == SIGNALS:
            return {}
        name, values = meant(self._context, strategy, values)
        return faults(STRATEGIES[name], values) or (conditions_at_fault(values) if name == WRITTEN else {})

    def rules(self) -> dict[str, Any]:
        """Account, costs, execution, sizing and limits as config.toml sets them: where a new backtest starts from."""
        return {name: getattr(self._context.settings, name) for name in RULES}

    def metrics(self) -> Mapping[str, Any]:
        """The definition of every figure."""
        return METRICS

    def families(self) -> dict[str, str]:
        """Family of metrics -> title, in their order."""
        return dict(FAMILIES)

    def form_start(self) -> dict[str, Any]:
        """Where the form starts: the settings, with [form] over them."""
        settings = self._context.settings
        start: dict[str, Any] = {name: values_of(getattr(settings, name)) for name in RULES}
        start["account"]["balance"], start["costs"]["commission_per_lot"] = settings.form.balance, settings.form.commission_per_lot
        start["sizing"] = dict(kind="fraction_at_risk", value=settings.form.risk_per_trade)
        return start | dict(slippage_pips=settings.form.slippage_pips)

    def bars_in(self, request: BacktestRequest) -> int:
        """Estimated number of bars of a request."""
        with self._context.store.read() as unit:
            used = [unit.datasets.get(name) for name in request.datasets]
        return sum(_bars_in(dataset, request) for dataset in used if dataset)

    # -- submission

    def submit(self, request: BacktestRequest, example: bool = False, user: str = "") -> Submitted:
        """Validate the request and queue it. An identical request on the same code returns the existing job."""
        spec = self.spec(request)
        names, made_up = self._names(spec["datasets"])
        filtered = f" filtered by {spec['model']['name']}@{spec['model']['version']}" if "model" in spec else ""
        title = f"{spec['signals']['name'] if 'signals' in spec else title_of(request.strategy, request.params)}{filtered} · {names} {request.timeframe}{made_up}"
        return self._context.submit("backtest", title, spec, key=key_of("backtest", spec), example=example, user=user)

    def spec(self, request: BacktestRequest) -> dict[str, Any]:
        """The request as plain values; raises ``BadRequest`` where it is not valid."""
        for name, values in request.rules.items():
            if name not in RULES:
                raise unknown("section of the rules", name, RULES)
            if not isinstance(values, Mapping):
                raise BadRequest(f"{name} is {values!r}; it must be a mapping of names to values")
        request = self.meant(request)
        strategy: Strategy | None = None if request.strategy == SIGNALS else build(STRATEGIES[request.strategy], request.params)
        if strategy:
            refuse_without_model(strategy, bool(request.model))
        with self._context.store.read() as unit:
            used = [required(unit.datasets.get(name), "dataset", name) for name in request.datasets]
            profile = required(unit.cost_profiles.get(request.cost_profile), "cost profile", request.cost_profile) if request.cost_profile else None
            catalogue = unit.datasets.all()
            traded = [self._instrument(dataset) for dataset in used]
            rules = self.rules_with(request, traded, profile)
            outside = resolved(unit, [*(strategy.features() if strategy else ()), *limit_features(rules["limits"])], traded, self._context.settings.outside.release_impact)
        self._check(request, used)
        traded_signals = {} if strategy else dict(signals=self._signals.checked(request.signals, [each.name for each in traded], request.start, request.end, request.model))
        named = dict(cost_profile=dict(name=profile.name, source=profile.source, date=profile.dated)) if profile else {}
        return outside | named | traded_signals | self.model_of(request) | dict(
            strategy=request.strategy, params=values_of(strategy) if strategy else {}, datasets=[dataset.version for dataset in used], timeframe=request.timeframe,
            start=request.start.isoformat(), end=request.end.isoformat(), rates=self.rates_of(used, catalogue, rules["account"].currency),
            **{name: values_of(rule) for name, rule in rules.items()}, **self._gate(request, rules["account"]),
        )  # fmt: skip

    def _gate(self, request: BacktestRequest, account: Any) -> dict[str, Any]:
        """The rule set by its text; nothing where none is chosen."""
        return dict(gate=gate_of(self._context, request.rule_set, request.phase, account.balance, account.currency)) if request.rule_set else {}

    def meant(self, request: BacktestRequest) -> BacktestRequest:
        """The request with the strategy that its name means: one of the library is ``written``, with what was saved."""
        if request.strategy == SIGNALS:
            return request
        strategy, params = meant(self._context, request.strategy, request.params)
        return replace(request, strategy=strategy, params=params)

    def model_of(self, request: BacktestRequest) -> dict[str, Any]:
        """The version that is meant now: a promotion makes another question."""
        if not request.model:
            if reads_forecasts(request.strategy):
                raise BadRequest(without_a_model(request.strategy))
            return {}
        with self._context.store.read() as unit:
            model = named(unit, request.model)
        question = model.manifest.get("question", {})
        if reads_forecasts(request.strategy):
            self._check_forecasts(request, model)
        elif question.get("strategy") != request.strategy:
            raise BadRequest(f"{model.title} was trained on {'signals of ' + question['strategy'] if question.get('strategy') else 'no signals of a strategy'}, and {request.strategy} is traded; choose the same strategy, or another model")
        return dict(model=dict(name=model.name, version=model.version, hash=model.digest))

    def _check_forecasts(self, request: BacktestRequest, model: Model) -> None:
        """Raises BadRequest where the model does not forecast the quantiles that the strategy reads, so far ahead."""
        if not asks_quantiles(model.manifest.get("question", {})):
            raise BadRequest(f"{model.title} does not forecast the quantiles of returns that {request.strategy} decides on; train one with the target return and the levels {LEVELS}")
        horizon = horizon_of(model.manifest["question"]["target_params"], Timeframe.named(request.timeframe))
        own: int = values_of(build(STRATEGIES[request.strategy], request.params))["horizon"]
        if own != horizon:
            raise BadRequest(f"{model.title} forecasts {horizon} bars ahead, and horizon is {own} bars; set horizon to {horizon}")

    def rules_with(self, request: BacktestRequest, traded: Sequence[Instrument], profile: CostProfile | None = None) -> dict[str, Any]:
        """Every section of the rules: the settings, with the request's changes."""
        settings = {name: values_of(getattr(self._context.settings, name)) for name in RULES}
        changed = {name: {**settings[name], **request.rules.get(name, {})} for name in RULES}
        changed["costs"] = overlaid(settings["costs"], request.rules.get("costs", {}))
        rules: dict[str, Any] = {name: build(RULES[name], values) for name, values in changed.items()}
        if profile:
            rules["costs"] = resolved_costs(profile, [instrument_.name for instrument_ in traded])
        rules["costs"].check_names(instruments(self._context.instruments_file))
        rules["costs"].check(traded)
        return rules

    def costs_in_pips(self, costs: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        """Costs as a form shows them: spread and slippage in pips of each instrument, where they were stored in price units too."""
        table = instruments(self._context.instruments_file)
        return in_pips(costs, [table[name] for name in names])

    def _check(self, request: BacktestRequest, used: Sequence[Dataset]) -> None:
        if request.start >= request.end:
            raise BadRequest(f"the period ends on {request.end:%Y-%m-%d %H:%M}, before it begins on {request.start:%Y-%m-%d %H:%M}; choose an end after its start")
        if not used:
            raise BadRequest("no dataset is chosen; choose at least one, or import bars first")
        if len({dataset.instrument for dataset in used}) < len(used):
            raise BadRequest("two of the datasets are of the same instrument; choose one of each")
        if len({dataset.synthetic for dataset in used}) > 1:
            raise BadRequest("real and synthetic bars do not go into one account; choose one kind")
        for dataset in used:
            if Timeframe.named(dataset.timeframe) > Timeframe.named(request.timeframe):
                raise BadRequest(f"{dataset.instrument} is stored in {dataset.timeframe} bars, and {request.timeframe} is requested; choose {dataset.timeframe} or longer")
            if not _bars_in(dataset, request):
                raise BadRequest(
                    f"{dataset.instrument} {dataset.timeframe} has bars from {dataset.first_ts:%Y-%m-%d} to {dataset.last_ts:%Y-%m-%d}, and the date range asks for "
                    f"{request.start:%Y-%m-%d} to {request.end - timedelta(days=1):%Y-%m-%d}. Choose a range within the available data"
                )

    def rates_of(self, used: Sequence[Dataset], catalogue: Sequence[Dataset], account: str) -> list[str]:
        """Datasets of the pairs along which money is converted, where the traded ones do not serve."""
        needed = {self._instrument(dataset).quote for dataset in used} - {account}
        pairs = {frozenset(pair) for quote in needed for pair in ((quote, account), (quote, "USD"), ("USD", account)) if pair[0] != pair[1]}
        traded = {dataset.version for dataset in used}
        kind = used[0].synthetic
        fits = [dataset for dataset in catalogue if dataset.version not in traded and dataset.synthetic == kind and frozenset((self._instrument(dataset).base, self._instrument(dataset).quote)) in pairs]
        return sorted(fit.version for fit in fits)

    # -- reading

    def latest(self, limit: int = 100) -> list[Run]:
        """Newest first."""
        with self._context.store.read() as unit:
            return unit.runs.latest("backtest", limit)

    def get(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)

    def find(self, run_id: str) -> Run | None:
        """A backtest by its id, however old; None if there is none."""
        with self._context.store.read() as unit:
            run = unit.runs.get(run_id)
        return run if run and run.kind == "backtest" else None

    def equity(self, run_id: str, budget: int = 1_400) -> pd.DataFrame:
        """``ts, equity, drawdown``, thinned so that each keeps its extremes."""
        run = self.get(run_id)
        curve = self._context.store.frames.get(run.frames["equity"], ["ts", "equity"])
        curve["drawdown"] = underwater(curve, run.summary["balance"])["share"].to_numpy()
        return thinned(curve, ("equity", "drawdown"), budget)

    def whole_equity(self, run_id: str) -> pd.DataFrame:
        """``ts, balance, equity, equity_low`` of every bar, as stored."""
        return self._context.store.frames.get(self.get(run_id).frames["equity"], ["ts", "balance", "equity", "equity_low"])

    def trades(self, run_id: str) -> pd.DataFrame:
        return self._context.store.frames.get(self.get(run_id).frames["trades"])

    def request_of(self, run_id: str) -> BacktestRequest:
        """The request of a run, to run it again or to edit it."""
        spec = self.get(run_id).spec
        with self._context.store.read() as unit:
            datasets = [required(unit.datasets.get(version), "dataset", version[:8]).id for version in spec["datasets"]]
        start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
        rules = {name: spec[name] for name in RULES if name in spec} | dict(costs=without_unit(spec["costs"], [instrument.name for instrument in self.instruments_of(run_id)]))
        model = f"{spec['model']['name']}@{spec['model']['version']}" if spec.get("model") else ""
        return BacktestRequest(spec["strategy"], spec["params"], datasets, spec["timeframe"], start, end, rules, model=model, signals=spec.get("signals", {}))

    def instruments_of(self, run_id: str) -> list[Instrument]:
        with self._context.store.read() as unit:
            datasets = [unit.datasets.get(version) for version in self.get(run_id).spec["datasets"]]
        return [self._instrument(dataset) for dataset in datasets if dataset]

    # -- naming, deleting, exporting

    def rename(self, run_id: str, name: str, note: str) -> None:
        with self._context.store.unit() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
            unit.runs.rename(run_id, name.strip()[:120], note.strip()[:2_000])
            unit.audit(self._context.user, "run_named", f"run:{run_id}", name=name.strip()[:120], note=note.strip()[:2_000], before=run.name)

    def delete(self, run_id: str) -> Run:
        """Delete a run, and what was made of it. Its trials stay counted, and the notes on its trades stay with the question."""
        return self.delete_all([run_id])[0]

    def delete_all(self, run_ids: Sequence[str]) -> list[Run]:
        """Delete several in one piece: each leaves its own event; all of them or, where one is not there, none."""
        with self._context.store.unit() as unit:
            runs: list[Run] = [required(unit.runs.as_stored(run_id), "run", run_id) for run_id in run_ids]
            others = [other for kind in DERIVED for other in unit.runs.stored(kind, MOST)]
            for run in runs:
                derived = [other for other in others if _is_of(other, run.id)]      # they go with it
                unit.runs.remove([run.id, *(other.id for other in derived)])
                unit.jobs.forget_key(run.job_id, *(other.job_id for other in derived))
                unit.audit(self._context.user, "run_deleted", f"run:{run.id}", title=run.title, frames=run.frames)
        return runs

    def download(self, run_id: str, what: str, form: str) -> bytes:
        """``what``: trades, fills, equity, reviews, manifest; ``form``: csv, parquet, json."""
        run = self.get(run_id)
        with self._context.store.unit() as unit:
            latest = unit.checkpoints.latest()
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=what, form=form)
        if what == "manifest":
            import json

            return json.dumps(dict(run=run.id, manifest=run.manifest, summary=run.summary, frames=run.frames, checkpoint=latest.note if latest else ""), indent=1).encode()
        return file_of(current(self._context.store.frames.get(run.frames[what])), form)

    def _instrument(self, dataset: Dataset) -> Instrument:
        return instrument(dataset.instrument, self._context.instruments_file)

    def _names(self, versions: Sequence[str]) -> tuple[str, str]:
        with self._context.store.read() as unit:
            used = [dataset for version in versions if (dataset := unit.datasets.get(version))]
        made_up = next((dataset.source.removeprefix("Synthetic, ") for dataset in used if dataset.synthetic), "")
        return ", ".join(dataset.instrument for dataset in used), f" · synthetic, {made_up}" if made_up else ""


def _is_of(derived: Run, run_id: str) -> bool:
    """Whether a run is made of that backtest."""
    return run_id == derived.spec.get("run") or derived.spec.get("path") == dict(kind="run", id=run_id)


def _bars_in(dataset: Dataset, request: BacktestRequest) -> int:
    """By share of time: exact where the span covers the dataset."""
    start, end = max(dataset.first_ts, request.start), min(dataset.last_ts, request.end)
    seconds = (dataset.last_ts - dataset.first_ts).total_seconds() or 1.0
    if end < start:
        return 0
    coarser = Timeframe.named(request.timeframe).minutes / Timeframe.named(dataset.timeframe).minutes
    return max(round(dataset.bars * (end - start).total_seconds() / seconds / coarser), 1)
