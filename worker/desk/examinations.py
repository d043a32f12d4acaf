"""Feature analyses: options, submission and results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from domain.errors import BadRequest, TidemarkError, listed
from domain.features.regimes import RegimeModel
from domain.laboratory import Ahead, Likeness, StudyConfig, Thresholds
from domain.params import Param, build, params_of, values_of
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext, Submitted
from worker.desk.export import file_of
from worker.desk.features import FeatureRequest, Features, Recipe
from worker.desk.regimes import RegimeView, features_in, kind_of
from worker.desk.thin import thinned
from worker.store import Run
from worker.store.tries import tried_on, tries_of

FORMS: Mapping[str, type] = {"target": Ahead, "plan": StudyConfig, "rules": Thresholds, "likeness": Likeness}
TABLES = {      # of an examination, what each table is called
    "summary": "Ranking", "information": "Information", "quantiles": "Quantiles", "monotonicity": "Monotonicity", "outcomes": "Distribution by quantile", "decay": "Decay over horizons",
    "rolling": "Rolling windows", "periods": "Years, sessions, regimes", "redundancy": "Clusters and inflation", "correlation": "Correlations", "proposal": "Proposal", "drift": "Drift", "drift_history": "Drift by month",
}  # fmt: skip
MOMENTS = {"matches": "Matches", "paths": "Price paths", "followed": "Forward returns", "distribution": "Distribution"}     # of a search for similar bars
SURE = 1.96         # standard errors, of a 95 % interval
MOST_ALIKE = 48     # features in a picture of all pairs
OF_TIME = 900       # rows of a series that are drawn


class Examinations:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._features, self._backtests, self._view = context, Features(context), Backtests(context), RegimeView(context)

    # -- choices

    def forms(self) -> dict[str, tuple[Param, ...]]:
        """Parameters of ``target``, ``plan``, ``rules`` and ``likeness``, to draw a form of each."""
        return {name: params_of(cls) for name, cls in FORMS.items()}

    def tables(self, kind: str = "examine") -> dict[str, str]:
        """Table -> what it is called."""
        return dict(TABLES if kind == "examine" else MOMENTS)

    def regimes(self, request: FeatureRequest) -> dict[str, str]:
        """Regime run by which stability can be analysed -> its title; newest first."""
        return {run.id: f"{run.summary['instrument']}: {kind_of(run)}" for run in self._view.covering(request)}

    def tried(self, datasets: Sequence[str]) -> int:
        """Number of feature tests so far on these datasets (ids); a feature on a timeframe and span against a target is one."""
        with self._context.store.read() as unit:
            return len(tried_on(unit, [dataset.version for name in datasets if (dataset := unit.datasets.get(name))]))

    # -- submission; an identical request on the same code returns the existing job

    def submit_examination(
        self, request: FeatureRequest, target: Mapping[str, Any] | None = None, strategy: str = "", params: Mapping[str, Any] | None = None, plan: Mapping[str, Any] | None = None, rules: Mapping[str, Any] | None = None,
        regimes: Sequence[str] = (), model: RegimeModel | None = None, example: bool = False,
    ) -> Submitted:  # fmt: skip
        """Analyse how well the columns predict a target. ``target``, ``plan``, ``rules``: changed values of Ahead, StudyConfig, Rules. Trades are those of ``strategy`` with
        ``params`` on the same bars, by the rules of config.toml that a backtest's form begins with. Stability is analysed by ``regimes`` too: runs of
        regimes (ids, one an instrument), or else a fitted ``model`` that is filtered along all of the bars."""
        spec = self._features.spec(request, more=features_in(model.columns) if model else ())
        spec |= dict(target=self._target(request, build(Ahead, target or {}), strategy, params or {}), plan=values_of(build(StudyConfig, plan or {})), rules=values_of(build(Thresholds, rules or {})))
        spec |= self._regimes(request, regimes, model)
        spec["plan"]["tried"] = max(spec["plan"]["tried"], self._tried_with(spec))      # so after more tests it is another request
        against = strategy if spec["target"]["target"] == "trades" else f"{spec['target']['horizon']:,} bars ahead"
        return self._features.submit("examine", f"{self._features.title_of(spec['columns'])} against {against}", request, spec, example)

    def submit_similar(self, request: FeatureRequest, at: datetime | None = None, instrument: str = "", likeness: Mapping[str, Any] | None = None) -> Submitted:
        """Bars similar to the bar of ``instrument`` (default: the first) at ``at`` (default: the last) by the request's columns. ``likeness``: changed values of Likeness."""
        spec = self._features.spec(request)
        spec |= dict(at=at.isoformat() if at else "", instrument=instrument, likeness=values_of(build(Likeness, likeness or {})))
        when = f"{at:%Y-%m-%d %H:%M}" if at else "the last bar"
        return self._features.submit("similar", f"Like {when}", request, spec)

    def _tried_with(self, spec: Mapping[str, Any]) -> int:
        """Tests on these bars, including those of this request."""
        with self._context.store.read() as unit:
            return len(tried_on(unit, spec["datasets"]) | tries_of(spec["columns"], spec))

    def _regimes(self, request: FeatureRequest, regimes: Sequence[str], model: RegimeModel | None) -> dict[str, Any]:
        """The regimes of a spec; empty where none are chosen. A run is given with the hash of its labels, so that the job uses exactly these."""
        if model is not None:
            if regimes:
                raise BadRequest("give either runs of regimes or a regime model")
            return dict(regime_model=json.loads(model.to_json()))
        runs = [dict(instrument=labelled.summary["instrument"], run=labelled.id, frame=labelled.frames["regimes"]) for labelled in self._view.chosen(request, regimes)]
        return dict(regimes=runs) if runs else {}

    def _target(self, request: FeatureRequest, ahead: Ahead, strategy: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The target of a spec, without unused values."""
        if ahead.target == "forward":
            return values_of(ahead)
        if not strategy:
            raise BadRequest("no strategy is chosen whose trades are the target; choose one, or take the return over the next bars")
        start = self._backtests.form_start()
        rules = {name: start[name] for name in ("account", "costs", "sizing")}      # a share of a large account, which ends no trade for want of money
        spec = self._backtests.spec(BacktestRequest(strategy, params, request.datasets, request.timeframe, request.start, request.end, rules))
        return dict(target="trades", **{name: value for name, value in spec.items() if name not in ("datasets", "timeframe", "start", "end")})

    def faults(self, form: str, values: Mapping[str, Any]) -> str:
        """The error message for the values of a form, empty where they are valid."""
        try:
            build(FORMS[form], values)
        except TidemarkError as refusal:
            return str(refusal)
        return ""

    # -- reading

    def latest(self, kind: str = "examine", limit: int = 100) -> list[Run]:
        """Newest first; ``kind``: examine or similar."""
        return self._features.latest(kind, limit)

    def get(self, run_id: str) -> Run:
        run = self._features.get(run_id)
        if run.kind not in ("examine", "similar"):
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}; choose a feature analysis")
        return run

    def table(self, run_id: str, name: str, feature: str = "") -> pd.DataFrame:
        """A table of the run, or its rows of one feature."""
        run = self.get(run_id)
        if name not in run.frames:
            raise BadRequest(f"run {run_id} has no table {name}; it has {listed(run.frames)}")
        frame = self._context.store.frames.get(run.frames[name])
        return frame[frame["feature"] == feature].reset_index(drop=True) if feature else frame

    def ranking(self, run_id: str) -> pd.DataFrame:
        """The summary, from the most to the least predictive feature: the order in which they are proposed."""
        frame = self.table(run_id, "summary")
        return frame.assign(size=-frame["ic"].abs()).sort_values(["q", "p", "size", "information_q"], na_position="last", kind="stable", ignore_index=True).drop(columns="size")

    def decay(self, run_id: str, feature: str) -> pd.DataFrame:
        """``horizon, count, ic, low, high, p, q`` of a feature, with the 95 % interval of each ic; empty for trades, which have no horizon."""
        return _with_interval(self.table(run_id, "decay", feature))

    def rolling(self, run_id: str, feature: str) -> pd.DataFrame:
        """``ts, count, ic, low, high`` of a feature's windows, thinned so that they keep their extremes."""
        rows = _with_interval(self.table(run_id, "rolling", feature)).dropna(subset=["ic"]).reset_index(drop=True)
        return thinned(rows, ("ic",), OF_TIME) if len(rows) else rows

    def periods(self, run_id: str, feature: str) -> pd.DataFrame:
        """``label, group, count, ic, low, high, p, q`` of a feature: by year, session, regime."""
        return _with_interval(self.table(run_id, "periods", feature))

    def alike(self, run_id: str, most: int = MOST_ALIKE) -> pd.DataFrame:
        """``first, second, rho`` of all pairs of the most predictive features, limited in number and without missing values, ordered so that similar ones are adjacent."""
        ranking = self.ranking(run_id)
        names = set(ranking.loc[ranking["count"] > 0, "feature"].head(most))
        place = self.table(run_id, "redundancy").set_index("feature")["place"]
        pairs = self.table(run_id, "correlation")
        pairs = pairs[pairs["first"].isin(names) & pairs["second"].isin(names)]
        return pairs.assign(a=pairs["first"].map(place), b=pairs["second"].map(place)).sort_values(["a", "b"], ignore_index=True)[["first", "second", "rho"]]

    def paths(self, run_id: str, most: int = 0) -> pd.DataFrame:
        """``rank, step, value``: log price against the close of each match, rank 0 the chosen bar; of the nearest ``most``, where given."""
        frame = self.table(run_id, "paths")
        return frame[frame["rank"] <= most].reset_index(drop=True) if most else frame

    def fan(self, run_id: str) -> pd.DataFrame:
        """``step, q05, q25, median, q75, q95`` over the paths of all matches, and ``now``, the path to the chosen bar, NaN after it."""
        paths = self.table(run_id, "paths")
        matches, now = paths[paths["rank"] > 0], paths[paths["rank"] == 0].set_index("step")["value"]
        table = matches.groupby("step")["value"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
        table.columns = pd.Index(["q05", "q25", "median", "q75", "q95"])
        return thinned(table.assign(now=now.reindex(table.index)).reset_index(), ("median",), OF_TIME)

    # -- acting on it

    def save_proposal(self, run_id: str, name: str) -> Recipe:
        """Save the proposed columns as a feature set."""
        run = self.get(run_id)
        proposed = run.summary.get("proposed", [])
        if not proposed:
            raise BadRequest(f"run {run_id} proposes no feature, so there is nothing to save")
        return self._features.save_recipe(name, proposed, f"Proposed by run {run_id}: {run.title}")

    def download(self, run_id: str, what: str, form: str = "csv") -> bytes:
        """A table of the run as CSV or Parquet."""
        frame = self.table(run_id, what)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=what, form=form, rows=len(frame))
        return file_of(frame, form)

    def delete(self, run_id: str) -> Run:
        """Delete the run; its tests stay counted, its audit events stay."""
        self.get(run_id)
        return self._features.delete(run_id)


def _with_interval(frame: pd.DataFrame) -> pd.DataFrame:
    """``low`` and ``high`` beside ``ic``: its standard error is |ic ÷ t|. A table without rows may lack the columns; it gets them."""
    frame = frame.reindex(columns=list(dict.fromkeys([*frame.columns, "ic", "t"])))
    reach = SURE * (frame["ic"] / frame["t"].where(frame["t"] != 0)).abs()
    return frame.assign(low=frame["ic"] - reach, high=frame["ic"] + reach)
