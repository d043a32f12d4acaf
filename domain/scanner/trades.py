"""The closed trades of one combination, as the kernel made them: R net of costs, and the spread of the bar of each entry."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.backtest.series import Bars
from domain.trading.task import Outcome

ENTRIES = ("market", "stop", "limit")       # reasons of the fill that opens a trade
UNFINISHED = "end"                          # reason of a trade that only the end of the data closed
COLUMNS = ("trade_id", "side", "entry_ts", "exit_ts", "entry_price", "exit_price", "stop_loss", "pnl", "r", "spread_at_entry")


def closed_trades(outcome: Outcome, bars: Bars, most: int) -> pd.DataFrame:
    """The last ``most`` closed trades with an R, in the order in which they closed: COLUMNS. Trades that were open when the data ended are not among them."""
    trades = outcome.trades
    closed = trades[(trades["exit_reason"] != UNFINISHED).to_numpy(bool) & trades["r"].notna().to_numpy()]
    closed = closed.sort_values("exit_ts", kind="stable").tail(most)
    return closed.assign(spread_at_entry=_spreads(closed["trade_id"].to_numpy(), outcome, bars))[list(COLUMNS)].reset_index(drop=True)


def _spreads(trades: np.ndarray, outcome: Outcome, bars: Bars) -> np.ndarray:
    fills = outcome.fills[outcome.fills["reason"].isin(ENTRIES).to_numpy()]
    number, first = np.unique(fills["trade_id"].to_numpy(), return_index=True)
    opened = fills["bar_ts"].array.as_unit("ns").asi8[first[np.searchsorted(number, trades)]] if len(trades) else np.zeros(0, np.int64)
    return bars.spread[np.searchsorted(bars.ts, opened)]
