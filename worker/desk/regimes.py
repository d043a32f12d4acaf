"""Regimes: submission of fits and rules, and their results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from domain.errors import BadRequest, TidemarkError, listed, unknown
from domain.features import Context, Use, parse
from domain.features.regimes import OBSERVATIONS, REGIME_RULES, FitConfig, RegimeModel, spells, standard
from domain.features.regimes.inputs import WRITTEN
from domain.params import Param, build, faults, params_of, values_of
from worker.desk.context import DeskContext, Submitted, key_of
from worker.desk.export import file_of
from worker.desk.features import FeatureRequest, Features
from worker.desk.thin import thinned
from worker.store import Run

KIND = "regimes"
JOINED = "+"            # between the rules of a combination
MOST = 200              # regime runs that are searched
RULE_TITLES = {"volatility_regime": "Volatility", "trend_regime": "Trend", "session_regime": "Session"}
RULE_NAMES = {"volatility": "volatility_regime", "trend": "trend_regime", "session": "session_regime"}
PAIR = JOINED.join(("volatility_regime", "trend_regime"))
BANDS = 400             # rectangles behind a chart, at most


class RegimeView:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._features = context, Features(context)

    # -- choices

    def plan(self) -> tuple[Param, ...]:
        """Parameters of a walk-forward fit."""
        return params_of(FitConfig)

    def faults(self, plan: Mapping[str, Any], observed: Sequence[str] = ()) -> dict[str, str]:
        """Field, or text of a column -> error message."""
        wrong = faults(FitConfig, plan)
        for text in observed:
            try:
                _observed(text)
            except TidemarkError as refusal:
                wrong[text] = str(refusal)
        return wrong

    def refits(self, plan: Mapping[str, Any], request: FeatureRequest) -> int:
        """About how many models will be fitted; 0 where the bars do not reach beyond the first window."""
        days = (request.end - request.start).total_seconds() / 86_400
        try:
            return build(FitConfig, plan).refits(self._features.bars_in(request), days)
        except BadRequest:
            return 0

    def observed(self) -> dict[str, str]:
        """Column that a model may use as input, with its default window -> description."""
        return {f"{name}({observed_.window})": observed_.about for name, observed_ in OBSERVATIONS.items()}

    def standard(self) -> list[str]:
        """Default input columns of a model, on the bars of one instrument."""
        return list(standard(Context()))

    def rules(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Rule -> title, names of its regimes."""
        return {name: (RULE_TITLES.get(name, name), tuple(names.values())) for name, names in REGIME_RULES.items()}

    # -- submission; an identical request on the same code returns the existing job

    def submit(self, request: FeatureRequest, plan: Mapping[str, Any], observed: Sequence[str] = ()) -> Submitted:
        """Fit a model walking forward on the first of the datasets; the others are known beside it."""
        config = build(FitConfig, plan)
        wrong = self.faults({}, observed)
        if wrong:
            raise BadRequest("; ".join(wrong.values()))
        seen = [_observed(text) for text in observed]
        spec = self._features.spec(request, columns=False, more=features_in(seen)) | dict(plan=values_of(config), observed=seen)
        states = f"{config.states} states" if config.number else "states by BIC"
        return self._send(f"Regimes: {config.kind}, {states}", request, spec, "research")

    def submit_rules(self, request: FeatureRequest, rules: Sequence[str]) -> Submitted:
        """Label bars by a rule, or by the pairings of several."""
        written = [_rule(text) for text in rules]
        if not written or len(set(written)) < len(written):
            raise BadRequest(f"rules of regimes are {', '.join(written) or 'none'}; choose one or more, each once")
        spec = self._features.spec(request, columns=False) | dict(rules=written)
        return self._send(self.title(JOINED.join(written)), request, spec, "interactive")

    def title(self, by: str) -> str:
        """How a job that labels by rules is called."""
        return f"Regimes by {' and '.join(_titled(text).lower() for text in by.split(JOINED))}"

    def _send(self, what: str, request: FeatureRequest, spec: Mapping[str, Any], queue: str) -> Submitted:
        names, made_up = self._features._backtests._names(spec["datasets"][:1])
        beside = f" beside {len(spec['datasets']) - 1}" if len(spec["datasets"]) > 1 else ""
        return self._context.submit(KIND, f"{what} · {names} {request.timeframe}{beside}{made_up}", spec, queue=queue, key=key_of(KIND, spec))

    # -- reading

    def latest(self, limit: int = 100, bars: Sequence[str] = ()) -> list[Run]:
        """Newest first; with ``bars`` only runs that label one of these dataset versions."""
        with self._context.store.read() as unit:
            every = unit.runs.latest(KIND, limit)
        return [run for run in every if not bars or run.spec["datasets"][0] in bars]

    def covering(self, request: FeatureRequest) -> list[Run]:
        """Regime runs that label bars of a request, in its timeframe and at least part of its span, newest first."""
        with self._context.store.read() as unit:
            versions = [dataset.version for name in request.datasets if (dataset := unit.datasets.get(name))]
        return [run for run in self.latest(MOST) if not mismatch(run, request, versions)]

    def chosen(self, request: FeatureRequest, runs: Sequence[str]) -> list[Run]:
        """Regime runs (ids) on the bars of a request, one an instrument, in the order of its datasets; BadRequest where one does not fit."""
        with self._context.store.read() as unit:
            versions = [dataset.version for name in request.datasets if (dataset := unit.datasets.get(name))]
        chosen = {run.spec["datasets"][0]: run for run in map(self.get, runs)}
        for run in chosen.values():
            if reason := mismatch(run, request, versions):
                raise BadRequest(f"{reason}; choose a run that fits, or fit regimes on these bars first")
        if len(chosen) < len(set(runs)):
            raise BadRequest(f"{listed(runs)} are several runs of regimes on the same bars; choose one for each instrument")
        return [chosen[version] for version in versions if version in chosen]

    def get(self, run_id: str) -> Run:
        return self._features.get(run_id, KIND)

    def drawn(self, run_id: str, last: int = 0, budget: int = 700) -> tuple[pd.DataFrame, int]:
        """``row, ts, close`` and the probabilities of the ``last`` bars (0: all), thinned so that each keeps its extremes; and how many bars those are."""
        run = self.get(run_id)
        regimes = self._frame(run, "regimes").drop(columns=["end", "label"])
        frame = regimes.assign(row=range(len(regimes)), close=self._frame(run, "price")["close"].to_numpy()).tail(last or len(regimes)).reset_index(drop=True)
        columns = [name for name in frame if name.startswith("p_")]
        rows = frame.dropna(subset=columns)
        numbers = {*thinned(frame, ("close",), budget)["row"], *(thinned(rows, columns, max(budget // len(columns), 60))["row"] if columns and len(rows) else ())}
        return frame[frame["row"].isin(numbers)].reset_index(drop=True), len(frame)

    def labels(self, run: Run) -> pd.Categorical:
        """One label a bar, in the order of the bars."""
        return pd.Categorical(self._frame(run, "regimes", ["label"])["label"], categories=run.summary["names"], ordered=True)

    def bands(self, run_id: str, last: int = 0, most: int = BANDS) -> tuple[pd.DataFrame, int]:
        """Stretches of one label among the ``last`` bars as ``first, last`` (rows) and ``regime``, and how many bars were merged where there were too many."""
        run = self.get(run_id)
        labels = self.labels(run)
        start = max(len(labels) - last, 0) if last else 0
        table, size = spells(labels[start:], most)
        return table.assign(first=table["first"] + start, last=table["last"] + start), size

    def fits(self, run_id: str) -> pd.DataFrame:
        """One row a model: what it was trained and used on, and how it agrees with the one before. Empty for rules."""
        run = self.get(run_id)
        return self._frame(run, "refits") if "refits" in run.frames else pd.DataFrame()

    def model(self, run_id: str) -> RegimeModel:
        """The last model of a run."""
        run = self.get(run_id)
        if "model" not in run.summary:
            raise BadRequest(f"run {run_id} labels by rules and fitted no model")
        return RegimeModel.from_json(json.dumps(run.summary["model"]))

    def download(self, run_id: str, what: str, form: str) -> bytes:
        """``what``: regimes, refits or model; ``form``: csv, parquet, or json for the model."""
        if what == "model":
            content, rows = self.model(run_id).to_json().encode(), 1
        else:
            run = self.get(run_id)
            if what not in ("regimes", "refits") or what not in run.frames:
                raise unknown("table of regimes", what, [name for name in run.frames if name != "price"] + ["model"])
            frame = self._frame(run, what)
            content, rows = file_of(frame, form), len(frame)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=what, form=form, rows=rows)
        return content

    def delete(self, run_id: str) -> Run:
        """Remove the run; its audit events stay."""
        return self._features.delete(run_id)

    # -- parts

    def _frame(self, run: Run, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        return self._context.store.frames.get(run.frames[name], list(columns) or None)


def mismatch(run: Run, request: FeatureRequest, versions: Sequence[str]) -> str:
    """Why a regime run does not label the bars of a request, whose datasets have these versions; empty where it does."""
    first, last = (datetime.fromisoformat(edge) for edge in run.summary["edges"])
    if run.spec["datasets"][0] not in versions:
        return f"run {run.id} labels other bars of {run.summary['instrument']} than those of the request"
    if run.summary["timeframe"] != request.timeframe:
        return f"run {run.id} labels {run.summary['timeframe']} bars, and {request.timeframe} bars are requested"
    if last < request.start or first >= request.end:
        return f"run {run.id} labels bars from {first:%Y-%m-%d} to {last:%Y-%m-%d}, and {request.start:%Y-%m-%d} to {request.end:%Y-%m-%d} is requested"
    return ""


def walked_by(run: Run) -> dict[str, Any]:
    """How a run's models were fitted, in bars, what they look at and the first bar: what walks the same regimes on later bars."""
    if run.summary["kind"] == "rule":
        raise BadRequest(f"run {run.id} is by rules, which are features: name {' and '.join(run.spec['rules'])} among the columns, or take a run of a fitted model")
    how = {name: run.summary[name] for name in ("train", "step", "observed")}
    return run.spec["plan"] | how | dict(unit="bars", first=run.summary["edges"][0])


def rules_of(by: str) -> str:
    """Rules as written by a user, by their registered names: ``volatility+trend`` or ``volatility_regime``.

    >>> rules_of("volatility+trend"), rules_of("a1b2")
    ('volatility_regime+trend_regime', 'a1b2')
    """
    return JOINED.join(RULE_NAMES.get(part.strip(), part.strip()) for part in by.split(JOINED))


def written_rules(by: str) -> list[str]:
    return [_rule(text) for text in by.split(JOINED)]


def _rule(text: str) -> str:
    use = parse(text)
    if use.name not in REGIME_RULES:
        raise unknown("rule of regimes", use.name, REGIME_RULES)
    return use.column


def is_rule(by: str) -> bool:
    """Does it name rules, and not a run?"""
    return by.partition(JOINED)[0].partition("(")[0] in REGIME_RULES


def _titled(text: str) -> str:
    return RULE_TITLES.get(text.partition("(")[0], text)


def _observed(text: str) -> str:
    """The canonical name of an input column; raises ``BadRequest`` where it is not valid."""
    read = WRITTEN.fullmatch(text.strip())
    if read and read["name"] in OBSERVATIONS:
        window = int(read["window"] or OBSERVATIONS[read["name"]].window)
        if window < 2:
            raise BadRequest(f"{text} uses {window} bars; it needs at least 2")
        return f"{read['name']}({window})"
    return parse(text).column


def features_in(observed: Sequence[str]) -> list[Use]:
    """The features among a model's input columns."""
    return [parse(text) for text in observed if not ((read := WRITTEN.fullmatch(text)) and read["name"] in OBSERVATIONS)]


def kind_of(run: Run) -> str:
    names = run.summary["names"]
    rules = " and ".join(_titled(text).lower() for text in run.spec.get("rules", []))
    word = {"hmm": "HMM", "mixture": "Mixture"}.get(run.summary["kind"], f"By {rules}")
    return f"{run.name or word}, {len(names)} {'regimes' if rules else 'states'}, run {run.id}"


