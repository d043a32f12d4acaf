"""Bars of MetaTrader's Python package, saved as an array or as a table: the same bars, on the server's clock, spread in points."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.market import instrument, readers
from domain.market.readers import RawBars

KIND = np.dtype([("time", "<i8"), *((name, "<f8") for name in ("open", "high", "low", "close")), ("tick_volume", "<u8"), ("spread", "<i4"), ("real_volume", "<u8")])
FIRST = int(np.datetime64("2024-07-08T00:00", "s").astype(np.int64))


def rates(count: int = 300) -> np.ndarray:
    """Hourly bars of weekdays from Monday 8 July 2024, server time."""
    rows = np.zeros(count, KIND)
    at = np.arange(count)
    rows["time"] = FIRST + (at // 120 * 168 + at % 120) * 3_600
    rows["open"] = np.round(1.1 + at * 0.00001, 5)
    rows["close"] = np.round(1.10002 + at * 0.00001, 5)
    rows["high"], rows["low"] = np.round(rows["close"] + 0.0001, 5), np.round(rows["open"] - 0.0001, 5)
    rows["tick_volume"], rows["spread"] = 100 + at, 12
    return rows


def saved(rows: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, rows)
    return buffer.getvalue()


def read(path: Path, name: str = "EURUSD") -> RawBars:
    return readers.read(path, readers.recognise(path).format, instrument(name))


@pytest.mark.parametrize("packed", [False, True])
def test_an_array_is_recognised_and_its_bars_are_read_whole(tmp_path, packed):
    path = tmp_path / ("EURUSD.npy.gz" if packed else "EURUSD.npy")
    path.write_bytes(gzip.compress(saved(rates())) if packed else saved(rates()))
    seen, raw = readers.recognise(path), read(path)
    assert (seen.format, seen.instrument, seen.timeframe, seen.clock, seen.side) == ("mt5_npy", "EURUSD", "H1", None, "bid")
    assert readers.READERS["mt5_npy"].server_clock and raw.clock is None and len(raw) == 300
    assert (raw.local_ns // 10**9).tolist() == rates()["time"].tolist() and raw.close.tolist() == rates()["close"].tolist()
    assert (raw.spread == 0.00012).all() and raw.volume[3] == 103 and raw.line[0] == 1


def test_the_same_bars_saved_as_tables_are_the_same(tmp_path):
    """As pandas writes them: with and without its index, with seconds or with dates."""
    table, array = pd.DataFrame(rates()), tmp_path / "EURUSD.npy"
    array.write_bytes(saved(rates()))
    dated, expected = table.assign(time=pd.to_datetime(table["time"], unit="s")), read(array)
    for number, text in enumerate((table.to_csv(), table.to_csv(index=False), dated.to_csv(index=False), dated.to_csv(sep=";"))):
        path = tmp_path / f"EURUSD_{number}.csv"
        path.write_text(text)
        raw = read(path)
        assert readers.recognise(path).format == "mt5"
        for name in ("local_ns", "open", "high", "low", "close", "volume", "spread"):
            assert np.array_equal(getattr(raw, name), getattr(expected, name)), (number, name)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (saved(rates())[:-7], "is cut off: it says 300 rows and has 299"),
        (saved(rates(0)), "has columns and no rows"),
        (saved(rates()[["time", "open", "high", "low"]]), "without close, tick_volume"),
        (saved(np.zeros(5)), "binary data"),
        (saved(rates())[:40], "binary data"),
        (saved(rates()).replace(b"'descr'", b"'desc?'", 1), "is a damaged numpy file"),
    ],
)
def test_what_is_no_such_array_is_a_sentence(tmp_path, data, sentence):
    path = tmp_path / "EURUSD.npy"
    path.write_bytes(data)
    with pytest.raises(BadRequest, match=sentence):
        read(path)


def test_no_damaged_array_is_anything_but_bars_or_a_sentence(tmp_path):
    random, whole, path = np.random.default_rng(3), saved(rates(20)), tmp_path / "EURUSD.npy"
    for _ in range(int(os.environ.get("TIDEMARK_CASES", "60"))):
        data = bytearray(whole)
        for at in random.integers(0, 200, random.integers(1, 4)):
            data[at] = random.integers(0, 256)
        path.write_bytes(bytes(data[: random.integers(20, len(data) + 1)]))
        try:
            read(path)
        except BadRequest as refused:
            assert str(refused)


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("TIDEMARK_DATA"), reason="needs the folder named by TIDEMARK_DATA")
def test_the_file_of_a_broker_is_read():
    path = Path(os.environ["TIDEMARK_DATA"]) / "native/mt5/EURUSD_D1_copy_rates.csv.gz"
    seen, raw = readers.recognise(path), read(path)
    assert (seen.format, seen.instrument, seen.timeframe, len(raw), raw.malformed_count) == ("mt5", "EURUSD", "D1", 14_272, 0)
