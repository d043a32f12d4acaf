"""Candles as OANDA gives them, of bars that a test hands in: at most 5,000 a request, none where there is no bar, the last one open until the next has a quote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from domain.market.bars import ts_of
from tests.doubles.oanda_account import INSTRUMENTS, Json
from tests.doubles.server import Double, HttpRequest, Reply

SECONDS = {"M1": 60, "M5": 300, "M15": 900, "M30": 1_800, "H1": 3_600, "H4": 14_400, "D": 86_400}
MOST = 5_000
LATE = 30                   # seconds after its end at which a candle is complete, with the next one's first quote
BILLION = 1_000_000_000
Rows = list[tuple[int, Json]]                       # seconds since 1970 and all that is known of a candle
Bars = Mapping[tuple[str, str], Rows]               # by symbol and granularity


class OandaCandles(Double):
    """The candles alone, with every fault of HTTP. ``now``: seconds since 1970; ``token`` is the one it lets in."""

    watched = "/candles"

    def __init__(self, bars: Bars, now: int, token: str) -> None:
        super().__init__()
        self.bars, self.now, self.token = bars, now, token

    def reply(self, requested: HttpRequest) -> Reply:
        if requested.headers.get("Authorization") != f"Bearer {self.token}":
            return Reply(401, {"errorMessage": "Insufficient authorization to perform request."})
        if not requested.path.startswith("/v3/instruments/"):
            return Reply(404, {"errorMessage": "The Request is not supported"})
        return Reply(*candles(self.bars, requested.path.split("/")[3], requested.query, self.now))


def candles(bars: Bars, name: str, query: Mapping[str, str], now: int) -> tuple[int, Json]:
    """Status and answer of ``GET instruments/…/candles`` at ``now``, seconds since 1970."""
    granularity, sides = query.get("granularity", "S5"), query.get("price", "M")
    if name not in INSTRUMENTS:
        return 400, {"errorMessage": "Invalid value specified for 'instrument'"}
    if granularity not in SECONDS:
        return 400, {"errorMessage": "Invalid value specified for 'granularity'"}
    start = _seconds(query["from"]) if "from" in query else 0
    end = _seconds(query["to"]) if "to" in query else now + 1
    if max(start, end - 1) > now:
        return 400, {"errorMessage": "Invalid value specified for 'to'. Time is in the future"}
    count = int(query.get("count", str(MOST if "to" in query else 500)))
    if count > MOST or ("to" in query and (end - start) / SECONDS[granularity] > MOST):
        return 400, {"errorMessage": "Maximum value for 'count' exceeded"}
    step = SECONDS[granularity]
    rows = [_shown(at, row, sides, step, now) for at, row in bars[name, granularity] if start <= at < end and at <= now][:count]
    return 200, {"instrument": name, "granularity": granularity, "candles": rows}


def rows_of(bars: pd.DataFrame, name: str) -> Rows:
    """Bids and their spread as both sides. The ask is above the bid by the spread, in the mean of its four prices: a point more at the open, a point less at
    the close."""
    digits = INSTRUMENTS[name]["displayPrecision"]
    bid = bars[["open", "high", "low", "close"]].to_numpy()
    ask = bid + bars[["spread"]].to_numpy() + np.array([1, 0, 0, -1]) * 10.0**-digits
    sides = {"bid": bid, "ask": ask, "mid": (bid + ask) / 2}
    texts = {side: [{key: f"{value:.{digits}f}" for key, value in zip("ohlc", row, strict=True)} for row in prices.tolist()] for side, prices in sides.items()}
    opens, volumes = (ts_of(bars) // BILLION).tolist(), bars["volume"].astype(int).tolist()
    return [(at, {"volume": volumes[k], "time": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.000000000Z", **{side: rows[k] for side, rows in texts.items()}}) for k, at in enumerate(opens)]


def _shown(at: int, row: Json, sides: str, step: int, now: int) -> Json:
    wanted = {"B": "bid", "A": "ask", "M": "mid"}
    return {"complete": now >= at + step + LATE, "volume": row["volume"], "time": row["time"], **{wanted[side]: row[wanted[side]] for side in sides}}


def _seconds(text: str) -> int:
    return int(float(text)) if text.replace(".", "").isdigit() else int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
