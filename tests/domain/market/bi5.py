"""Hours of Dukascopy's ticks, written as its server writes them."""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from domain.market.readers.bi5_hour import RECORD


def hour(ticks: Sequence[tuple[int, int, int]]) -> bytes:
    """The file of an hour: ``ticks`` are (millisecond, bid, ask), prices in points."""
    records = np.array([(ms, ask, bid, 1.5, 2.25) for ms, bid, ask in ticks], RECORD)
    return lzma.compress(records.tobytes(), lzma.FORMAT_ALONE) if ticks else b""


def put_hour(root: Path, path: str, ticks: Sequence[tuple[int, int, int]]) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(hour(ticks))
    return file
