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
from domain.live.deciding import Deciding
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
    series = _every_series(plan, bars, contexts)
    _refuse_undecidable(plan, series, commands)
    try:
        return _backtest(plan, series, commands) if any(len(each.bars) for each in series.values()) else _nothing(plan, commands)
    except NothingEnded:
        return _nothing(plan, commands)


def _refuse_undecidable(plan: Plan, series: Mapping[str, Series], commands: Sequence[Command]) -> None:
    """Raises BadRequest for a strategy that could not decide on a series without traded bars, which nothing else would try."""
    for text, number in plan.decided:
        if plan.of_signals or len(series[text].bars):
            continue
        for version in versions_of(plan.strategies[number].built, plan.names[number], commands):
            Deciding(version.strategy, series[text].seen, context_of(series[text], list(series.values())), plan.model is not None)


def _nothing(plan: Plan, commands: Sequence[Command]) -> Outcome:
    for each in commands:
        Verbs(absent_from(plan, ()), plan.rules.limits.blackout).check(each)
    empty = tables(())
    return Outcome(fills=empty.fills, trades=empty.trades, equity=empty.equity, counts={})


def _backtest(plan: Plan, series: Mapping[str, Series], commands: Sequence[Command]) -> Outcome:
    asks, rates, every = plan.mode == "approve", plan.inputs.rates, list(series.values())
    if plan.inputs.selection is not None:
        return plan.inputs.selection.backtested(plan, with_bars(series), commands)
    if plan.of_signals:
        return run(every, plan.rules, None, plan.inputs.signals, rates, commands=commands, ask=asks, of_tape=True).outcome
    if len(plan.strategies) == 1 and len(plan.decided) == len(series):
        return run(every, plan.rules, plan.strategies[0].built, rates=rates, commands=commands, ask=asks, of_tape=True).outcome
    decided = [(text, number) for text, number in plan.decided if text in with_bars(series)]
    tasks = [_task(plan, series[text], number, commands, every) for text, number in decided]
    if not commands and not asks:
        return simulated(tasks, plan.account_rules, rates)
    names = [plan.names[number] for _, number in decided]
    return replay_commanded(tasks, plan.account_rules, Commanded(commands, names, asks, _own_limits(plan, commands), absent_from(plan, with_bars(series))), rates).outcome


def with_bars(series: Mapping[str, Series]) -> dict[str, Series]:
    return {text: each for text, each in series.items() if len(each.bars)}


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
    if not (series := with_bars(_every_series(plan, bars, contexts))):
        raise NothingEnded(f"the tape has no bar of {', '.join(plan.series)}")
    return series


def _every_series(plan: Plan, bars: Iterable[TapeBar], contexts: Mapping[str, Context]) -> dict[str, Series]:
    """Those without traded bars, too: the history of each is read by the others."""
    history, traded = split(bars, plan)
    series = {}
    for text in plan.series:
        before, own = (frame_of(bar for bar in part if bar.series == text) for part in (history, traded))
        finer = plan.inputs.finer.get(text)
        magnified = dict(finer=finer.bars, finer_timeframe=finer.timeframe) if finer else {}
        series[text] = Series(plan.instrument(text), plan.name_of(text).timeframe, own, plan.side, context=contexts.get(text, Context()), history=before if len(before) else None, **magnified)
    return series


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
