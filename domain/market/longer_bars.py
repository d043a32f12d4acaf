"""Longer bars that grow out of shorter ones: the bars that ``resample`` makes of all of them at once, each when it has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from domain.errors import BadRequest
from domain.market.bars import COLUMNS
from domain.market.calendar import bar_ends, calendar
from domain.market.resample import bucket_opens, gathered, nominal_end
from domain.market.timeframe import Timeframe

BEFORE = np.iinfo(np.int64).min
NEVER = np.iinfo(np.int64).max


class Part(NamedTuple):
    """A longer bar whose shorter ones have all come, and which has not ended: its last hours lie after the close of the trading day."""

    ts: int
    end: int
    rows: list[Sequence[float]]


class LongerBars:
    """``last``: the open of the latest longer bar that has begun; at first ``after``, the open of the last one that had ended. ``calendar_name``: as ``resample`` has it, and None as ``bar_ends`` has it.

    >>> longer = LongerBars(Timeframe.named("M15"), "fx")
    >>> minutes, p = 300_000_000_000, (1.0, 2.0, 0.5, 1.5, 10.0, float("nan"))
    >>> [longer.append(k * minutes, (k + 1) * minutes, p) for k in (0, 1)]
    [[], []]
    >>> longer.append(2 * minutes, 3 * minutes, p)
    [{'ts': 0, 'end': 900000000000, 'open': 1.0, 'high': 2.0, 'low': 0.5, 'close': 1.5, 'volume': 30.0, 'spread': nan}]
    """

    def __init__(self, timeframe: Timeframe, calendar_name: str | None, after: int = BEFORE) -> None:
        self._timeframe, self._calendar, self._market = timeframe, calendar_name, calendar(calendar_name or "fx")
        self._waiting: deque[Part] = deque()
        self.last, self._rows, self._end = after, list[Sequence[float]](), NEVER
        self._over, self._next = BEFORE, NEVER      # from when on a shorter bar belongs to the next longer one, and when the first one ends that has not

    def append(self, ts: int, end: int, row: Sequence[float]) -> list[dict[str, Any]]:
        """The longer bars that have ended by the end of a shorter one, in order. ``row``: its open, high, low, close, volume and spread."""
        if ts >= self._over:
            self._begin(ts)
        self._rows.append(row)
        return self._ended(end) if end >= self._next else []

    def _begin(self, ts: int) -> None:
        opens = int(bucket_opens(np.array([ts]), self._timeframe, self._market)[0])
        if opens <= self.last:
            raise BadRequest(
                f"a bar that opens at {np.datetime64(ts, 'ns')} falls into the {self._timeframe} bar of {np.datetime64(self.last, 'ns')}, which has ended; give each bar the end that it has"
            )
        if self._rows:
            self._waiting.append(Part(self.last, min(self._end, opens), self._rows))
        self.last, self._rows = opens, []
        self._over, self._end = nominal_end(opens, self._timeframe, self._market), int(bar_ends(np.array([opens]), self._timeframe, self._calendar)[0])
        self._next = self._waiting[0].end if self._waiting else self._end

    def _ended(self, end: int) -> list[dict[str, Any]]:
        parts = []
        while self._waiting and self._waiting[0].end <= end:
            parts.append(self._waiting.popleft())
        if self._end <= end:
            parts.append(Part(self.last, self._end, self._rows))
            self._rows, self._over, self._end = [], BEFORE, NEVER
        self._next = self._waiting[0].end if self._waiting else self._end
        return list(map(_bar, parts))


def _bar(part: Part) -> dict[str, Any]:
    """By the sums of ``resample``, so that the last bits are the same."""
    columns = dict(zip(COLUMNS[1:], np.ascontiguousarray(np.array(part.rows, np.float64).T), strict=True))
    return dict(ts=part.ts, end=part.end, **{name: float(values[0]) for name, values in gathered(columns, np.zeros(1, np.int64)).items()})
