"""A session: the state of one account that trades bar by bar. It knows no clock, no store and no vendor: bars, commands and times are handed in.

Between two instants everything it is stands in ``store``, and ``restore`` gives it back from these bytes and its tape."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from domain.backtest.live_records import Booked, LiveSeries
from domain.backtest.series import Bars
from domain.errors import BadRequest
from domain.features import Context
from domain.live.arrivals import Arrivals
from domain.live.deciders import Deciders
from domain.live.deciding import streamable
from domain.live.plan import Plan
from domain.live.seen import Seen, Tape
from domain.live.tape import TapeBar, in_order
from domain.live.whole_runs import WholeRuns as Account
from domain.live.worked import Decision, View, Worked
from domain.trading.signal_row import Row

LAYOUT = 1
SIDES = {1: "long", -1: "short"}


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

    def __init__(self, plan: Plan, arrivals: Arrivals, seen: Seen, contexts: Mapping[str, Context], account: Account) -> None:
        """``start`` and ``restore`` make one."""
        self.plan, self.state, self.bars = plan, "waiting", 0
        self._arrivals, self._seen, self._account = arrivals, seen, account
        self._deciders = Deciders(plan, contexts, seen.of)
        self._tasks = {text: [k for k, (series, _) in enumerate(plan.decided) if series == text] for text in plan.series}
        self._numbers = [0] * len(plan.decided)             # signals so far, by task
        self._commands: deque[Any] = deque()

    @classmethod
    def start(cls, plan: Plan, history: Iterable[TapeBar] = (), contexts: Mapping[str, Context] = {}, tape: Tape | None = None) -> Session:
        """A session before its first bar. ``history``: earlier bars, which features see. ``contexts``: by series, what features read beside bars.
        ``tape``: gives the bars of a series that have been stored, in order; without one all bars are kept in memory."""
        for planned in plan.strategies:
            streamable(planned.made)
        seen, arrivals = Seen(plan.series, tape), Arrivals.of(plan)
        for bar in history:
            if arrivals.past(bar):
                seen.add(bar)
        return cls(plan, arrivals, seen, contexts, Account(series_of(plan), plan.account_rules))

    @property
    def ts(self) -> int:
        """The last instant that was worked."""
        return self._arrivals.worked

    # ---- what comes in

    def open_bar(self, series: str, ts: int, open: float, spread: float = float("nan"), end: int | None = None) -> bool:
        """A bar has opened. ``spread``: NaN where it is unknown; ``end``: when it will end, where that is not by timeframe and calendar."""
        return self._arrivals.open(series, ts, open, spread, end)

    def end_bar(self, series: str, high: float, low: float, close: float, volume: float = float("nan"), recovered: bool = False, end: int | None = None) -> bool:
        """The bar of this series that is open has ended, at ``end`` where that is not when it was due."""
        return self._arrivals.end(series, high, low, close, volume, recovered, end)

    def bar(self, bar: TapeBar) -> bool:
        """A whole bar at once, as from a file: nothing of it is taken where any of it is bad."""
        return self._arrivals.whole(bar)

    def command(self, command: Any) -> None:
        """A verb of a person, worked after the last instant ≤ its ``ts``. Commands come in the order of their ``ts``."""
        self._commands.append(command)

    # ---- what happens

    def work(self, until: int) -> list[Worked]:
        """Every instant up to and with ``until``, in order. A bar that should have ended by then and has not holds it back."""
        worked = []
        while (at := self._arrivals.next()) is not None and at <= until:
            worked.append(self._instant(at))
        if not self._arrivals.silent:
            worked.append(Worked(self.ts, remarks=self._arrivals.remarks()))
        return worked

    def finish(self) -> list[Worked]:
        """The end of the data: what has come is worked, and what is open is closed at the last close. A bar that has not ended is left out."""
        if forming := self._arrivals.forming():
            raise BadRequest(f"the bar of {', '.join(forming)} has not ended; end it, or leave it out of the tape")
        worked = []
        while (at := self._arrivals.next()) is not None:
            worked.append(self._instant(at))
        self.state = "finished"
        booked = self._account.finish() if self.bars else Booked(self.ts)
        return [*worked, self._told(booked, ended=True)]

    def store(self) -> bytes:
        """The state as bytes; what has come and was not worked is part of it."""
        return json.dumps(dict(layout=LAYOUT, bars=self.bars, state=self.state, numbers=self._numbers, arrivals=self._arrivals.plain())).encode()

    @classmethod
    def restore(cls, plan: Plan, stored: bytes, tape: Tape, commands: Iterable[Any] = (), contexts: Mapping[str, Context] = {}) -> Session:
        """The session as it was stored. ``tape``: gives the bars of a series that ended up to then, its history first; ``commands``: those that were worked.
        Raises OtherLayout where the bytes are of other code: then ``rebuild`` it."""
        return cls.rebuild(plan, stored, tape, commands, contexts)[0]

    @classmethod
    def rebuild(cls, plan: Plan, stored: bytes, tape: Tape, commands: Iterable[Any] = (), contexts: Mapping[str, Context] = {}) -> tuple[Session, list[Worked]]:
        """The session by working its tape again up to where it was stored, and all that this gave: it must be what was booked."""
        state = json.loads(stored)
        bars = in_order((bar for text in plan.series for bar in tape(text)), plan.series)
        session = cls.start(plan, [bar for bar in bars if plan.start is not None and bar.ts < plan.start], contexts)
        for bar in bars:
            if plan.start is None or bar.ts >= plan.start:
                session.bar(bar)
        for command in commands:
            session.command(command)
        session._arrivals.form_again(state["arrivals"])
        worked = session.work(state["arrivals"]["worked"])
        session._arrivals.take_back(state["arrivals"])
        return session, worked

    def view(self) -> View:
        present = self._account.present()
        strategies = tuple(dict(planned.plain(), enabled=True) for planned in self.plan.strategies)
        positions, orders = (tuple(record._asdict() for record in records) for records in (present.held, present.resting))
        return View(self.ts, self.state, self.bars, present.balance, present.equity, positions, orders, (), self._arrivals.forming(), present.counts, dict(self._arrivals.dropped), strategies)

    # ---- inside

    def _instant(self, at: int) -> Worked:
        self._arrivals.worked, self.state = at, "running"
        ended = [bar for text in self.plan.series if (bar := self._arrivals.ended(text, at)) is not None]
        for bar in ended:
            self._end(bar)
        for text in self.plan.series:
            self._open(text, at)
        decisions: list[Decision] = []
        by_series = {bar.series: bar for bar in ended}
        booked = self._account.advance(at, lambda k, end: self._decide(k, by_series[self.plan.decided[k][0]], decisions))
        return self._told(booked[0] if booked else Booked(at), tuple(ended), decisions)

    def _end(self, bar: TapeBar) -> None:
        for k in self._tasks[bar.series]:
            self._account.end(k, bar.high, bar.low, bar.close, bar.end)
        self._seen.add(bar)
        self._deciders.closed(bar)
        self.bars += 1

    def _open(self, text: str, at: int) -> None:
        if (opened := self._arrivals.opened(text, at)) is not None:
            for k in self._tasks[text]:
                self._account.open(k, at, opened.open, opened.spread, opened.end)

    def _decide(self, k: int, bar: TapeBar, decisions: list[Decision]) -> list[Row]:
        rows = self._deciders.decide(k, bar)
        text, number = self.plan.decided[k]
        for row in rows:
            self._numbers[k] += 1
            side, name = SIDES.get(row["side"], ""), self.plan.strategies[number].name
            decisions.append(Decision(self._numbers[k], self.ts, bar.ts, text, name, side, row["order"], row["price"], row["stop_loss"], row["tag"], "placed"))
        return rows

    def _told(self, booked: Booked, bars: tuple[TapeBar, ...] = (), decisions: Sequence[Decision] = (), ended: bool = False) -> Worked:
        fills, trades = (tuple(self._named(record) for record in records) for records in (booked.fills, booked.trades))
        row = booked.row._asdict() if booked.row else None
        return Worked(booked.ts, bars, fills, trades, tuple(decisions), row, remarks=self._arrivals.remarks(), ended=ended)

    def _named(self, record: Any) -> dict[str, Any]:
        """A record with the names of its series and strategy in the place of their number."""
        text, number = self.plan.decided[record.series]
        return {**record._asdict(), "series": text, "strategy": self.plan.strategies[number].name}


def series_of(plan: Plan) -> list[LiveSeries]:
    """The tasks of the account: one for each pair of a series and a strategy that decides on it."""
    return [LiveSeries(plan.instrument(text), plan.name_of(text).timeframe, plan.side) for text, _ in plan.decided]


def bars_of(bars: Sequence[TapeBar]) -> Bars:
    """Bars of a tape as the account reads them."""
    columns = [np.array([getattr(bar, name) for bar in bars], np.int64 if name in ("ts", "end") else np.float64) for name in Bars._fields]
    return Bars(*columns)
