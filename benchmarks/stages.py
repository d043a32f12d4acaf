"""The whole workload, stage by stage: bars from a file to figures in memory, nothing written; beside it the same with pandas."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import feather

from benchmarks import ordinary
from benchmarks import workload as load
from benchmarks.timing import Row, duration, median
from domain.analytics import measure
from domain.backtest.simulator import simulate
from domain.features import Context, compute, use
from domain.market import check, frame, readers
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading import Account, Costs, Execution, Outcome, Task
from domain.trading.signals import read_signals

M5, M30 = Timeframe.named("M5"), Timeframe.named("M30")
EURUSD = instrument("EURUSD")
USES = (use("atr"), use("atr_ratio"), use("sma", window=load.WINDOW), use("channel_high", window=20), use("channel_low", window=20), use("zscore", window=load.WINDOW))
AVERAGES = tuple(use("ema", "M30", window=window) for window in (20, 50))
ACCOUNT = Account(balance=1e6)
COSTS = Costs(spread=load.SPREAD, slippage=load.SLIP, commission_per_lot=3.0, swap_long=-6.5, swap_short=1.0)
GOAL, FASTER = 0.100, 2.0


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        fast, columnar = Path(folder, "bars.feather"), Path(folder, "bars.parquet")
        feather.write_feather(load.bars(), fast, compression="uncompressed", chunksize=load.BARS)
        load.bars().to_parquet(columnar)
        yield from _stages(fast, columnar)
        elapsed, common = median(lambda: workload(fast)), median(lambda: ordinary.workload(columnar), 5, 1)
        yield Row("the whole workload, warm", elapsed, goal=f"≤ {GOAL * 1e3:.0f} ms", holds=elapsed <= GOAL)
        yield Row("the whole workload with pandas and a numba loop", common, f"ours, {duration(elapsed)}", common / elapsed, f"≥ {FASTER:.0f} ×", common >= FASTER * elapsed)


def _stages(fast: Path, columnar: Path) -> Iterator[Row]:
    bars, theirs = from_feather(fast), ordinary.loaded(columnar)
    yield Row("load, Parquet through the reader, checked", median(lambda: from_parquet(columnar)))
    yield _beside("load, Feather mapped into memory, checked", lambda: from_feather(fast), lambda: ordinary.loaded(columnar))
    yield _beside("informative: M30, two averages, joined by the close", lambda: informative(bars), lambda: ordinary.informative(theirs))
    wide, wider = features(informative(bars)), ordinary.features(ordinary.informative(theirs))
    yield _beside("features: six columns", lambda: features(bars), lambda: ordinary.features(theirs))
    signals = entries(wide)
    yield _beside(f"entries: {len(signals):,} signals, read and checked", lambda: entries(wide), lambda: ordinary.entries(wider))
    outcome = trade(bars, signals)
    side = ordinary.entries(wider)
    ledger = ordinary.simulated(theirs, side)
    yield _beside(f"simulate: prepared, run, frames of {len(outcome.trades):,} trades", lambda: trade(bars, signals), lambda: ordinary.simulated(theirs, side), "a numba loop without an execution model")
    yield _beside("report: every metric", lambda: report(outcome), lambda: ordinary.report(theirs, *ledger))


def _beside(what: str, ours: Callable[[], object], theirs: Callable[[], object], name: str = "pandas") -> Row:
    elapsed, common = median(ours, 7, 2), median(theirs, 5, 1)
    return Row(what, elapsed, f"{name}, {duration(common)}", elapsed / common)


def workload(path: Path) -> dict[str, Any]:
    """From a file to figures."""
    bars = from_feather(path)
    return report(trade(bars, entries(features(informative(bars)))))


def from_feather(path: Path) -> pd.DataFrame:
    return check(feather.read_table(path, memory_map=True).to_pandas(split_blocks=True))


def from_parquet(path: Path) -> pd.DataFrame:
    raw = readers.read(path, "parquet", EURUSD)
    return check(frame(raw.local_ns, open=raw.open, high=raw.high, low=raw.low, close=raw.close))


def informative(bars: pd.DataFrame) -> pd.DataFrame:
    """Beside each bar two averages of the last M30 bar that has closed by its end."""
    return compute(bars, AVERAGES, Context(EURUSD, M5))


def features(bars: pd.DataFrame) -> pd.DataFrame:
    return compute(bars, USES)


def entries(wide: pd.DataFrame) -> pd.DataFrame:
    """The workload's rule, its signals read as those of a strategy are."""
    score = wide[USES[-1].column].to_numpy()
    at = np.flatnonzero(np.abs(score) > load.BEYOND)
    side, price = np.where(score[at] < 0, 1, -1), wide["close"].to_numpy()[at]
    return read_signals(load.table(wide["ts"].array[at], side, price), ("EURUSD",))


def trade(bars: pd.DataFrame, signals: pd.DataFrame) -> Outcome:
    return simulate([Task(EURUSD, M5, bars, signals)], ACCOUNT, COSTS, Execution(), Sizing("fixed_lots", 1.0))


def report(outcome: Outcome) -> dict[str, Any]:
    return measure(outcome.trades, outcome.fill_costs, outcome.equity, ACCOUNT.balance, load.SPREAD)
