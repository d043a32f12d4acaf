"""Strategies with the same question on the same bars, computed once: what one session's strategy decides on a bar, another one's takes.

The same question: the same strategy with the same parameters, of the same instrument and timeframe, beside nothing but bars that are the same from the first on.
"""

from __future__ import annotations

import hashlib
import struct
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from domain.features import Context
from domain.live.deciding import Deciding
from domain.live.tape import TapeBar, columns_of, frame_of
from domain.params import values_of
from domain.strategies import Strategy
from domain.trading.signal_row import Row

KEPT = 64           # bars that a session may be late by: beyond it, it goes on alone
pack = struct.Struct("<2q6d").pack
Question = tuple[Any, ...]
Bars = Callable[[], Sequence[TapeBar]]
Place = tuple["Line", int]      # a line, and after how many of its bars


class Lines:
    """What sessions of one process decide alike, in one thread. A line is there as long as a session follows it."""

    def __init__(self) -> None:
        self._lines: dict[Question, weakref.WeakSet[Line]] = {}

    def follow(self, strategy: Strategy, context: Context, filtered: bool, bars: Bars) -> Follower:
        """``bars``: all that have ended; they decide nothing any more."""
        question = (type(strategy), repr(values_of(strategy)), context.instrument, context.timeframe, filtered)

        def line(ended: Sequence[TapeBar], key: bytes = b"") -> Place:
            content = hashlib.sha256(b"".join(map(packed, ended)))
            place = self._place(question, content.digest(), key)
            return place or self._begun(question, Line(content, Deciding(strategy, frame_of(ended), context, filtered)))

        return Follower(line, bars)

    def _place(self, question: Question, content: bytes, key: bytes) -> Place | None:
        """Where a line was after these bars, if it has not gone on too far, or with another bar than ``key``."""
        places = ((line, line.place(content, key)) for line in self._lines.get(question, ()))
        return next(((line, count) for line, count in places if count is not None), None)

    def _begun(self, question: Question, line: Line) -> Place:
        self._lines = {each: lines for each, lines in self._lines.items() if lines}
        self._lines.setdefault(question, weakref.WeakSet()).add(line)
        return line, line.count


class Line:
    """One strategy on one row of bars. ``count``: how many were decided here, −1 after one at which it failed."""

    def __init__(self, content: Any, deciding: Deciding) -> None:
        """``content``: the hash of the bars so far."""
        self.count, self._content, self._deciding = 0, content, deciding
        self._kept: deque[tuple[bytes, list[Row], bytes]] = deque(maxlen=KEPT)      # the bar, what was decided on it, the hash before it

    def place(self, content: bytes, key: bytes = b"") -> int | None:
        """How many bars it had when these were all and ``key`` was the next one, if it has one; None where that never was, or is not known any more."""
        if self.count < 0:
            return None
        if self._content.digest() == content:
            return self.count
        late = next((k for k, (after, _, before) in enumerate(reversed(self._kept), 1) if before == content and key in (b"", after)), None)
        return None if late is None else self.count - late

    def decide(self, bar: TapeBar, key: bytes) -> list[Row]:
        """The next bar of the line."""
        count, self.count = self.count, -1
        rows = self._deciding.ended(columns_of(bar))
        self._kept.append((key, rows, self._content.digest()))
        self._content.update(key)
        self.count = count + 1
        return rows

    def decided(self, count: int, key: bytes) -> list[Row] | None:
        """What was decided on the bar after ``count`` others; None where that was another bar, or is not known any more."""
        late = self.count - count
        if not 0 < late <= len(self._kept) or self._kept[-late][0] != key:
            return None
        return self._kept[-late][1]


class Follower:
    """The strategy of one session. Where its bars part from those of the line, it follows another one or begins its own."""

    def __init__(self, line: Callable[..., Place], bars: Bars) -> None:
        self._find, self._bars = line, bars
        self._line, self._count = line(bars())

    def ended(self, bar: TapeBar) -> list[Row]:
        """The signals of a bar that has just ended, in their order; it is the last of ``bars``."""
        key, line = packed(bar), self._line
        if line.count == self._count:
            rows = line.decide(bar, key)
        elif (before := line.decided(self._count, key)) is not None:
            rows = before
        else:
            self._line, self._count = self._find([each for each in self._bars() if each.ts < bar.ts], key)
            return self.ended(bar)
        self._count += 1
        return [row.copy() for row in rows]


def packed(bar: TapeBar) -> bytes:
    """All that features read of a bar; two bars with the same bytes are the same, unknown numbers included."""
    return pack(bar.ts, bar.end, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.spread)
