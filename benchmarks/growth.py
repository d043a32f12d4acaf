"""How time and memory grow with the number of bars."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyarrow import feather

from benchmarks import stages
from benchmarks import workload as load
from benchmarks.timing import Row, duration, median

TENTH = load.BARS // 10
UNIT = 1 if sys.platform == "darwin" else 1024      # of ru_maxrss, bytes
TIME, MEMORY = 11.0, 400


def rows() -> Iterator[Row]:
    few, many = (median(lambda count=count: _run(count), 7, 2) for count in (TENTH, load.BARS))     # type: ignore[misc]
    yield Row(f"signals read, prepared, simulated, measured: {load.BARS:,} bars", many, f"{TENTH:,} bars, {duration(few)}", many / few, f"≤ {TIME:.0f} ×", many <= TIME * few)
    with tempfile.TemporaryDirectory() as folder:
        peaks = [_peak(Path(folder), count) for count in (TENTH, TENTH, load.BARS)][1:]      # the first may have compiled
    bytes_a_bar = (peaks[1] - peaks[0]) / (load.BARS - TENTH)
    yield Row("memory at the peak of that, bars and signals included, for each bar more", None, goal=f"≤ {MEMORY} bytes", holds=bytes_a_bar <= MEMORY, figure=f"{bytes_a_bar:,.0f} bytes")


def _run(count: int) -> object:
    bars = load.bars(count)
    return stages.report(stages.trade(bars, stages.read_signals(load.signals(count), ("EURUSD",))))


def _peak(folder: Path, count: int) -> int:
    """Bytes of a process that does it once from files."""
    feather.write_feather(load.bars(count), folder / "bars.feather", compression="uncompressed")
    np.save(folder / "sides.npy", load.sides(count))
    process = subprocess.run([sys.executable, "-m", "benchmarks.growth", str(folder)], capture_output=True, text=True, check=True)
    return int(process.stdout.split()[-1])


def _once(folder: Path) -> None:
    bars, side = feather.read_feather(folder / "bars.feather"), np.load(folder / "sides.npy")
    at = np.flatnonzero(side)
    table = load.table(bars["ts"].array[at], side[at], bars["close"].to_numpy()[at])
    stages.report(stages.trade(bars, stages.read_signals(table, ("EURUSD",))))
    print(own_peak())


def own_peak() -> int:
    """Bytes. Linux hands ``ru_maxrss`` on from the process that started this one, so there the kernel's own figure is read."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


if __name__ == "__main__":
    _once(Path(sys.argv[1]))
