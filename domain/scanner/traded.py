"""A backtest of a scanner: its proposals at every bar, traded as one account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from domain.analytics import account_calendar, measure
from domain.backtest.commanded import Commanded, Result, replay_commanded
from domain.backtest.history import History
from domain.backtest.simulator import replay
from domain.backtest.study import Series, Study, context_of
from domain.errors import BadRequest
from domain.live.backtesting import absent_from
from domain.live.command import Command
from domain.live.deciders import Deciders
from domain.live.plan import Plan
from domain.live.tape import TapeBar, bars_in
from domain.scanner.over_time import together
from domain.trading.limit_inputs import informed
from domain.trading.signal_row import Row
from domain.trading.signals import read_signals
from domain.trading.task import Task

NUMBER = "number"


def run(plan: Plan, series: Mapping[str, Series], commands: Sequence[Command] = ()) -> Study:
    """``series``: of the plan, by name, with their bars and history. Raises BadRequest for a ``set``, as a session does."""
    if any(command.command == "set" for command in commands):
        raise BadRequest("the scanner judges a strategy by the trades of the parameters that it has; leave the command set out")
    decided = proposals(plan, series)
    every = list(series.values())
    there = [(k, text) for k, (text, _) in enumerate(plan.decided) if text in series]
    tasks = [_task(plan, series[text], decided[k], every) for k, text in there]
    names, asks = [plan.names[plan.decided[k][1]] for k, _ in there], plan.mode == "approve"
    if commands or asks:
        result = replay_commanded(tasks, plan.account_rules, Commanded(commands, names, asks, absent=absent_from(plan, series)), plan.inputs.rates, moves=True)
    else:
        result = Result(replay(tasks, plan.account_rules, plan.inputs.rates, moves=True), tasks)
    outcome, market = result.outcome, account_calendar(each.instrument.calendar for each in every)
    metrics = measure(outcome.trades, outcome.fill_costs, outcome.equity, plan.rules.account.balance, float("nan"), market)
    history = History({text: each.bars_of_history for text, each in series.items()}, 0)
    return Study(outcome, metrics, result.tasks, plan.account_rules, history, [each.context for each in every], result.remarks)


def proposals(plan: Plan, series: Mapping[str, Series]) -> list[list[tuple[int, Row]]]:
    """Of each pair of the plan, the signals that are traded, each with the open of its bar."""
    seen = {text: _bars(text, each, history=True) for text, each in series.items()}
    deciders = Deciders(plan, {text: each.context for text, each in series.items()}, lambda text: seen.get(text, []))
    coming = sorted((bar for text, each in series.items() for bar in _bars(text, each)), key=lambda bar: (bar.end, plan.series.index(bar.series)))
    decided: list[list[tuple[int, Row]]] = [[] for _ in plan.decided]
    for bars in together(coming):
        for bar in bars:
            deciders.closed(bar)
        opens = {bar.series: bar.ts for bar in bars}
        for k, rows in deciders.decide(bars[0].end, bars).taken.items():
            decided[k] += [(opens[plan.decided[k][0]], row) for row in rows]
    return decided


def _bars(text: str, series: Series, history: bool = False) -> list[TapeBar]:
    bars = series.history if history else series.bars
    if bars is None or not len(bars):
        return []
    return bars_in(text, bars, replace(series.context, instrument=series.instrument, timeframe=series.timeframe).ends(bars))


def _task(plan: Plan, traded: Series, decided: Sequence[tuple[int, Row]], every: Sequence[Series]) -> Task:
    rows = [{name: value for name, value in row.items() if name != NUMBER} for _, row in decided]
    ts = pd.DatetimeIndex(pd.to_datetime([at for at, _ in decided], unit="ns", utc=True))
    table = pd.DataFrame(rows, columns=None if rows else ["side"]).assign(ts=ts, instrument=traded.instrument.name)
    task = Task(traded.instrument, traded.timeframe, traded.bars, read_signals(table, (traded.instrument.name,)), traded.side, traded.finer, traded.finer_timeframe)
    return informed(task, plan.rules.limits, traded.seen, context_of(traded, every))
