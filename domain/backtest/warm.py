"""A tiny backtest that touches every compiled function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from domain.backtest import kernel
from domain.backtest.commanded import Commanded, replay_commanded
from domain.backtest.governor_tables import drift_index
from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation, simulate
from domain.compiled import Watch, watched
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.command import command
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.rules import Rules
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
    _obey([task], int(ts[1].value))
    return len(simulate([task], Account(), Costs(slippage_kind="atr"), Execution(), Sizing()).trades)


def _obey(tasks: list[Task], now: int) -> None:
    """Every verb, and the fills of a broker."""
    verbs: list[tuple[str, dict[str, Any]]] = [("pause", {}), ("continue", {}), ("close-all", {}), ("order", dict(instrument="EURUSD", side="buy", lots=0.1)), ("approve", dict(order=1))]
    replay_commanded(tasks, Rules(), Commanded([command(now, "warm", verb, arguments) for verb, arguments in verbs], ask=True))
    run = Simulation(prepare(tasks), Account())
    run.step(1)
    trade = run.between(kernel.book_entry, 0, 0, 0.1, 1.1, np.nan, 0.0, now, 0)
    run.between(kernel.leave_share, trade, 1.0)
    run.between(kernel.book_financing, trade, 0.0)
    run.between(kernel.book_exit, trade, 0.1, 1.1, np.nan, 0.0, now, 0)
