"""The execution model against the floor, on one workload."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import workload as load
from benchmarks.floor import LEDGER, floor
from benchmarks.timing import Row, duration, median
from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading import Account, Costs, Rules, Task
from domain.trading.signals import read_signals

GOAL = 5.0


def rows() -> Iterator[Row]:
    bars = load.bars()
    account, costs = Account(balance=1e6), Costs(spread=load.SPREAD, slippage=load.SLIP, commission_per_lot=3.0, swap_long=-6.5, swap_short=1.0)
    task = Task(instrument("EURUSD"), Timeframe.named("M5"), bars, read_signals(load.signals(), ("EURUSD",)))
    arrays = prepare([task], Rules(account, costs, sizing=Sizing("fixed_lots", 1.0)))

    def ours() -> Simulation:
        run = Simulation(arrays, account)
        run.to_end()
        return run

    prices = [bars[name].to_numpy() for name in ("open", "high", "low", "close")]

    def bare() -> int:
        ledger, columns = np.empty(len(bars) // 8, LEDGER), [np.zeros(len(bars)) for _ in range(4)]
        return floor(*prices, load.sides(), load.STOP, load.TARGET, load.PART, load.SHARE, load.SPREAD, load.SLIP, ledger, *columns)     # type: ignore[call-arg]

    trades, fewest = len(np.concatenate(ours().trades)), bare()
    least, elapsed = median(bare), median(ours)
    yield Row(f"floor: {len(bars):,} bars, {fewest:,} trades, half out, break-even", least)
    yield Row(f"simulate, whole execution model, {trades:,} trades", elapsed, f"floor, {duration(least)}", elapsed / least, f"≤ {GOAL:.0f} ×", elapsed <= GOAL * least)
    yield Row("reading 302,627 signals of a strategy", median(lambda: read_signals(load.signals(), ("EURUSD",)), 3, 1))
    yield Row("preparing arrays", median(lambda: prepare([task], Rules(account, costs, sizing=Sizing("fixed_lots", 1.0))), 3, 1))
