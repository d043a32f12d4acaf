"""The backtest of a plan on a tape, by the vectorised path: what a session of that plan on these bars must equal to the byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from domain.backtest.simulator import replay as simulated
from domain.backtest.study import Series, decided
from domain.backtest.volatility_stops import with_volatility_stops
from domain.errors import BadRequest
from domain.features import Context
from domain.live.plan import Plan
from domain.live.replaying import split
from domain.live.tape import TapeBar, frame_of
from domain.strategies.base import refuse_without_model
from domain.trading.task import Outcome, Task


def backtest(plan: Plan, bars: Iterable[TapeBar], commands: Sequence[Any] = (), contexts: Mapping[str, Context] = {}) -> Outcome:
    """Trades, fills, equity and counts. Where one strategy trades all series, these are those of ``tidemark backtest`` on the tape."""
    series = series_in(plan, bars, contexts)
    tasks = [_task(plan, series[text], number, list(series.values())) for text, number in plan.decided]
    if commands:
        raise BadRequest("a tape with commands is backtested by tidemark backtest --commands")
    return simulated(tasks, plan.account_rules)


def series_in(plan: Plan, bars: Iterable[TapeBar], contexts: Mapping[str, Context] = {}) -> dict[str, Series]:
    """The series of a tape as a backtest reads them, each with its history."""
    history, traded = ([*part] for part in split(bars, plan))
    series = {}
    for text in plan.series:
        before, own = (frame_of(bar for bar in part if bar.series == text) for part in (history, traded))
        if not len(own):
            raise BadRequest(f"the tape has no bar of {text}")
        context = contexts.get(text, Context())
        series[text] = Series(plan.instrument(text), plan.name_of(text).timeframe, own, plan.side, context=context, history=before if len(before) else None)
    return series


def _task(plan: Plan, traded: Series, number: int, every: Sequence[Series]) -> Task:
    strategy = plan.strategies[number].made
    refuse_without_model(strategy, False)
    columns, trail = decided(traded, strategy, every)
    if plan.rules.execution.stops == "volatility":
        columns = with_volatility_stops(columns, traded)
    signals = pd.DataFrame(columns, copy=False)
    return Task(traded.instrument, traded.timeframe, traded.bars, signals, traded.side, trail_price=trail, history=traded.history)
