"""What a vendor gives while time goes on: prices and its clock as they come, and candles of the time that was missed. Times are nanoseconds UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Price:
    """A price at which can be traded."""

    instrument: str
    at: int
    bid: float
    ask: float


@dataclass(frozen=True, slots=True)
class Beat:
    """The vendor's time. What it priced before has been told, as far as it says."""

    at: int


@dataclass(frozen=True, slots=True)
class LiveCandle:
    """A bar of bids; ``spread`` is ask open − bid open. One that is not ``complete`` may still change."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    spread: float
    complete: bool


class LiveVendor(Protocol):
    """Prices as they come, over one connection."""

    @property
    def title(self) -> str: ...

    def check(self, name: str) -> None:
        """BadRequest where it has no such instrument, as far as can be said without asking it."""

    def prices(self, names: Sequence[str]) -> Iterator[Price | Beat | None]:
        """Prices of instruments until the connection is lost: then SourceUnavailable. None now and then, where nothing came: a moment to stop."""

    def candles(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> list[LiveCandle]:
        """Candles that open in [start, end), the one under way too. SourceUnavailable where the vendor does not answer."""
