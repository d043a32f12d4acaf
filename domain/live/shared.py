"""Strategies on the same bars in one process, worked once: features that several read are computed once, and what one session's strategy decides on a bar,
another one with the same question takes.

The same question: the same strategy with the same parameters, of the same instrument and timeframe, beside nothing but bars that are the same from the first on.
The same features: of strategies with other parameters, too, where these change no feature.
"""

from __future__ import annotations

import hashlib
import struct
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from domain.features import Context
from domain.live.deciding import Growing, streamable
from domain.live.tape import TapeBar, columns_of, frame_of
from domain.params import values_of
from domain.strategies import Strategy, memory_of
from domain.strategies.base import uses_of
from domain.strategies.deciding import decide_last
from domain.trading.signal_row import Row

KEPT = 64           # bars that a session may be late by: beyond it, it goes on alone
pack = struct.Struct("<2q6d").pack
Bars = Callable[[], Sequence[TapeBar]]
Work = Callable[[TapeBar, bytes, Bars], Any]            # a bar that has just ended, its bytes, and all bars with it -> what comes of it
Begin = Callable[[Sequence[TapeBar]], Work]             # from bars that have ended
Place = tuple["Line", int]      # a line, and after how many of its bars


class Lines:
    """What sessions of one process work alike, in one thread. A line is there as long as a session follows it."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, weakref.WeakSet[Line]] = {}

    def follow(self, strategy: Strategy, context: Context, filtered: bool, bars: Bars) -> Follower:
        """``bars``: all that have ended; they decide nothing any more."""
        decided = streamable(strategy, filtered)

        def begin(ended: Sequence[TapeBar]) -> Work:
            columns = self._columns(strategy, context, lambda: ended)
            return lambda bar, key, bars: decide_last(decided, columns.work(bar, key, bars))

        return Follower(self._finder((type(strategy), repr(values_of(strategy)), context.instrument, context.timeframe, filtered), begin), bars)

    def _columns(self, strategy: Strategy, context: Context, bars: Bars) -> Follower:
        """The columns that a strategy decides on."""

        def begin(ended: Sequence[TapeBar]) -> Callable[[TapeBar, bytes, Bars], dict[str, np.ndarray]]:
            growing = Growing(strategy, frame_of(ended), context)
            return lambda bar, key, bars: growing.ended(columns_of(bar))

        return Follower(self._finder((uses_of(strategy), memory_of(strategy), context.instrument, context.timeframe), begin), bars)

    def _finder(self, question: Hashable, begin: Begin) -> Callable[..., Place]:
        def line(ended: Sequence[TapeBar], key: bytes = b"") -> Place:
            content = hashlib.sha256(b"".join(map(packed, ended)))
            place = self._place(question, content.digest(), key)
            return place or self._begun(question, Line(content, begin(ended)))

        return line

    def _place(self, question: Hashable, content: bytes, key: bytes) -> Place | None:
        """Where a line was after these bars, if it has not gone on too far, or with another bar than ``key``."""
        places = ((line, line.place(content, key)) for line in self._lines.get(question, ()))
        return next(((line, count) for line, count in places if count is not None), None)

    def _begun(self, question: Hashable, line: Line) -> Place:
        self._lines = {each: lines for each, lines in self._lines.items() if lines}
        self._lines.setdefault(question, weakref.WeakSet()).add(line)
        return line, line.count


class Line:
    """One question on one row of bars. ``count``: how many were worked here, −1 after one at which it failed."""

    def __init__(self, content: Any, work: Work) -> None:
        """``content``: the hash of the bars so far."""
        self.count, self._content, self._work = 0, content, work
        self._kept: deque[tuple[bytes, Any]] = deque()      # the last bars and what came of them; the hash is that of the bars before them
        self._hashes = list[bytes]()    # of those, while no bar comes

    def place(self, content: bytes, key: bytes = b"") -> int | None:
        """How many bars it had when these were all and ``key`` was the next one, if it has one; None where that never was, or is not known any more."""
        if self.count < 0:
            return None
        self._hashes = self._hashes or self._hashed()
        if self._hashes[-1] == content:
            return self.count
        late = next((k for k, (before, (after, _)) in enumerate(zip(self._hashes, self._kept, strict=False)) if before == content and key in (b"", after)), None)
        return None if late is None else self.count - len(self._kept) + late

    def _hashed(self) -> list[bytes]:
        """The hash before each of the bars in hand, and after the last one."""
        so_far, hashes = self._content.copy(), [self._content.digest()]
        for key, _ in self._kept:
            so_far.update(key)
            hashes.append(so_far.digest())
        return hashes

    def work(self, bar: TapeBar, key: bytes, bars: Bars) -> Any:
        """What comes of the next bar of the line. ``bars``: of the session that brings it."""
        count, self.count, self._hashes = self.count, -1, []
        given = self._work(bar, key, bars)
        self._kept.append((key, given))
        if len(self._kept) > KEPT:
            self._content.update(self._kept.popleft()[0])
        self.count = count + 1
        return given

    def worked(self, count: int, key: bytes) -> Any:
        """What came of the bar after ``count`` others; None where that was another bar, or is not known any more."""
        late = self.count - count
        if not 0 < late <= len(self._kept) or self._kept[-late][0] != key:
            return None
        return self._kept[-late][1]


class Follower:
    """One session on a line. Where its bars part from those of the line, it follows another one or begins its own."""

    def __init__(self, line: Callable[..., Place], bars: Bars) -> None:
        self._find, self._bars = line, bars
        self._line, self._count = line(bars())

    def ended(self, bar: TapeBar) -> list[Row]:
        """The signals of a bar that has just ended, in their order; it is the last of ``bars``."""
        return [row.copy() for row in self.work(bar, packed(bar), self._bars)]

    def work(self, bar: TapeBar, key: bytes, bars: Bars) -> Any:
        line = self._line
        if line.count == self._count:
            given = line.work(bar, key, bars)
        elif (given := line.worked(self._count, key)) is None:
            self._line, self._count = self._find([each for each in bars() if each.ts < bar.ts], key)
            return self.work(bar, key, bars)
        self._count += 1
        return given


def packed(bar: TapeBar) -> bytes:
    """All that features read of a bar; two bars with the same bytes are the same, unknown numbers included."""
    return pack(bar.ts, bar.end, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.spread)
