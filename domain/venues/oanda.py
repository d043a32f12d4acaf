"""OANDA v20, practice accounts: bars of bid and ask here, the broker in ``oanda_broker``, the way there in ``oanda_wire``.

A candle's ``complete`` comes only with the next candle's first quote, up to a minute after its end; where nobody quoted there is no candle.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from domain.errors import BadRequest, listed
from domain.market.bars import frame
from domain.market.calendar import calendar
from domain.market.instrument import Instrument
from domain.market.report import moment
from domain.market.source import SOURCES, Missing, Page, Request, Span, available, grid, not_closed, nothing, page_of
from domain.venues.http import Connection
from domain.venues.oanda_wire import OANDA, symbol_of, wire_of

GRANULARITIES = {"M1": "M1", "M5": "M5", "M15": "M15", "M30": "M30", "H1": "H1", "H4": "H4", "D1": "D"}
CANDLES = 5_000             # of a request
CROSSED = "OANDA's ask is below its bid in {count:,} {bars} of this page: their spread is unknown"


class OandaSource:
    """Bid bars with the mean of ask minus bid over open, high, low and close as their spread; volume is the number of prices."""

    name, title, side, overlap = OANDA.name, OANDA.title, "bid", True

    def symbol(self, instrument: Instrument) -> str:
        """
        >>> from domain.market.instrument import instrument
        >>> OandaSource().symbol(instrument("XAUUSD"))
        'XAU_USD'
        >>> OandaSource().symbol(instrument("ZC=F"))
        Traceback (most recent call last):
        ...
        domain.errors.BadRequest: OANDA has no ZC=F; it has EURUSD, GBPUSD, USDJPY, USDCHF, AUDUSD, EURGBP, EURJPY, GBPJPY, XAUUSD, XAGUSD, NAS100, US500
        """
        return symbol_of(instrument.name)

    def unavailable(self, request: Request) -> tuple[Missing, ...]:
        self.symbol(request.instrument)
        self._granularity(request)
        return not_closed(request)

    def plan(self, request: Request) -> tuple[Span, ...]:
        step = CANDLES * request.timeframe.nanoseconds
        return tuple(page for span in available(request, self.unavailable(request)) for page in grid(span, step))

    def page(self, request: Request, span: Span, connection: Connection) -> Page:
        from oandapyV20.endpoints.instruments import InstrumentsCandles

        end = min(span.end, request.at)
        if end <= span.start:
            return page_of(request, span, nothing())
        params = {"from": _text(span.start), "to": _text(end), "granularity": self._granularity(request), "price": "BA", **alignment(request.instrument)}
        candles = wire_of(connection).ask(InstrumentsCandles(self.symbol(request.instrument), params=params), connection.tries)["candles"]
        return _page(request, span, candles)

    def _granularity(self, request: Request) -> str:
        if str(request.timeframe) not in GRANULARITIES:
            raise BadRequest(f"OANDA has no {request.timeframe} bars; it has {listed(GRANULARITIES, 9)}")
        return GRANULARITIES[str(request.timeframe)]


SOURCES.add(OandaSource.name, OandaSource())


def _page(request: Request, span: Span, candles: list[dict[str, Any]]) -> Page:
    complete = [candle for candle in candles if candle["complete"]]
    missing = _late(request, span, candles) + _empty(request, span, candles)
    if not complete:
        return page_of(request, span, nothing(), missing)
    bid, ask = (np.array([[float(candle[side][key]) for key in "ohlc"] for candle in complete]) for side in ("bid", "ask"))
    spread = np.round((ask - bid).mean(axis=1), 10)
    crossed = int((spread < 0).sum())
    spread[spread < 0] = np.nan
    volume = np.array([candle["volume"] for candle in complete], np.float64)
    bars = frame(_times(complete), open=bid[:, 0], high=bid[:, 1], low=bid[:, 2], close=bid[:, 3], volume=volume, spread=spread)
    notes = (CROSSED.format(count=crossed, bars="bar" if crossed == 1 else "bars"),) if crossed else ()
    return page_of(request, span, bars, missing, notes)


def _late(request: Request, span: Span, candles: list[dict[str, Any]]) -> tuple[Missing, ...]:
    """Bars that have ended and whose successor has no quote yet: the vendor does not call them complete."""
    waiting = [at for at in _times([candle for candle in candles if not candle["complete"]]).tolist() if at + request.timeframe.nanoseconds <= request.at]
    if not waiting:
        return ()
    return (Missing(Span(waiting[0], min(span.end, waiting[-1] + request.timeframe.nanoseconds)), "open", f"the bar of {moment(waiting[0])} is not complete at OANDA yet: it comes with the next one's first quote, up to a minute late"),)


def _empty(request: Request, span: Span, candles: list[dict[str, Any]]) -> tuple[Missing, ...]:
    market = calendar(request.instrument.calendar)
    end = min(span.end, request.at)
    if candles or not len(market.expected_opens(span.start, end, request.timeframe)):
        return ()
    return (Missing(Span(span.start, end), "empty", f"OANDA has no {request.timeframe} bars from {moment(span.start)} to {moment(end)}, although the market was open"),)


def alignment(instrument: Instrument) -> dict[str, Any]:
    """Where its four hours and days begin: with the trading day, as ours do."""
    market = calendar(instrument.calendar)
    return {"dailyAlignment": market.windows[0].opens % 1440 // 60, "alignmentTimezone": market.zone}


def _times(candles: list[dict[str, Any]]) -> np.ndarray:
    return np.array([candle["time"].rstrip("Z") for candle in candles], "datetime64[ns]").view(np.int64)


def _text(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
