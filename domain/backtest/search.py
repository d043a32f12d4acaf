"""A search that learns from its trials. Suggestions come from optuna; what it has learned is the list of trials, told again in order.

Nothing else is stored: on the same seed and the same trials the next suggestions are the same, so a search that was interrupted
goes on as if it had not been, on whatever worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from domain.analytics.daily import daily_sharpe, from_last_to_last
from domain.analytics.guards import deviation
from domain.backtest.bench import Bench, Tried
from domain.backtest.simulator import Watch
from domain.backtest.sweep import Ledger, SweepRequest, Trial
from domain.errors import BadRequest
from domain.optimise.grid import Point
from domain.optimise.objective import OBJECTIVES
from domain.optimise.search import Dimension, Search

RUNGS = (1 / 3, 2 / 3)      # of the bars, at which a trial may be given up
FIRST = 10                  # trials that are all run to the end, before any is given up


class Judged(NamedTuple):
    """One trial: ``values`` of the objectives (None: failed, pruned or infeasible), and ``rungs``, the first objective on the way.
    ``refused``: why the strategy refuses this combination, for one that is infeasible."""

    number: int
    values: tuple[float, ...] | None
    rungs: tuple[float, ...]
    given_up: bool
    figures: Mapping[str, float | None]
    refused: str = ""


class Suggestions:
    """Batches of points, each made from all batches before it."""

    def __init__(self, search: Search, space: Sequence[Dimension]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._search, self._space = search, space
        self._distributions = {one.name: _distribution(one) for one in space}
        self._study = optuna.create_study(sampler=_sampler(search), pruner=optuna.pruners.NopPruner(), directions=["maximize"] * len(search.objectives))
        self._asked: list[Any] = []

    def batch(self) -> list[Point]:
        """The next points; none once all trials are asked for."""
        count = min(self._search.batch, self._search.trials - len(self._asked))
        trials = [self._study.ask(self._distributions) for _ in range(count)]
        self._asked += trials
        return [{one.name: one_trial.params[one.name] for one in self._space} for one_trial in trials]

    def learn(self, judged: Sequence[Judged]) -> None:
        """The outcome of the last batch, in the order of its numbers."""
        import optuna

        for one in sorted(judged, key=lambda one: one.number):
            asked = self._asked[one.number]
            for rung, value in enumerate(one.rungs if self._search.prunes else ()):
                asked.report(value, rung)
            if one.values is not None:
                self._study.tell(asked, list(one.values))
            else:
                self._study.tell(asked, state=optuna.trial.TrialState.PRUNED if one.given_up and one.rungs else optuna.trial.TrialState.FAIL)

    def best(self) -> list[int]:
        """The number of the best trial; with two objectives, of those that nothing beats in both. Of trials of one combination the first."""
        if all(one.values is None for one in self._study.trials):
            return []
        best = {tuple(sorted(one.params.items())): one.number for one in sorted(self._study.best_trials, key=lambda one: -one.number)}
        return sorted(best.values())


def bars_to_beat(judged: Sequence[Judged]) -> list[float] | None:
    """What a trial has to reach at each rung: the median of the trials that ran to the end; None while they are too few.

    >>> bars_to_beat([Judged(k, (1.0,), (k, 2.0 * k), False, {}) for k in range(11)])
    [5.0, 10.0]
    """
    whole = [one.rungs for one in judged if one.values is not None and len(one.rungs) == len(RUNGS)]
    return [float(value) for value in np.median(np.array(whole), axis=0)] if len(whole) >= FIRST else None


def judge(bench: Bench, asked: SweepRequest, search: Search, numbers: Sequence[int], beat: Sequence[float] | None, watch: Watch = lambda share: None) -> tuple[list[Judged], list[Trial]]:
    """Run these trials; ``asked.points`` holds the points of ``numbers``, in that order. One that the strategy refuses is infeasible: no trial of the ledger."""
    judged, trials, ledger = list[Judged](), list[Trial](), None
    for k, number in enumerate(numbers):
        watch(k / len(numbers))
        try:
            strategy, rules = asked.strategy_at(k), asked.rules_at(k)
            bench.signals(strategy)
        except BadRequest as error:
            judged.append(Judged(number, None, (), False, {}, str(error)))
            continue
        ledger = ledger or Ledger(bench.series, asked.rules, strategy)
        one, tried = _judged(bench, search, number, strategy, rules, beat)
        judged.append(one)
        trials.append(ledger.trial(asked.strategy, strategy, rules, tried))
    return judged, trials


def _judged(bench: Bench, search: Search, number: int, strategy: Any, rules: Any, beat: Sequence[float] | None) -> tuple[Judged, Tried]:
    run, tasks = bench.simulation(strategy, rules)
    prepared, signals, rungs = bench.prepared(rules), sum(task.count for task in tasks), list[float]()
    for rung, share in enumerate(RUNGS if search.prunes else ()):
        rungs.append(_so_far(run, prepared.day_ends, share, rules.account.balance, search.first))
        if beat is not None and rungs[-1] < beat[rung]:
            return Judged(number, None, tuple(rungs), True, {}), _given_up(bench, run, prepared, signals)
    run.to_end()
    tried = bench.judged(run, prepared, signals)
    enough = (tried.figures["trades"] or 0) >= search.fewest_trades
    values = [tried.figures[OBJECTIVES[name]] for name in search.objectives]
    known = tuple(value for value in values if value is not None)
    return Judged(number, known if enough and len(known) == len(values) else None, tuple(rungs), False, tried.figures), tried


def _so_far(run: Any, day_ends: np.ndarray, share: float, start: float, objective: str) -> float:
    """Simulate up to that share of the rows; what the first objective would say of the days so far, in a rough form that needs no trades."""
    while (rows := int(run.arrays["account"][0]["rows"])) < share * run.prepared.rows:
        run.step(max(int(share * run.prepared.rows) - rows, 1))
    equity = run.arrays["row_equity"][day_ends[day_ends < rows]]
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


def _given_up(bench: Bench, run: Any, prepared: Any, signals: int) -> Tried:
    """A trial that was looked at and dropped still counts as one; its Sharpe is that of the days it lived."""
    rows = int(run.arrays["account"][0]["rows"])
    start = prepared.rules.account.balance
    ends = prepared.day_ends[prepared.day_ends < rows]
    equity = np.concatenate(([start], run.arrays["row_equity"][ends]))
    sharpe = daily_sharpe(from_last_to_last(equity[1:], start))
    return Tried({}, prepared.days[: len(ends)], np.diff(equity) / start, sharpe, signals)


def _distribution(one: Dimension) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.choices:
        return CategoricalDistribution(one.choices)
    if one.whole:
        return IntDistribution(int(one.low or 0), int(one.high or 0), step=int(one.step) or 1, log=one.log)
    return FloatDistribution(one.low or 0.0, one.high or 0.0, step=one.step or None, log=one.log)


def _sampler(search: Search) -> Any:
    import optuna

    if search.sampler == "random":
        return optuna.samplers.RandomSampler(seed=search.seed)
    if search.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=search.seed, population_size=max(search.batch, 2))
    return optuna.samplers.TPESampler(seed=search.seed)
