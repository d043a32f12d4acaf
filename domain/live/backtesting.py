"""The backtest of a plan on a tape, by the vectorised path: what a session of that plan on these bars and commands must equal to the byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from domain.backtest.commanded import Commanded, replay_commanded
from domain.backtest.parameters import Version, spliced, versions_of
from domain.backtest.simulator import replay as simulated
from domain.backtest.study import Series, context_of, run
from domain.backtest.study import decided as columns_of
from domain.backtest.volatility_stops import with_volatility_stops
from domain.errors import BadRequest
from domain.features import Context
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.replaying import split
from domain.live.tape import TapeBar, frame_of
from domain.strategies import Strategy
from domain.strategies.base import refuse_without_model
from domain.trading.limit_inputs import informed
from domain.trading.task import Outcome, Task


def backtest(plan: Plan, bars: Iterable[TapeBar], commands: Sequence[Command] = (), contexts: Mapping[str, Context] = {}) -> Outcome:
    """Trades, fills, equity and counts. Where one strategy trades all series, this is the run of ``tidemark backtest`` on the tape."""
    series, asks, rates = series_in(plan, bars, contexts), plan.mode == "approve", plan.inputs.rates
    if plan.inputs.selection is not None:
        return plan.inputs.selection.backtested(plan, series, commands)
    if plan.of_signals:
        return _of_signals(plan, series, commands)
    decided = [(text, number) for text, number in plan.decided if text in series]
    if len(plan.strategies) == 1 and len(decided) == len(series):
        return run(list(series.values()), plan.rules, plan.strategies[0].built, rates=rates, commands=commands, ask=asks).outcome
    tasks = [_task(plan, series[text], number, commands, list(series.values())) for text, number in decided]
    if not commands and not asks:
        return simulated(tasks, plan.account_rules, rates)
    names = [plan.names[number] for _, number in decided]
    return replay_commanded(tasks, plan.account_rules, Commanded(commands, names, asks), rates).outcome


def series_in(plan: Plan, bars: Iterable[TapeBar], contexts: Mapping[str, Context] = {}) -> dict[str, Series]:
    """The series of a tape as a backtest reads them, each with its history; one of which no bar has ended yet is left out."""
    history, traded = split(bars, plan)
    series = {}
    for text in plan.series:
        before, own = (frame_of(bar for bar in part if bar.series == text) for part in (history, traded))
        if not len(own):
            continue
        context = contexts.get(text, Context())
        finer = plan.inputs.finer.get(text)
        magnified = dict(finer=finer.bars, finer_timeframe=finer.timeframe) if finer else {}
        series[text] = Series(plan.instrument(text), plan.name_of(text).timeframe, own, plan.side, context=context, history=before if len(before) else None, **magnified)
    if not series:
        raise BadRequest(f"the tape has no bar of {', '.join(plan.series)}")
    return series


def _of_signals(plan: Plan, series: Mapping[str, Series], commands: Sequence[Command]) -> Outcome:
    """Of the whole table: signals of bars that never came the session has missed, and reported that."""
    signals = pd.concat([plan.inputs.signals_of(each.instrument.name) for each in series.values()], ignore_index=True)
    return run(list(series.values()), plan.rules, None, signals, plan.inputs.rates, commands=commands, ask=plan.mode == "approve", missed=True).outcome


def _task(plan: Plan, traded: Series, number: int, commands: Sequence[Command], every: Sequence[Series]) -> Task:
    planned = plan.strategies[number]
    versions = versions_of(planned.built, plan.names[number], commands)
    tasks = [[_decided(plan, traded, version, every)] for version in versions]
    return tasks[0][0] if len(tasks) == 1 else spliced(versions, tasks)[0]


def _decided(plan: Plan, traded: Series, version: Version, every: Sequence[Series]) -> Task:
    strategy: Strategy = version.strategy
    refuse_without_model(strategy, False)
    columns, trail = columns_of(traded, strategy, every)
    if plan.rules.execution.stops == "volatility":
        columns = with_volatility_stops(columns, traded)
    signals = pd.DataFrame(columns, copy=False)
    task = Task(traded.instrument, traded.timeframe, traded.bars, signals, traded.side, traded.finer, traded.finer_timeframe, trail)
    return informed(task, plan.rules.limits, traded.seen, context_of(traded, every))
