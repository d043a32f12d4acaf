"""One strategy, or a table of signals, on series of one account: from bars to a result with its figures and manifest.

Page, terminal and worker all run this code, so the same request has the same result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from domain.analytics import Evidence, Remark, account_calendar, lint, measure
from domain.audit.record import canonical, plain
from domain.backtest.commanded import Commanded, Result, replay_commanded
from domain.backtest.history import History, after
from domain.backtest.own_limits import limited
from domain.backtest.parameters import Version, spliced, versions_of
from domain.backtest.simulator import Watch, replay
from domain.backtest.verbs import Traded
from domain.backtest.volatility_stops import with_volatility_stops
from domain.errors import BadRequest
from domain.features import Context, closes, warm_up_of
from domain.market.instrument import Instrument
from domain.market.sessions import Calendar
from domain.market.timeframe import Timeframe
from domain.params import values_of
from domain.strategies import STRATEGIES, Strategy, decide
from domain.strategies.base import own_name, refuse_without_model
from domain.trading.command import Command, in_order, write_commands
from domain.trading.costs import Costs
from domain.trading.limit_inputs import informed
from domain.trading.rules import Rules as Rules
from domain.trading.signal_file import SIGNALS
from domain.trading.signals import Columns, read_columns, read_signals
from domain.trading.task import Outcome, Rate, Task

Keep = Callable[[str, pd.DataFrame], pd.DataFrame]
AnySeries = TypeVar("AnySeries", "Series", Task)


@dataclass(frozen=True)
class Series:
    """Bars that are traded. ``version`` names their content. ``context``: external data that features read, and ``outside`` the versions of it.
    ``history``: the bars before them, which features use and on which no signal is decided."""

    instrument: Instrument
    timeframe: Timeframe
    bars: pd.DataFrame
    side: str = "bid"
    version: str = ""
    finer: pd.DataFrame | None = None
    finer_timeframe: Timeframe | None = None
    context: Context = Context()
    outside: Mapping[str, Any] = field(default_factory=dict)
    history: pd.DataFrame | None = None

    @cached_property
    def seen(self) -> pd.DataFrame:
        """The bars that features read: the history and the traded ones."""
        return self.bars if self.history is None else pd.concat([self.history, self.bars], ignore_index=True)

    @property
    def bars_of_history(self) -> int:
        return 0 if self.history is None else len(self.history)


@dataclass(frozen=True)
class Study:
    """The outcome of a run, its figures, and its tasks and rules."""

    outcome: Outcome
    metrics: Mapping[str, float | None]
    tasks: Sequence[Task]
    rules: Rules
    history: History = History({}, 0)
    contexts: Sequence[Context] = ()        # of its series: what features read beside the bars
    unworked: Sequence[str] = ()            # what commands could not do, in sentences

    @property
    def market(self) -> Calendar:
        """The calendar of the trading days of its daily returns."""
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
        """Caveats of the result, severest first. ``band``: as ``Evidence`` takes it."""
        outcome, rules = self.outcome, self.rules
        return lint(
            Evidence(
                outcome.trades, outcome.fills, outcome.equity, rules.account.balance, counts=outcome.counts, signals=self.entry_signals, ambiguous=outcome.ambiguous, rules=rules.values(),
                instruments={task.instrument.name: task.instrument for task in self.tasks}, bars={task.instrument.name: task.bars for task in _finest_last(self.tasks)}, band=band, metrics=self.metrics,
            )
        )  # fmt: skip


def run(series: Sequence[Series], rules: Rules, strategy: Strategy | None = None, signals: pd.DataFrame | None = None, rates: Sequence[Rate] = (), watch: Watch = lambda share: None, keep: Keep | None = None, commands: Sequence[Command] = (), ask: bool = False, of_tape: bool = False) -> Study:
    """Trade ``strategy``, or the rows of ``signals``, on ``series``. ``keep``: from the name of an instrument and its signals to those that are traded.
    ``commands``: of a person, each worked after the last instant <= its ``ts``; ``ask``: entries wait until one approves them.
    ``of_tape``: on the tape of a session, where some of the series may have no bars: commands may name them. Rows of ``signals`` at no bar are left out
    then, as the session misses them, and the others keep their numbers; else they are refused."""
    if (strategy is None) == (signals is None):
        raise BadRequest("give either a strategy or a table of signals")
    if strategy is not None:
        refuse_without_model(strategy, keep is not None)
    if signals is not None and len({entry.instrument.name for entry in series}) < len(series):
        raise BadRequest("signals name an instrument and not its timeframe; give one timeframe of each instrument")
    versions = versions_of(strategy, own_name(strategy) if strategy else SIGNALS, commands)
    if keep is not None and len(versions) > 1:
        raise BadRequest("a command sets other parameters, and the model judges signals of those that it was trained with; leave the command out, or the model")
    every = [_tasks(series, version.strategy, signals, rules, keep, of_tape) for version in versions]
    tasks: Sequence[Task] = every[0] if len(every) == 1 else spliced(versions, every)
    commanded, rules = _commanded(versions, rules, commands, ask, series), limited(rules, strategy)
    if commands or ask:
        result = replay_commanded(tasks, rules, commanded, rates, watch, moves=True)
    else:
        result = Result(replay(tasks, rules, rates, watch, moves=True), tasks)
    outcome, tasks = result.outcome, result.tasks
    market = account_calendar(task.instrument.calendar for task in tasks)
    metrics = measure(outcome.trades, outcome.fill_costs, outcome.equity, rules.account.balance, _mean_spread(tasks, rules.costs), market)
    return Study(outcome, metrics, tasks, rules, history_of(_with_bars(series, of_tape), strategy), [entry.context for entry in _with_bars(series, of_tape)], result.remarks)


def _tasks(series: Sequence[Series], strategy: Strategy | None, signals: pd.DataFrame | None, rules: Rules, keep: Keep | None, of_tape: bool) -> list[Task]:
    tasks = [_task(entry, strategy, signals, series, rules, of_tape) for entry in _with_bars(series, of_tape)]
    return tasks if keep is None else [replace(task, signals=keep(task.instrument.name, pd.DataFrame(task.signals))) for task in tasks]


def _with_bars(series: Sequence[Series], of_tape: bool) -> Sequence[Series]:
    return [entry for entry in series if len(entry.bars)] if of_tape else series


def _commanded(versions: Sequence[Version], rules: Rules, commands: Sequence[Command], ask: bool, series: Sequence[Series]) -> Commanded:
    """The commands, with the limits that the strategy sets itself after each ``set``."""
    name = own_name(versions[0].strategy) if versions[0].strategy else SIGNALS
    own = {version.place: dict(max_drawdown=limited(rules, version.strategy).limits.max_drawdown) for version in versions[1:]}
    absent = [Traded(entry.instrument, entry.timeframe, name) for entry in series if not len(entry.bars)]
    return Commanded(commands, [name] * (len(series) - len(absent)), ask, own, absent)


def history_of(series: Sequence[Series], strategy: Strategy | None) -> History:
    """The number of bars before the traded ones that features read, and the number that the strategy needs."""
    uses = strategy.features() if strategy else ()
    needed = max((warm_up_of(use, context_of(entry, [entry])) for entry in series for use in uses), default=0)
    several = len({entry.instrument.name for entry in series}) < len(series)
    return History({f"{entry.instrument.name} {entry.timeframe}" if several else entry.instrument.name: entry.bars_of_history for entry in series}, needed)


def context_of(traded: Series, series: Sequence[Series]) -> Context:
    """The context of a series in its run: its instrument, the closes of the others (of several timeframes its own, else the finest), and its external data."""
    own_last = sorted(_finest_last(series), key=lambda other: other.timeframe == traded.timeframe)
    others = {other.instrument.name: closes(other.seen, other.instrument, other.timeframe) for other in own_last if other.instrument != traded.instrument}
    return replace(traded.context, instrument=traded.instrument, timeframe=traded.timeframe, others=others)


def decided(traded: Series, strategy: Strategy, series: Sequence[Series], frame: pd.DataFrame | None = None) -> tuple[Columns, np.ndarray | None]:
    """The signals of a strategy on the traded bars of one series, read; and its trailing prices."""
    decision = decide(strategy, traded.seen, context_of(traded, series) if frame is None else Context(), frame)
    table = decision.table.assign(instrument=traded.instrument.name) if "instrument" in decision.table else decision.table
    return after(read_columns(table, (traded.instrument.name,)), decision.trail, traded.bars_of_history, traded.bars["ts"].iloc[0])


def _task(traded: Series, strategy: Strategy | None, signals: pd.DataFrame | None, series: Sequence[Series], rules: Rules, of_tape: bool) -> Task:
    numbers = None
    if strategy is not None:
        columns, trail = decided(traded, strategy, series)
        read = pd.DataFrame(columns, copy=False)
    else:
        every = read_signals(signals, tuple(dict.fromkeys(entry.instrument.name for entry in series)))
        read, trail = every[every["instrument"] == traded.instrument.name].reset_index(drop=True), None
        if of_tape and not (there := read["ts"].isin(traded.bars["ts"]).to_numpy(bool)).all():
            read, numbers = read[there].reset_index(drop=True), np.flatnonzero(there)
    if rules.execution.stops == "volatility":
        read = pd.DataFrame(with_volatility_stops({str(name): read[name].to_numpy() if read[name].dtype.kind in "iuf" else read[name].array for name in read}, traded), copy=False)
    task = Task(traded.instrument, traded.timeframe, traded.bars, read, traded.side, traded.finer, traded.finer_timeframe, trail, numbers=numbers)
    return informed(task, rules.limits, traded.seen, context_of(traded, series))


def _finest_last(series: Sequence[AnySeries]) -> list[AnySeries]:
    """So that of several timeframes of an instrument the finest is taken by its name."""
    return sorted(series, key=lambda entry: entry.timeframe, reverse=True)


def _mean_spread(tasks: Sequence[Task], costs: Costs) -> float:
    """The mean spread of the bars of one instrument; NaN for several, whose prices have no common spread."""
    if len({task.instrument.name for task in tasks}) > 1:
        return float("nan")
    default = costs.of(tasks[0].instrument).spread
    own = [task.bars["spread"].fillna(default).mean() if "spread" in task.bars else default for task in tasks]
    return float(np.average(own, weights=[len(task.bars) for task in tasks]))


def spec_of(series: Sequence[Series], rules: Rules, strategy: Strategy | None, model: Mapping[str, Any] | None = None, commands: Sequence[Command] = (), ask: bool = False) -> dict[str, Any]:
    """The spec of a run, in plain values: the same spec on the same code gives the same bytes. ``model``: name, version and hash of the one that filters the signals.
    ``commands``, ``ask``: as ``run`` takes them."""
    named = {cls: name for name, cls in STRATEGIES.items()}
    return plain(
        dict(
            data=[dict(instrument=entry.instrument.name, timeframe=str(entry.timeframe), side=entry.side, version=entry.version, bars=len(entry.bars), **_history_in_spec(entry)) for entry in series],
            span=[entry.bars["ts"].iloc[edge] for entry in series[:1] for edge in (0, -1)],
            strategy=dict(name=named.get(type(strategy), "signals"), params=values_of(strategy) if strategy else {}),
            instruments={entry.instrument.name: entry.instrument for entry in series},
            **next((dict(outside=entry.outside) for entry in series if entry.outside), {}),
            **(dict(model=dict(model)) if model else {}),
            **(dict(commands=write_commands(in_order(commands))) if commands else {}),
            **(dict(mode="approve") if ask else {}),
            **rules.values(),
        )
    )


def _history_in_spec(market_series: Series) -> dict[str, int]:
    """Only where there is one, so that a run on the full dataset keeps its hash."""
    return dict(history=market_series.bars_of_history) if market_series.bars_of_history else {}


def spec_hash(spec: Mapping[str, Any]) -> str:
    import hashlib

    return hashlib.sha256(canonical(plain(spec))).hexdigest()
