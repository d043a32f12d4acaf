"""A session: the state of one account that trades bar by bar. It knows no clock, no store and no vendor: bars, commands and times are handed in.

Between two instants everything it is stands in ``store``, and ``restore`` gives it back from these bytes and its tape."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from domain.errors import unknown
from domain.features import Context
from domain.live.deciding import Deciding, streamable
from domain.live.plan import Plan
from domain.live.tape import TapeBar, frame_of, in_order, time_text
from domain.live.whole_runs import Booked, WholeRuns
from domain.live.worked import Decision, View, Worked
from domain.market.calendar import bar_ends
from domain.trading.signal_row import Row

NAN = float("nan")


@dataclass(slots=True)
class Coming:
    """A bar on its way through the session. ``told``: the account has opened it, so it cannot be dropped any more; ``bar``: it has ended."""

    ts: int
    end: int
    open: float
    spread: float
    told: bool = False
    bar: TapeBar | None = None

    @property
    def next(self) -> int | None:
        """The instant of what the account has not been told of it."""
        return self.ts if not self.told else self.bar.end if self.bar else None


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

    def __init__(self, plan: Plan, contexts: Mapping[str, Context] = {}) -> None:
        self.plan, self.contexts = plan, dict(contexts)
        for planned in plan.strategies:
            streamable(planned.made)
        self.ts, self.bars, self.state = 0, 0, "waiting"
        self._coming: dict[str, deque[Coming]] = {text: deque() for text in plan.series}
        self._last: dict[str, tuple[int, int]] = {}         # series -> ts and end of the last bar that was taken
        self._refused: set[str] = set()                     # series whose bar was dropped at its open, until its end comes
        self._dropped: Counter[str] = Counter()
        self._remarks: list[str] = []
        self._commands: deque[Any] = deque()
        self._numbers = [0] * len(plan.decided)             # signals so far, by task
        self._closes: dict[str, float] = {}
        self._row: Mapping[str, Any] | None = None

    @classmethod
    def start(cls, plan: Plan, history: Iterable[TapeBar] = (), contexts: Mapping[str, Context] = {}) -> Session:
        """A session before its first bar. ``history``: earlier bars, which features see; ``contexts``: by series, what features read beside bars."""
        session = cls(plan, contexts)
        session._begin(in_order(history, plan.series))
        return session

    def _begin(self, seen: Sequence[TapeBar]) -> None:
        for bar in seen:
            self._last[bar.series] = (bar.ts, bar.end)
            self._closes[bar.series] = bar.close
        tasks = [(self.plan.instrument(text), self.plan.name_of(text).timeframe, self.plan.side) for text, _ in self.plan.decided]
        self._account = WholeRuns(tasks, self.plan.rules)
        self._deciding = [Deciding(self.plan.strategies[number].made, frame_of(bar for bar in seen if bar.series == text), self._context(text)) for text, number in self.plan.decided]

    def _context(self, text: str) -> Context:
        return replace(self.contexts.get(text, Context()), instrument=self.plan.instrument(text), timeframe=self.plan.name_of(text).timeframe)

    # ---- what comes in

    def open_bar(self, series: str, ts: int, open: float, spread: float = NAN, end: int | None = None) -> bool:
        """A bar has opened. ``spread``: NaN where it is unknown; ``end``: when it will end, where that is not by the timeframe and the calendar."""
        coming = self._of(series)
        due = self._due(series, ts) if end is None else end
        if why := self._fault(series, ts, due, open, spread):
            self._refused.add(series)
            return self._drop(series, ts, why)
        self._refused.discard(series)
        coming.append(Coming(ts, due, open, spread))
        return True

    def end_bar(self, series: str, high: float, low: float, close: float, volume: float = NAN, recovered: bool = False, end: int | None = None) -> bool:
        """The bar of this series that is open has ended, at ``end`` where that is not when it was due."""
        coming = self._of(series)
        if not coming or coming[-1].bar is not None:
            if series in self._refused:
                self._refused.discard(series)
                return False
            return self._drop(series, self._last.get(series, (0, 0))[1], "it ended and had not opened")
        opened = coming[-1]
        bar = TapeBar(series, opened.ts, opened.end if end is None else end, opened.open, high, low, close, volume, opened.spread, recovered)
        if why := bar.fault:
            if not opened.told:
                coming.pop()
                return self._drop(series, bar.ts, why)
            self._dropped[series] += 1
            self._remarks.append(f"the bar {series} of {time_text(bar.ts)} is kept at its open, for it was traded: {why}")
            bar = replace(bar, high=bar.open, low=bar.open, close=bar.open, volume=NAN)
        opened.bar, opened.end = bar, bar.end
        self._last[series] = (bar.ts, bar.end)
        return True

    def bar(self, bar: TapeBar) -> bool:
        """A whole bar at once, as from a file: nothing of it is taken where any of it is bad."""
        self._of(bar.series)
        if why := self._fault(bar.series, bar.ts, bar.end, bar.open, bar.spread) or bar.fault:
            return self._drop(bar.series, bar.ts, why)
        self._coming[bar.series].append(Coming(bar.ts, bar.end, bar.open, bar.spread, bar=bar))
        self._last[bar.series] = (bar.ts, bar.end)
        return True

    def command(self, command: Any) -> None:
        """A verb of a person, worked after the last instant ≤ its ``ts``. Commands come in the order of their ``ts``."""
        self._commands.append(command)

    # ---- what happens

    def work(self, until: int) -> list[Worked]:
        """Every instant up to and with ``until``, in order. A bar that should have ended by then and has not holds it back."""
        worked = []
        while (at := self._next()) is not None and at <= until:
            worked.append(self._instant(at))
        if self._remarks:
            worked.append(Worked(self.ts, remarks=self._said()))
        return worked

    def finish(self) -> list[Worked]:
        """The end of the data: what has come is worked, and what is open is closed at the last close."""
        worked = self.work(max((bar.end for coming in self._coming.values() for bar in coming), default=self.ts))
        self.state = "finished"
        return [*worked, *(self._told(booked, (), ()) for booked in self._account.finish()), Worked(self.ts, ended=True)]

    def store(self) -> bytes:
        """The state as bytes; what has come and was not worked is part of it."""
        coming = {text: [[bar.ts, bar.end, bar.open, bar.spread, bar.told] for bar in bars if bar.bar is None] for text, bars in self._coming.items()}
        return json.dumps(dict(layout=1, ts=self.ts, bars=self.bars, coming=coming, dropped=self._dropped)).encode()

    @classmethod
    def restore(cls, plan: Plan, stored: bytes, tape: Iterable[TapeBar], commands: Iterable[Any] = (), contexts: Mapping[str, Context] = {}) -> Session:
        """The session as it was stored. ``tape``: its bars up to then, its history first; ``commands``: those that were worked."""
        state, bars = json.loads(stored), list(tape)
        history = [bar for bar in bars if plan.start is not None and bar.ts < plan.start]
        session = cls.start(plan, history, contexts)
        for bar in bars:
            if plan.start is None or bar.ts >= plan.start:
                session.bar(bar)
        for text, opened in state["coming"].items():
            session._coming[text].extend(Coming(*values[:4]) for values in opened)
        session.work(state["ts"])
        session._dropped, session._remarks = Counter(state["dropped"]), []
        return session

    def view(self) -> View:
        row, balance = self._row or {}, self.plan.rules.account.balance
        opened = {text: dict(ts=bar.ts, end=bar.end, open=bar.open, spread=bar.spread) for text, coming in self._coming.items() for bar in coming if bar.told and bar.bar is None}
        strategies = tuple(dict(planned.plain(), enabled=True) for planned in self.plan.strategies)
        return View(self.ts, self.state, self.bars, row.get("balance", balance), row.get("equity", balance), opened=opened, dropped=dict(self._dropped), strategies=strategies)

    # ---- inside

    def _of(self, series: str) -> deque[Coming]:
        if series not in self._coming:
            raise unknown("series of the session", series, self.plan.series)
        return self._coming[series]

    def _due(self, series: str, ts: int) -> int:
        return int(bar_ends(np.array([ts]), self.plan.name_of(series).timeframe, self.plan.instrument(series).calendar)[0])

    def _fault(self, series: str, ts: int, end: int, open: float, spread: float) -> str:
        coming, (last, until) = self._coming[series], self._last.get(series, (ts - 1, ts))
        if self.plan.start is not None and ts < self.plan.start:
            return f"it opens before the session, which trades from {time_text(self.plan.start)} on"
        if why := TapeBar(series, ts, end, open, open, open, open, NAN, spread).fault:
            return why
        if coming and coming[-1].bar is None:
            return f"the bar of {time_text(coming[-1].ts)} has not ended"
        if ts == last:
            return "it comes twice"
        if ts < until:
            return f"it comes after the bar of {time_text(last)}"
        return f"it opens before {time_text(self.ts)}, which was worked" if ts < self.ts else ""

    def _drop(self, series: str, ts: int, why: str) -> bool:
        self._dropped[series] += 1
        self._remarks.append(f"the bar {series} of {time_text(ts)} was dropped: {why}")
        return False

    def _next(self) -> int | None:
        """The next instant that is known whole."""
        known = min((at for coming in self._coming.values() if coming and (at := coming[0].next) is not None), default=None)
        waits = min((coming[0].end for coming in self._coming.values() if coming and coming[0].next is None), default=None)
        return None if known is None or (waits is not None and waits <= known) else known

    def _instant(self, at: int) -> Worked:
        self.ts, self.state = at, "running"
        ended = [bar for text in self.plan.series for bar in self._end(text, at)]
        opened = {text for text, coming in self._coming.items() if coming and coming[0].next == at}
        for k, (text, _) in enumerate(self.plan.decided):
            if text in opened:
                self._account.open(k, at, self._coming[text][0].open, self._coming[text][0].spread)
        for text in opened:
            self._coming[text][0].told = True
        decisions: list[Decision] = []
        by_series = {bar.series: bar for bar in ended}
        booked = self._account.advance(at, lambda k, end: self._decide(k, by_series[self.plan.decided[k][0]], decisions))
        return self._told(booked[0] if booked else Booked(at, [], [], [], None), tuple(ended), tuple(decisions))

    def _end(self, text: str, at: int) -> list[TapeBar]:
        coming = self._coming[text]
        if not coming or not coming[0].told or coming[0].bar is None or coming[0].bar.end != at:
            return []
        bar = coming.popleft().bar
        assert bar is not None
        for k, (series, _) in enumerate(self.plan.decided):
            if series == text:
                self._account.end(k, bar.high, bar.low, bar.close, bar.end)
        self._closes[text] = bar.close
        self.bars += 1
        return [bar]

    def _decide(self, k: int, bar: TapeBar, decisions: list[Decision]) -> list[Row]:
        text, number = self.plan.decided[k]
        columns = dict(ts=bar.ts, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume, spread=bar.spread)
        rows = self._deciding[k].ended(columns, self._others(text))
        for row in rows:
            self._numbers[k] += 1
            side = {1: "long", -1: "short"}.get(row["side"], "")
            decisions.append(Decision(self._numbers[k], self.ts, bar.ts, text, self.plan.strategies[number].name, side, row["order"], row["price"], row["stop_loss"], row["tag"], "placed"))
        return rows

    def _others(self, text: str) -> dict[str, float]:
        """The latest closes of the other instruments; of several series of one the last that is named."""
        own = self.plan.name_of(text).instrument
        return {name: self._closes[other] for other in self.plan.series if (name := self.plan.name_of(other).instrument) != own and other in self._closes}

    def _told(self, booked: Booked, bars: tuple[TapeBar, ...], decisions: tuple[Decision, ...]) -> Worked:
        self._row = booked.row or self._row
        return Worked(booked.ts, bars, tuple(booked.fills), tuple(booked.trades), decisions, booked.row, remarks=self._said())

    def _said(self) -> tuple[str, ...]:
        said, self._remarks = tuple(self._remarks), []
        return said
