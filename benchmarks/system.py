"""Waiting times: an import, a start, a cold backtest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import workload as load
from benchmarks.timing import Row

MINUTES, PORT = 2_400_000, 8769


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        yield _imported(home)
        yield _cold(home)
        yield _second_start(home)


def _timed(home: Path, *words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "worker.cli", *words], env=environment_of(home / "home"), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def environment_of(home: Path) -> dict[str, str]:
    """Settings of the benchmarks themselves, such as TIDEMARK_PEERS, are none of the program's, which refuses what it does not know."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TIDEMARK_")} | {"TIDEMARK_STORAGE_HOME": str(home)}


def _imported(home: Path) -> Row:
    ts = pd.date_range("2015-01-01", periods=MINUTES * 2, freq="min", tz="UTC")
    ts = ts[(ts.dayofweek < 4) | ((ts.dayofweek == 4) & (ts.hour < 21)) | ((ts.dayofweek == 6) & (ts.hour >= 22))][:MINUTES]
    close = np.round(1.1 + np.cumsum(np.random.default_rng(1).normal(0, 1e-6, len(ts))), 5)
    open_ = np.concatenate([close[:1], close[:-1]])
    frame = pd.DataFrame(dict(ts=ts.strftime("%Y-%m-%dT%H:%M:%SZ"), open=open_, high=np.maximum(open_, close), low=np.minimum(open_, close), close=close))
    frame.to_csv(home / "bars.csv", index=False)
    elapsed = _timed(home, "data", "import", str(home / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "M1", "--clock", "UTC", "--repair")
    return Row(f"import of {len(ts):,} M1 bars from CSV, whole process", elapsed, goal="≤ 10 s", holds=elapsed <= 10)


def _cold(home: Path) -> Row:
    load.bars().to_parquet(home / "bars.parquet")
    words = ("backtest", "--bars", str(home / "bars.parquet"), "--instrument", "EURUSD", "--timeframe", "M5", "--side", "bid", "--strategy", "breakout", "--equity", "none", "--out", str(home / "out"))
    _timed(home, *words)
    elapsed = _timed(home, *words)
    return Row(f"tidemark backtest, {load.BARS:,} bars, second process", elapsed, goal="≤ 1.5 s", holds=elapsed <= 1.5)


def _second_start(home: Path) -> Row:
    for _ in range(2):
        elapsed = _start(home)
    return Row("second start to a page that answers", elapsed, goal="≤ 5 s", holds=elapsed <= 5)


def _start(home: Path) -> float:
    start = time.perf_counter()
    with started(home / "system"):
        return time.perf_counter() - start


@contextmanager
def started(home: Path, program: Path | None = None, **settings: str) -> Iterator[subprocess.Popen]:
    """The whole program, from when its page answers; ``program``: the folder of a copy of it; ``settings`` as the environment names them."""
    start = time.perf_counter()
    env = environment_of(home) | {"TIDEMARK_APP_PORT": str(PORT), **settings}
    system = subprocess.Popen([sys.executable, "-m", "worker.cli", "up"], cwd=program, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        while not _answers():
            if system.poll() is not None or time.perf_counter() - start > 60:
                raise RuntimeError("the system did not start; see its message above")
            time.sleep(0.05)
        yield system
    finally:
        system.send_signal(signal.SIGTERM)
        system.wait(30)


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
