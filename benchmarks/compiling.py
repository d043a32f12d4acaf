"""What a first start costs: CPU of compiling the engine and the features from nothing, and time until both example runs are done.

Compiled code is kept beside the program; here the program's sources are copied to a folder of their own, where nothing has been compiled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.system import environment_of, started
from benchmarks.timing import Row
from worker.settings import load
from worker.store import Store

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("app", "domain", "examples", "pages", "worker", "config.toml", "pyproject.toml", "requirements.txt")
COMPILES = {"the engine": "domain.backtest.warm", "the features": "domain.features.warm"}
USABLE, RUNS, PATIENCE = 60.0, 2, 600.0     # seconds; example runs; seconds


def rows() -> Iterator[Row]:
    for what, module in COMPILES.items():
        with tempfile.TemporaryDirectory() as folder:
            yield Row(f"compiling {what} from nothing, CPU", _compiled(_copy(Path(folder)), module))
    with tempfile.TemporaryDirectory() as folder:
        used, elapsed = _first_start(_copy(Path(folder)), Path(folder) / "home")
        yield Row("first start to both example runs", elapsed, goal=f"≤ {USABLE:.0f} s", holds=elapsed <= USABLE)
        yield Row("the same: CPU of the whole program", used)


def _copy(folder: Path) -> Path:
    """The program, with nothing compiled."""
    copied = folder / "program"
    copied.mkdir()
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copied / name)
    return copied


def _compiled(program: Path, module: str) -> float:
    """CPU seconds of one process."""
    before = os.times()
    subprocess.run([sys.executable, "-c", f"from {module} import warm; warm()"], cwd=program, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _first_start(program: Path, home: Path) -> tuple[float, float]:
    """CPU and elapsed seconds until both example runs are done."""
    before, began = os.times(), time.monotonic()
    with started(home, program):
        settings = load(environment=environment_of(home))
        store = Store(settings.database_url, settings.frames_url)
        while _runs(store) < RUNS:
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError(f"the example runs did not come within {PATIENCE:.0f} s")
            time.sleep(0.5)
        elapsed = time.monotonic() - began
        store.close()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, elapsed


def _runs(store: Store) -> int:
    """Example runs that are done."""
    with store.read() as unit:
        return len(unit.jobs.latest(("done",), ("backtest",)))
