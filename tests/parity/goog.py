"""The moving-average cross on GOOG's daily bars, as a request to our engine: always in the market, reversed at the next open."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from domain.backtest.simulator import simulate
from domain.features import compute, use
from domain.market.bars import frame
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading import Account, Costs, Execution, Outcome, Task
from domain.trading.signals import read_signals

FOLDER = Path(os.environ.get("TIDEMARK_DATA", ""), "oracles", "backtesting_py")
MISSING = f"TIDEMARK_DATA names no folder with {FOLDER.parts[-2]}/{FOLDER.name}/GOOG.csv"
CASH, FAST, SLOW = 10_000.0, 10, 30
SHARE = Instrument(
    name="GOOG", title="Alphabet", kind="share", base="GOOG", quote="USD", tick=0.01, pip=0.01, lot_step=1.0, min_lot=1.0, max_lot=1e9, contract=1.0,
    margin_class="share", leverage=2.0, spread=0.0, swap_long=0.0, swap_short=0.0, triple_day="none", calendar="index", source="one share a lot, no costs",
)  # fmt: skip


def there() -> bool:
    return (FOLDER / "GOOG.csv").is_file()


def bars() -> pd.DataFrame:
    table = pd.read_csv(FOLDER / "GOOG.csv", index_col=0, parse_dates=True)
    return frame(table.index.as_unit("ns").asi8, **{name: table[name.capitalize()].to_numpy(float) for name in ("open", "high", "low", "close")})


def crosses(of: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The bars at whose close the fast average crosses the slow one, and the side it crosses to."""
    fast, slow = (compute(of, [use("sma", window=window)]).iloc[:, -1].to_numpy() for window in (FAST, SLOW))
    above, below = (fast > slow), (fast < slow)
    up, down = above[1:] & below[:-1], below[1:] & above[:-1]
    at = np.flatnonzero(up | down) + 1
    return at, np.where(up[at - 1], 1, -1)


def traded(of: pd.DataFrame, lots: np.ndarray | None = None, leave_at: int | None = None) -> Outcome:
    """Each cross leaves what is open and enters the other way, all in; ``leave_at``: a last exit, decided at that bar."""
    at, side = crosses(of)
    enter = pd.DataFrame(dict(ts=of["ts"].to_numpy()[at], side=side, order="market", lots=np.nan if lots is None else lots))
    leave = enter.assign(order="exit", lots=np.nan)
    if leave_at is not None:
        leave = pd.concat([leave, leave.iloc[-1:].assign(ts=of["ts"].to_numpy()[leave_at])])
    signals = pd.concat([leave, enter]).sort_values("ts", kind="stable").reset_index(drop=True)
    task = Task(SHARE, Timeframe.named("D1"), of, read_signals(signals, ("GOOG",)))
    return simulate([task], Account(balance=CASH, leverage=2.0, stop_out=0.0), Costs(spread=0.0), Execution(), Sizing("notional", 1.0))
