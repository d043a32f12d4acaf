"""Stored bars as a feed: at a multiple of real time, or as fast as they are worked."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.live.quotes import Ended, Event, FeedState, Instant, OpenBar, Opened
from domain.live.tape import TapeBar

MAX = 0.0               # speed: as fast as possible


@dataclass(frozen=True, slots=True)
class Bad:
    """A stored bar that is none: it is dropped, counted and named."""

    bar: TapeBar


@dataclass(frozen=True, slots=True)
class Over:
    """The data end here."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Rows of a file that could not be read as bars: how many, and what the first of them hold."""

    series: str
    count: int
    lines: tuple[str, ...]


FeedItem = Event | Bad | Lost | Over


class SessionFeed(Protocol):
    """What a runner asks of a feed: ``domain.live.quotes.Feed``, or one whose data end. Its ``inbox``, where it has one, is empty while nothing has come."""

    def next(self, timeout: float) -> Sequence[FeedItem]: ...
    def shown(self) -> Sequence[OpenBar]: ...
    def state(self) -> FeedState: ...
    def silent(self, instruments: Iterable[str]) -> tuple[str, ...]: ...
    def close(self) -> None: ...


class ReplayFeed:
    """Bars of each series in the order in which they are stored. ``after``: instants up to then were worked before. ``speed``: times real time, 0 as fast as possible.
    ``lost``: reported with the first instant.

    >>> feed = ReplayFeed({"EURUSD M5": [TapeBar("EURUSD M5", 10, 20, 1.0, 1.2, 0.9, 1.1)]})
    >>> [[type(event).__name__ for event in feed.next(0)] for _ in range(4)]
    [['Opened', 'Instant'], ['Ended', 'Instant'], ['Over'], []]
    """

    def __init__(self, bars: Mapping[str, Iterable[TapeBar]], after: int = -1, speed: float = MAX, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep, lost: Iterable[Lost] = ()) -> None:
        self.speed, self._clock, self._sleep = speed, clock, sleep
        self._instants = instants(bars, after)
        self._next = next(self._instants, None)
        self._began, self._first = clock(), self._next[0] if self._next else 0
        self._worked, self._over, self._lost = after, False, [] if after >= 0 else list(lost)

    @property
    def eager(self) -> bool:
        """Many instants may be worked at once."""
        return self.speed == MAX

    def next(self, timeout: float) -> Sequence[FeedItem]:
        """The next instant, once it is due; empty where it is not due within ``timeout`` seconds."""
        if self._next is None:
            over, self._over = self._over, True
            return [] if over else [Over()]
        if (wait := self._due()) > 0:
            self._sleep(min(wait, timeout)) if timeout > 0 else None
            if self._due() > 0:
                return []
        self._worked, events = self._next
        self._next = next(self._instants, None)
        lost, self._lost = self._lost, []
        return [*lost, *events, Instant(self._worked)]

    def _due(self) -> float:
        """Seconds until the next instant."""
        if self.eager or self._next is None:
            return 0.0
        return (self._next[0] - self._first) / 1e9 / self.speed - (self._clock() - self._began)

    def shown(self) -> Sequence[OpenBar]:
        return ()

    def state(self) -> FeedState:
        return FeedState("", max(self._worked, 0) or None, {}, {})

    def silent(self, instruments: Iterable[str]) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        self._instants = iter(())


def instants(bars: Mapping[str, Iterable[TapeBar]], after: int = -1) -> Iterator[tuple[int, list[Event | Bad]]]:
    """What the bars tell at each instant after ``after``: ends, then opens, each in the order of the series."""
    lines = heapq.merge(*(_line(place, each) for place, each in enumerate(bars.values())), key=lambda line: line[:3])
    at, events = None, list[Event | Bad]()
    for instant, _, _, event in lines:
        if instant <= after:
            continue
        if instant != at and events:
            yield at or 0, events
            events = []
        at = instant
        events.append(event)
    if events:
        yield at or 0, events


def _line(place: int, bars: Iterable[TapeBar]) -> Iterator[tuple[int, int, int, Event | Bad]]:
    """One series: instant, 0 for an end and 1 for an open, its place, and what happens."""
    every, end = list(bars), None
    taken = _places(every)
    for number, bar in enumerate(every):
        if number not in taken:
            yield end if end is not None else bar.ts, 1, place, Bad(bar)
            continue
        end = bar.end
        yield bar.ts, 1, place, Opened(bar.series, bar.ts, bar.open, bar.spread, bar.end)
        yield bar.end, 0, place, Ended(bar.series, bar.high, bar.low, bar.close, bar.volume, bar.recovered, number == next(reversed(taken)))


def sound(bars: Iterable[TapeBar]) -> list[TapeBar]:
    """The bars of one series that a session takes: without those that are no bars, or come out of order or twice."""
    every = list(bars)
    return [every[number] for number in _places(every)]


def _places(bars: Sequence[TapeBar]) -> dict[int, None]:
    """The places of those bars, in order."""
    taken: dict[int, None] = {}
    last: TapeBar | None = None
    for number, bar in enumerate(bars):
        if not bar.fault and (last is None or (bar.ts > last.ts and bar.ts >= last.end)):
            taken[number], last = None, bar
    return taken
