"""What a vendor gives while time goes on: prices and its clock as they come, and candles of the time that was missed. Times are nanoseconds UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from domain.market.instrument import Instrument
from domain.market.quotes import Candle, Heartbeat, Quote
from domain.market.timeframe import Timeframe


class LiveVendor(Protocol):
    """Prices as they come, over one connection."""

    @property
    def title(self) -> str: ...

    def check(self, name: str) -> None:
        """BadRequest where it has no such instrument, as far as can be decided without a request."""

    def prices(self, names: Sequence[str]) -> Iterator[Quote | Heartbeat | None]:
        """Prices of instruments until the connection is lost: then SourceUnavailable. None now and then, where nothing came: a moment to stop."""

    def candles(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> list[Candle]:
        """Candles that open in [start, end), the one under way too. SourceUnavailable where the vendor does not answer."""
