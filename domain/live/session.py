"""A session: the state of one account that trades bar by bar. It knows no clock, no store and no vendor: bars, commands and times are handed in.

Between two instants everything it is stands in ``store``, and ``restore`` gives it back from these bytes and its tape."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from domain.backtest.live import Booked, LiveSeries, LiveSimulation
from domain.backtest.live import OtherLayout as OtherLayout
from domain.backtest.series import Bars
from domain.backtest.verbs import REACHED, ticket_row
from domain.compact import compact
from domain.errors import BadRequest
from domain.features import Context
from domain.live.arrivals import FOREVER, Arrivals
from domain.live.command import Command
from domain.live.decided import Decisions
from domain.live.deciders import Deciders
from domain.live.lacking import refuse_lacking
from domain.live.obeying import Obeying
from domain.live.plan import Plan
from domain.live.seen import Seen, Tape
from domain.live.shared import Lines
from domain.live.tape import TapeBar, in_order
from domain.live.worked import Decision, View, Worked
from domain.trading.signal_row import Row

LAYOUT = 1


class Session:
    """Open and end bars in the order of time, then ``work`` up to an instant at which all of them are known.

    ``open_bar``, ``end_bar`` and ``bar`` return False for a bar that was dropped, which is counted and named in the next ``Worked.remarks``.

    >>> from domain.live.plan import StrategyPlan
    >>> session = Session.start(Plan(("EURUSD M5",), (StrategyPlan("momentum"),)))
    >>> session.open_bar("EURUSD M5", 0, 1.1, 0.0001)
    True
    >>> session.end_bar("EURUSD M5", high=1.2, low=1.3, close=1.2)
    False
    >>> [remark for worked in session.work(300_000_000_000) for remark in worked.remarks]
    ['the bar EURUSD M5 of 1970-01-01T00:00:00Z was dropped: its high 1.2 is below its low 1.3']
    """

    def __init__(self, plan: Plan, arrivals: Arrivals, seen: Seen, contexts: Mapping[str, Context], account: LiveSimulation, lines: Lines | None = None) -> None:
        """``start`` and ``restore`` make one."""
        self.plan, self.state, self.bars = plan, "waiting", 0
        self._arrivals, self._seen, self._account = arrivals, seen, account
        self._deciders = Deciders(plan, contexts, seen.of, lines)
        self._tasks = {text: [k for k, (series, _) in enumerate(plan.decided) if series == text] for text in plan.series}
        self._decisions = Decisions(plan)
        self._obeying = Obeying(plan)
        self._commands: deque[Command] = deque()
        self._filled: dict[str, int] = {}                   # series -> open of the last bar that had a fill
        self._strategies: tuple[dict[str, Any], ...] = ()   # as they are shown; empty where a command may have changed them
        self._counted: tuple[Mapping[str, int], dict[str, int]] = ({}, {})      # all counts as the account has them, and those that are not 0

    @classmethod
    def start(cls, plan: Plan, history: Iterable[TapeBar] = (), contexts: Mapping[str, Context] = {}, tape: Tape | None = None, lines: Lines | None = None) -> Self:
        """A session before its first bar. ``history``: earlier bars, which features see. ``contexts``: by series, what features read beside bars.
        ``tape``: gives the bars of a series that have been stored, in order; without one all bars are kept in memory. ``lines``: of the sessions of this process, which decide alike where they have the same question."""
        refuse_lacking(plan, contexts)
        seen, arrivals = Seen(plan.series, tape), Arrivals.of(plan)
        for bar in history:
            if arrivals.past(bar):
                seen.add(bar)
        account = LiveSimulation(series_of(plan, contexts), plan.account_rules, plan.inputs.pairs, _tape_of(plan, seen))
        account.ask(plan.mode == "approve")
        with seen.read_once():
            session = cls(plan, arrivals, seen, contexts, account, lines)
            session._remember()
        return session

    @property
    def ts(self) -> int:
        """The last instant that was worked."""
        return self._arrivals.worked

    @property
    def halted_by(self) -> tuple[str, ...]:
        """The loss limits that halt the account now."""
        halted = self._account.present().halted
        return tuple(limit for limit, why in REACHED.items() if limit and halted & why)

    # ---- what comes in

    def open_bar(self, series: str, ts: int, open: float, spread: float = float("nan"), end: int | None = None) -> bool:
        """A bar has opened. ``spread``: NaN where it is unknown; ``end``: when it will end, where that is not by timeframe and calendar."""
        return self._arrivals.open(series, ts, open, spread, end)

    def end_bar(self, series: str, high: float, low: float, close: float, volume: float = float("nan"), recovered: bool = False, end: int | None = None, last: bool = False) -> bool:
        """The bar of this series that is open has ended, at ``end`` where that is not when it was due. ``last``: no bar of the series comes after it,
        so that its decisions are ``end_of_data``."""
        return self._arrivals.end(series, high, low, close, volume, recovered, end, last)

    def bar(self, bar: TapeBar, last: bool = False) -> bool:
        """A whole bar at once, as from a file: nothing of it is taken where any of it is bad."""
        return self._arrivals.whole(bar, last)

    def lose(self, series: str, count: int, lines: Iterable[str] = ()) -> None:
        """Rows that were to be bars of this series and could not be read: they are counted as dropped, and ``lines`` says what the first of them hold."""
        self._arrivals.lose(series, count, lines)

    def command(self, command: Command) -> None:
        """A verb of a person, worked after the last instant ≤ its ``ts``; commands come in the order of their ``ts``, and those that were not worked when the
        session was stored come again. Raises BadRequest for one that names what the session has not: it does not go onto the tape."""
        self._obeying.check(command, self._deciders, self._commands)
        self._commands.append(command)

    # ---- what happens

    def work(self, until: int) -> list[Worked]:
        """Every instant up to and with ``until``, in order, and commands between them. A bar that should have ended by then and has not holds both back."""
        worked = [*self._worked(until)]
        if not self._arrivals.silent:
            worked.append(Worked(self.ts, remarks=self._arrivals.remarks()))
        return worked

    def finish(self) -> list[Worked]:
        """The end of the data: what has come is worked, and what is open is closed at the last close."""
        worked = [*self._worked(FOREVER)]
        if self.state == "finished":
            return worked
        if forming := self._arrivals.forming():
            raise BadRequest(f"the bar of {', '.join(forming)} has not ended; end it before the session is finished")
        self.state = "finished"
        return [*worked, self._outcome(self._account.finish() if self.bars else Booked(self.ts), ended=True)]

    def _worked(self, until: int) -> Iterator[Worked]:
        while self.state != "finished":
            at, command = self._arrivals.next(), self._commands[0] if self._commands else None
            if command is not None and command.ts <= until and command.ts < min(FOREVER if at is None else at, self._arrivals.held):
                yield self._obey(self._commands.popleft())
            elif at is not None and at <= until:
                yield self._instant(at)
            else:
                return
            if self._obeying.verbs.stopped and self._rests():
                self.state = "finished"
                yield Worked(self.ts, remarks=self._arrivals.remarks(), ended=True)

    def store(self) -> bytes:
        """The state as bytes; bars that have come and were not worked are part of it, commands are not."""
        filled = compact(self._filled) if self._filled else "{}"
        own = f'"arrivals":{self._arrivals.text},"decisions":{self._decisions.text},"filled":{filled},"commands":{self._obeying.text}'
        head = f'{{"layout":{LAYOUT},"bars":{self.bars},"state":"{self.state}",{own}}}'.encode()
        self._seen.stored(self.ts)
        return len(head).to_bytes(4, "big") + head + self._account.store()

    @classmethod
    def restore(cls, plan: Plan, stored: bytes, tape: Tape, contexts: Mapping[str, Context] = {}, lines: Lines | None = None) -> Self:
        """The session as it was stored. ``tape``: gives the bars of a series that ended up to then, its history first. Raises OtherLayout where the bytes
        are of other code: then ``rebuild`` it."""
        state, account = _parts(stored)
        if state["layout"] != LAYOUT:
            raise OtherLayout("the state of the session was stored by other code; rebuild it from its tape")
        seen = Seen(plan.series, tape)
        with seen.read_once():
            live = LiveSimulation.restore(series_of(plan, contexts), plan.account_rules, account, plan.inputs.pairs, _tape_of(plan, seen))
            session = cls(plan, Arrivals.of(plan), seen, contexts, live, lines)
            session._take_back(state)
        return session

    def _take_back(self, state: Mapping[str, Any]) -> None:
        self._arrivals.take_back(state["arrivals"])
        self._decisions.take_back(state["decisions"])
        self._obeying.take_back(state["commands"], self._deciders)
        self._strategies = ()
        self._remember()
        self.bars, self.state, self._filled = state["bars"], state["state"], state["filled"]

    @classmethod
    def rebuild(cls, plan: Plan, stored: bytes, tape: Tape, commands: Iterable[Command] = (), contexts: Mapping[str, Context] = {}) -> tuple[Session, list[Worked]]:
        """The session by working its tape again up to where it was stored, and all that this gave: it must be what was booked. ``commands``: those that
        were worked."""
        session, state = cls._again(plan, stored, tape, contexts)
        for command in commands:
            session.command(command)
        worked = session.work(state["arrivals"]["worked"])
        session._stands(state, tape)
        return session, worked

    @classmethod
    def _again(cls, plan: Plan, stored: bytes, tape: Tape, contexts: Mapping[str, Context]) -> tuple[Self, Mapping[str, Any]]:
        """A new session with all bars of the tape and none of them worked, and what is stored beside the account."""
        state, _ = _parts(stored)
        bars = in_order((bar for text in plan.series for bar in tape(text)), plan.series)
        session = cls.start(plan, [bar for bar in bars if plan.start is not None and bar.ts < plan.start], contexts)
        for bar in bars:
            if plan.start is None or bar.ts >= plan.start:
                session.bar(bar)
        session._arrivals.form_again(state["arrivals"])
        return session, state

    def _stands(self, state: Mapping[str, Any], tape: Tape) -> None:
        """All of the tape has been worked: from now on its bars are read from there."""
        self._arrivals.take_back(state["arrivals"])
        self._seen.follow(tape)

    def view(self) -> View:
        present = self._account.present()
        if present.counts is not self._counted[0]:
            self._counted = present.counts, {name: count for name, count in present.counts.items() if count}
        self._strategies = self._strategies or self._shown_strategies()
        positions, orders = (tuple([self._named(record) for record in records]) for records in (present.held, present.resting))
        state = "halted" if self.state == "running" and present.halted else self.state
        return View(self.ts, state, self.bars, present.balance, present.equity, positions, orders, self._decisions.proposals, self._arrivals.forming(), self._counted[1], dict(self._arrivals.dropped), self._strategies)

    def _shown_strategies(self) -> tuple[dict[str, Any], ...]:
        enabled, params, planned = self._obeying.enabled, self._deciders.parameters, enumerate(zip(self.plan.strategies, self.plan.names, strict=True))
        return tuple(dict(strategy.plain(), name=name, strategy=strategy.name, params=params[number], enabled=enabled(name)) for number, (strategy, name) in planned)

    # ---- inside

    def _remember(self) -> None:
        """Let the account know the monitored feature on the bars that have ended."""
        for text, tasks in self._tasks.items():
            if (values := self._deciders.remembered(text)) is not None:
                for k in tasks:
                    self._account.remember(k, values)

    def _instant(self, at: int) -> Worked:
        before = self._arrivals.worked or -FOREVER
        self.plan.inputs.quote(self._account, len(self.plan.decided), before, at)
        self.plan.inputs.magnify(self._account, self._tasks, before, at)
        self._arrivals.worked, self.state = at, self._obeying.state
        ended = [bar for text in self.plan.series if (bar := self._arrivals.ended(text, at)) is not None]
        for bar in ended:
            self._end(bar)
        for text in self.plan.series:
            self._open(text, at)
        by_series = {bar.series: bar for bar in ended}
        expired = self._decisions.expired(at, [k for bar in ended for k in self._tasks[bar.series]]) if self.plan.mode == "approve" else ()
        monitored = {bar.series: self._deciders.monitored(bar) for bar in ended} if self._deciders.monitors else {}
        selected = self._deciders.decide(at, ended)
        booked = self._account.advance(at, lambda k, end: self._decided(k, by_series[self.plan.decided[k][0]], selected.taken.get(k, []), monitored))
        left = self._decisions.left(selected.left, at, by_series) if selected.left else ()
        return self._outcome(booked[-1] if booked else Booked(at), tuple(ended), (*expired, *left))

    def _obey(self, command: Command) -> Worked:
        remarks, self._strategies = self._obeying.obey(command, self._account, self._deciders), ()
        if command.command == "approve" and not remarks:
            decisions = self._decisions.approved(self._obeying.task_of(command), command.payload.order, command.ts)
        elif command.command == "order":
            decisions, number = (), self._obeying.verbs.tickets
            self._decisions.place(self._obeying.task_of(command), -number, ticket_row(command.payload, number), command.ts, command.ts, "placed", "")
        else:
            decisions = ()
        self.state = self._obeying.state if self.bars else self.state
        worked = self._outcome(together(command.ts, self._account.taken()), decisions=decisions)
        return replace(worked, ts=command.ts, commands=(command,), remarks=(*worked.remarks, *remarks))

    def _rests(self) -> bool:
        """No position is open, and no bar that has a fill."""
        begun = self._arrivals.begun()
        return not self._account.open_positions() and not any(begun.get(text) == ts for text, ts in self._filled.items())

    def _end(self, bar: TapeBar) -> None:
        for k in self._tasks[bar.series]:
            self._account.end(k, bar.high, bar.low, bar.close, bar.end, self._arrivals.is_last(bar))
        self._seen.add(bar)
        self._deciders.closed(bar)
        self.bars += 1

    def _open(self, text: str, at: int) -> None:
        if (opened := self._arrivals.opened(text, at)) is not None:
            for k in self._tasks[text]:
                self._account.open(k, at, opened.open, opened.spread, opened.end)

    def _decided(self, k: int, bar: TapeBar, rows: list[Row], monitored: Mapping[str, float | None]) -> list[Row]:
        if monitored and (value := monitored[bar.series]) is not None:
            self._account.monitor(value)
        if rows:
            self._decisions.add(k, rows, self.ts, bar.ts)
        return rows

    def _outcome(self, booked: Booked, bars: tuple[TapeBar, ...] = (), decisions: tuple[Decision, ...] = (), ended: bool = False) -> Worked:
        for fill in booked.fills:
            self._filled[self.plan.decided[fill.series][0]] = fill.bar_ts
        decisions = (*decisions, *self._decisions.reviewed(booked.ts, booked.reviews, booked.fills))
        fills, trades = (tuple([self._named(record) for record in records]) for records in (booked.fills, booked.trades))
        row = booked.row._asdict() if booked.row else None
        return Worked(booked.ts, bars, fills, trades, decisions, row, remarks=(*self._arrivals.remarks(), *self._deciders.remarks()), ended=ended)

    def _named(self, record: Any) -> dict[str, Any]:
        """A record with the names of its series and strategy in the place of their number."""
        text, number = self.plan.decided[record.series]
        return {**dict(zip(record._fields, record, strict=True)), "series": text, "strategy": self.plan.names[number]}


def series_of(plan: Plan, contexts: Mapping[str, Context] = {}) -> list[LiveSeries]:
    """The tasks of the account: one for each pair of a series and a strategy that decides on it."""
    releases = {text: contexts[text].releases for text in contexts} if plan.rules.limits.news else {}
    finer = {text: given.timeframe for text, given in plan.inputs.finer.items()}
    return [LiveSeries(plan.instrument(text), plan.name_of(text).timeframe, plan.side, finer.get(text), releases.get(text)) for text, _ in plan.decided]


def together(ts: int, booked: Sequence[Booked]) -> Booked:
    """What a command booked at once."""
    fills, trades, reviews = (tuple(record for each in booked for record in getattr(each, kind)) for kind in ("fills", "trades", "reviews"))
    return Booked(ts, fills, trades, reviews)


def _tape_of(plan: Plan, seen: Seen) -> Callable[[int, int | None], Bars]:
    """The bars that the account asks for: of the series of one of its tasks, the last ``count`` that were traded."""

    def bars(k: int, count: int | None) -> Bars:
        traded = [bar for bar in seen.of(plan.decided[k][0]) if plan.start is None or bar.ts >= plan.start]
        spread = plan.rules.costs.of(plan.instrument(plan.decided[k][0])).spread
        return bars_of(traded if count is None else traded[-count:], spread)

    return bars


def bars_of(bars: Sequence[TapeBar], spread: float) -> Bars:
    """Bars of a tape as the account reads them; ``spread``: of those that have none of their own."""
    read = Bars(*(np.array([getattr(bar, name) for bar in bars], np.int64 if name in ("ts", "end") else np.float64) for name in Bars._fields))
    return read._replace(spread=np.where(np.isnan(read.spread), spread, read.spread))


def _parts(stored: bytes) -> tuple[dict[str, Any], bytes]:
    head = int.from_bytes(stored[:4], "big")
    return json.loads(stored[4 : 4 + head]), stored[4 + head :]
