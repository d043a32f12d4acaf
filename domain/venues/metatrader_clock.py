"""What the clock of a MetaTrader server shows: its times are wall times written as if they were UTC, and nothing says of which wall."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest, listed
from domain.market.calendar import calendar
from domain.market.clock import Clock, clock, to_utc
from domain.market.clock_evidence import ClockEvidence, infer
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR, SECOND, to_local

H1 = Timeframe.named("H1")
NEAR = HOUR // 3            # a last price may be this old, or our clock this wrong, and still show the server's hour
LATE_CLOSE = 75 * HOUR // 60


@dataclass(frozen=True)
class ServerClock:
    """The clocks that explain what a server shows, the best first, and the sentence that says why.

    More than one: the evidence does not tell them apart, and only times that they all read alike can be converted.
    """

    clocks: tuple[Clock, ...]
    evidence: str

    @property
    def title(self) -> str:
        return self.clocks[0].title

    def utc(self, wall_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The instants of server times (int64 nanoseconds) and a mask of those that the clock shows never or twice.

        BadRequest where the clocks that explain the server differ over these times.
        """
        wall_ns = np.asarray(wall_ns, np.int64)
        first = to_utc(wall_ns, self.clocks[0])
        others = [each for each in self.clocks[1:] if not np.array_equal(to_utc(wall_ns, each)[0], first[0])]
        if others and len(wall_ns):
            raise BadRequest(
                f"the clock of this MetaTrader server may be {listed((self.clocks[0].key, *(each.key for each in others)), 3)}, which differ over the times requested, "
                "and its history is too short to tell; open an H1 chart of EURUSD in the terminal and scroll back some months, so that it loads them, and ask again"
            )
        return first

    def instant(self, wall_seconds: float) -> int:
        """The instant of one server time, nanoseconds UTC; one that happened twice is the first."""
        return int(self.utc(np.array([round(wall_seconds * 1000)], np.int64) * 1_000_000)[0][0])

    def wall(self, utc_ns: int) -> int:
        """What the server shows at an instant, in whole seconds."""
        this = self.clocks[0]
        shown = _shown(this, utc_ns)
        if this.then is not None and shown >= np.datetime64(f"{this.until + 1}-01-01", "ns").astype(np.int64):
            shown = _shown(this.then, utc_ns)
        return shown // SECOND


def server_clock(h1_wall_ns: np.ndarray, calendar_name: str, prices: Sequence[int] = (), now_ns: int | None = None) -> ServerClock:
    """The server's clock from the opens of its H1 bars, whose weeks tell it, and from the server times of its last ``prices``.

    The weekly opens and closes decide; where several clocks explain them alike, those stay on which the newest price was
    made just now (``now_ns``, by our clock, which may be 20 minutes wrong) or, in a shut market, at its close.

    >>> sundays = np.datetime64("2024-01-08T00:00", "ns").astype(np.int64) + np.arange(30)[:, None] * 7 * DAY
    >>> server_clock((sundays + np.arange(120) * HOUR).ravel(), "fx").title
    'MetaTrader, New York + 7 h'
    """
    ranked = infer(np.asarray(h1_wall_ns, np.int64), H1, calendar_name)
    if not ranked or not _explains(ranked[0]):
        raise BadRequest(
            "the clock of this MetaTrader server cannot be determined: no week of its history begins and ends as the market's weeks do; "
            "open an H1 chart of EURUSD in the terminal and scroll back some months, so that it loads them, and ask again"
        )
    clocks = [clock(key) for key in (ranked[0].clock, *ranked[0].tied)]
    if len(clocks) > 1 and prices and now_ns is not None:
        clocks = [each for each in clocks if _shows_now(each, max(prices), now_ns, calendar_name)] or clocks
    return ServerClock(tuple(clocks), ranked[0].sentence)


def _explains(best: ClockEvidence) -> bool:
    """Whether a clock explains the weeks, be there others that explain the same ones."""
    return best.opens.agree >= 0.9 * best.opens.weeks and best.fridays.agree >= 0.7 * best.fridays.weeks


def _shows_now(this: Clock, price_ns: int, now_ns: int, calendar_name: str) -> bool:
    """Whether on this clock the newest price was made now, or, where the market is shut, at its close."""
    instant = int(to_utc(np.array([price_ns], np.int64), this)[0][0])
    market = calendar(calendar_name)
    begins, ends = market.stretches(now_ns - 14 * DAY, now_ns + DAY)
    before = begins <= now_ns
    last_close = int(ends[before][-1])
    if now_ns <= last_close:
        return abs(instant - now_ns) <= NEAR
    return -LATE_CLOSE <= instant - last_close <= NEAR


def _shown(this: Clock, utc_ns: int) -> int:
    return int(to_local(np.array([utc_ns], np.int64), this.zone)[0]) + this.shift * 60 * SECOND


def newest(server_seconds: Iterable[float]) -> list[int]:
    """Server times as nanoseconds, without those that are none."""
    return [round(value * 1000) * 1_000_000 for value in server_seconds if value > 0]
