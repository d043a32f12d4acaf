"""A search that learns from its trials. Suggestions come from optuna; its state is the list of trials, replayed in order.

Nothing else is stored: on the same seed and the same trials the next suggestions are the same, so a search that was interrupted
continues as if it had not been, on whatever worker."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from domain.analytics.daily import daily_sharpe, from_last_to_last
from domain.analytics.guards import deviation
from domain.backtest.bench import Bench
from domain.backtest.evaluation import Evaluation
from domain.backtest.simulator import Watch
from domain.backtest.sweep import Ledger, SweepRequest, Trial
from domain.errors import BadRequest
from domain.optimise.grid import Point
from domain.optimise.objective import OBJECTIVES
from domain.optimise.search import Dimension, Search

RUNGS = (1 / 3, 2 / 3)      # of the bars, at which a trial may be pruned
FIRST = 10                  # trials that are all run to the end, before any is pruned


class TrialResult(NamedTuple):
    """One trial: ``values`` of the objectives (None: failed, pruned or infeasible), and ``rungs``, the first objective on the way.
    ``refused``: why the strategy refuses this combination, for one that is infeasible."""

    number: int
    values: tuple[float, ...] | None
    rungs: tuple[float, ...]
    given_up: bool
    figures: Mapping[str, float | None]
    refused: str = ""


class Suggestions:
    """Batches of points, each suggested from all batches before it."""

    def __init__(self, search: Search, space: Sequence[Dimension]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._search, self._space = search, space
        self._distributions = {dimension.name: _distribution(dimension) for dimension in space}
        self._study = optuna.create_study(sampler=_sampler(search), pruner=optuna.pruners.NopPruner(), directions=["maximize"] * len(search.objectives))
        self._trials: list[Any] = []

    def batch(self) -> list[Point]:
        """The next points; none once all trials are suggested."""
        count = min(self._search.batch, self._search.trials - len(self._trials))
        trials = [self._study.ask(self._distributions) for _ in range(count)]
        self._trials += trials
        return [{dimension.name: trial.params[dimension.name] for dimension in self._space} for trial in trials]

    def learn(self, results: Sequence[TrialResult]) -> None:
        """The outcome of the last batch, in the order of its numbers."""
        import optuna

        for result in sorted(results, key=lambda result: result.number):
            trial = self._trials[result.number]
            for rung, value in enumerate(result.rungs if self._search.prunes else ()):
                trial.report(value, rung)
            if result.values is not None:
                self._study.tell(trial, list(result.values))
            else:
                self._study.tell(trial, state=optuna.trial.TrialState.PRUNED if result.given_up and result.rungs else optuna.trial.TrialState.FAIL)

    def best(self) -> list[int]:
        """The number of the best trial; with two objectives, of those that nothing beats in both. Of trials of one combination the first."""
        if all(trial.values is None for trial in self._study.trials):
            return []
        best = {tuple(sorted(trial.params.items())): trial.number for trial in sorted(self._study.best_trials, key=lambda trial: -trial.number)}
        return sorted(best.values())


def bars_to_beat(results: Sequence[TrialResult]) -> list[float] | None:
    """The value that a trial must reach at each rung: the median of the trials that ran to the end; None while they are too few.

    >>> bars_to_beat([TrialResult(k, (1.0,), (k, 2.0 * k), False, {}) for k in range(11)])
    [5.0, 10.0]
    """
    complete = [result.rungs for result in results if result.values is not None and len(result.rungs) == len(RUNGS)]
    return [float(value) for value in np.median(np.array(complete), axis=0)] if len(complete) >= FIRST else None


def judge(bench: Bench, sweep_request: SweepRequest, search: Search, numbers: Sequence[int], beat: Sequence[float] | None, watch: Watch = lambda share: None) -> tuple[list[TrialResult], list[Trial]]:
    """Run these trials; ``sweep_request.points`` holds the points of ``numbers``, in that order. One that the strategy refuses is infeasible: no trial of the ledger."""
    results, trials, ledger = list[TrialResult](), list[Trial](), None
    for k, number in enumerate(numbers):
        watch(k / len(numbers))
        try:
            strategy, rules = sweep_request.strategy_at(k), sweep_request.rules_at(k)
        except BadRequest as error:
            results.append(TrialResult(number, None, (), False, {}, str(error)))
            continue
        if sentence := bench.refusal(strategy):
            results.append(TrialResult(number, None, (), False, {}, sentence))
            continue
        ledger = ledger or Ledger(bench.series, sweep_request.rules, strategy)
        result, evaluation = _run_trial(bench, search, number, strategy, rules, beat)
        results.append(result)
        trials.append(ledger.trial(sweep_request.strategy, strategy, rules, evaluation))
    return results, trials


def _run_trial(bench: Bench, search: Search, number: int, strategy: Any, rules: Any, beat: Sequence[float] | None) -> tuple[TrialResult, Evaluation]:
    whole, prepared, rungs, start = bench.skimmed(strategy, rules), bench.prepared(rules), list[float](), rules.account.balance
    trial = SteppedTrial(bench, strategy, rules) if whole is None else WholeTrial(whole)
    for rung, share in enumerate(RUNGS if search.prunes else ()):
        ends = prepared.day_ends[prepared.day_ends < rows_of(share, len(prepared.market.ends))]
        equity = trial.equity(ends, share)
        rungs.append(_so_far(equity, start, search.first))
        if beat is not None and rungs[-1] < beat[rung]:
            return TrialResult(number, None, tuple(rungs), True, {}), _pruned(equity, prepared.days[: len(ends)], start, trial.signals)
    evaluation = trial.evaluation()
    enough = (evaluation.figures["trades"] or 0) >= search.fewest_trades
    values = [evaluation.figures[OBJECTIVES[name]] for name in search.objectives]
    finite_values = tuple(value for value in values if value is not None)
    return TrialResult(number, finite_values if enough and len(finite_values) == len(values) else None, tuple(rungs), False, evaluation.figures), evaluation


def rows_of(share: float, rows: int) -> int:
    """The first whole number of rows that is that share of all of them.

    >>> rows_of(1 / 3, 9), rows_of(1 / 3, 10)
    (3, 4)
    """
    return math.ceil(share * rows)


class WholeTrial:
    """A trial that was run to its end, and is looked at on the way."""

    def __init__(self, whole: Evaluation) -> None:
        self._whole, self.signals = whole, whole.signals

    def equity(self, ends: np.ndarray, share: float) -> np.ndarray:
        """At the ends of the days within that share of the rows."""
        return self._whole.day_ends[: len(ends)]

    def evaluation(self) -> Evaluation:
        return self._whole


class SteppedTrial:
    """A trial that is simulated up to where it is looked at."""

    def __init__(self, bench: Bench, strategy: Any, rules: Any) -> None:
        self._bench, self._rules = bench, rules
        self._run, tasks = bench.simulation(strategy, rules)
        self.signals = sum(task.count for task in tasks)

    def equity(self, ends: np.ndarray, share: float) -> np.ndarray:
        rows, all_rows = 0, self._run.prepared.rows
        while (rows := int(self._run.arrays["account"][0]["rows"])) < rows_of(share, all_rows):
            self._run.step(max(int(share * all_rows) - rows, 1))
        return self._run.arrays["row_equity"][ends]

    def evaluation(self) -> Evaluation:
        self._run.to_end()
        return self._bench.result_of(self._run, self._bench.prepared(self._rules), self.signals)


def _so_far(equity: np.ndarray, start: float, objective: str) -> float:
    """The first objective over the days so far, in a rough form that needs no trades."""
    if len(equity) < 2:
        return 0.0
    if objective in ("net", "expectancy"):
        return float(equity[-1] / start - 1.0)
    if objective == "calmar":
        fall = float((1.0 - equity / np.maximum(np.maximum.accumulate(equity), start)).max())
        return float(equity[-1] / start - 1.0) / max(fall, 1e-9)
    pnl = np.diff(equity, prepend=start)
    spread = deviation(pnl)
    return float(pnl.mean() / spread) if spread else 0.0


def _pruned(equity: np.ndarray, days: np.ndarray, start: float, signals: int) -> Evaluation:
    """A pruned trial still counts as one; its Sharpe is that of the days it ran."""
    return Evaluation({}, days, np.diff(equity, prepend=start) / start, daily_sharpe(from_last_to_last(equity, start)), signals)


def _distribution(dimension: Dimension) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    if dimension.integer:
        return IntDistribution(int(dimension.low or 0), int(dimension.high or 0), step=int(dimension.step) or 1, log=dimension.log)
    return FloatDistribution(dimension.low or 0.0, dimension.high or 0.0, step=dimension.step or None, log=dimension.log)


def _sampler(search: Search) -> Any:
    import optuna

    if search.sampler == "random":
        return optuna.samplers.RandomSampler(seed=search.seed)
    if search.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=search.seed, population_size=max(search.batch, 2))
    return optuna.samplers.TPESampler(seed=search.seed)
