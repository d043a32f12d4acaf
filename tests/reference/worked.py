"""Small worked examples: bars by the hour, signals by the number of their bar, an account in dollars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from domain.market.instrument import Instrument, instrument
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.gate import Gate
from domain.trading.signals import read_signals
from domain.trading.task import Outcome, Task

EURUSD = instrument("EURUSD")
COSTS = Costs(spread=0.0002)
BEFORE = (1.1000, 1.1000, 1.1000, 1.1000)
BAR_1 = (1.1000, 1.1010, 1.0995, 1.1005)


def bars_of(*rows: tuple[float, ...], start: str = "2024-07-10T06:00Z", every: str = "1h") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"])
    frame.insert(0, "ts", pd.date_range(start, periods=len(rows), freq=every).as_unit("ns"))
    return frame


def task_of(bars: pd.DataFrame, *signals: dict, traded: Instrument = EURUSD, timeframe: str = "H1") -> Task:
    """``signals`` name the number of their bar as ``at``."""
    rows = [{"ts": bars["ts"].iloc[signal["at"]], **{k: v for k, v in signal.items() if k != "at"}} for signal in signals]
    table = pd.DataFrame(rows or {"ts": [], "side": []})
    return Task(traded, Timeframe.named(timeframe), bars, read_signals(table, (traded.name,)))


def bought_at_bar_0(*rows: tuple[float, ...], **signal: float) -> Task:
    """The bars before the fill, the bar of the fill, then ``rows``."""
    return task_of(bars_of(BEFORE, BAR_1, *rows), {"at": 0, "side": "long", "stop_loss": 1.0980, "target_1": 1.1040, **signal})


def run_by(
    simulate: Callable[..., Outcome],
    tasks: Task | Sequence[Task],
    costs: Costs = COSTS,
    execution: Execution = Execution(),
    sizing: Sizing = Sizing(),
    limits: Limits = Limits(),
    gate: Gate = Gate(),
    **account: Any,
) -> Outcome:
    """The outcome of ``simulate``, of the kernel or of the reference implementation."""
    tasks = [tasks] if isinstance(tasks, Task) else tasks
    return simulate(tasks, Account(**account), costs, execution, sizing, (), limits=limits, gate=gate)


def only_trade(outcome: Outcome) -> pd.Series:
    assert len(outcome.trades) == 1
    return outcome.trades.iloc[0]
