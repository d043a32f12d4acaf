"""The state of a live account as bytes: arrays one after another, behind the hash of their layout."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from domain.backtest.live_records import LiveSeries
from domain.backtest.live_window import KINDS, TABLES
from domain.backtest.state import ACCOUNT, CURSOR, FLOOR, POSITION, PROTECTION, SIGNAL, WAITING
from domain.errors import TidemarkError
from domain.trading.outcomes import COUNTS, REASONS

VERSION = 3         # of what is stored beside the records
HASHED = 16         # bytes of the hash
SIZE = 4            # bytes in which the number of parts is written, then the size of each
LARGE, PLAIN, DEFLATED = 3_072, b"0", b"1"      # bytes from which on they are deflated: many orders and positions


class OtherLayout(TidemarkError):
    """State that was stored by other code, or for other series: the account is to be rebuilt from its tape."""


def layout(series: Sequence[LiveSeries], rates: Sequence[LiveSeries]) -> bytes:
    """What the meaning of the bytes depends on, hashed."""
    names = [[each.name, each.side, str(each.finer_timeframe)] for each in (*series, *rates)]
    return hashlib.sha256(json.dumps([_layout_of_records(), len(series), names]).encode()).digest()[:HASHED]


@cache
def _layout_of_records() -> str:
    records = [[kind.descr, kind.itemsize] for kind in (ACCOUNT, CURSOR, POSITION, WAITING, SIGNAL, PROTECTION, FLOOR)]
    columns = {name: np.dtype(kind).str for name, kind in {**KINDS, **TABLES}.items()}
    return json.dumps([VERSION, records, COUNTS, REASONS, columns], default=str)


def _body(stored: bytes) -> bytes:
    if stored[HASHED : HASHED + 1] != DEFLATED:
        return stored[HASHED + 1 :]
    try:
        return zlib.decompress(stored[HASHED + 1 :])
    except zlib.error as error:
        raise _cut_short() from error


def packed(layout_hash: bytes, values: str, arrays: Iterable[np.ndarray]) -> bytes:
    """``values``: as JSON."""
    parts = [values.encode(), *[array.tobytes() for array in arrays]]
    body = b"".join([struct.pack(f"<{len(parts) + 1}I", len(parts), *map(len, parts)), *parts])
    return layout_hash + (DEFLATED + zlib.compress(body, 1) if len(body) > LARGE else PLAIN + body)


class Unpacked:
    """The parts again, in their order."""

    def __init__(self, stored: bytes, layout_hash: bytes) -> None:
        if stored[:HASHED] != layout_hash:
            raise OtherLayout("the stored state of this account was written by another version of the program, or for other series; rebuild the account from its tape")
        self._stored, self._part = _body(stored), 0
        self._sizes = self._sizes_of_parts()
        self._at = SIZE * (len(self._sizes) + 1)
        self.values: dict[str, Any] = json.loads(self._next())

    def array(self, kind: Any) -> np.ndarray:
        return np.frombuffer(self._next(), kind).copy()

    def _sizes_of_parts(self) -> tuple[int, ...]:
        count = int.from_bytes(self._stored[:SIZE], "little")
        if len(self._stored) < SIZE * (count + 1):
            raise _cut_short()
        return struct.unpack_from(f"<{count}I", self._stored, SIZE)

    def _next(self) -> bytes:
        if self._part == len(self._sizes) or self._at + (size := self._sizes[self._part]) > len(self._stored):
            raise _cut_short()
        self._part, self._at = self._part + 1, self._at + size
        return self._stored[self._at - size : self._at]


def _cut_short() -> OtherLayout:
    return OtherLayout("the stored state of this account is cut short; rebuild the account from its tape")
