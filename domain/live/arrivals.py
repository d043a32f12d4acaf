"""Bars on their way into a session: opened, ended, or dropped with a sentence; and what the next instant is that is known whole."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from domain.compact import compact
from domain.errors import unknown
from domain.live.plan import Plan
from domain.live.tape import INF, TapeBar, time_text
from domain.market.calendar import bar_ends
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe

FOREVER = 1 << 62
WORD = {False: "false", True: "true"}
NOTHING = '"dropped":{},"refused":[],"remarks":[],"final":{}'
Traded = Mapping[str, tuple[Instrument, Timeframe]]     # by series


@dataclass(slots=True)
class Coming:
    """A bar that the account has not received as a whole. ``opened``: it has opened it, so that it cannot be dropped any more; ``bar``: it has ended."""

    ts: int
    end: int
    open: float
    spread: float
    opened: bool = False
    bar: TapeBar | None = None

    @property
    def next(self) -> int | None:
        """The instant of what the account receives next; None while that is not known."""
        return self.ts if not self.opened else self.bar.end if self.bar else None


class Arrivals:
    """``start``: the instant before which no bar is traded. ``worked``: the last instant that was."""

    def __init__(self, traded: Traded, start: int | None = None) -> None:
        self.traded, self.start, self.worked = traded, start, 0
        self._names = {text: compact(text) for text in traded}
        self.coming: dict[str, deque[Coming]] = {text: deque() for text in traded}
        self.last: dict[str, tuple[int, int]] = {}          # series -> ts and end of the last bar that was taken
        self.dropped: Counter[str] = Counter()
        self._refused: set[str] = set()                     # series whose bar was dropped at its open, until its end comes
        self._remarks: list[str] = []
        self._final: dict[str, int] = {}                    # series -> ts of the bar with which its data end, where that is known

    @classmethod
    def of(cls, plan: Plan) -> Arrivals:
        return cls({text: (plan.instrument(text), plan.name_of(text).timeframe) for text in plan.series}, plan.start)

    def open(self, series: str, ts: int, open: float, spread: float, end: int | None) -> bool:
        due = self._due(series, ts) if end is None else end
        if why := self._fault(series, ts, due, open, spread):
            self._refused.add(series)
            return self._drop(series, ts, why)
        self._refused.discard(series)
        self.coming[series].append(Coming(ts, due, open, spread))
        return True

    def end(self, series: str, high: float, low: float, close: float, volume: float, recovered: bool, end: int | None, last: bool = False) -> bool:
        coming = self._of(series)
        if not coming or coming[-1].bar is not None:
            known = series in self._refused
            self._refused.discard(series)
            return False if known else self._drop(series, self.last.get(series, (0, 0))[1], "it ended and had not opened")
        opened = coming[-1]
        bar = TapeBar(series, opened.ts, opened.end if end is None else end, opened.open, high, low, close, volume, opened.spread, recovered)
        if why := bar.fault:
            if not opened.opened:
                coming.pop()
                return self._drop(series, bar.ts, why)
            bar = self._kept(bar, opened.end, why)
        opened.bar, opened.end, self.last[series] = bar, bar.end, (bar.ts, bar.end)
        self._say_last(bar, last)
        return True

    def whole(self, bar: TapeBar, last: bool = False) -> bool:
        if why := self._fault(bar.series, bar.ts, bar.end, bar.open, bar.spread) or bar.fault:
            return self._drop(bar.series, bar.ts, why)
        self.coming[bar.series].append(Coming(bar.ts, bar.end, bar.open, bar.spread, bar=bar))
        self.last[bar.series] = (bar.ts, bar.end)
        self._say_last(bar, last)
        return True

    def is_last(self, bar: TapeBar) -> bool:
        """Whether the data of its series end with this bar."""
        return self._final.get(bar.series) == bar.ts

    def _say_last(self, bar: TapeBar, last: bool) -> None:
        if last:
            self._final[bar.series] = bar.ts

    def past(self, bar: TapeBar) -> bool:
        """A bar of the history."""
        last = self.last.get(bar.series, (bar.ts - 1, bar.ts))
        self._of(bar.series)
        if why := bar.fault or ("it comes twice" if bar.ts == last[0] else f"it comes after the bar of {time_text(last[0])}" if bar.ts < last[1] else ""):
            return self._drop(bar.series, bar.ts, why)
        self.last[bar.series] = (bar.ts, bar.end)
        return True

    def lose(self, series: str, count: int, lines: Iterable[str]) -> None:
        """Rows of a file that could not be read as bars, and what the first of them hold."""
        self._of(series)
        self.dropped[series] += count
        named = [f"a row of {series} was dropped: {line}" for line in lines]
        more = [f"{count - len(named):,} more rows of {series} were dropped"] if count > len(named) else []
        self._remarks += [*named, *more]

    def next(self) -> int | None:
        """The next instant that is known whole; None where there is none yet. A bar that is to end before it and has not holds it back."""
        known, held = FOREVER, FOREVER
        for coming in self.coming.values():
            if coming and (at := coming[0].next) is not None:
                known = at if at < known else known
            elif coming and coming[0].end < held:
                held = coming[0].end
        return None if known == FOREVER or held <= known else known

    @property
    def held(self) -> int:
        """The first instant that cannot be worked, as a bar is to end then that has not."""
        return min((coming[0].end for coming in self.coming.values() if coming and coming[0].next is None), default=FOREVER)

    def ended(self, series: str, at: int) -> TapeBar | None:
        """The bar of this series that ends at this instant, once."""
        coming = self.coming[series]
        if not coming or not coming[0].opened or coming[0].bar is None or coming[0].bar.end != at:
            return None
        return coming.popleft().bar

    def opened(self, series: str, at: int) -> Coming | None:
        """The bar of this series that opens at this instant, once."""
        coming = self.coming[series]
        if not coming or coming[0].opened or coming[0].ts != at:
            return None
        coming[0].opened = True
        return coming[0]

    def forming(self) -> dict[str, dict[str, Any]]:
        """By series the bar that has opened and not ended."""
        return {text: dict(ts=bar.ts, end=bar.end, open=bar.open, spread=bar.spread) for text, coming in self.coming.items() for bar in coming if bar.bar is None}

    def begun(self) -> dict[str, int]:
        """By series the open of the bar that the account has opened and not ended."""
        return {text: coming[0].ts for text, coming in self.coming.items() if coming and coming[0].opened}

    def remarks(self) -> tuple[str, ...]:
        """What was dropped since the last call."""
        if not self._remarks:
            return ()
        remarks, self._remarks = tuple(self._remarks), []
        return remarks

    @property
    def silent(self) -> bool:
        return not self._remarks

    @property
    def text(self) -> str:
        """All of it as JSON, NaN as null. Put together here what changes with every bar: an encoder takes three times as long."""
        coming = ",".join([f'{self._names[text]}:[{",".join([_coming_text(bar) for bar in bars])}]' for text, bars in self.coming.items() if bars])
        last = ",".join([f"{self._names[text]}:[{ts},{end}]" for text, (ts, end) in self.last.items()])
        return f'{{"worked":{self.worked},"coming":{{{coming}}},"last":{{{last}}},{self._seldom}}}'

    @property
    def _seldom(self) -> str:
        """What is empty in most sessions."""
        if not (self.dropped or self._refused or self._remarks or self._final):
            return NOTHING
        return compact(dict(dropped=dict(self.dropped), refused=sorted(self._refused), remarks=self._remarks, final=self._final))[1:-1]

    def take_back(self, plain: Mapping[str, Any]) -> None:
        self.worked, self.dropped, self._refused, self._remarks = plain["worked"], Counter(plain["dropped"]), set(plain["refused"]), list(plain["remarks"])
        self._final = dict(plain.get("final", {}))
        self.last = {text: (ts, end) for text, (ts, end) in plain["last"].items()}
        for text in self.coming:
            self.coming[text] = deque(_coming_of(text, bar) for bar in plain["coming"].get(text, ()))

    def form_again(self, plain: Mapping[str, Any]) -> None:
        """The bars that had opened and not ended, as if they had just come."""
        for text, bars in plain["coming"].items():
            self.coming[text].extend(Coming(ts, end, open, _or_nan(spread)) for ts, end, open, spread, opened, _ in bars if opened)

    def _of(self, series: str) -> deque[Coming]:
        if series not in self.coming:
            raise unknown("series of the session", series, self.coming)
        return self.coming[series]

    def _due(self, series: str, ts: int) -> int:
        self._of(series)
        instrument, timeframe = self.traded[series]
        return int(bar_ends(np.array([ts]), timeframe, instrument.calendar)[0])

    def _fault(self, series: str, ts: int, end: int, open: float, spread: float) -> str:
        coming, (last, until) = self._of(series), self.last.get(series, (ts - 1, ts))
        if self.start is not None and ts < self.start:
            return f"it opens before the session, which trades from {time_text(self.start)} on"
        if not (-INF < open < INF and not (spread < 0 or spread == INF) and end > ts):
            return TapeBar(series, ts, end, open, open, open, open, math.nan, spread).fault
        if not self.traded[series][0].negative_prices and open <= 0:
            return f"its open is {open}, which is not above 0"
        if coming and coming[-1].bar is None:
            return f"the bar of {time_text(coming[-1].ts)} has not ended"
        if ts == last:
            return "it comes twice"
        if ts < until:
            return f"it comes after the bar of {time_text(last)}"
        return f"it opens before {time_text(self.worked)}, which was worked" if ts < self.worked else ""

    def _drop(self, series: str, ts: int, why: str) -> bool:
        self.dropped[series] += 1
        self._remarks.append(f"the bar {series} of {time_text(ts)} was dropped: {why}")
        return False

    def _kept(self, bar: TapeBar, due: int, why: str) -> TapeBar:
        """A bar that was opened and traded on, and whose end is bad: what is known of it is its open."""
        self.dropped[bar.series] += 1
        self._remarks.append(f"the bar {bar.series} of {time_text(bar.ts)} was kept at its open, as it was traded on: {why}")
        return replace(bar, end=bar.end if bar.end > bar.ts else due, high=bar.open, low=bar.open, close=bar.open, volume=math.nan)


def _coming_text(bar: Coming) -> str:
    """
    >>> _coming_text(Coming(5, 10, 1.1, math.nan, True, TapeBar("EURUSD M5", 5, 10, 1.1, 1.2, 1.0, 1.15)))
    '[5,10,1.1,null,true,[1.2,1.0,1.15,null,false]]'
    """
    ended = bar.bar
    rest = "null" if ended is None else f"[{_number(ended.high)},{_number(ended.low)},{_number(ended.close)},{_number(ended.volume)},{WORD[ended.recovered]}]"
    return f"[{bar.ts},{bar.end},{_number(bar.open)},{_number(bar.spread)},{WORD[bar.opened]},{rest}]"


def _coming_of(text: str, plain: list[Any]) -> Coming:
    ts, end, open, spread, opened, rest = plain
    spread = _or_nan(spread)
    if rest is None:
        return Coming(ts, end, open, spread, opened)
    high, low, close, volume = (_or_nan(value) for value in rest[:4])
    return Coming(ts, end, open, spread, opened, TapeBar(text, ts, end, open, high, low, close, volume, spread, rest[4]))


def _number(value: float) -> str:
    return f"{value}" if value == value else "null"


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
