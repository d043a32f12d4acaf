"""Training: choices, submission, what a running job has done so far, and results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pandas as pd

from domain.errors import BadRequest, unknown
from domain.models import LEARNERS
from domain.params import Param, build, params_of, values_of
from domain.risk.limits import Limits
from domain.strategies import STRATEGIES
from domain.strategies.base import Strategy, reads_forecasts
from domain.trading.limit_inputs import limit_features
from domain.training.question import Fitting
from domain.training.splits import SCHEMES
from domain.training.targets import TARGETS, TargetParams
from worker.code import code_of
from worker.desk.backtests import RULES, BacktestRequest, Backtests
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import file_of
from worker.desk.features import FeatureRequest, Features
from worker.desk.regimes import RegimeView, walked_by
from worker.desk.strategies import meant
from worker.store import Job, Run
from worker.store.fold_rows import rows_of
from worker.store.registering import checked_name

KIND = "train"
LAST_SEED = 2**31 - 1
OF_TARGET = {"above": ("threshold",), "return": ("horizon", "unit", "every"), "volatility": ("horizon", "unit", "every"), "direction": ("horizon", "unit", "every")}
BASELINES = ("prior", "climatology", "no_change", "linear")
TABLES = ("samples", "folds", "predictions")


@dataclass(frozen=True)
class TrainingRequest:
    """A question to a learner on stored bars. ``datasets`` are ids, several are pooled; ``columns`` are feature texts; ``rules`` and ``cost_profile``
    are those of a backtest, for targets on signals. ``options``: changed values of the pipeline (weights, half-life, intervals, filter).
    ``regimes``: runs of learned regimes (ids), one an instrument, whose states are columns, too. ``register``: the name under which a whole run becomes a candidate; empty: none."""

    datasets: Sequence[str]
    timeframe: str
    start: datetime
    end: datetime
    columns: Sequence[str]
    learner: str
    target: str
    params: Mapping[str, Any] = field(default_factory=dict)
    target_params: Mapping[str, Any] = field(default_factory=dict)
    scheme: str = "walk_forward"
    scheme_params: Mapping[str, Any] = field(default_factory=dict)
    strategy: str = ""
    strategy_params: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cost_profile: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    shuffle_labels: bool = False
    register: str = ""
    regimes: Sequence[str] = ()


@dataclass(frozen=True)
class LearnerChoice:
    """``targets``: names of those that it can learn. ``sequence``: it looks at several bars. ``baseline``: it is trained beside every other."""

    name: str
    about: str
    targets: tuple[str, ...]
    params: tuple[Param, ...]
    sequence: bool
    baseline: bool


@dataclass(frozen=True)
class TargetChoice:
    """``on``: signals or bars. ``task``: binary, classes or number."""

    name: str
    about: str
    on: str
    task: str


@dataclass(frozen=True)
class TrainingProgress:
    """A running or ended job. ``folds``: a row a finished fold: ``fold, start, end``, samples of each part, and its scores, in order. ``live``: ``fold, share,
    loss, of`` of the folds that are fitted now. ``expected``: how many folds there are, 0 before that is known."""

    state: str
    note: str
    share: float
    folds: pd.DataFrame
    live: pd.DataFrame
    expected: int


class Training:
    def __init__(self, context: DeskContext) -> None:
        self._context = context
        self._backtests, self._features, self._regime_runs = Backtests(context), Features(context), RegimeView(context)

    # -- choices

    def learners(self, target: str = "") -> dict[str, LearnerChoice]:
        """Name -> learner; with ``target``, those that can learn it."""
        choices = {name: _choice(name, cls) for name, cls in LEARNERS.items()}
        return {name: choice for name, choice in choices.items() if not target or target in choice.targets}

    def targets(self) -> dict[str, TargetChoice]:
        """Name -> target."""
        return {name: TargetChoice(name, target.about, target.on, target.task) for name, target in TARGETS.items()}

    def target_params(self, target: str) -> tuple[Param, ...]:
        """Its own: threshold, or horizon, unit and every."""
        if target not in TARGETS:
            raise unknown("target", target, TARGETS)
        return tuple(param for param in params_of(TargetParams) if param.name in OF_TARGET.get(target, ()))

    def schemes(self) -> dict[str, tuple[Param, ...]]:
        """``walk_forward`` and ``cpcv``, with their parameters."""
        return {name: params_of(scheme) for name, scheme in SCHEMES.items()}

    def options(self) -> tuple[Param, ...]:
        """What else of the pipeline can be chosen."""
        return params_of(Fitting)

    def strategies(self) -> dict[str, str]:
        """Name -> what it does."""
        return self._backtests.strategies()

    # -- submission

    def spec(self, request: TrainingRequest) -> dict[str, Any]:
        """The request as plain values; raises ``BadRequest`` where it is not valid."""
        target = TARGETS.get(request.target)
        if target is None:
            raise unknown("target", request.target, TARGETS)
        request = self._meant(request)
        strategy = self._strategy(request, target.on)
        learner = LEARNERS[request.learner]
        if request.target not in learner.targets:  # type: ignore[attr-defined]
            raise BadRequest(f"the learner {request.learner} learns {', '.join(learner.targets)} and not {request.target}; learners of {request.target} are {', '.join(self.learners(request.target))}")  # type: ignore[attr-defined]
        if request.scheme not in SCHEMES:
            raise unknown("scheme", request.scheme, SCHEMES)
        if not 0 <= request.seed <= LAST_SEED:
            raise BadRequest(f"seed is {request.seed}; it must be between 0 and {LAST_SEED}")
        own = {p.name for p in params_of(learner)}
        fitting = {name: value for name, value in request.params.items() if name not in own and name in {p.name for p in params_of(Fitting)}}
        rules = self._rules(request)
        more = (*(strategy.features() if strategy else ()), *limit_features(build(Limits, rules["limits"])))
        feature_request = FeatureRequest(request.datasets, request.timeframe, request.start, request.end, request.columns)
        features = self._features.spec(feature_request, more=more)
        return features | rules | self._regimes(feature_request, request.regimes) | dict(
            target=request.target, target_params=values_of(build(TargetParams, request.target_params)), learner=request.learner,
            learner_params=values_of(build(learner, {name: value for name, value in request.params.items() if name not in fitting})), scheme=request.scheme,
            scheme_params=values_of(build(SCHEMES[request.scheme], request.scheme_params)), strategy=request.strategy, strategy_params=values_of(strategy) if strategy else {},
            fitting=values_of(build(Fitting, {**request.options, **fitting})), seed=request.seed, shuffle_labels=request.shuffle_labels,
            register=checked_name(request.register) if request.register else "",
        )  # fmt: skip

    def submit(self, request: TrainingRequest) -> Submitted:
        """Queue it. An identical request on the same code returns the existing job."""
        spec = self.spec(request)
        names, made_up = self._backtests._names(spec["datasets"])
        title = f"Train {request.learner} on {request.target}{f' of {request.strategy}' if request.strategy else ''} · {names} {request.timeframe}{made_up}"
        return self._context.submit(KIND, title, spec, queue="research", key=key_of(KIND, spec))

    def resume(self, run_id: str) -> Submitted:
        """Go on with a partial run: its finished folds are not fitted again, unless the program's code is another one by now."""
        run = self.get(run_id)
        if not run.summary["partial"]:
            raise BadRequest(f"run {run_id} is whole; there is nothing to resume")
        with self._context.store.unit() as unit:
            job = unit.jobs.get(run.job_id)
            again = unit.jobs.retry(run.job_id) if job else False
            if again:
                unit.audit(self._context.user, "job_retried", f"job:{run.job_id}", f"run:{run_id}", job=KIND)
                job = required(unit.jobs.get(run.job_id), "job", run.job_id)
        if job is None:         # its row was removed: the question is requested again
            return self.submit(self.request_of(run_id))
        if again:
            self._context.wake(job)
        return Submitted(job, again)

    def _meant(self, request: TrainingRequest) -> TrainingRequest:
        """The request with the strategy that its name means, where there is one."""
        if not request.strategy:
            return request
        strategy, params = meant(self._context, request.strategy, request.strategy_params)
        return replace(request, strategy=strategy, strategy_params=params)

    def _strategy(self, request: TrainingRequest, on: str) -> Strategy | None:
        if on == "signals" and not request.strategy:
            raise BadRequest(f"the target {request.target} is of signals, and no strategy is given; choose one, or a target on bars: {', '.join(name for name, each in TARGETS.items() if each.on == 'bars')}")
        if on == "bars" and request.strategy:
            raise BadRequest(f"the target {request.target} is of bars, and a strategy is given; leave it out, or choose a target on signals: {', '.join(name for name, each in TARGETS.items() if each.on == 'signals')}")
        built: Strategy | None = build(STRATEGIES[request.strategy], request.strategy_params) if request.strategy else None
        return built

    def _regimes(self, request: FeatureRequest, runs: Sequence[str]) -> dict[str, Any]:
        """Each run with the hash of its table and how it was walked; empty where none is requested."""
        if not runs:
            return {}
        return dict(regimes=[dict(instrument=run.summary["instrument"], run=run.id, frame=run.frames["regimes"], plan=walked_by(run)) for run in self._regime_runs.chosen(request, runs)])

    def _rules(self, request: TrainingRequest) -> dict[str, Any]:
        """Rules, rates and cost profile, as a backtest's request has them."""
        strategy = request.strategy or next(name for name in STRATEGIES if not reads_forecasts(name))
        feature_request = BacktestRequest(strategy, request.strategy_params if request.strategy else {}, request.datasets, request.timeframe, request.start, request.end, request.rules, request.cost_profile)
        spec = self._backtests.spec(feature_request)
        return {name: spec[name] for name in (*RULES, "rates", "cost_profile") if name in spec}

    # -- while it runs

    def progress(self, job_id: str) -> TrainingProgress:
        """Finished folds with their scores, and the loss of those that are fitted now, by whichever worker."""
        with self._context.store.read() as unit:
            job = required(unit.jobs.get(job_id), "job", job_id)
            parts = unit.chunks.all(job_id)
            helpers = [helper for helper in unit.jobs.latest(("running",), ("part",)) if helper.spec.get("job") == job_id]
        if job.state == "done" and (job.result or {}).get("run"):
            folds = self.table(job.result["run"], "scores")
            return TrainingProgress(job.state, job.note, 1.0, folds, _live(()), len(folds))
        expected = max((part.spec["of"] for part in parts), default=0)
        return TrainingProgress(job.state, job.note, job.progress, rows_of(parts), _live((job, *helpers) if job.open else ()), expected)

    # -- reading

    def latest(self, limit: int = 100) -> list[Run]:
        """Runs of training, newest first. ``run.summary["partial"]``: it was cancelled."""
        with self._context.store.read() as unit:
            return unit.runs.latest(KIND, limit)

    def get(self, run_id: str) -> Run:
        return self._features.get(run_id, KIND)

    def request_of(self, run_id: str) -> TrainingRequest:
        """The request of a run, to run it again or to edit it."""
        return self.request_from(self.get(run_id).spec)

    def request_from(self, spec: Mapping[str, Any]) -> TrainingRequest:
        """The request of the spec of a run, or of a job that has none."""
        with self._context.store.read() as unit:
            datasets = [required(unit.datasets.get(version), "dataset", version[:8]).id for version in spec["datasets"]]
        start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
        return TrainingRequest(
            datasets, spec["timeframe"], start, end, spec["columns"], spec["learner"], spec["target"], spec["learner_params"], spec["target_params"], spec["scheme"], spec["scheme_params"], spec["strategy"],
            spec["strategy_params"], {name: spec[name] for name in RULES}, "", spec["fitting"], spec["seed"], spec["shuffle_labels"], spec["register"], [run["run"] for run in spec.get("regimes", ())],
        )  # fmt: skip

    def report(self, run_id: str) -> dict[str, Any]:
        """Verdict, trials, control, scores, baselines and crossed share, as in report.json, and parity; of a partial run nothing."""
        return dict(self.get(run_id).summary["report"])

    def table(self, run_id: str, name: str) -> pd.DataFrame:
        """``samples`` (sample instrument start end y r uniqueness), ``folds`` (fold sample part), ``predictions`` (fold path sample start end y …), ``scores`` (a row
        a fold, as ``TrainingProgress.folds``). A partial run has predictions and scores alone."""
        run = self.get(run_id)
        if name not in run.frames:
            raise BadRequest(f"run {run_id} has no table {name}; it has {', '.join(run.frames)}")
        return self._context.store.frames.get(run.frames[name])

    def model(self, run_id: str) -> dict[str, bytes]:
        """The files of ``model/``, ``manifest.json`` with them; a file whose hash is wrong is refused. For ``tidemark train --data``."""
        run = self.get(run_id)
        if run.summary["partial"]:
            raise BadRequest(f"run {run_id} is partial, so it has no model; resume it first")
        return {name: self._context.store.blobs.get(content, f"The file {name} of run {run_id}") for name, content in run.summary["model"].items()}

    def stale(self, run_id: str) -> str:
        """Why the run is older than what it was made of: newer data or other code; empty where it is not."""
        run = self.get(run_id)
        with self._context.store.read() as unit:
            stored = unit.datasets.all()
        used = {dataset.version: dataset for dataset in stored}
        gone = [version for version in run.spec["datasets"] if version not in used]
        newer = [
            dataset.instrument for version in run.spec["datasets"] if (dataset := used.get(version))
            if any((other.instrument, other.timeframe, other.side, other.synthetic) == (dataset.instrument, dataset.timeframe, dataset.side, dataset.synthetic) and other.last_ts > dataset.last_ts for other in stored)
        ]  # fmt: skip
        reasons = [
            *(["its data was deleted"] if gone else []), *([f"there are newer bars of {', '.join(newer)}"] if newer else []),
            *(["the program's code is another one by now"] if run.manifest["code"] != code_of(KIND) else []),
        ]  # fmt: skip
        return f"Stale: {'; '.join(reasons)}. Train again to see what holds now." if reasons else ""

    def partial(self, run_id: str) -> bool:
        return bool(self.get(run_id).summary["partial"])

    def download(self, run_id: str, name: str, form: str = "csv") -> bytes:
        """``name``: samples, folds, predictions, scores (``form`` csv or parquet), report (json)."""
        content = _json(self.report(run_id)) if name == "report" else file_of(self.table(run_id, name), form)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=name, form="json" if name == "report" else form)
        return content

    def delete(self, run_id: str) -> Run:
        """Remove the run; its audit events and trials stay, and models keep their own files and tables."""
        return self._backtests.delete(run_id)


def _choice(name: str, cls: Any) -> LearnerChoice:
    document = " ".join((cls.__doc__ or "").split())
    return LearnerChoice(name, f"{document.partition('. ')[0].rstrip('.')}.", tuple(cls.targets), params_of(cls), cls.sees != 1, name in BASELINES)


def _live(jobs: Sequence[Job]) -> pd.DataFrame:
    rows = [dict(fold=job.live["fold"], share=share, loss=loss, of="".join(of)) for job in jobs if job.live for share, loss, *of in job.live["points"]]
    return pd.DataFrame(rows, columns=["fold", "share", "loss", "of"])


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()


