"""Policies fitted fold by fold beside the model, and judged by replay: one account trades the test folds, under the person's own costs and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import account_calendar, measure
from domain.errors import BadRequest
from domain.params import build
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.limit_inputs import informed
from domain.trading.rules import Rules
from domain.trading.task import Task
from domain.training.actions import Action, ActionGrid, applied
from domain.training.alone import Decided
from domain.training.fitted_pipeline import FittedPipeline, chance_of
from domain.training.fold_result import FoldResult
from domain.training.policy import POLICIES, FittedPolicy, View, growth, own_action
from domain.training.rewards import expected_fills, numbers_of, rewards_of, rows_of, sides_of, volatility_of
from domain.training.samples import SampleSet
from domain.training.splits import Fold

FIGURES = ("trades", "net_return", "max_drawdown", "sharpe", "profit_factor", "expectancy_r", "win_rate")
PLAIN, FILTER = "all signals", "filter"
Watch = Callable[[float], None]


@dataclass(frozen=True)
class Judged:
    """``table``: a row for all signals as they are, the filter, and each policy: ``policy, signals`` (tested), ``taken, reward`` (mean log growth a tested signal, each simulated
    alone), then FIGURES of the account. ``choices``: a row a tested signal and policy: ``fold sample start policy action size stop target half p volatility regime r reward``.
    ``fitted``: policy -> plain values of the last fold's, which ``policy_from`` reads."""

    table: pd.DataFrame
    choices: pd.DataFrame
    fitted: Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Signals:
    """What is known of every sample, and what every action of it would have earned. ``r``: samples × actions."""

    sampled: SampleSet
    decided: Sequence[Decided]
    actions: Sequence[Action]
    r: np.ndarray
    volatility: np.ndarray
    regime: np.ndarray

    def view(self, rows: np.ndarray, p: np.ndarray) -> View:
        return View(p, self.volatility[rows], sides_of(self.sampled)[rows], self.regime[rows])


def judge_policies(
    sampled: SampleSet, decided: Sequence[Decided], regime: Sequence[str | None], folds: Sequence[Fold], results: Sequence[FoldResult], rules: Rules, grid: ActionGrid,
    policies: Mapping[str, Mapping[str, Any]], watch: Watch = lambda share: None,
) -> Judged:  # fmt: skip
    """``policies``: name -> parameters. ``regime``: name of the regime known at each sample. ``rules``: the account of the replay; it risks ``grid.risk`` a signal of size 1.

    A policy of a fold is fitted on signals whose predictions were not trained on them: validation and calibration parts of the fold, and what earlier folds have tested
    where this fold may learn from it. Raises BadRequest without a chance of a win, for overlapping tests, and for too few signals.
    """
    _check(folds, policies)
    for result in results[:1]:
        _chance(result.pipeline, np.zeros((1, len(result.pipeline.outputs))))
    actions = grid.actions()
    names = np.array([name or "" for name in regime], object)
    signals = Signals(sampled, decided, actions, rewards_of(decided, sampled, actions, lambda share: watch(0.7 * share)), volatility_of(decided, sampled), names)
    by_number = {result.fold: result for result in results}
    earlier = np.full(len(sampled), np.nan)           # p of what was tested so far
    pieces, fitted = list[pd.DataFrame](), dict[str, dict[str, Any]]()
    for fold in folds:
        result = by_number[fold.number]
        rows, view = _learnt(signals, fold, result.pipeline, earlier)
        tested = fold.parts["test"]
        p = _chance(result.pipeline, result.predictions[list(result.pipeline.outputs)].to_numpy(np.float64))
        for name, params in policies.items():
            acts = _fit(name, params, signals, rows, view, grid.risk)
            pieces.append(_chosen(signals, fold, name, acts.act(signals.view(tested, p)), p, grid.risk))
            fitted[name] = acts.values()
        earlier[tested] = p
    choices = pd.concat(pieces, ignore_index=True)
    return Judged(_table(signals, choices, results, replace(rules, sizing=Sizing("fraction_at_risk", grid.risk)), grid.risk, lambda share: watch(0.7 + 0.3 * share)), choices, fitted)


def _check(folds: Sequence[Fold], policies: Mapping[str, Any]) -> None:
    for name in policies:
        POLICIES[name]
    tested = np.concatenate([fold.parts["test"] for fold in folds]) if folds else np.zeros(0)
    if len(np.unique(tested)) < len(tested):
        raise BadRequest("policies are judged by one account that trades the tests one after the other, and here samples are tested more than once; use the scheme walk_forward")


def _learnt(signals: Signals, fold: Fold, pipeline: FittedPipeline, earlier: np.ndarray) -> tuple[np.ndarray, View]:
    """The rows that a fold's policies are fitted on: their p is of a model that was not fitted to them, and every action's reward is known."""
    samples = signals.sampled.samples
    own = np.concatenate([fold.parts["validation"], fold.parts["calibration"]])
    past = fold.parts["train"][np.isfinite(earlier[fold.parts["train"]])]
    p = np.concatenate([_chance(pipeline, pipeline.predict(samples.take(own))[list(pipeline.outputs)].to_numpy(np.float64)) if len(own) else np.zeros(0), earlier[past]])
    rows = np.concatenate([own, past])
    known = np.isfinite(signals.r[rows]).all(axis=1) & np.isfinite(p)
    order = np.argsort(samples.start[rows[known]], kind="stable")
    return rows[known][order], signals.view(rows[known][order], p[known][order])


def _fit(name: str, params: Mapping[str, Any], signals: Signals, rows: np.ndarray, view: View, risk: float) -> FittedPolicy:
    fitted: FittedPolicy = build(POLICIES[name], params).fit(view, signals.r[rows], signals.sampled.uniqueness[rows], signals.actions, risk)
    return fitted


def _chance(pipeline: FittedPipeline, values: np.ndarray) -> np.ndarray:
    chance = chance_of(pipeline.target, pipeline.outputs, values)
    if chance is None:
        raise BadRequest(f"policies need the chance of a win, and {pipeline.target} has none; use the target win, fake, above or barrier")
    return chance


def _chosen(signals: Signals, fold: Fold, name: str, number: np.ndarray, p: np.ndarray, risk: float) -> pd.DataFrame:
    rows = fold.parts["test"]
    taken = [signals.actions[k] for k in number]
    r = signals.r[rows, number]
    return pd.DataFrame(dict(
        fold=fold.number, sample=rows, start=pd.to_datetime(signals.sampled.samples.start[rows], utc=True), policy=name, action=number, size=[action.size for action in taken],
        stop=[action.stop for action in taken], target=[action.target for action in taken], half=[action.half for action in taken], p=p, volatility=signals.volatility[rows],
        regime=signals.regime[rows], r=r, reward=growth(signals.r[rows], signals.actions, risk)[np.arange(len(rows)), number],
    ))  # fmt: skip


def _table(signals: Signals, choices: pd.DataFrame, results: Sequence[FoldResult], rules: Rules, risk: float, watch: Watch) -> pd.DataFrame:
    """Each way to trade the tested signals, on an account of its own."""
    tested = np.sort(choices["sample"].unique())
    own = signals.r[tested, own_action(signals.actions)]
    plain = {PLAIN: (tested, [Action(1.0)] * len(tested), np.log(np.maximum(1.0 + risk * own, 1e-3)))}
    predictions = pd.concat([result.predictions for result in results], ignore_index=True).sort_values("sample", kind="stable")
    if "taken" in predictions:
        size = predictions["size"].to_numpy(np.float64)
        plain[FILTER] = (predictions["sample"].to_numpy(np.int64), [Action(float(each)) for each in size], np.log(np.maximum(1.0 + risk * size * own, 1e-3)))
    ways = plain | {
        str(name): (part["sample"].to_numpy(np.int64), [signals.actions[k] for k in part["action"]], part["reward"].to_numpy(np.float64))
        for name, part in choices.groupby("policy", sort=False)
    }  # fmt: skip
    rows = []
    for k, (name, (samples, actions, reward)) in enumerate(ways.items()):
        figures = replayed(signals, samples, actions, rules)
        taken = sum(action.size > 0 for action in actions)
        rows.append(dict(policy=name, signals=len(samples), taken=taken, reward=float(np.nanmean(reward)), **{figure: figures.get(figure) for figure in FIGURES}))
        watch((k + 1) / len(ways))
    return pd.DataFrame(rows)


def replayed(signals: Signals, samples: np.ndarray, actions: Sequence[Action], rules: Rules) -> Mapping[str, float | None]:
    """Figures of one account that trades these samples with these actions, from the first test's bar on; limits and margin apply after the size."""
    from domain.backtest.simulator import replay

    first = pd.Timestamp(int(signals.sampled.samples.start[samples].min()), tz="UTC")
    place = np.full(len(signals.sampled), -1)
    place[samples] = np.arange(len(samples))
    rows = rows_of(signals.sampled, len(signals.decided))
    tasks = [task for each, own in zip(signals.decided, rows, strict=True) if (task := _task(signals, each, own[place[own] >= 0], place, actions, first, rules.limits)) is not None]
    outcome = replay(tasks, rules, signals.decided[0].inputs.rates)
    return measure(outcome.trades, outcome.fill_costs, outcome.equity, rules.account.balance, market=account_calendar(task.instrument.calendar for task in tasks))


def _task(signals: Signals, each: Decided, own: np.ndarray, place: np.ndarray, actions: Sequence[Action], first: pd.Timestamp, limits: Limits) -> Task | None:
    """A series from the bar before ``first`` on: the chosen signals as they were acted on, and all exits."""
    series = each.inputs.series
    since = int(np.searchsorted(each.bars.end, first.value))
    if since >= len(series.bars):
        return None
    number = numbers_of(signals.sampled)[own]
    chosen = [actions[place[row]] for row in own]
    kept = np.array([action.size > 0 for action in chosen], bool)
    exits = np.flatnonzero(~each.entry & (each.bar >= since))
    rows = np.concatenate([number[kept], exits]).astype(np.int64)
    acting = [*(action for action in chosen if action.size > 0), *[Action(1.0)] * len(exits)]
    order = np.argsort(rows, kind="stable")
    table = applied(each.table, rows[order], [acting[k] for k in order], expected_fills(each)[rows[order]])
    bars = series.bars.iloc[since:].reset_index(drop=True)
    trail = None if each.trail is None else each.trail[since:]
    task = Task(series.instrument, series.timeframe, bars, table, series.side, series.finer, series.finer_timeframe, trail)
    return informed(task, limits, series.seen, replace(series.context, instrument=series.instrument, timeframe=series.timeframe))
