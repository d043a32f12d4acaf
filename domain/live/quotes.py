"""What a live feed receives and what it emits: quotes and heartbeats in, bars that open and end out. Times are nanoseconds UTC by the vendor's clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.market.quotes import Heartbeat, Quote


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is lost: nothing is worked until it is back."""


FeedMessage = Quote | Heartbeat | Cut


@dataclass(slots=True, unsafe_hash=True)       # a frozen one takes three times as long to make
class Opened:
    """A bar opens: its price and spread are known, nothing else. ``series`` as in EURUSD M5."""

    series: str
    ts: int
    open: float
    spread: float
    end: int


@dataclass(slots=True, unsafe_hash=True)       # a frozen one takes three times as long to make
class Ended:
    """The open bar of a series has ended. ``recovered``: it comes from the vendor's candles, for its quotes were missed. ``last``: the data of its series end with it."""

    series: str
    high: float
    low: float
    close: float
    volume: float
    recovered: bool = False
    last: bool = False


@dataclass(slots=True, unsafe_hash=True)       # a frozen one takes three times as long to make
class Instant:
    """All that ends and opens at ``at`` has been emitted: work all instants up to it."""

    at: int


Event = Ended | Opened | Instant


@dataclass(frozen=True, slots=True)
class Wanted:
    """Candles that a break makes necessary: of ``series``, opens in [start, end)."""

    series: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class OpenBar:
    """A bar that is open: as it opened, and what quotes have reached in it so far (shown, not booked)."""

    series: str
    ts: int
    open: float
    spread: float
    end: int
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a session stands, so that its feed can be taken up again: its first instant, the last one worked, and its bars still open."""

    begun: int
    worked: int
    bars: tuple[OpenBar, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a feed is."""

    away: str                               # why it is away, or what it waits for, as a sentence; "" where it is there
    clock: int | None                       # the vendor's time
    ages: Mapping[str, float]               # seconds since each instrument's last price; inf where none came
    dropped: Mapping[str, int]              # quotes for bars that had ended, by series
    remarks: tuple[str, ...] = ()           # what a person should know, a sentence each


class Feed(Protocol):
    """Bars of one session as they come. ``next`` waits up to ``timeout`` seconds; what it gives ends with an ``Instant``, or is empty."""

    def next(self, timeout: float) -> Sequence[Event]: ...

    def shown(self) -> Sequence[OpenBar]:
        """The bars that are open, with what quotes have reached in them."""

    def state(self) -> FeedState: ...

    def silent(self, instruments: Iterable[str]) -> tuple[str, ...]:
        """Alarms: those of ``instruments`` without a price for 30 s although their market is open, a sentence each."""

    def close(self) -> None: ...
