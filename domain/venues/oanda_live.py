"""OANDA as it goes on: its stream of prices, with its heartbeats every 5 s, and its candles with the one under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from domain.errors import BadRequest, SourceUnavailable, listed
from domain.market.instrument import Instrument
from domain.market.quotes import Candle, Heartbeat, Quote
from domain.market.timeframe import Timeframe
from domain.venues.http import Connection
from domain.venues.oanda import CANDLES, GRANULARITIES, alignment
from domain.venues.oanda_wire import OANDA, Wire, symbol_of

SECOND = 1_000_000_000


def nanoseconds(text: str) -> int:
    """
    >>> nanoseconds("1970-01-01T00:00:01.593753865Z"), nanoseconds("1970-01-01T00:00:02Z")
    (1593753865, 2000000000)
    """
    whole, _, rest = text.rstrip("Z").partition(".")
    return _second(whole) * SECOND + int(rest[:9].ljust(9, "0") or 0)


@lru_cache(maxsize=64)
def _second(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp())


class OandaLive:
    """The practice server's stream. A price at which cannot be traded tells the time and nothing else."""

    title = OANDA.title

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._wire = Wire(connect())            # for candles; each stream has its own

    def check(self, name: str) -> None:
        symbol_of(name)

    def prices(self, names: Sequence[str]) -> Iterator[Quote | Heartbeat | None]:
        from oandapyV20.endpoints.pricing import PricingStream

        ours, wire = {symbol_of(name): name for name in names}, Wire(self._connect())
        for line in wire.lines(PricingStream(wire.account, params={"instruments": ",".join(ours)})):
            yield message_of(line, ours)

    def candles(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> list[Candle]:
        if str(timeframe) not in GRANULARITIES:
            raise BadRequest(f"OANDA has no {timeframe} bars; it has {listed(GRANULARITIES, 9)}")
        step = (CANDLES - 1) * timeframe.nanoseconds
        return [candle for at in range(start, end, step) for candle in self._page(instrument, timeframe, at, min(at + step, end))]

    def _page(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> list[Candle]:
        """``to`` is left out, for it may not lie in the future."""
        from oandapyV20.endpoints.instruments import InstrumentsCandles

        count = min(CANDLES, (end - start) // timeframe.nanoseconds + 2)
        params = {"from": f"{start // SECOND}", "count": count, "granularity": GRANULARITIES[str(timeframe)], "price": "BA", **alignment(instrument)}
        rows = self._wire.ask(InstrumentsCandles(symbol_of(instrument.name), params=params))["candles"]
        return [candle for row in rows if start <= (candle := candle_of(row)).start < end]


def message_of(line: dict[str, Any], ours: dict[str, str]) -> Quote | Heartbeat | None:
    """One line of the stream.

    >>> message_of({"type": "HEARTBEAT", "time": "1970-01-01T00:00:01.000000000Z"}, {})
    Heartbeat(at=1000000000)
    """
    try:
        if line.get("type") == "HEARTBEAT":
            return Heartbeat(nanoseconds(line["time"]))
        tradeable = line.get("tradeable", line.get("status") == "tradeable")
        if line.get("type") != "PRICE" or not tradeable or line["instrument"] not in ours or not line["bids"] or not line["asks"]:
            return None
        return Quote(ours[line["instrument"]], nanoseconds(line["time"]), float(line["bids"][0]["price"]), float(line["asks"][0]["price"]))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise SourceUnavailable("OANDA's stream sent a line that cannot be read") from None


def candle_of(row: dict[str, Any]) -> Candle:
    try:
        open, high, low, close = (float(row["bid"][key]) for key in "ohlc")
        spread = round(float(row["ask"]["o"]) - open, 10)
        return Candle(nanoseconds(row["time"]), open, high, low, close, float(row["volume"]), spread if spread >= 0 else float("nan"), bool(row["complete"]))
    except (KeyError, TypeError, ValueError):
        raise SourceUnavailable("OANDA sent a candle that cannot be read") from None
