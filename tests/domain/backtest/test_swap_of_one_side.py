"""Only one of the two swap rates is given, and the instrument's own are 0."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.backtest.simulator import simulate
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk import Sizing
from domain.trading import Account, Costs, Execution, Task, read_signals


def test_nights_are_charged_to_that_side_alone():
    ts = pd.date_range("2024-07-09T10:00Z", periods=48, freq="1h", unit="ns")      # Tuesday to Thursday
    bars = pd.DataFrame(dict(ts=ts, open=1.1, high=1.1005, low=1.0995, close=1.1, spread=0.0))
    signals = pd.DataFrame(dict(ts=ts[[0, 0]], side=["long", "short"], tag=["a", "b"], lots=1.0))
    task = Task(instrument("EURUSD"), Timeframe.named("H1"), bars, read_signals(signals, ("EURUSD",)))
    trades = simulate([task], Account(balance=100_000.0), Costs(swap_long=-6.5), Execution(), Sizing()).trades.set_index("side")
    np.testing.assert_allclose(trades.loc[["long", "short"], "swap"], [-6.5 * 4, 0.0])      # Tuesday one night, Wednesday three
