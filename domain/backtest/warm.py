"""A tiny backtest that touches every compiled function."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.backtest.governor_tables import drift_index
from domain.backtest.simulator import simulate
from domain.compiled import Watch, watched
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.signals import read_signals
from domain.trading.task import Task


def warm(watch: Watch = lambda done, of, name: None) -> int:
    """Compile, or load what was compiled; returns the number of trades simulated on the way. ``watch`` is called for each function that is compiled."""
    with watched("backtest", watch):
        return _trades()


def _trades() -> int:
    drift_index(np.zeros(1))
    ts = pd.date_range("2024-01-02T10:00Z", periods=4, freq="5min", unit="ns")
    bars = pd.DataFrame(dict(ts=ts, open=1.1, high=1.101, low=1.099, close=1.1))
    signals = read_signals(pd.DataFrame([dict(ts=ts[0], side="long", stop_loss=1.09, trail_kind="atr", trail_value=1.0)]), ("EURUSD",))
    task = Task(instrument("EURUSD"), Timeframe.named("M5"), bars, signals)
    return len(simulate([task], Account(), Costs(slippage_kind="atr"), Execution(), Sizing()).trades)
