"""What a person's command does to an account between two instants, whole run or live: one reading of each verb for both."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from domain.backtest.kernel.codes import FOR_GOOD, FOR_THE_DAY, KILLED, PAUSED, STOPPED
from domain.backtest.limit_tables import blackouts
from domain.errors import BadRequest, listed, unknown
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.trading.command import Command, text_of
from domain.trading.signal_row import Row, read_row
from domain.trading.verbs import Approve, Blackout, Close, Disable, Enable, Halt, Release, Set, Stop, Ticket

ALL = -1                        # for a task: the account
REACHED = {"daily_loss": FOR_THE_DAY, "max_drawdown": FOR_GOOD, "": KILLED}     # limit -> why the account is halted


class Traded(NamedTuple):
    """A task of the account: its series, and the name of the strategy that decides on it."""

    instrument: Instrument
    timeframe: Timeframe
    strategy: str

    @property
    def series(self) -> str:
        return f"{self.instrument.name} {self.timeframe}"


class Open(NamedTuple):
    """An open position, as a command names it."""

    trade: int
    task: int
    tag: str
    side: int


class CommandedAccount(Protocol):
    """An account between two instants. ``task`` ALL is all of them; ``why`` and ``flatten`` as the kernel's ``halt_for``; ``number`` of a ticket
    from 1, its ``order_id`` is −number, and the answer why it could not be placed, empty where it was; ``order`` is an ``order_id``; ``changes``: values of Limits, as if they had always been so."""

    def halt(self, task: int, now: int, why: int, flatten: bool) -> None: ...
    def lift(self, task: int, why: int) -> None: ...
    def open_positions(self) -> Sequence[Open]: ...
    def leave(self, trade: int, share: float) -> bool: ...
    def ticket(self, task: int, number: int, row: Row, now: int) -> str: ...
    def approve(self, task: int, order: int) -> bool: ...
    def limit(self, changes: Mapping[str, Any]) -> None: ...


class Verbs:
    """Works commands on an account, in their order. What it remembers follows from the commands: ``tickets`` so far, ``windows``, ``stopped``."""

    def __init__(self, tasks: Sequence[Traded], windows: str = "") -> None:
        self.tasks, self.windows, self.tickets, self.stopped = list(tasks), windows, 0, False

    def check(self, command: Command) -> None:
        """Raises BadRequest for a command that names what is not there; nothing is done."""
        copy.copy(self).work(command, Nothing())

    def work(self, command: Command, account: CommandedAccount) -> list[str]:
        """Sentences on what it could not do. Raises BadRequest for a name that the account does not know, and then does nothing."""
        how = getattr(self, "_" + command.command.replace("-", "_"))
        sentences = how(command.payload, command.ts, account)
        return [f"{command.command} of {text_of(command.ts)}: {sentence}" for sentence in sentences or ()]

    # --- halts

    def _pause(self, arguments: Any, now: int, account: CommandedAccount) -> None:
        account.halt(ALL, now, PAUSED, False)

    def _continue(self, arguments: Any, now: int, account: CommandedAccount) -> None:
        account.lift(ALL, PAUSED)

    def _disable(self, arguments: Disable, now: int, account: CommandedAccount) -> None:
        for task in self.of(arguments.strategy):
            account.halt(task, now, PAUSED, False)

    def _enable(self, arguments: Enable, now: int, account: CommandedAccount) -> None:
        for task in self.of(arguments.strategy):
            account.lift(task, PAUSED)

    def _halt(self, arguments: Halt, now: int, account: CommandedAccount) -> None:
        for task in self.of(arguments.strategy) if arguments.strategy else [ALL]:
            account.halt(task, now, REACHED[arguments.limit], not arguments.keep)

    def _release(self, arguments: Release, now: int, account: CommandedAccount) -> None:
        for task in self.of(arguments.strategy) if arguments.strategy else [ALL]:
            account.lift(task, KILLED)

    def _stop(self, arguments: Stop, now: int, account: CommandedAccount) -> list[str]:
        held = account.open_positions()
        if held and not arguments.close:
            return [f"{len(held)} positions are open; close them first, or stop with close"]
        self.stopped = True
        account.halt(ALL, now, STOPPED, False)
        return self._close_all(arguments, now, account) if held else []

    # --- exits

    def _close(self, arguments: Close, now: int, account: CommandedAccount) -> list[str]:
        self._refuse_unknown(arguments)
        matches = [held for held in account.open_positions() if self._fits(arguments, held)]
        for held in matches:
            account.leave(held.trade, arguments.share)
        return [] if matches else ["no such position is open"]

    def _close_all(self, arguments: Any, now: int, account: CommandedAccount) -> list[str]:
        for held in account.open_positions():
            account.leave(held.trade, 1.0)
        return []

    def _fits(self, arguments: Close, held: Open) -> bool:
        task = self.tasks[held.task]
        wanted = (arguments.instrument, arguments.series, arguments.strategy, arguments.side)
        matches = (task.instrument.name, task.series, task.strategy, "long" if held.side > 0 else "short")
        return all(want in ("", have) for want, have in zip(wanted, matches, strict=True)) and arguments.tag in (None, held.tag) and arguments.trade in (0, held.trade)

    # --- entries

    def _order(self, arguments: Ticket, now: int, account: CommandedAccount) -> list[str]:
        task = self.series_of(arguments.instrument, arguments.series)
        self.tickets += 1
        why = account.ticket(task, self.tickets, ticket_row(arguments, self.tickets), now)
        return [why] if why else []

    def _approve(self, arguments: Approve, now: int, account: CommandedAccount) -> list[str]:
        self._refuse_unknown(arguments)
        tasks = [place for place, task in enumerate(self.tasks) if arguments.series in ("", task.series) and arguments.strategy in ("", task.strategy)]
        if len(tasks) != 1:
            raise BadRequest(f"approve does not say which proposal; give series and strategy of one of {listed(f'{task.series} {task.strategy}' for task in self.tasks)}")
        return [] if account.approve(tasks[0], arguments.order) else [f"no proposal {arguments.order} waits"]

    def _set(self, arguments: Set, now: int, account: CommandedAccount) -> None:
        self.of(arguments.strategy)

    def _blackout(self, arguments: Blackout, now: int, account: CommandedAccount) -> list[str]:
        blackouts(arguments.add or arguments.remove, now, now)
        windows, missing = changed(self.windows, arguments)
        self.windows = windows
        account.limit({"blackout": windows})
        return [f"there is no window {window!r}; there are {self.windows or 'none'}" for window in missing]

    def _adopt(self, arguments: Any, now: int, account: CommandedAccount) -> None:
        """What a broker has is no matter of the prices: on the tape it changes nothing."""

    # --- names

    def of(self, strategy: str) -> Sequence[int]:
        """The tasks of a strategy; without a name, of the only one."""
        names = list(dict.fromkeys(task.strategy for task in self.tasks))
        if not strategy and len(names) > 1:
            raise BadRequest(f"the command does not say which strategy; give one of {listed(names)}")
        return self._named("strategy", strategy or names[0], (task.strategy for task in self.tasks))

    def series_of(self, instrument: str, series: str) -> int:
        """The task of a series, or of the finest of an instrument; the first of several."""
        if series:
            return self._named("series", series, (task.series for task in self.tasks))[0]
        tasks = self._named("instrument", instrument, (task.instrument.name for task in self.tasks))
        return min(tasks, key=lambda task: self.tasks[task].timeframe.minutes)

    def _named(self, kind: str, name: str, names: Iterable[str]) -> list[int]:
        every = list(names)
        if name not in every:
            raise unknown(kind, name, set(every))
        return [task for task, each in enumerate(every) if each == name]

    def _refuse_unknown(self, arguments: Close | Approve) -> None:
        for kind, name, names in (
            ("instrument", getattr(arguments, "instrument", ""), [task.instrument.name for task in self.tasks]),
            ("series", arguments.series, [task.series for task in self.tasks]),
            ("strategy", arguments.strategy, [task.strategy for task in self.tasks]),
        ):
            if name:
                self._named(kind, name, names)


class Nothing:
    """An account on which nothing is open and nothing is done."""

    def halt(self, task: int, now: int, why: int, flatten: bool) -> None: ...
    def lift(self, task: int, why: int) -> None: ...

    def open_positions(self) -> Sequence[Open]:
        return ()

    def leave(self, trade: int, share: float) -> bool:
        return True

    def ticket(self, task: int, number: int, row: Row, now: int) -> str:
        return ""

    def approve(self, task: int, order: int) -> bool:
        return True

    def limit(self, changes: Mapping[str, Any]) -> None: ...


def no_rate(instrument: Instrument, currency: str) -> str:
    return f"no conversion rate {instrument.quote}→{currency} is known yet"


def no_close(instrument: Instrument, timeframe: Timeframe) -> str:
    return f"no bar of {instrument.name} {timeframe} has ended yet"


def ticket_row(arguments: Ticket, number: int) -> Row:
    """A ticket as a signal."""
    return read_row(dict(side=arguments.side, order="market", lots=arguments.lots, stop_loss=arguments.stop, target_1=arguments.target, tag=arguments.tag or f"ticket {number}"))


def changed(windows: str, arguments: Blackout) -> tuple[str, list[str]]:
    """The windows after a command, and those of it that were not there to be removed.

    >>> changed("12:25-12:35 UTC", Blackout(add="Fri 20:00-Sun 23:00 UTC"))
    ('12:25-12:35 UTC; Fri 20:00-Sun 23:00 UTC', [])
    >>> changed("12:25-12:35 UTC", Blackout(remove="12:25-12:35 UTC; 1:00-2:00 UTC"))
    ('', ['1:00-2:00 UTC'])
    """
    present, named = _windows(windows), _windows(arguments.add or arguments.remove)
    if arguments.add:
        return "; ".join([*present, *(window for window in named if window not in present)]), []
    return "; ".join(window for window in present if window not in named), [window for window in named if window not in present]


def _windows(text: str) -> list[str]:
    return [" ".join(window.split()) for window in text.split(";") if window.strip()]
