"""Double of Yahoo: its chart endpoint, of the shape of its answers to EURUSD=X and ES=F, with its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from domain.market.bars import ts_of
from tests.doubles.server import Double, HttpRequest, Reply

SECONDS = {"1m": 60, "5m": 300, "15m": 900, "30m": 1_800, "1h": 3_600, "1d": 86_400}
BACK = {"1m": 30, "5m": 60, "15m": 60, "30m": 60, "1h": 730}       # days
MOST = {"1m": 8}                                                   # days of one request
DAY = 86_400


class YahooDouble(Double):
    """``bars``: by symbol and interval; ``now``: seconds since 1970. Bars of half hours are not served: yfinance makes them of quarters."""

    watched = "/v8/finance/chart/"

    def __init__(self, bars: Mapping[tuple[str, str], pd.DataFrame], now: int) -> None:
        super().__init__()
        self.bars, self.now = dict(bars), now

    def reply(self, question: HttpRequest) -> Reply:
        if question.path == "/v1/test/getcrumb":
            return Reply(200, b"crumb", {"Content-Type": "text/plain"})
        if self.watched not in question.path:
            return Reply(404, b"", {"Content-Type": "text/html"})
        symbol, interval = question.path.rsplit("/", 1)[1], question.query["interval"]
        if not any(known == symbol for known, _ in self.bars):
            return _refused(404, "Not Found", "No data found, symbol may be delisted")
        start, end = int(question.query["period1"]), int(question.query["period2"])
        days = BACK.get(interval)
        if days and start < self.now - days * DAY:
            return _refused(422, "Unprocessable Entity", f"{interval} data not available for startTime={start} and endTime={end}. The requested range must be within the last {days} days.")
        if interval in MOST and end - start > MOST[interval] * DAY:
            return _refused(422, "Unprocessable Entity", f"{interval} data not available for startTime={start} and endTime={end}. Only {MOST[interval]} days worth of {interval} granularity data are allowed to be fetched per request.")
        bars = self.bars[symbol, interval]
        seconds = ts_of(bars) // 1_000_000_000
        chosen = bars[(seconds >= start) & (seconds < end)]
        return Reply(200, {"chart": {"result": [_result(symbol, interval, chosen, self.now)], "error": None}})


def _result(symbol: str, interval: str, bars: pd.DataFrame, now: int) -> dict[str, Any]:
    fx = symbol.endswith("=X")
    zone, offset = ("Europe/London", 0) if fx else ("America/New_York", -18_000)
    period = dict(timezone="GMT", start=now - now % DAY, end=now - now % DAY + DAY - 60, gmtoffset=offset)
    meta = dict(
        currency="USD", symbol=symbol, exchangeName="CCY" if fx else "CME", fullExchangeName="CCY" if fx else "CME", instrumentType="CURRENCY" if fx else "FUTURE",
        firstTradeDate=1_070_236_800, regularMarketTime=now, hasPrePostMarketData=False, gmtoffset=offset, timezone="GMT", exchangeTimezoneName=zone, regularMarketPrice=1.0436,
        priceHint=4, currentTradingPeriod=dict(pre=period, regular=period, post=period), dataGranularity=interval, range="",
        validRanges=["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    )  # fmt: skip
    if not len(bars):           # Yahoo leaves the times out, and the prices with them
        return dict(meta=meta, indicators=dict(quote=[{}]))
    quote: dict[str, list[Any]] = {name: _listed(bars[name]) for name in ("open", "high", "low", "close")}
    quote["volume"] = _listed(bars["volume"], whole=True) if "volume" in bars else [0] * len(bars)
    return dict(meta=meta, timestamp=(ts_of(bars) // 1_000_000_000).tolist(), indicators=dict(quote=[quote], adjclose=[dict(adjclose=quote["close"])]))


def _listed(values: pd.Series, whole: bool = False) -> list[Any]:
    return [None if np.isnan(value) else int(value) if whole else float(value) for value in values]


def _refused(status: int, code: str, description: str) -> Reply:
    return Reply(status, {"chart": {"result": None, "error": {"code": code, "description": description}}})
