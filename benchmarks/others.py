"""Other engines on the same bars and decisions, each in its own process; differences between their trades are counted, README.md explains them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import workload as load
from benchmarks.timing import Row, duration, median
from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading import Account, Costs, Rules, Task
from domain.trading.signals import read_signals

PEERS = {"vectorbt": ("with_vectorbt.py", 5), "backtesting": ("with_backtesting_py.py", 1)}      # package: script, times
GOALS = {("vectorbt", "rust"): 2.0, ("vectorbt", "partial"): 15.0, ("backtesting", "stop and target"): 300.0, ("backtesting", "partial"): 300.0}
Trades = dict[int, tuple[int, float, float]]     # bar of the entry: bar of the exit, price in, price out


def rows(count: int = load.BARS) -> Iterator[Row]:
    ours = {kind: ours_of(kind, count) for kind in ("stop and target", "partial")}
    for kind, (elapsed, trades) in ours.items():
        yield Row(f"ours without costs, {kind}: {len(trades):,} trades, fills, equity", elapsed)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "given.npz")
        np.savez(file, **given(count))
        for package, (script, times) in PEERS.items():
            if not installed(package):
                yield Row(f"{package}: TIDEMARK_PEERS may name an interpreter that has it", None, figure="not installed")
                continue
            result = run(Path(__file__).with_name("peers") / script, str(file), str(times))
            yield from (_row(package, result["version"], row, ours) for row in result["rows"])


def interpreter() -> str:
    return os.environ.get("TIDEMARK_PEERS", sys.executable)


def installed(package: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([interpreter(), "-c", code], check=False).returncode == 0


def run(script: Path, *words: str) -> dict[str, Any]:
    process = subprocess.run([interpreter(), str(script), *words], capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{script.name} failed: {process.stderr.strip().splitlines()[-1:]}")
    return json.loads(process.stdout.splitlines()[-1])


def given(count: int) -> dict[str, Any]:
    bars = load.bars(count)
    prices = {name: bars[name].to_numpy() for name in ("open", "high", "low", "close")}
    return dict(ts=bars["ts"].astype("int64").to_numpy(), side=load.sides(count), stop=load.STOP, target=load.TARGET, part=load.PART, share=load.SHARE, **prices)


def task(kind: str, count: int) -> Task:
    signals = load.signals(count)
    if kind == "stop and target":
        signals = signals[["ts", "side", "stop_loss"]].assign(target_1=signals["target_2"])
    return Task(instrument("EURUSD"), Timeframe.named("M5"), load.bars(count), read_signals(signals, ("EURUSD",)))


def ours_of(kind: str, count: int) -> tuple[float, Trades]:
    traded, account = task(kind, count), Account(balance=1e7)
    arrays = prepare([traded], Rules(account, Costs(spread=0.0), sizing=Sizing("fixed_lots", 1.0)))

    def simulated() -> Simulation:
        simulation = Simulation(arrays, account)
        simulation.to_end()
        return simulation

    return median(simulated, 15, 3), trades_of(traded.bars, simulated().outcome([traded]).trades)


def trades_of(bars: pd.DataFrame, trades: pd.DataFrame) -> Trades:
    entry, leave = (bars["ts"].searchsorted(trades[name]).tolist() for name in ("entry_ts", "exit_ts"))
    return dict(zip(entry, zip(leave, trades["entry_price"], trades["exit_price"], strict=True), strict=True))


def alike(ours: Trades, row: Mapping[str, Any]) -> int:
    """Number of trades with the same bars of entry and exit."""
    return sum(at in ours and ours[at][0] == leave for at, leave in zip(row["entry"], row["exit"], strict=True))


def _row(package: str, version: str, row: Mapping[str, Any], ours: Mapping[str, tuple[float, Trades]]) -> Row:
    if "missing" in row:
        return Row(f"{version}, {row['what']}", None, figure="not installed")
    elapsed, trades = ours["partial" if row["kind"] == "partial" else "stop and target"]
    counted = f": {row['trades']:,} trades, ours {len(trades):,}, {alike(trades, row):,} alike" if "trades" in row else ""
    goal = GOALS.get((package, row["kind"])) or (GOALS.get((package, row.get("engine", ""))) if "equity" in row["kind"] else None)
    ratio = row["seconds"] / elapsed
    return Row(f"{version}, {row['what']}{counted}", row["seconds"], f"ours, {duration(elapsed)}", ratio, f"≥ {goal:.0f} ×" if goal else "", ratio >= goal if goal else None)
