"""What an installation costs that nobody uses: CPU of its whole process tree while no page is open and no job is."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.system import started
from benchmarks.timing import Row
from domain.backtest.warm import warm as warm_backtest
from domain.features.warm import warm as warm_features

SETTLED, WATCHED = 75.0, 100.0      # seconds after the start, by which what is done once is done; and that are measured
GOAL = 1.0                          # percent of a core
PARTS = {"worker.cli": "supervisor", "worker.main": "workers", "worker.schedule": "scheduler", "worker.sessions.main": "sessions", "streamlit": "page", "-server": "queue server"}


def rows() -> Iterator[Row]:
    warm_backtest()     # else the workers would, while they are watched
    warm_features()
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "home", TIDEMARK_EXAMPLE="false") as system:
        time.sleep(SETTLED)
        shares = _shares(psutil.Process(system.pid))
    total = sum(shares.values())
    yield Row("idle, no page open: share of a core of the whole process tree", None, figure=f"{total:.2f} %", goal=f"≤ {GOAL:g} %", holds=total <= GOAL)
    for part, share in sorted(shares.items(), key=lambda each: -each[1]):
        yield Row(f"idle: {part}", None, figure=f"{share:.2f} %")


def _shares(root: psutil.Process) -> dict[str, float]:
    """Part -> percent of a core, by CPU time, which other programs do not change much."""
    processes = [root, *root.children(recursive=True)]
    before, began = [_used(process) for process in processes], time.monotonic()
    time.sleep(WATCHED)
    seconds, shares = time.monotonic() - began, defaultdict[str, float](float)
    for process, used in zip(processes, before, strict=True):
        shares[_part(process)] += (_used(process) - used) / seconds * 100
    return shares


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _part(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    return next((part for sign, part in PARTS.items() if sign in words), process.name())
