"""One strategy, or signals brought along, on series of one account: from bars to a result with its figures and manifest.

Page, terminal and worker all come through here, so the same question has the same answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import Evidence, Remark, account_calendar, lint, measure
from domain.audit.record import canonical, plain
from domain.backtest.history import History, after
from domain.backtest.simulator import Watch, replay
from domain.errors import BadRequest
from domain.features import Context, closes, warm_up_of
from domain.market.instrument import Instrument
from domain.market.sessions import Calendar
from domain.market.timeframe import Timeframe
from domain.params import values_of
from domain.strategies import STRATEGIES, Strategy, decide
from domain.trading.costs import Costs
from domain.trading.rules import Rules as Rules
from domain.trading.signals import Columns, read_columns, read_signals
from domain.trading.task import Outcome, Rate, Task


@dataclass(frozen=True)
class Series:
    """Bars that are traded. ``version`` names their content. ``known``: outside data that features look at, and ``outside`` the versions of it.
    ``history``: the bars before them, which features know and on which nothing is decided."""

    instrument: Instrument
    timeframe: Timeframe
    bars: pd.DataFrame
    side: str = "bid"
    version: str = ""
    finer: pd.DataFrame | None = None
    finer_timeframe: Timeframe | None = None
    known: Context = Context()
    outside: Mapping[str, Any] = field(default_factory=dict)
    history: pd.DataFrame | None = None

    @cached_property
    def seen(self) -> pd.DataFrame:
        """What features know: the history and the traded bars."""
        return self.bars if self.history is None else pd.concat([self.history, self.bars], ignore_index=True)

    @property
    def bars_of_history(self) -> int:
        return 0 if self.history is None else len(self.history)


@dataclass(frozen=True)
class Study:
    """The outcome of a run and its figures, and what it was made of."""

    outcome: Outcome
    metrics: Mapping[str, float | None]
    tasks: Sequence[Task]
    rules: Rules
    history: History = History({}, 0)

    @property
    def market(self) -> Calendar:
        """Whose trading days its daily returns are of."""
        return account_calendar(task.instrument.calendar for task in self.tasks)

    @property
    def signals(self) -> int:
        return sum(task.count for task in self.tasks)

    @property
    def entry_signals(self) -> int:
        return sum(int((task.signals["order"] != "exit").sum()) for task in self.tasks)

    @property
    def bars(self) -> int:
        return sum(len(task.bars) for task in self.tasks)

    def remarks(self, band: tuple[float, float] | None = None) -> tuple[Remark, ...]:
        """What a reader should know before believing the figures, severest first. ``band``: as ``Evidence`` takes it."""
        found, rules = self.outcome, self.rules
        return lint(
            Evidence(
                found.trades, found.fills, found.equity, rules.account.balance, counts=found.counts, signals=self.entry_signals, ambiguous=found.ambiguous, rules=rules.values(),
                instruments={task.instrument.name: task.instrument for task in self.tasks}, bars={task.instrument.name: task.bars for task in self.tasks}, band=band, metrics=self.metrics,
            )
        )  # fmt: skip


def run(series: Sequence[Series], rules: Rules, strategy: Strategy | None = None, signals: pd.DataFrame | None = None, rates: Sequence[Rate] = (), watch: Watch = lambda share: None) -> Study:
    """Trade ``strategy``, or the rows of ``signals``, on ``series``."""
    if (strategy is None) == (signals is None):
        raise BadRequest("give either a strategy or a table of signals")
    tasks = [_task(one, strategy, signals, series) for one in series]
    outcome = replay(tasks, rules, rates, watch, moves=True)
    market = account_calendar(one.instrument.calendar for one in tasks)
    metrics = measure(outcome.trades, outcome.fills, outcome.equity, rules.account.balance, _mean_spread(tasks, rules.costs), market)
    return Study(outcome, metrics, tasks, rules, history_of(series, strategy))


def history_of(series: Sequence[Series], strategy: Strategy | None) -> History:
    """How many bars features knew before the traded ones, and how many the strategy needs."""
    uses = strategy.features() if strategy else ()
    needed = max((warm_up_of(use, context_of(one, [one])) for one in series for use in uses), default=0)
    return History({one.instrument.name: one.bars_of_history for one in series}, needed)


def context_of(one: Series, series: Sequence[Series]) -> Context:
    """What stands around a series in its run: its instrument, the closes of the others, and its outside data."""
    others = {each.instrument.name: closes(each.seen, each.instrument, each.timeframe) for each in series if each.instrument != one.instrument}
    return replace(one.known, instrument=one.instrument, timeframe=one.timeframe, others=others)


def decided(one: Series, strategy: Strategy, series: Sequence[Series], frame: pd.DataFrame | None = None) -> tuple[Columns, np.ndarray | None]:
    """The signals of a strategy on the traded bars of one series, read; and its trailing prices."""
    said = decide(strategy, one.seen, context_of(one, series) if frame is None else Context(), frame)
    table = said.table.assign(instrument=one.instrument.name) if "instrument" in said.table else said.table
    return after(read_columns(table, (one.instrument.name,)), said.trail, one.bars_of_history, one.bars["ts"].iloc[0])


def _task(one: Series, strategy: Strategy | None, signals: pd.DataFrame | None, series: Sequence[Series]) -> Task:
    if strategy is not None:
        columns, trail = decided(one, strategy, series)
        read = pd.DataFrame(columns, copy=False)
    else:
        every = read_signals(signals, tuple(dict.fromkeys(each.instrument.name for each in series)))
        read, trail = every[every["instrument"] == one.instrument.name].reset_index(drop=True), None
    return Task(one.instrument, one.timeframe, one.bars, read, one.side, one.finer, one.finer_timeframe, trail)


def _mean_spread(tasks: Sequence[Task], costs: Costs) -> float:
    """Of the bars, where they are of one instrument; prices of several have no common spread."""
    if len({task.instrument.name for task in tasks}) > 1:
        return float("nan")
    default = costs.of(tasks[0].instrument).spread
    own = [task.bars["spread"].fillna(default).mean() if "spread" in task.bars else default for task in tasks]
    return float(np.average(own, weights=[len(task.bars) for task in tasks]))


def spec_of(series: Sequence[Series], rules: Rules, strategy: Strategy | None) -> dict[str, Any]:
    """What was asked, in plain values: the same spec on the same code gives the same bytes."""
    named = {cls: name for name, cls in STRATEGIES.items()}
    return plain(
        dict(
            data=[dict(instrument=one.instrument.name, timeframe=str(one.timeframe), side=one.side, version=one.version, bars=len(one.bars), **_history_in_spec(one)) for one in series],
            span=[one.bars["ts"].iloc[edge] for one in series[:1] for edge in (0, -1)],
            strategy=dict(name=named.get(type(strategy), "signals"), params=values_of(strategy) if strategy else {}),
            instruments={one.instrument.name: one.instrument for one in series},
            **next((dict(outside=one.outside) for one in series if one.outside), {}),
            **rules.values(),
        )
    )


def _history_in_spec(one: Series) -> dict[str, int]:
    """Only where there is one, so that a run on whole data keeps its hash."""
    return dict(history=one.bars_of_history) if one.bars_of_history else {}


def spec_hash(spec: Mapping[str, Any]) -> str:
    import hashlib

    return hashlib.sha256(canonical(plain(spec))).hexdigest()
