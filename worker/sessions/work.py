"""One session at work: events of its feed and commands go in, whole instants that one transaction writes come out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from domain.errors import BadRequest
from domain.live.broker_wanted import Wanted
from domain.live.command import Command
from domain.live.quotes import Ended, Instant, OpenBar, Opened, Standing
from domain.live.tape import TapeBar
from domain.live.worked import Worked
from worker.sessions import events
from worker.sessions.broker_seen import LimitHalt
from worker.sessions.losses import LossWatch
from worker.sessions.replay_feed import Bad, FeedItem, Lost, Over, SessionFeed
from worker.sessions.shown import Shown
from worker.store.engine import Encoded, json_text
from worker.store.messages import Message
from worker.store.session_commands import StoredCommand
from worker.store.session_commits import Commit, WorkedCommand
from worker.store.session_tape import Output, packed
from worker.store.sessions import SessionState

if TYPE_CHECKING:
    from worker.sessions.broker_side import BrokerSide


NOTHING: Mapping[str, Any] = {}     # of a session without a broker: one of them for all, so that it is written as text once


class Account(Protocol):
    """What ``domain.live.session.Session`` does for a runner."""

    def open_bar(self, series: str, ts: int, open: float, spread: float = ..., end: int | None = ...) -> bool: ...
    def end_bar(self, series: str, high: float, low: float, close: float, volume: float = ..., recovered: bool = ..., *, last: bool = ...) -> bool: ...
    def bar(self, bar: TapeBar) -> bool: ...
    def lose(self, series: str, count: int, lines: Iterable[str]) -> None: ...
    def command(self, command: Command) -> None: ...
    def work(self, until: int) -> list[Worked]: ...
    def finish(self) -> list[Worked]: ...
    def store(self) -> bytes: ...
    def view(self) -> Any: ...


@dataclass(slots=True)
class Written:
    """What one transaction writes of a session. ``end``: the state that it ends in, empty while it goes on. ``wanted``: of its broker, once it is committed."""

    commit: Commit
    events: Sequence[events.Happened]
    messages: Sequence[Message]
    end: str = ""
    halts: Sequence[LimitHalt] = ()
    wanted: Wanted | None = None


@dataclass(slots=True)
class Gathered:
    """What was worked since the last commit."""

    tape: list[TapeBar] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    commands: list[WorkedCommand] = field(default_factory=list)
    events: list[events.Happened] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    halts: list[LimitHalt] = field(default_factory=list)
    touched: bool = False


class SessionWork:
    """A session that this runner holds. ``epoch``: its fencing token; ``losses``: where people hear of fills and losses, as they do of a live feed;
    ``broker``: of one whose fills are not its own."""

    def __init__(self, name: str, account: Account, feed: SessionFeed, epoch: int, state: SessionState, losses: LossWatch | None = None, broker: BrokerSide | None = None) -> None:
        self.name, self.account, self.feed, self.epoch = name, account, feed, epoch
        self.next, self.eager = feed.next, bool(getattr(feed, "eager", False))      # as fast as possible
        self.ts, self.end, self._losses, self.broker = state.ts, "", losses, broker
        self._number, self._bars = state.commits, state.bars
        self._opened, self._rows = dict(state.opened), dict(state.rows)
        self._begun = int(state.view.get("begun", 0))
        self.exposed = exposed_in(state.view.get("positions", ()))            # instruments with a position
        self.feed_before = dict(state.feed)             # how its feed was when it was stored
        self._equity_ts = int(state.view.get("equity_ts", 0))
        self._known: set[int] = set()
        self._waiting: deque[StoredCommand] = deque()   # not passed to the account yet, by the time under which they are worked
        self._commands: deque[StoredCommand] = deque()     # passed on, not worked
        self._now, self._shown = Gathered(), Shown()

    # -- what comes in

    def begin(self, history: Sequence[TapeBar]) -> None:
        """Before the first commit: the bars that came before."""
        self._now.tape.extend(history)
        self._now.touched = True

    def ask(self, commands: Iterable[StoredCommand]) -> None:
        """Commands that the store has and this session has not seen."""
        for command in commands:
            if command.number not in self._known:
                self._known.add(command.number)
                self._waiting.append(command)

    def command_now(self) -> None:
        """Work the commands that are due, without waiting for an instant; before the first instant there is nothing they could follow."""
        if self.ts and self._book_until(self.ts):
            self._take(self.account.work(self.ts))

    def receive(self, items: Sequence[FeedItem]) -> None:
        """Bars that open and end, and instants to be worked."""
        for event in items:
            if isinstance(event, Opened):
                if self.account.open_bar(event.series, event.ts, event.open, event.spread, event.end):
                    self._opened[event.series] = [event.ts, event.open, None if math.isnan(event.spread) else event.spread, event.end]
            elif isinstance(event, Ended):
                self.account.end_bar(event.series, event.high, event.low, event.close, event.volume, event.recovered, last=event.last)
            elif isinstance(event, Instant):
                self._instant(event.at)
            elif isinstance(event, Bad):
                self.account.bar(event.bar)
            elif isinstance(event, Lost):
                self.account.lose(event.series, event.count, event.lines)
            elif isinstance(event, Over):
                self._finish()

    def hear_broker(self) -> None:
        """What its broker's side has found: booked as it comes."""
        if self.broker is None:
            return
        for update in self.broker.line.updates():
            news, now = self.broker.look(update), self._now
            now.touched = True
            now.messages.extend(news.messages)
            now.events.extend(news.events)
            now.halts.extend(news.halts)
            self._take(self.broker.session.booked(update.report))

    def close(self, wait: float = 0.0) -> None:
        """Its feed, and the line to its broker; ``wait``: seconds for what is under way there."""
        self.feed.close()
        if self.broker is not None:
            self.broker.line.close(wait)

    # -- what goes out

    def written(self) -> Written | None:
        """All that was worked since the last time, None where nothing was."""
        now = self._now
        if not now.touched:
            return None
        self._now, self._number = Gathered(), self._number + 1
        kept = {"begun": self._begun, "equity_ts": self._equity_ts, **(self._losses.kept if self._losses else {})}
        broker = self.broker
        for booking in broker.session.bookings() if broker else ():
            self._out("broker", booking.ts, booking.plain())
        view = self.account.view()
        self.exposed = exposed_in(getattr(view, "positions", ()))
        shown = self._shown.text(view, kept | broker.view() if broker else kept)
        commit = Commit(self.name, self.epoch, self._number, self.ts, self._bars, self.account.store(), self._opened_text(), self._rows_text(), shown, now.tape, now.outputs, now.commands, broker.session.kept if broker else NOTHING)
        self._bars += len(now.tape)
        return Written(commit, now.events, now.messages, self.end, now.halts, broker.session.wanted() if broker else None)

    # -- inside

    def _opened_text(self) -> Encoded:
        """The bars that are open, put together here: an encoder takes twice as long."""
        bars = [f'{_word(series)}: [{ts}, {open}, {"null" if spread is None else spread}, {end}]' for series, (ts, open, spread, end) in self._opened.items()]
        return Encoded(f"{{{', '.join(bars)}}}")

    def _rows_text(self) -> Encoded:
        rows = [f"{_word(kind)}: {number}" for kind, number in self._rows.items()]
        return Encoded(f"{{{', '.join(rows)}}}")

    def _instant(self, at: int) -> None:
        self._book_until(at)
        self._take(self.account.work(at))
        self.ts = max(self.ts, at)
        self._now.touched = True

    def _finish(self) -> None:
        self.end, self._now.touched = self.end or "finished", True
        self._take(self.account.finish())

    def _book_until(self, until: int) -> bool:
        """Tell the account what is due, in the order of time; a command for now stands right after the last instant."""
        if not self._waiting:
            return False
        due = sorted((c for c in self._waiting if c.ts is None or c.ts <= until), key=lambda c: (self._stamp(c), c.number))
        for stored in due:
            self._waiting.remove(stored)
            ts = self._stamp(stored)
            try:
                self.account.command(Command(ts, stored.who, stored.command, dict(stored.arguments), stored.reason))
            except BadRequest as error:
                self._answer(stored, ts, str(error))
            else:
                self._commands.append(stored)
        return bool(due)

    def _stamp(self, command: StoredCommand) -> int:
        return self.ts if command.ts is None else max(command.ts, self.ts)

    def _answer(self, command: StoredCommand, ts: int, answer: str = "") -> None:
        self._now.commands.append(WorkedCommand(command.number, ts, answer))
        self._now.events.append(events.commanded(self.name, command, ts, answer))
        self._now.messages.extend(events.of_command(self.name, command, answer))
        self._now.touched = True

    def _take(self, worked: Iterable[Worked]) -> None:
        for each in worked:
            now = self._now
            now.touched = True
            self._begun = self._begun or each.ts
            now.tape.extend(each.bars)
            for bar in each.bars:
                self._forget(bar)
            self._put(each)
            if each.decisions or each.fills or each.trades or each.remarks:
                happened, messages = events.of(self.name, each, self._losses is not None)
                now.events.extend(happened)
                now.messages.extend(messages)
            if self._losses and each.row is not None:
                now.messages.extend(self._losses.look(each.row))
            for command in each.commands:
                self._answer(self._commands.popleft(), command.ts)
            if each.ended:
                self.end = self.end or "stopped"

    def _forget(self, bar: TapeBar) -> None:
        """A bar that has ended is open no longer; the next one of its series may have opened already."""
        if (opened := self._opened.get(bar.series)) and opened[0] == bar.ts:
            del self._opened[bar.series]

    def _put(self, worked: Worked) -> None:
        for row in worked.fills:
            self._out("fills", worked.ts, row)
        for row in worked.trades:
            self._out("trades", worked.ts, row)
        for decision in worked.decisions:
            self._out("decisions", worked.ts, decision.plain())
        if worked.row is not None:
            self._out("equity", worked.ts, worked.row, again=self._same_row(worked))

    def _same_row(self, worked: Worked) -> bool:
        """Whether this row is that of the last instant once more, as the end of the data writes it."""
        ts, self._equity_ts = self._equity_ts, int(worked.row["ts"]) if worked.row else 0
        return ts == self._equity_ts and self._rows.get("equity", 0) > 0

    def _out(self, kind: str, ts: int, row: Mapping[str, Any], again: bool = False) -> None:
        """``again``: in the place of the last one."""
        self._rows[kind] = number = self._rows.get(kind, 0) + (not again)
        self._now.outputs.append(Output(kind, number, ts, packed(row)))


@cache
def _word(text: str) -> str:
    return json_text(text)


def exposed_in(positions: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The instruments of these positions."""
    return tuple(dict.fromkeys(str(row["instrument"]) for row in positions))


def standing(state: SessionState) -> Standing | None:
    """Where a session stands, for its feed; None before its first instant."""
    if not state.ts:
        return None
    bars = (OpenBar(series, ts, open, math.nan if spread is None else spread, end, open, open, open, 0.0) for series, (ts, open, spread, end) in state.opened.items())
    return Standing(int(state.view.get("begun", state.ts)), state.ts, tuple(bars))
