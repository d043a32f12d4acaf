"""Candles as OANDA gives them: made from a fixed course of prices, none where nobody quotes, the last one open until the next has a quote."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.doubles.oanda_account import INSTRUMENTS, Json

SECONDS = {"M1": 60, "M5": 300, "M15": 900, "M30": 1800, "H1": 3600, "H4": 14400, "D": 86400}
MOST = 5000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def candles(name: str, query: dict[str, str], now: datetime) -> tuple[int, Json]:
    """Status and answer of ``GET instruments/…/candles`` at ``now``."""
    if name not in INSTRUMENTS:
        return 400, {"errorMessage": "Invalid value specified for 'instrument'"}
    granularity, sides = query.get("granularity", "S5"), query.get("price", "M")
    if granularity not in SECONDS:
        return 400, {"errorMessage": "Invalid value specified for 'granularity'"}
    step = SECONDS[granularity]
    start = _seconds(query["from"], step)
    if "to" in query:
        end, most = _seconds(query["to"], step), MOST
        if (end - start) // step > MOST:
            return 400, {"errorMessage": "Maximum value for 'count' exceeded"}
    else:
        end, most = int((now - EPOCH).total_seconds()) + step, int(query.get("count", "500"))
        if most > MOST:
            return 400, {"errorMessage": "Invalid value specified for 'count'. Maximum value is 5000"}
    if start > (now - EPOCH).total_seconds():
        return 400, {"errorMessage": "Invalid value specified for 'from'. Time is in the future"}
    rows: list[Json] = []
    for at in _opens(start, min(end, int((now - EPOCH).total_seconds()) + 1), step):
        if len(rows) == most:
            break
        rows.append(candle(name, at, step, sides, now))
    return 200, {"instrument": name, "granularity": granularity, "candles": rows}


def quoted(at: int, step: int) -> bool:
    """Whether anybody quotes in the candle that opens ``at``: not on the weekend, and in one minute of 97 nobody does."""
    moment = EPOCH + timedelta(seconds=at)
    week = moment.weekday() * 24 + moment.hour
    return not 4 * 24 + 21 <= week < 6 * 24 + 21 and not (step == 60 and at // 60 % 97 == 0)


def candle(name: str, at: int, step: int, sides: str, now: datetime) -> Json:
    digits = INSTRUMENTS[name]["displayPrecision"]
    base, unit = {"EUR_USD": 1.1, "USD_JPY": 150.0}.get(name, 2350.0), 10.0**-digits
    open_, close = base * (1 + 0.01 * math.sin(at / 86400)), base * (1 + 0.01 * math.sin((at + step) / 86400))
    low, high = min(open_, close) - 20 * unit, max(open_, close) + 20 * unit
    spread = (8 + at // step % 7) * unit
    shift = {"B": -spread / 2, "A": spread / 2, "M": 0.0}
    names = {"B": "bid", "A": "ask", "M": "mid"}
    prices = {names[side]: {key: f"{value + shift[side]:.{digits}f}" for key, value in zip("ohlc", (open_, high, low, close), strict=True)} for side in sides}
    complete = (now - EPOCH).total_seconds() >= at + step + 30       # with the next one's first quote, half a minute late
    return {"complete": complete, "volume": 100 + at // step % 50, "time": _text(at), **prices}


def _opens(start: int, end: int, step: int) -> Iterator[int]:
    return (at for at in range(start, end, step) if quoted(at, step))


def _seconds(text: str, step: int) -> int:
    """An instant, RFC 3339 or seconds, up to the next open of the granularity."""
    seconds = float(text) if text.replace(".", "").isdigit() else (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH).total_seconds()
    return math.ceil(seconds / step) * step


def _text(at: int) -> str:
    return (EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")


def sample_fields(rows: Any) -> Any:
    """The fields of a sample, all the way down, without their values; of lists, those of the first row."""
    if isinstance(rows, dict):
        return {name: sample_fields(value) for name, value in rows.items()}
    return [sample_fields(rows[0])] if isinstance(rows, list) and rows else None
