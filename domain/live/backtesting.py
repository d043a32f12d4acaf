"""The backtest of a plan on a tape, by the vectorised path: what a session of that plan on these bars and commands must equal to the byte."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import pandas as pd

from domain.backtest.commanded import Commanded, NothingEnded, replay_commanded
from domain.backtest.live import LiveSimulation
from domain.backtest.own_limits import limited
from domain.backtest.parameters import Version, changed, spliced, versions_of
from domain.backtest.simulator import replay as simulated
from domain.backtest.study import Series, context_of, run
from domain.backtest.study import decided as columns_of
from domain.backtest.verbs import Traded, Verbs
from domain.backtest.volatility_stops import with_volatility_stops
from domain.features import Context
from domain.live.command import Command, in_order
from domain.live.lacking import refuse_lacking
from domain.live.plan import Plan
from domain.live.replaying import split
from domain.live.session import series_of
from domain.live.tape import TapeBar, frame_of
from domain.live.worked import tables
from domain.strategies import Strategy
from domain.strategies.base import refuse_without_model
from domain.trading.limit_inputs import informed
from domain.trading.task import Outcome, Task


def backtest(plan: Plan, bars: Iterable[TapeBar], commands: Sequence[Command] = (), contexts: Mapping[str, Context] = {}) -> Outcome:
    """Trades, fills, equity and counts; none where no bar has ended. Where one strategy trades all series, this is the run of ``tidemark backtest`` on the tape.
    Raises BadRequest as a session of the plan does."""
    refuse_lacking(plan, contexts)
    LiveSimulation(series_of(plan, contexts), plan.account_rules, plan.inputs.pairs)        # refuses costs and currencies of series without bars, too
    try:
        return _backtest(plan, series_in(plan, bars, contexts), commands)
    except NothingEnded:
        for each in commands:
            Verbs(absent_from(plan, ()), plan.rules.limits.blackout).check(each)
        empty = tables(())
        return Outcome(fills=empty.fills, trades=empty.trades, equity=empty.equity, counts={})


def _backtest(plan: Plan, series: Mapping[str, Series], commands: Sequence[Command]) -> Outcome:
    asks, rates, absent = plan.mode == "approve", plan.inputs.rates, absent_from(plan, series)
    if plan.inputs.selection is not None:
        return plan.inputs.selection.backtested(plan, series, commands)
    if plan.of_signals:
        return _of_signals(plan, series, commands, absent)
    decided = [(text, number) for text, number in plan.decided if text in series]
    if len(plan.strategies) == 1 and len(decided) == len(series):
        return run(list(series.values()), plan.rules, plan.strategies[0].built, rates=rates, commands=commands, ask=asks, absent=absent).outcome
    tasks = [_task(plan, series[text], number, commands, list(series.values())) for text, number in decided]
    if not commands and not asks:
        return simulated(tasks, plan.account_rules, rates)
    names = [plan.names[number] for _, number in decided]
    return replay_commanded(tasks, plan.account_rules, Commanded(commands, names, asks, _own_limits(plan, commands), absent), rates).outcome


def _own_limits(plan: Plan, commands: Sequence[Command]) -> dict[int, dict[str, Any]]:
    """The limit of drawdown that the strategies set themselves, after each ``set``."""
    strategies, limits = [planned.built for planned in plan.strategies], {}
    for place, each in enumerate(in_order(commands)):
        if each.command == "set":
            strategies = [changed(own, each.payload.parameters) if each.payload.strategy in ("", name) else own for own, name in zip(strategies, plan.names, strict=True)]
            limits[place] = dict(max_drawdown=reduce(limited, strategies, plan.rules).limits.max_drawdown)
    return limits


def absent_from(plan: Plan, series: Container[str]) -> list[Traded]:
    """What the plan trades on none of these series."""
    return [Traded(plan.instrument(text), plan.name_of(text).timeframe, plan.names[number]) for text, number in plan.decided if text not in series]


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
        raise NothingEnded(f"the tape has no bar of {', '.join(plan.series)}")
    return series


def _of_signals(plan: Plan, series: Mapping[str, Series], commands: Sequence[Command], absent: Sequence[Traded]) -> Outcome:
    """Of the whole table: signals of bars that never came the session has missed, and reported that."""
    signals = pd.concat([plan.inputs.signals_of(each.instrument.name) for each in series.values()], ignore_index=True)
    return run(list(series.values()), plan.rules, None, signals, plan.inputs.rates, commands=commands, ask=plan.mode == "approve", absent=absent).outcome


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
