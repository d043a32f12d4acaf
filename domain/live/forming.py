"""A bar as it forms from quotes, or as the vendor's candle tells it after a break."""

from __future__ import annotations

import math
from dataclasses import dataclass

from domain.live.quotes import Ended, OpenBar, Opened
from domain.live.vendor_clock import SECOND
from domain.market.quotes import Candle, Quote


def spread_of(quote: Quote) -> float:
    """Ask − bid; NaN, which is unknown, where they are crossed.

    >>> spread_of(Quote("EURUSD", 0, 1.1, 1.1002)), spread_of(Quote("EURUSD", 0, 1.1002, 1.1))
    (0.0002, nan)
    """
    spread = round(quote.ask - quote.bid, 10)
    return spread if spread >= 0 else math.nan


@dataclass(slots=True, eq=False)
class Forming:
    """A bar of the slot [start, end). ``late``: its first quote came after the instant ``start`` was worked. ``ts`` is set when it opens."""

    start: int
    end: int
    late: bool = False
    ts: int | None = None
    open: float = math.nan
    spread: float = math.nan
    high: float = -math.inf
    low: float = math.inf
    close: float = math.nan
    volume: float = 0.0
    first: int = 0
    last: int = 0
    begun: bool = False         # its open is a candle's
    whole: bool = False         # so is all of it: it changes no more
    recovered: bool = False

    @classmethod
    def of(cls, bar: OpenBar, start: int) -> Forming:
        """One that was open when its process ended."""
        return cls(start, bar.end, False, bar.ts, bar.open, bar.spread, bar.high, bar.low, bar.close, bar.volume, bar.ts, bar.ts)

    def add(self, quote: Quote) -> None:
        """A quote of its slot; the earliest gives the open, until it has opened, the latest the close, by their own time."""
        if self.whole:
            return
        at, bid = quote.at, quote.bid
        if self.ts is None and not self.begun and (not self.volume or at < self.first):
            self.open, self.spread, self.first = bid, spread_of(quote), at
        if not self.volume or at >= self.last:
            self.close, self.last = bid, at
        self.high, self.low, self.volume = max(self.high, bid), min(self.low, bid), self.volume + 1

    def take(self, candle: Candle) -> None:
        """All of the vendor's candle; what has opened keeps its open and its spread."""
        self.begin(candle)
        self.high, self.low, self.close = max(candle.high, self.open), min(candle.low, self.open), candle.close
        self.volume, self.whole, self.recovered = candle.volume, True, True

    def begin(self, candle: Candle) -> None:
        """The open of the vendor's candle, unless it has opened already."""
        if self.ts is None:
            self.open, self.spread, self.start = candle.open, candle.spread, max(self.start, candle.start)
            self.begun, self.late = True, False
            self.high, self.low, self.close = max(self.high, candle.open), min(self.low, candle.open), self.close if self.volume else candle.open

    def opens_at(self, worked: int) -> int:
        """When it opens: with its slot; where it is late, in the second of its first quote; never at or before what was worked."""
        ts = self.first - self.first % SECOND if self.late else self.start
        return ts if ts > worked else worked + SECOND

    def opened(self, series: str, ts: int) -> Opened:
        self.ts = ts
        return Opened(series, ts, self.open, self.spread, self.end)

    def ended(self, series: str) -> Ended:
        return Ended(series, self.high, self.low, self.close, self.volume, self.recovered)

    def shown(self, series: str) -> OpenBar:
        return OpenBar(series, self.ts or self.start, self.open, self.spread, self.end, self.high, self.low, self.close, self.volume)
