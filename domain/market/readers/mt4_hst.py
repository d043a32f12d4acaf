"""MetaTrader 4's history files, ``EURUSD60.hst``: binary, versions 400 and 401, bid prices.

Layout of both: https://docs.mql4.com/files and the terminal's own script period_converter.mq4. A header of 148 bytes
(version, copyright, symbol, period in minutes, digits), then records of 44 bytes (400: time, open, low, high, close,
volume) or 60 (401: time, open, high, low, close, ticks, spread in points, volume). Little endian.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers.base import READERS, BadLine, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import HISTORY, plain_content
from domain.market.readers.layout import SHOWN
from domain.market.readers.points import spread_in_prices
from domain.market.readers.sample import PREVIEW, instrument_in, side_in
from domain.market.readers.stamps import LATEST
from domain.market.timeframe import MINUTES
from domain.market.zones import SECOND

HEADER = struct.Struct("<i64s12sii")
HEADER_BYTES = 148
PRICES_400, PRICES_401 = ("open", "low", "high", "close"), ("open", "high", "low", "close")
RECORDS = {
    400: np.dtype([("time", "<i4"), *((name, "<f8") for name in PRICES_400), ("volume", "<f8")]),
    401: np.dtype(
        [
            ("time", "<i8"),
            *((name, "<f8") for name in PRICES_401),
            ("volume", "<i8"),
            ("spread", "<i4"),
            ("real_volume", "<i8"),
        ]
    ),
}


class History(NamedTuple):
    """What the file says of itself, and its records."""

    symbol: str
    period: int
    digits: int
    records: np.ndarray
    rest: int  # bytes behind the last whole record


class MetaTrader4History(Reader):
    """Times are of the broker's server: the file does not say which clock that is. Lines are records, from 1."""

    key = "hst"
    title = "MetaTrader 4 history (.hst)"
    family = "MetaTrader 4 and 5 (CSV, .hst)"
    server_clock = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        if not head.startswith(HISTORY):
            return None
        return Recognised(self.key, self.title, instrument_in(name), None, None, side_in(name) or "bid", "a binary history file")

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        history = _history(path, max_bytes)
        timeframe = next((name for name, minutes in MINUTES.items() if minutes == history.period), None)
        if timeframe is None:
            raise BadRequest(
                f"{path.name} holds bars of {history.period:,} minutes; the timeframes are {', '.join(MINUTES)}: "
                "open another .hst of this symbol"
            )
        first = history.records[_timely(history.records)][:PREVIEW]
        preview = (
            pd.DataFrame({name: first[name] for name in first.dtype.names or ()})
            .assign(time=pd.to_datetime(first["time"], unit="s"))
            .astype(str)
        )
        evidence = (
            f"its header says {history.symbol}, {history.period} minutes, {history.digits} digits; "
            f"{len(history.records):,} records"
        )
        return replace(
            recognised,
            instrument=instrument_in(history.symbol) or recognised.instrument,
            timeframe=timeframe,
            evidence=evidence,
            preview=preview,
        )

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        history = _history(path, limits.max_bytes)
        timely = _timely(history.records)
        records = history.records[timely]
        if not len(records):
            raise BadRequest(
                f"{path.name} holds no bars: no record has a time between 1970 and 2200; "
                "copy it again from the terminal's history folder"
            )
        if len(records) > limits.max_rows:
            raise BadRequest(
                f"{path.name} has {len(records):,} rows; the limit is {limits.max_rows:,}; split it, "
                "or raise the limit in the settings"
            )
        columns: dict[str, Any] = {name: records[name].astype(np.float64) for name in (*PRICES_401, "volume")}
        spread = records["spread"].astype(np.float64) if "spread" in (records.dtype.names or ()) else None
        notes = (f"{history.rest} bytes behind the last whole record are not read",) if history.rest else ()
        progress(1.0, f"{len(records):,} rows read")
        lost = np.flatnonzero(~timely)
        malformed = tuple(
            BadLine(int(at) + 1, f"time {history.records['time'][at]}", "its time is not between 1970 and 2200")
            for at in lost[:SHOWN]
        )
        raw = RawBars(
            records["time"].astype(np.int64) * SECOND, spread=spread, line=np.flatnonzero(timely) + 1,
            malformed=malformed, malformed_count=len(lost), notes=notes, **columns
        )  # fmt: skip
        return spread_in_prices(raw, history.digits)


def _history(path: Path, max_bytes: int) -> History:
    data = plain_content(path, max_bytes)
    if len(data) < HEADER_BYTES:
        raise BadRequest(f"{path.name} is cut off inside its header; copy it again from the terminal's history folder")
    version, _, symbol, period, digits = HEADER.unpack_from(data)
    kind = RECORDS[version]
    count, rest = divmod(len(data) - HEADER_BYTES, kind.itemsize)
    if not count:
        raise BadRequest(
            f"{path.name} has a header and no bars under it; open its chart in MetaTrader first, and copy it again"
        )
    return History(
        symbol.split(b"\0")[0].decode("latin-1"), period, digits, np.frombuffer(data, kind, count, HEADER_BYTES), rest
    )


def _timely(records: np.ndarray) -> np.ndarray:
    return (records["time"] > 0) & (records["time"] < LATEST // SECOND)


READERS.add(MetaTrader4History.key, MetaTrader4History())
