"""What MetaTrader 5's Python package gives for bars, saved by numpy: ``numpy.save("EURUSD_H1.npy", copy_rates_range(…))``.

The array's fields are time (seconds, of the server's clock), open, high, low, close, tick_volume, spread (points), real_volume.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import NUMPY, plain_content
from domain.market.readers.points import decimals_in, spread_in_prices
from domain.market.readers.sample import PREVIEW, instrument_in, side_in, step_sentence, timeframe_word
from domain.market.step import usual_timeframe
from domain.market.zones import SECOND

FIELDS = ("time", *PRICES, "tick_volume")
BROKEN = (ValueError, SyntaxError, TypeError, KeyError, OverflowError, TokenError)      # whatever numpy finds in a description that is none
AGAIN = "save what copy_rates_range or copy_rates_from_pos returned with numpy.save, and import that"


class MetaTrader5Array(Reader):
    """Times are of the broker's server: the file does not say which clock that is. Lines are rows, from 1."""

    key = "mt5_npy"
    title = "MetaTrader 5 bars of its Python package (.npy)"
    family = "MetaTrader 4 and 5 (CSV, .hst)"
    server_clock = True
    whole = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        if not head.startswith(NUMPY) or b"'open'" not in head[:2_000] or b"'time'" not in head[:2_000]:
            return None
        return Recognised(self.key, self.title, instrument_in(name), timeframe_word(name), None, side_in(name) or "bid", "numpy's array of copy_rates")

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        rows = _rows(path, max_bytes)
        ns = rows["time"].astype(np.int64) * SECOND
        preview = pd.DataFrame({name: rows[name][:PREVIEW] for name in rows.dtype.names or ()}).assign(time=pd.to_datetime(ns[:PREVIEW])).astype(str)
        evidence = f"{len(rows):,} rows of copy_rates; {step_sentence(ns[:1_000].tolist())}"
        return replace(recognised, timeframe=usual_timeframe(ns) or recognised.timeframe, evidence=evidence, preview=preview)

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        rows = _rows(path, limits.max_bytes)
        if len(rows) > limits.max_rows:
            raise BadRequest(f"{path.name} has {len(rows):,} rows; the limit is {limits.max_rows:,}; split it, or raise the limit in the settings")
        columns: dict[str, Any] = {name: rows[name].astype(np.float64) for name in PRICES}
        spread = rows["spread"].astype(np.float64) if "spread" in (rows.dtype.names or ()) else None
        progress(1.0, f"{len(rows):,} rows read")
        raw = RawBars(rows["time"].astype(np.int64) * SECOND, volume=rows["tick_volume"].astype(np.float64), spread=spread, line=np.arange(1, len(rows) + 1), **columns)
        return spread_in_prices(raw, decimals_in(raw), instrument.digits)


def _rows(path: Path, max_bytes: int) -> np.ndarray:
    """The array of a file. Its description is parsed as literals only, and it may hold numbers only."""
    data = io.BytesIO(plain_content(path, max_bytes))
    try:
        version = np.lib.format.read_magic(data)
        shape, _, kind = (np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0)(data)
    except BROKEN:
        raise BadRequest(f"{path.name} is a damaged numpy file; {AGAIN}") from None
    missing = [name for name in FIELDS if name not in (kind.names or ())]
    numbers = all(kind[name].kind in "iuf" for name in kind.names or ())
    if missing or not numbers or len(shape) != 1:
        raise BadRequest(f"{path.name} is an array without {', '.join(missing) or 'plain numbers'}; {AGAIN}")
    if not shape[0]:
        raise BadRequest(f"{path.name} has columns and no rows; {AGAIN}")
    rest = data.read()
    if len(rest) != shape[0] * kind.itemsize:
        raise BadRequest(f"{path.name} is cut off: it says {shape[0]:,} rows and has {len(rest) // max(kind.itemsize, 1):,}; {AGAIN}")
    return np.frombuffer(rest, kind)


READERS.add(MetaTrader5Array.key, MetaTrader5Array())
