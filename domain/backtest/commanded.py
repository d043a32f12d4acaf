"""A run with commands: the kernel worked up to each command's instant, the command's verb applied, and on to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest import kernel
from domain.backtest.prepare import MarketInputs, other_limits, prepare_market, with_signals
from domain.backtest.simulator import AT_ONCE, Simulation, Watch
from domain.backtest.tickets import PlacedTicket, with_tickets
from domain.backtest.verbs import Open, Traded, Verbs, no_close, no_rate, ticket_row
from domain.errors import BadRequest
from domain.trading.command import Command, in_order
from domain.trading.rules import Rules
from domain.trading.signal_row import Row
from domain.trading.task import Outcome, Rate, Task


@dataclass(frozen=True)
class Commanded:
    """What commands change about a run. ``strategies``: the name of each task's; ``ask``: entries wait for an ``approve``.
    ``limits``: limits that a strategy sets itself, from the command of this place on. ``absent``: what a session trades beside the tasks, of which
    no bar has ended: commands may name it."""

    commands: Sequence[Command] = ()
    strategies: Sequence[str] = ()
    ask: bool = False
    limits: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    absent: Sequence[Traded] = ()


@dataclass(frozen=True)
class Result:
    """``tasks``: those given, up to the end of the run; ``remarks``: what commands could not do."""

    outcome: Outcome
    tasks: Sequence[Task]
    remarks: Sequence[str] = ()


class NothingEnded(BadRequest):
    """No bar has ended before the end of the run, so there is nothing of it."""


class WholeRun:
    """A run over bars that are all there, as the account that verbs are worked on. ``absent``: of tasks that have none, numbered after the others."""

    def __init__(self, market: MarketInputs, tasks: Sequence[Task], tickets: Sequence[PlacedTicket], moves: bool, absent: Sequence[Traded] = ()) -> None:
        self.market, self.tasks, self.limits, self.absent = market, tasks, market.rules.limits, absent
        self.prepared = with_tickets(with_signals(market, tasks), tickets)
        self.run = Simulation(self.prepared, market.rules.account, moves)
        self._tickets = {ticket.number: len(self.prepared.inputs["signals"]) - len(tickets) + place for place, ticket in enumerate(tickets)}

    @property
    def at(self) -> int:
        """How many instants have been worked."""
        return int(self.run.arrays["account"][0]["instant"])

    def to(self, instants: int, watch: Watch) -> None:
        """Work the run's first ``instants`` instants."""
        while self.at < instants and self.run.step(min(AT_ONCE, instants - self.at)):
            watch(self.at / len(self.market.instants))

    def halt(self, task: int, now: int, why: int, flatten: bool) -> None:
        if task < len(self.tasks):
            self.run.between(kernel.halt_for, task, now, why, flatten)

    def lift(self, task: int, why: int) -> None:
        if task < len(self.tasks):
            self.run.between(kernel.lift, task, why)

    def open_positions(self) -> list[Open]:
        held = self.run.arrays["positions"][: int(self.run.arrays["account"][0]["positions"])]
        return [Open(int(p["trade"]), int(p["task"]), str(self.prepared.tags[p["task"]][p["tag"]]), int(p["side"])) for p in held]

    def leave(self, trade: int, share: float) -> bool:
        return bool(self.run.between(kernel.leave_share, trade, share))

    def ticket(self, task: int, number: int, row: Row, now: int) -> str:
        if task >= len(self.tasks):
            return no_close(*self.absent[task - len(self.tasks)][:2])
        inputs = self.prepared.inputs
        if self.market.converts and np.isnan(inputs["rate"][inputs["tasks"]["currency"][task], max(self.at - 1, 0)]):
            return no_rate(self.tasks[task].instrument, self.market.rules.account.currency)
        return "" if self.run.between(kernel.place, task, self._tickets[number], now) else no_close(self.tasks[task].instrument, self.tasks[task].timeframe)

    def approve(self, task: int, order: int) -> bool:
        if task >= len(self.tasks):
            return False
        first, last = self.prepared.inputs["signal_first"][self.market.offsets[[task, task + 1]]]
        own = self.prepared.inputs["signals"]["number"][first:last]
        at = np.flatnonzero(own == order - 1)
        return len(at) > 0 and bool(self.run.between(kernel.approve, int(first + at[0])))

    def limit(self, changes: Mapping[str, Any]) -> None:
        before, self.limits = self.limits, replace(self.limits, **changes)
        self.run.change(*other_limits(self.market, self.tasks, before, self.limits))

    @property
    def rests(self) -> bool:
        """No position is open, and no bar that has a fill."""
        arrays = self.run.arrays
        account, cursors = arrays["account"][0], arrays["cursors"]
        begun = cursors["bar"][cursors["inside"] != 0]
        return not account["positions"] and not any(np.isin(part["bar"], begun).any() for part in (*self.run.fills, arrays["fills"][: account["fills_out"]]))

    def up_to_now(self) -> tuple[list[Task], list[int]] | None:
        """The tasks with the bars that have ended only, and their places; None where that is all of them."""
        ended = self.run.arrays["cursors"]["bar"] - self.market.offsets[:-1]
        if (ended == np.diff(self.market.offsets)).all():
            return None
        places = [place for place, count in enumerate(ended) if count]
        if not places:
            raise NothingEnded("the run is stopped before its first bar ends; give a later stop")
        return [_first_bars(self.tasks[place], int(ended[place])) for place in places], places


def replay_commanded(tasks: Sequence[Task], rules: Rules, commanded: Commanded, rates: Sequence[Rate] = (), watch: Watch = lambda share: None, moves: bool = False) -> Result:
    """The run of ``tasks`` with commands, each worked after the last instant <= its ``ts``. After a ``stop`` it ends as soon as no position is
    open and no bar that has a fill; bars that are open then are not part of it.

    Raises BadRequest as ``replay`` does, and for a command that names what is not there.
    """
    commands, names = in_order(commanded.commands), commanded.strategies or [""] * len(tasks)
    traded = [Traded(task.instrument, task.timeframe, name) for task, name in zip(tasks, names, strict=True)]
    verbs, market = Verbs([*traded, *commanded.absent], rules.limits.blackout), prepare_market(tasks, rules, rates)
    for each in commands:
        verbs.check(each)
    account = WholeRun(market, tasks, _tickets(commands, verbs, len(tasks)), moves, commanded.absent)
    account.run.ask(commanded.ask)
    remarks: list[str] = []
    for place, command in enumerate(commands):
        if _work_until(account, verbs, command.ts, watch):
            break
        remarks += verbs.work(command, account)
        if place in commanded.limits:
            account.limit(commanded.limits[place])
    if _work_until(account, verbs, None, watch) and (shorter := account.up_to_now()):
        return replay_commanded(shorter[0], rules, _without(commanded, traded, shorter[1]), rates, watch, moves)
    account.run.to_end(watch)
    return Result(account.run.outcome(tasks), tasks, remarks)


def _work_until(account: WholeRun, verbs: Verbs, ts: int | None, watch: Watch) -> bool:
    """Work every instant <= ``ts``, or all. Whether a ``stop`` has ended the run."""
    instants = account.market.instants
    until = len(instants) if ts is None else int(np.searchsorted(instants, ts, side="right"))
    if not verbs.stopped:
        account.to(until, watch)
        return False
    while not account.rests and account.at < until:
        account.to(account.at + 1, watch)
    return account.rests


def _without(commanded: Commanded, traded: Sequence[Traded], places: Sequence[int]) -> Commanded:
    """For the tasks at these places only; the others are absent."""
    absent = [each for place, each in enumerate(traded) if place not in places]
    return replace(commanded, strategies=[traded[place].strategy for place in places], absent=[*absent, *commanded.absent])


def _tickets(commands: Sequence[Command], verbs: Verbs, tasks: int) -> list[PlacedTicket]:
    """The orders among the commands, as rows of the tasks that they fall to."""
    orders = enumerate((command.payload for command in commands if command.command == "order"), 1)
    every = [PlacedTicket(number, verbs.series_of(order.instrument, order.series), ticket_row(order, number)) for number, order in orders]
    return [ticket for ticket in every if ticket.task < tasks]


def _first_bars(task: Task, count: int) -> Task:
    bars = task.bars.iloc[:count].reset_index(drop=True)
    signals, left = pd.DataFrame(task.signals), len(task.bars) - count
    decided = (signals["ts"] <= bars["ts"].iloc[-1]).to_numpy(bool)
    trail, monitored = (None if column is None else column[: len(column) - left] for column in (task.trail_price, task.monitored))
    return replace(task, bars=bars, signals=signals[decided].reset_index(drop=True), numbers=task.orders[decided] - 1, trail_price=trail, monitored=monitored)
