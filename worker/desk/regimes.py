"""Regimes: asking for them, reading what they say of bars, and taking finished runs apart by them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.metrics import nanoseconds
from domain.analytics.regimes import UNKNOWN, entered, known_late
from domain.analytics.regimes import split as taken_apart
from domain.errors import BadRequest, TidemarkError, unknown
from domain.features import Around, parse
from domain.features.regimes import OBSERVED, RULES, Plan, RegimeModel, spells, standard
from domain.features.regimes import Regimes as Labelled
from domain.features.regimes.observed import WRITTEN
from domain.manifest import code_hash
from domain.params import Param, build, faults, params_of, values_of
from worker.desk.backtests import text_of
from worker.desk.features import FeatureQuestion, Features
from worker.desk.room import Room, Submitted, found, key_of
from worker.desk.thin import thinned
from worker.store import Dataset, Run

KIND = "regimes"
JOINED = "+"            # between the rules of a combination
MOST = 200              # runs of regimes that are looked through
PARTS = 10              # regimes that a run is taken apart by; rarer ones are taken together
RARER = "all others"
RULE_TITLES = {"volatility_regime": "Volatility", "trend_regime": "Trend", "session_regime": "Session"}
RULE_NAMES = {"volatility": "volatility_regime", "trend": "trend_regime", "session": "session_regime"}
PAIR = JOINED.join(("volatility_regime", "trend_regime"))
BANDS = 400             # rectangles behind a chart, at most


@dataclass(frozen=True)
class Choice:
    """What a run can be taken apart by. ``by``: the id of a finished run of regimes, or rules joined by ``+`` that a job must apply first."""

    by: str
    title: str
    instrument: str
    fitted: bool


@dataclass(frozen=True)
class Divided:
    """A run by regime. ``table``: ``regime, share, trades, net, equity`` and of the trades ``win_rate, r_mean, profit_factor``, of the equity ``max_drawdown, sharpe``.
    ``curves``: ``ts, regime, value``, for each regime the account had it moved in that regime alone, less what it began with. ``late``: ``regime, late,
    trades, net …``, had it been known so many bars later. ``pooled``: how many rare regimes stand together under one name."""

    table: pd.DataFrame
    curves: pd.DataFrame
    late: pd.DataFrame
    metrics: Mapping[str, Mapping[str, float | None]]
    pooled: int


class RegimeView:
    def __init__(self, room: Room) -> None:
        self._room, self._features = room, Features(room)

    # -- choices

    def plan(self) -> tuple[Param, ...]:
        """What is asked of a model that is fitted walking forward."""
        return params_of(Plan)

    def faults(self, plan: Mapping[str, Any], observed: Sequence[str] = ()) -> dict[str, str]:
        """Field, or text of a column, -> what is wrong with it."""
        wrong = faults(Plan, plan)
        for text in observed:
            try:
                _observed(text)
            except TidemarkError as refusal:
                wrong[text] = str(refusal)
        return wrong

    def refits(self, plan: Mapping[str, Any], question: FeatureQuestion) -> int:
        """About how many models will be fitted; 0 where the bars do not reach beyond the first window."""
        days = (question.end - question.start).total_seconds() / 86_400
        try:
            return build(Plan, plan).refits(self._features.bars_in(question), days)
        except BadRequest:
            return 0

    def observed(self) -> dict[str, str]:
        """Column that a model may look at, with its standard window -> what it is."""
        return {f"{name}({one.window})": one.about for name, one in OBSERVED.items()}

    def standard(self) -> list[str]:
        """The columns that a model looks at where none are chosen, on the bars of one instrument."""
        return list(standard(Around()))

    def rules(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Rule -> title, names of its regimes."""
        return {name: (RULE_TITLES.get(name, name), tuple(names.values())) for name, names in RULES.items()}

    # -- asking; the same question on the same code is the job that answered it

    def submit(self, question: FeatureQuestion, plan: Mapping[str, Any], observed: Sequence[str] = ()) -> Submitted:
        """Fit a model walking forward on the first of the datasets; the others are known beside it."""
        made = build(Plan, plan)
        wrong = self.faults({}, observed)
        if wrong:
            raise BadRequest("; ".join(wrong.values()))
        spec = self._features.spec(question, columns=False) | dict(plan=values_of(made), observed=[_observed(text) for text in observed])
        states = f"{made.states} states" if made.number else "states by BIC"
        return self._send(f"Regimes: {made.kind}, {states}", question, spec, "research")

    def submit_rules(self, question: FeatureQuestion, rules: Sequence[str]) -> Submitted:
        """Label bars by a rule, or by the pairings of several."""
        written = [_rule(text) for text in rules]
        if not written or len(set(written)) < len(written):
            raise BadRequest(f"rules of regimes are {', '.join(written) or 'none'}; choose one or more, each once")
        spec = self._features.spec(question, columns=False) | dict(rules=written)
        return self._send(self.title(JOINED.join(written)), question, spec, "interactive")

    def title(self, by: str) -> str:
        """How a job that labels by rules is called."""
        return f"Regimes by {' and '.join(_titled(text).lower() for text in by.split(JOINED))}"

    def _send(self, what: str, question: FeatureQuestion, spec: Mapping[str, Any], queue: str) -> Submitted:
        names, made_up = self._features._backtests._names(spec["datasets"][:1])
        beside = f" beside {len(spec['datasets']) - 1}" if len(spec["datasets"]) > 1 else ""
        return self._room.submit(KIND, f"{what} · {names} {question.timeframe}{beside}{made_up}", spec, queue=queue, key=key_of(KIND, spec))

    # -- reading

    def latest(self, limit: int = 100, bars: Sequence[str] = ()) -> list[Run]:
        """Newest first; with ``bars`` only those that tell of one of these versions of datasets."""
        with self._room.store.look() as unit:
            every = unit.runs.latest(KIND, limit)
        return [one for one in every if not bars or one.spec["datasets"][0] in bars]

    def get(self, run_id: str) -> Run:
        return self._features.get(run_id, KIND)

    def drawn(self, run_id: str, last: int = 0, budget: int = 700) -> tuple[pd.DataFrame, int]:
        """``row, ts, close`` and the probabilities of the ``last`` bars (0: all), thinned so that each keeps its extremes; and how many bars those are."""
        run = self.get(run_id)
        told = self._frame(run, "regimes").drop(columns=["end", "label"])
        frame = told.assign(row=range(len(told)), close=self._frame(run, "price")["close"].to_numpy()).tail(last or len(told)).reset_index(drop=True)
        columns = [name for name in frame if name.startswith("p_")]
        known = frame.dropna(subset=columns)
        kept = {*thinned(frame, ("close",), budget)["row"], *(thinned(known, columns, max(budget // len(columns), 60))["row"] if columns and len(known) else ())}
        return frame[frame["row"].isin(kept)].reset_index(drop=True), len(frame)

    def bands(self, run_id: str, last: int = 0, most: int = BANDS) -> tuple[pd.DataFrame, int]:
        """Stretches of one label among the ``last`` bars as ``first, last`` (rows) and ``regime``, and how many bars were taken together where they were too many."""
        run = self.get(run_id)
        labels = self._labels(run)
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
            content, rows = _written(frame, form), len(frame)
        with self._room.store.unit() as unit:
            unit.audit(self._room.user, "downloaded", f"run:{run_id}", what=what, form=form, rows=rows)
        return content

    def delete(self, run_id: str) -> Run:
        """Remove the run; its audit events stay."""
        return self._features.delete(run_id)

    # -- a finished backtest by regime

    def choices(self, run_id: str) -> list[Choice]:
        """What a run can be taken apart by: every rule on each of its series, and models that were fitted on the same bars."""
        series = self._series(self._run(run_id))
        offered = {name: title for name, (title, _) in self.rules().items()} | {PAIR: "Volatility and trend"}
        rules = [Choice(by, title, one.instrument, False) for one in series for by, title in offered.items()]
        made = [one for one in self.latest(MOST, [each.version for each in series]) if JOINED.join(one.spec.get("rules", [])) not in offered]
        return rules + [Choice(one.id, f"{_kind(one)} on {one.summary['timeframe']}", one.summary["instrument"], one.summary["kind"] != "rule") for one in made]

    def labelled_by(self, run_id: str, by: str, instrument: str = "") -> Run | None:
        """The finished run of regimes that ``by`` names: an id, or rules on the run's own bars where they have been applied."""
        if not is_rule(by):
            return self.get(by)
        spec = self._features.spec(self._question(run_id, instrument), columns=False) | dict(rules=_rules(by))
        return next((one for one in self.latest(MOST, spec["datasets"]) if dict(one.spec) == spec and one.manifest["code"] == code_hash()), None)

    def submit_for(self, run_id: str, by: str, instrument: str = "") -> Submitted:
        """Apply rules to all bars of the dataset that a run was made on, in its timeframe."""
        return self.submit_rules(self._question(run_id, instrument), _rules(by))

    def split(self, run_id: str, by: str, instrument: str = "") -> Divided:
        """A finished backtest by regime: see ``Divided``. Trades by the regime known when they were entered, equity by the one known when it changed."""
        run, told = self._run(run_id), self._told(run_id, by, instrument)
        trades, fills, equity = (self._frame(run, name) for name in ("trades", "fills", "equity"))
        regimes, pooled = _pooled(self._regimes(told), trades)
        found = taken_apart(trades, fills, equity, run.summary["balance"], regimes)
        figures = pd.DataFrame([{name: one[name] for name in ("win_rate", "expectancy_r", "profit_factor", "max_drawdown", "sharpe")} for one in found.metrics.values()], index=list(found.metrics))
        table = found.table.join(figures.astype(float), on="regime") if len(found.table) else found.table
        late = known_late(trades, regimes)
        return Divided(table, _curves(found.equity, run.summary["balance"]), late[late["regime"].isin(found.table["regime"])].reset_index(drop=True), found.metrics, pooled)

    def download_split(self, run_id: str, by: str, instrument: str = "") -> bytes:
        """``split``'s table as CSV."""
        table = self.split(run_id, by, instrument).table
        with self._room.store.unit() as unit:
            unit.audit(self._room.user, "downloaded", f"run:{run_id}", what=f"split by {by}", form="csv", rows=len(table))
        return text_of(table)

    def bands_of(self, run_id: str, by: str, instrument: str = "", most: int = BANDS) -> tuple[pd.DataFrame, int]:
        """Stretches of one regime over a run's time as ``start, end`` (times) and ``regime``, and how many bars were taken together where they were too many."""
        run, told = self._run(run_id), self._told(run_id, by, instrument)
        ts = self._frame(run, "equity", ["ts"])["ts"]
        labels = self._labels(told)
        ends = self._frame(told, "regimes", ["end"])["end"]
        inside = np.flatnonzero((ends >= ts.iloc[0]) & (ends <= ts.iloc[-1])) if len(ts) else np.zeros(0, np.int64)
        if not len(inside):
            return pd.DataFrame(columns=["start", "end", "regime"]), 1
        own = ends.iloc[inside[0] : inside[-1] + 1].reset_index(drop=True)
        table, size = spells(labels[inside[0] : inside[-1] + 1], most)
        following = np.minimum(table["last"].to_numpy() + 1, len(own) - 1)
        return pd.DataFrame(dict(start=own.iloc[table["first"]].to_numpy(), end=own.iloc[following].to_numpy(), regime=table["regime"])), size

    def names_of(self, run_id: str, by: str, instrument: str = "") -> list[str]:
        """The regimes that ``by`` tells apart."""
        return list(self._told(run_id, by, instrument).summary["names"])

    # -- parts

    def _told(self, run_id: str, by: str, instrument: str) -> Run:
        told = self.labelled_by(run_id, by, instrument)
        if told is None:
            raise BadRequest(f"the bars of run {run_id} have not been labelled by {by.replace(JOINED, ' and ')} yet; ask for it first")
        return told

    def _run(self, run_id: str) -> Run:
        with self._room.store.look() as unit:
            run = found(unit.runs.get(run_id), "run", run_id)
        if not {"trades", "fills", "equity"} <= set(run.frames):
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}, which has no trades to take apart; choose a backtest")
        return run

    def _series(self, run: Run) -> list[Dataset]:
        """The datasets it was made on that are still here."""
        with self._room.store.look() as unit:
            return [one for version in run.spec["datasets"] if (one := unit.datasets.get(version))]

    def _question(self, run_id: str, instrument: str) -> FeatureQuestion:
        """All bars of one of its datasets, in its timeframe: rules then have their warm-up behind them where the run begins."""
        run = self._run(run_id)
        series = self._series(run)
        one = next((each for each in series if each.instrument == instrument), None) if instrument else next(iter(series), None)
        if one is None:
            names = ", ".join(each.instrument for each in series)
            raise BadRequest(f"the bars of {instrument or 'run ' + run_id} are not here, so they cannot be labelled; {'of this run there are ' + names if names else 'import them again'}")
        return FeatureQuestion([one.id], run.spec["timeframe"], _midnight(one.first_ts), _midnight(one.last_ts) + timedelta(days=1))

    def _regimes(self, told: Run) -> Labelled:
        return Labelled(nanoseconds(self._frame(told, "regimes", ["end"])["end"]), self._labels(told))

    def _labels(self, told: Run) -> pd.Categorical:
        return pd.Categorical(self._frame(told, "regimes", ["label"])["label"], categories=told.summary["names"], ordered=True)

    def _frame(self, run: Run, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        return self._room.store.frames.get(run.frames[name], list(columns) or None)


def rules_of(by: str) -> str:
    """Rules as a person writes them, by their own names: ``volatility+trend`` or ``volatility_regime``.

    >>> rules_of("volatility+trend"), rules_of("a1b2")
    ('volatility_regime+trend_regime', 'a1b2')
    """
    return JOINED.join(RULE_NAMES.get(part.strip(), part.strip()) for part in by.split(JOINED))


def _rules(by: str) -> list[str]:
    return [_rule(text) for text in by.split(JOINED)]


def _rule(text: str) -> str:
    one = parse(text)
    if one.name not in RULES:
        raise unknown("rule of regimes", one.name, RULES)
    return one.column


def is_rule(by: str) -> bool:
    """Does it name rules, and not a run?"""
    return by.partition(JOINED)[0].partition("(")[0] in RULES


def _titled(text: str) -> str:
    return RULE_TITLES.get(text.partition("(")[0], text)


def _observed(text: str) -> str:
    """A column by its own name, or a sentence on what is wrong with it."""
    read = WRITTEN.fullmatch(text.strip())
    if read and read["name"] in OBSERVED:
        window = int(read["window"] or OBSERVED[read["name"]].window)
        if window < 2:
            raise BadRequest(f"{text} looks at {window} bars; it needs at least 2")
        return f"{read['name']}({window})"
    return parse(text).column


def _kind(run: Run) -> str:
    names = run.summary["names"]
    rules = " and ".join(_titled(text).lower() for text in run.spec.get("rules", []))
    word = {"hmm": "HMM", "mixture": "Mixture"}.get(run.summary["kind"], f"By {rules}")
    return f"{run.name or word}, {len(names)} {'regimes' if rules else 'states'}, run {run.id}"


def _midnight(ts: datetime) -> datetime:
    return ts.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _pooled(regimes: Labelled, trades: pd.DataFrame) -> tuple[Labelled, int]:
    """The same with all but the regimes of most trades, then most bars, under one name; and how many that are."""
    names = regimes.names
    if len(names) <= PARTS:
        return regimes, 0
    counted = pd.Series(entered(trades, regimes)).value_counts()
    bars = np.bincount(regimes.labels.codes[regimes.labels.codes >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda k: (-int(counted.get(names[k], 0)), -bars[k]))
    kept = sorted(order[: PARTS - 1])
    place = np.full(len(names) + 1, len(kept))
    place[kept], place[-1] = np.arange(len(kept)), -1
    codes = place[np.asarray(regimes.labels.codes, np.int64)]
    return Labelled(regimes.ends, pd.Categorical.from_codes(codes, categories=[*(names[k] for k in kept), RARER], ordered=True)), len(names) - len(kept)


def _curves(equity: pd.DataFrame, start: float, budget: int = 240) -> pd.DataFrame:
    """``ts, regime, value``: what each regime alone brought, thinned."""
    parts = []
    for name in equity.columns.drop("ts"):
        shown = thinned(pd.DataFrame(dict(ts=equity["ts"], value=equity[name] - start)), ("value",), budget)
        parts.append(shown.assign(regime=name))
    return pd.concat(parts, ignore_index=True)[["ts", "regime", "value"]] if parts else pd.DataFrame(columns=["ts", "regime", "value"])


def _written(frame: pd.DataFrame, form: str) -> bytes:
    if form == "parquet":
        sink = io.BytesIO()
        frame.to_parquet(sink, index=False, compression="zstd")
        return sink.getvalue()
    return text_of(frame)


__all__ = ["RARER", "UNKNOWN", "Choice", "Divided", "RegimeView"]
