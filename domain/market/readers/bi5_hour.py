"""One hour of Dukascopy's ticks: where its file lies, and the quotes in it.

``EURUSD/2018/06/05/05h_ticks.bi5`` holds 5 July 2018, 05:00 to 06:00 UTC: months count from 00. The file is LZMA; its records of 20 bytes are, big
endian, milliseconds of the hour, ask and bid in points, and the two volumes as floats. An empty file is an hour without ticks.
"""

from __future__ import annotations

import lzma
import re
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from domain.errors import BadRequest
from domain.market.zones import HOUR, instant

RECORD = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")])
PATH = re.compile(r"(?:^|/)(?:(?P<symbol>[^/]+)/)?(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})/(?P<hour>\d{2})h_ticks\.bi5$")
LAYOUT = "SYMBOL/YYYY/MM/DD/HHh_ticks.bi5, months from 00"
MOST = RECORD.itemsize * 500_000        # bytes of an hour, unpacked: 139 ticks a second
DICTIONARY = 128_000_000                # bytes that unpacking may take
MILLISECOND = 1_000_000


class Hour(NamedTuple):
    """An hour of a symbol, "" where its folders do not say; ``start``: nanoseconds UTC."""

    symbol: str
    start: int


class Quotes(NamedTuple):
    """Ticks in their order: instants (ns UTC), bid and ask in price units."""

    ts: np.ndarray
    bid: np.ndarray
    ask: np.ndarray


def hour_of(path: str) -> Hour:
    """The hour whose ticks a file of this path holds; one that is laid out otherwise is refused.

    >>> hour = hour_of("data/EURUSD/2018/06/05/05h_ticks.bi5")
    >>> hour.symbol, str(np.datetime64(hour.start, "ns"))[:16]
    ('EURUSD', '2018-07-05T05:00')
    >>> hour_of("EURUSD/2018/12/05/05h_ticks.bi5")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: EURUSD/2018/12/05/05h_ticks.bi5 is in the month 12, and Dukascopy counts months from 00 to 11; rename the folders of months that count from 1
    """
    match = PATH.search(path)
    if not match:
        raise BadRequest(f"{path} does not say of which day it is: only its folders do ({LAYOUT}). Import the folder, or a .zip of it")
    year, month, day, hour = (int(match[name]) for name in ("year", "month", "day", "hour"))
    if month > 11:
        raise BadRequest(f"{path} is in the month {month}, and Dukascopy counts months from 00 to 11; rename the folders of months that count from 1")
    try:
        start = datetime(year, month + 1, day, hour, tzinfo=UTC)
    except ValueError:
        raise BadRequest(f"{path} is no hour of the calendar: months count from 00, so {month:02d} is month {month + 1} of the year") from None
    return Hour(match["symbol"] or "", instant(start))


def path_of(symbol: str, start: int) -> str:
    """Where Dukascopy stores an hour.

    >>> path_of("EURUSD", hour_of("EURUSD/2018/06/05/05h_ticks.bi5").start)
    'EURUSD/2018/06/05/05h_ticks.bi5'
    """
    at = datetime.fromtimestamp(start // 1_000_000_000, UTC)
    return f"{symbol}/{at.year:04d}/{at.month - 1:02d}/{at.day:02d}/{at.hour:02d}h_ticks.bi5"


def quotes_of(data: bytes, start: int, points: float) -> Quotes:
    """The ticks of the hour that begins at ``start``. Raises ValueError with what is wrong with the file.

    >>> record = np.array([(1080, 116573, 116568, 1.76, 4.76)], RECORD).tobytes()
    >>> quotes = quotes_of(lzma.compress(record, lzma.FORMAT_ALONE), 0, 100_000.0)
    >>> quotes.ts.tolist(), quotes.bid.tolist(), quotes.ask.tolist()
    ([1080000000], [1.16568], [1.16573])
    """
    records = np.frombuffer(_unpacked(data), RECORD)
    ms = records["ms"].astype(np.int64)
    if len(ms) and (ms.max() * MILLISECOND >= HOUR or (np.diff(ms) < 0).any()):
        raise ValueError("its ticks are not in the order of one hour")
    bid, ask = (records[side].astype(np.float64) / points for side in ("bid", "ask"))
    if len(ms) and not min(bid.min(), ask.min()) > 0:
        raise ValueError("it holds a price of 0")
    return Quotes(start + ms * MILLISECOND, bid, ask)


def _unpacked(data: bytes) -> bytes:
    if not data:
        return b""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_ALONE, DICTIONARY)
    try:
        unpacked = unpacker.decompress(data, MOST)
    except (lzma.LZMAError, MemoryError):
        raise ValueError("it is no LZMA file, or is damaged") from None
    if len(unpacked) >= MOST:
        raise ValueError(f"it unpacks to more than {MOST:,} bytes, which no hour of ticks does")
    if not unpacker.eof:
        raise ValueError("it breaks off")
    if len(unpacked) % RECORD.itemsize:
        raise ValueError(f"its {len(unpacked):,} bytes are no whole number of ticks of {RECORD.itemsize} bytes")
    return unpacked
