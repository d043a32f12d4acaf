"""Sweeps, walk-forwards, stress tests and searches: options, submission and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import METRICS, Overfitting, cscv, pbo
from domain.errors import BadRequest
from domain.market import Instrument, instrument
from domain.optimise import OBJECTIVES, SAMPLERS, Grid, Objective, Search, Windows, combinations, compared, dimensions, feasible, heat
from domain.optimise.grid import each_combination, rules_at, swept
from domain.optimise.objective import ranked_by
from domain.optimise.search import Dimension
from domain.params import Param, build, params_of, values_of
from domain.strategies.base import reads_forecasts
from domain.trading.cost_units import in_pips, space_in_pips, without_unit
from domain.trading.costs import Costs
from worker.desk.backtests import RULES, BacktestRequest, Backtests
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.desk.luck import Luck, days_a_year_of, of_best, of_search
from worker.desk.strategies import meant, title_of
from worker.desk.sweep_progress import SweepProgress, progress_of
from worker.desk.thin import thin
from worker.store import Run
from worker.store.chunks import PACE

KINDS = {"sweep": "Grid search", "walk_forward": "Walk-forward", "stress": "Stress test", "optimise": "Bayesian search"}
SECONDS_A_BAR, SECONDS_A_POINT = 1.5e-7, 8e-3       # of one combination, about, on one core: with each bar, and however many there are


@dataclass(frozen=True)
class Size:
    """Size of a grid: valid ``combinations``, those ``refused`` with their message, and the estimated ``seconds`` on one core."""

    combinations: int
    refused: Mapping[str, int]
    seconds: float


class Sweeps:
    def __init__(self, context: DeskContext) -> None:
        self._context = context
        self._backtests = Backtests(context)

    # -- choices

    def choices(self, strategy: str) -> dict[str, Param]:
        """What may be swept: the strategy's own parameters, then those of the rules as ``costs.slippage``, each with type, bounds and unit."""
        return swept(meant(self._context, strategy, {})[0])

    def objectives(self) -> dict[str, str]:
        """Word -> definition of what a best one is chosen by."""
        return {word: METRICS[figure].definition for word, figure in OBJECTIVES.items()}

    def samplers(self) -> tuple[str, ...]:
        return SAMPLERS

    def forms(self) -> dict[str, tuple[Param, ...]]:
        """Parameters of ``windows``, ``objective`` and ``search``, to draw a form of each."""
        return {"windows": params_of(Windows), "objective": params_of(Objective), "search": params_of(Search)}

    def size(self, request: BacktestRequest, grid: Grid) -> Size:
        """Size of a grid: combinations, refused ones, estimated seconds; raises ``BadRequest`` for an invalid grid."""
        request = self._backtests.meant(request)
        points, refused = self._points(request, grid)
        return Size(len(points), refused, round(len(points) * self._seconds(request), 1))

    def _seconds(self, request: BacktestRequest) -> float:
        """Of one combination on one core: as measured in this workspace's last sweep of the strategy on about as many bars, else by rule of thumb."""
        bars = self._backtests.bars_in(request)
        with self._context.store.read() as unit:
            seen = (unit.fact(PACE) or {}).get(request.strategy)
        if not seen:
            return SECONDS_A_POINT + SECONDS_A_BAR * bars
        return seen["seconds"] * (SECONDS_A_POINT + SECONDS_A_BAR * bars) / (SECONDS_A_POINT + SECONDS_A_BAR * seen["bars"])

    # -- submission; every request is validated, and an identical request on the same code returns the existing job

    def submit_sweep(self, request: BacktestRequest, grid: Grid) -> Submitted:
        """Every combination of ``grid``: parameter -> values (``domain.optimise.between`` makes them from a range), or a list of combinations."""
        request = self._backtests.meant(request)
        return self._submit("sweep", request, self._spec(request, grid))

    def submit_walk_forward(self, request: BacktestRequest, grid: Grid, windows: Mapping[str, Any] | None = None, objective: Mapping[str, Any] | None = None) -> Submitted:
        """Fit ``grid`` on moving windows, trade each choice in the window after. ``windows``, ``objective``: changed values of Windows and Objective."""
        how = dict(windows=values_of(build(Windows, windows or {})), objective=values_of(build(Objective, objective or {})))
        _fits(request, how["windows"])
        request = self._backtests.meant(request)
        return self._submit("walk_forward", request, self._spec(request, grid) | how)

    def submit_stress(self, request: BacktestRequest, scenarios: Sequence[str] = ()) -> Submitted:
        """One backtest under higher costs, delayed fills and other intrabar orders; all scenarios where none is named."""
        request = self._backtests.meant(request)
        return self._submit("stress", request, self._backtests.spec(request) | dict(scenarios=list(scenarios)))

    def submit_optimise(self, request: BacktestRequest, space: Mapping[str, Any], search: Mapping[str, Any] | None = None) -> Submitted:
        """Search ``space``: parameter -> [low, high], [low, high, step], {low, high, step, log} or {choices}. ``search``: changed values of Search."""
        request = self._backtests.meant(request)
        searched = dimensions(request.strategy, space)
        how = dict(space=dict(space), search=values_of(build(Search, search or {})))
        corners = [{param.name: param.choices[edge] if param.choices else (param.low, param.high)[edge] for param in searched} for edge in (0, -1)]
        return self._submit("optimise", request, self._backtests.spec(self._standing(request, corners)) | how)

    def _submit(self, kind: str, request: BacktestRequest, spec: Mapping[str, Any]) -> Submitted:
        if "signals" in spec:
            raise BadRequest(f"a {_word(kind)} runs a strategy again, and {spec['signals']['name']} is a table of signals; backtest it under other costs instead")
        if request.model and not reads_forecasts(request.strategy):
            raise BadRequest(f"a model filters the signals of one set of parameters in a single backtest; leave {request.model} out of a {_word(kind)}")
        names, made_up = self._backtests._names(spec["datasets"])
        title = f"{KINDS[kind]}: {title_of(request.strategy, request.params)} · {names} {request.timeframe}{made_up}"
        return self._context.submit(kind, title, spec, queue="research", key=key_of(kind, spec))

    def _spec(self, request: BacktestRequest, grid: Grid) -> dict[str, Any]:
        """The spec of a grid. Of a mapping, no more combinations are built than it takes to meet the first that is feasible; of a list, all."""
        first = self._first(request, grid)
        if isinstance(grid, Mapping):
            return self._backtests.spec(self._standing(request, first)) | dict(grid={name: list(values) for name, values in grid.items()})
        points, _ = self._points(request, grid)
        return self._backtests.spec(self._standing(request, first)) | dict(grid=points)

    def _first(self, request: BacktestRequest, grid: Grid) -> list[dict[str, Any]]:
        sections, sentence = self._sections(request), "it is empty"
        for point in each_combination(request.strategy, grid):
            possible, refused = feasible(request.strategy, request.params, [point], sections)
            if possible:
                return possible
            sentence = next(iter(refused)) if sentence == "it is empty" else sentence
        raise BadRequest(f"no combination of the grid makes a strategy: {sentence}")

    def _points(self, request: BacktestRequest, grid: Grid) -> tuple[list[dict[str, Any]], dict[str, int]]:
        return feasible(request.strategy, request.params, combinations(request.strategy, grid), self._sections(request))

    def _sections(self, request: BacktestRequest) -> dict[str, dict[str, Any]]:
        """The values of the rules' sections, as they stand before anything is varied; costs, of which each value is valid alone, are left out."""
        return {name: {**values_of(section), **request.rules.get(name, {})} for name, section in self._backtests.rules().items() if name != "costs"}

    def _standing(self, request: BacktestRequest, points: Sequence[Mapping[str, Any]]) -> BacktestRequest:
        """The request as it is; where that is not valid, because something varied was left at its default, with that of the first of ``points`` that is."""
        sections = self._sections(request)
        for point in ({}, *points):
            at = {key: value for key, value in point.items() if key.partition(".")[0] in sections or "." not in key}
            there = {key: value for name, values in sections.items() for key, value in {f"{name}.{own}": value for own, value in values.items()}.items()}
            if feasible(request.strategy, request.params, [there | at], sections)[0]:
                return _changed(request, at)
        return request

    # -- while it runs

    def progress(self, job_id: str) -> SweepProgress:
        """How far an open job is, and the best so far, by whichever worker."""
        with self._context.store.read() as unit:
            return progress_of(required(unit.jobs.get(job_id), "job", job_id), unit.chunks.all(job_id))

    # -- reading

    def latest(self, kind: str = "", limit: int = 100) -> list[Run]:
        """Newest first; ``kind``: sweep, walk_forward, stress, optimise, or empty for all four."""
        with self._context.store.read() as unit:
            if kind:
                return unit.runs.latest(kind, limit)
            return sorted((run for name in KINDS for run in unit.runs.latest(name, limit)), key=lambda run: run.created_at, reverse=True)[:limit]

    def get(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
        if run.kind not in KINDS:
            raise BadRequest(f"run {run_id} is a {run.kind}; choose a grid search, walk-forward, stress test or Bayesian search")
        return run

    def find(self, run_id: str) -> Run | None:
        """By its id, however old; None if there is none."""
        with self._context.store.read() as unit:
            run = unit.runs.get(run_id)
        return run if run and run.kind in KINDS else None

    def table(self, run_id: str, by: str = "number", most: int = 0) -> pd.DataFrame:
        """Of a sweep or search a row a combination, of a walk-forward a row a fit, of a stress test a row a scenario.

        Sorted by the column ``by``, figures downwards, an unknown one refused; ``most``: that many rows. Figures are those of ``Backtests.metrics``,
        NaN where a combination has none; ``sharpe_daily`` is not annualised.
        """
        run = self.get(run_id)
        table = self._frame(run, "fits" if run.kind == "walk_forward" else "table")
        if by != "number":      # which a stress test has not, and needs not
            table = table.sort_values(ranked_by(by, table.columns), ascending=by not in METRICS, kind="stable", na_position="last", ignore_index=True)
        return table.head(most) if most else table

    def axes(self, run_id: str) -> dict[str, list[Any]]:
        """Swept parameter -> its values, of a sweep or walk-forward."""
        return dict(self.get(run_id).summary.get("grid", {}))

    def heat(self, run_id: str, x: str, y: str, figure: str = "sharpe", at: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """``x, y, value, plateau, points`` of a sweep over two of its parameters; ``at`` holds others at a value.

        ``value`` is the median of the figure over the combinations of a cell; ``plateau`` the mean of the cell and its
        neighbours less their standard deviation.
        """
        return heat(self.table(run_id), x, y, figure, at)

    def matrix(self, run_id: str) -> tuple[np.ndarray, list[str]]:
        """Profit or loss of every day and combination of a sweep, days × combinations, share of the start balance, float32; and the days."""
        frame = self._frame(self.get(run_id), "matrix").drop(columns="number")
        return np.ascontiguousarray(frame.to_numpy(np.float32).T), list(frame.columns)

    def pbo(self, run_id: str, blocks: int = 16) -> Overfitting | None:
        """Probability of backtest overfitting of a sweep; None with under two combinations that traded or too few days."""
        summary = self.get(run_id).summary
        if blocks == 16 and "overfitting" in summary:
            return Overfitting(**summary["overfitting"]) if summary["overfitting"] else None
        moved = self._moved(run_id)
        return pbo(moved, blocks) if moved.shape[1] > 1 and moved.shape[0] >= 4 * blocks else None

    def splits(self, run_id: str, blocks: int = 16) -> pd.DataFrame:
        """What the probability of overfitting is counted from: a row for each way to halve time."""
        return cscv(self._moved(run_id), blocks)

    def folds(self, run_id: str) -> pd.DataFrame:
        """Of a walk-forward, a row a fold: its windows, the chosen parameters, and net in and out of sample; empty where nothing qualified.
        Beside them ``in_sample_yearly, out_of_sample_yearly, kept`` as ``domain.optimise.compared`` has them."""
        folds = self._frame(self.get(run_id), "folds")
        return folds.join(compared(folds))

    def equity(self, run_id: str, budget: int = 1_400) -> pd.DataFrame:
        """``ts, equity, fold`` of a walk-forward's tests, one after the other; ``ts, equity, scenario`` of a stress test."""
        run = self.get(run_id)
        if run.kind == "stress":
            return self._frame(run, "curves")
        return thin(self._frame(run, "equity")[["ts", "equity", "fold"]], "equity", budget).reset_index(drop=True)

    def trades(self, run_id: str) -> pd.DataFrame:
        """Of a walk-forward's tests."""
        return self._frame(self.get(run_id), "trades")

    def trials(self, run_id: str) -> int:
        """How many distinct trials there ever were on this run's data with its strategy, deleted ones included."""
        run = self._any(run_id)
        with self._context.store.read() as unit:
            return unit.trials.count(run.spec["datasets"], run.spec["strategy"])

    def sharpes(self, run_id: str) -> list[float]:
        """Daily Sharpe ratios of those trials, where known: their variance is what deflates the best one's."""
        run = self._any(run_id)
        with self._context.store.read() as unit:
            return unit.trials.sharpes(run.spec["datasets"], run.spec["strategy"])

    def spec_in_pips(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The spec as a form shows it: costs, and varied cost values, in pips, also where they were stored in price units."""
        traded = self._instruments(spec)
        parts = {name: space_in_pips(spec[name], spec["costs"], [instrument_.pip for instrument_ in traded]) for name in ("grid", "space") if isinstance(spec.get(name), Mapping)}
        return {**spec, **parts, "costs": in_pips(spec["costs"], traded)}

    def _instruments(self, spec: Mapping[str, Any]) -> list[Instrument]:
        with self._context.store.read() as unit:
            datasets = [unit.datasets.get(version) for version in spec["datasets"]]
        return [instrument(dataset.instrument, self._context.instruments_file) for dataset in datasets if dataset]

    def luck(self, run_id: str, trials: int) -> Luck:
        """Expected best of the trials without any edge; for a sweep also the deflated Sharpe ratio of its best."""
        run, sharpes = self.get(run_id), self.sharpes(run_id)
        if run.kind != "sweep":
            return of_search(trials, sharpes, days_a_year_of(run.summary))
        best = next(iter(run.summary["best"]), None)
        pnl = self.matrix(run_id)[0][:, int(best["number"])] if best else np.zeros(0)
        return of_best(best, trials, sharpes, pnl, days_a_year_of(run.summary))

    def request_of(self, run_id: str, number: int) -> BacktestRequest:
        """The combination ``number`` of a sweep or search as a backtest request."""
        from datetime import datetime

        run = self.get(run_id)
        row = self.table(run_id).set_index("number").loc[number]
        names = list(run.spec.get("space") or run.summary.get("grid", {}))
        changed = {name: row[name].item() if hasattr(row[name], "item") else row[name] for name in names}
        rules = {name: values_of(rules_at(build(RULES[name], run.spec[name]), name, changed)) for name in RULES if name in run.spec and name != "costs"}
        costs = values_of(rules_at(build(Costs, run.spec["costs"]), "costs", changed))
        old = {} if "unit" in run.spec["costs"] else {"unit"}
        rules["costs"] = without_unit({name: value for name, value in costs.items() if name not in old}, [instrument.name for instrument in self._instruments(run.spec)])
        params = {**run.spec["params"], **{name: value for name, value in changed.items() if "." not in name}}
        with self._context.store.read() as unit:
            datasets = [required(unit.datasets.get(version), "dataset", version[:8]).id for version in run.spec["datasets"]]
        start, end = (datetime.fromisoformat(run.spec[edge]) for edge in ("start", "end"))
        return BacktestRequest(run.spec["strategy"], params, datasets, run.spec["timeframe"], start, end, rules)

    def region_of(self, run_id: str, number: int) -> dict[str, list[Any]]:
        """Parameter -> its values next to those of the combination ``number``, one on either side: a grid around it. Of a search: a step, or a tenth of the range."""
        run = self.get(run_id)
        row = self.table(run_id).set_index("number").loc[number]
        if run.kind == "optimise":
            return {each.name: near_value(each, row[each.name]) for each in dimensions(run.spec["strategy"], run.spec["space"])}
        return {name: around_value(values, row[name]) for name, values in self.axes(run_id).items()}

    def download(self, run_id: str, what: str = "table") -> bytes:
        """A frame of the run as CSV: table, matrix, fits, folds, equity, trades, fills or curves, as far as its kind has it."""
        run = self.get(run_id)
        frame = self._frame(run, what)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=what, form="csv", rows=len(frame))
        return csv_of(frame)

    def delete(self, run_id: str) -> Run:
        """Remove the run. Its trials stay counted, its audit events stay."""
        self.get(run_id)
        return self._backtests.delete(run_id)

    def _moved(self, run_id: str) -> np.ndarray:
        daily, _ = self.matrix(run_id)
        return daily[:, daily.std(axis=0) > 0]

    def _any(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)

    def _frame(self, run: Run, name: str) -> pd.DataFrame:
        if name not in run.frames:
            raise BadRequest(f"a {_word(run.kind)} has no {name}; it has {', '.join(run.frames)}")
        return self._context.store.frames.get(run.frames[name])


def around_value(values: Sequence[Any], value: Any) -> list[Any]:
    """
    >>> around_value([10, 20, 30, 40], 20), around_value([1.0, 2.0], 2.0), around_value(["a", "b", "c"], "c"), around_value([True, False], True)
    ([10, 20, 30], [1.0, 2.0], ['a', 'b', 'c'], [True, False])
    """
    if any(isinstance(each, (str, bool)) for each in values):
        return list(values)
    ordered = sorted(values)
    place = ordered.index(value)
    return ordered[max(place - 1, 0) : place + 2]


def near_value(searched: Dimension, value: Any) -> list[Any]:
    """
    >>> near_value(Dimension("lookback", 10, 80, integer=True), 12), near_value(Dimension("stop", 1.0, 3.0, step=0.5), 3.0)
    ([10, 12, 19], [2.5, 3.0])
    """
    if searched.choices:
        return list(searched.choices)
    low, high = float(searched.low or 0.0), float(searched.high or 0.0)
    step = searched.step or (max(round((high - low) / 10), 1) if searched.integer else (high - low) / 10)
    near = {round(min(max(each, low), high), 10) for each in (float(value) - step, float(value), float(value) + step)}
    return [int(each) if searched.integer else each for each in sorted(near)]


def _changed(request: BacktestRequest, point: Mapping[str, Any]) -> BacktestRequest:
    """The request with a point's values of the strategy and of the rules."""
    rules = {name: dict(values) for name, values in request.rules.items()}
    for key, value in point.items():
        name, dot, own = key.partition(".")
        if dot:
            rules.setdefault(name, {})[own] = value
    return replace(request, params={**request.params, **{key: value for key, value in point.items() if "." not in key}}, rules=rules)


def _word(kind: str) -> str:
    """A kind inside a sentence.

    >>> _word("sweep"), _word("walk_forward"), _word("optimise")
    ('grid search', 'walk-forward', 'Bayesian search')
    """
    return KINDS[kind].lower() if kind != "optimise" else KINDS[kind]


def _fits(request: BacktestRequest, windows: Mapping[str, Any]) -> None:
    days, needed = (request.end - request.start).days, windows["in_sample"] + windows["out_of_sample"] / 2
    if days < needed:
        raise BadRequest(f"the date range is {days:,} days, and one fold needs {needed:,.0f}; use shorter windows or a longer date range")
