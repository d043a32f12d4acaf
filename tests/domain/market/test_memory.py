"""Reading and repairing hold a bounded amount of memory, and small files that unpack large are refused before they are unpacked."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.market import Timeframe, instrument, readers, repair
from tests.domain.market.makers import fx_bars, own_csv

MEMORY_BOUND = 120_000_000      # bytes that the reading of any of them may take, besides the program
READ = """
import resource, sys
import numpy, pyarrow.parquet, pyarrow.csv
from pathlib import Path
from domain.errors import BadRequest
from domain.market import instrument, readers
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]), -1))
for name in sys.argv[2:]:
    try:
        found = readers.recognise(Path(name), 20_000_000)
        readers.read(Path(name), found.format, instrument("EURUSD"), max_bytes=20_000_000)
        print("read")
    except BadRequest as error:
        print(error)
"""


def test_an_import_takes_a_bounded_multiple_of_its_bars(tmp_path):
    bars = fx_bars("2023-01-02", "2023-10-01")
    path = own_csv(tmp_path / "EURUSD_M5.csv", bars)
    readers.read(path, "csv", instrument("EURUSD"))
    tracemalloc.start()
    try:
        raw = readers.read(path, "csv", instrument("EURUSD"))
        repair(raw, instrument("EURUSD"), Timeframe.named("M5"), "UTC", datetime(2030, 1, 1, tzinfo=UTC))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60 * 8 * len(bars), f"{peak / len(bars):.0f} bytes a row"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set where /proc says what is used")
def test_small_files_that_unpack_large_are_refused_within_a_bound_of_memory(tmp_path):
    one_arena = {**os.environ, "MALLOC_ARENA_MAX": "1"}     # the limit is one of address space, and every further arena of the C library sets 64 MB of it aside
    process = subprocess.run([sys.executable, "-c", READ, str(MEMORY_BOUND), *map(str, bombs(tmp_path))], capture_output=True, text=True, check=False, timeout=120, env=one_arena)
    lines = process.stdout.splitlines()
    assert process.returncode == 0 and len(lines) == 4, process.stderr[-500:]
    assert "volume is" in lines[0] and "it must be numbers" in lines[0]
    assert "ts is" in lines[1] and "it must be a timestamp" in lines[1]
    assert "rows.parquet is 160 MB unpacked; the limit is 20 MB" in lines[2]
    assert "unpacks to more than 20 MB" in lines[3]


def bombs(folder: Path) -> list[Path]:
    """A text of 150 MB among the numbers, one in place of the time, four million rows in few bytes, and a long CSV of zeros."""
    price, flat, ts = pa.array([1.1]), pa.array(np.full(4_000_000, 1.1)), pa.array(np.zeros(1, "datetime64[ns]"))
    prices = dict(open=price, high=price, low=price, close=price)
    large = pa.array(["x" * 150_000_000])
    tables = {
        "volume": pa.table(dict(ts=ts, **prices, volume=large)), "ts": pa.table(dict(ts=large, **prices)),
        "rows": pa.table(dict(ts=pa.array(np.zeros(4_000_000, "datetime64[ns]")), open=flat, high=flat, low=flat, close=flat)),
    }  # fmt: skip
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", use_dictionary=name == "rows", write_statistics=False)
    with gzip.open(folder / "EURUSD.csv.gz", "wb", compresslevel=1) as file:
        file.write(b"ts,open,high,low,close\n")
        for _ in range(25):
            file.write(b"2024-01-02T10:00:00Z,1.1,1.1,1.1,1.1\n" * 27_000)
    paths = [*(folder / f"{name}.parquet" for name in tables), folder / "EURUSD.csv.gz"]
    assert all(path.stat().st_size < 1_000_000 for path in paths)
    return paths
