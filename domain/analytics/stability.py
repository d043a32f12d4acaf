"""The same figures over equal periods of time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.analytics.daily import USUAL, nanoseconds
from domain.analytics.guards import finite
from domain.analytics.metrics import METRICS, facts_of
from domain.errors import BadRequest
from domain.market.sessions import Calendar

FIGURES = ("trades", "net_profit", "net_return", "max_drawdown", "sharpe", "win_rate", "profit_factor", "expectancy_r")


def by_window(trades: pd.DataFrame, equity: pd.DataFrame, start: float, windows: int = 8, market: Calendar = USUAL) -> pd.DataFrame:
    """``window, start, end, trades, net_profit, net_return, max_drawdown, sharpe, win_rate, profit_factor, expectancy_r`` of equal periods of time.

    Definitions are those of METRICS, each window starting with the equity that the one before it left. A trade belongs to the window in which
    it ended. Windows of equal calendar time from the first row to the last; one without a row has only its trades. NaN where there is no value.
    """
    if windows < 1:
        raise BadRequest(f"windows is {windows}; ask for at least 1")
    if equity.empty:
        return pd.DataFrame(columns=["window", "start", "end", *FIGURES])
    ts = nanoseconds(equity["ts"])
    edges = np.linspace(ts[0], ts[-1], windows + 1).astype(np.int64)
    edges[0], edges[-1] = ts[0], ts[-1]     # a float cannot hold nanoseconds
    rows = np.searchsorted(ts, edges[1:], side="right")
    window_of = np.clip(np.searchsorted(edges[1:], nanoseconds(trades["exit_ts"])), 0, windows - 1)
    rows_of_windows, before, first = [], start, 0
    for window, last in enumerate(rows):
        rows_of_windows.append(_figures(trades[window_of == window], equity.iloc[first:last], before, market))
        before, first = (float(equity["equity"].iloc[last - 1]) if last else start), int(last)
    times = pd.to_datetime(edges, utc=True)
    figures = pd.DataFrame(rows_of_windows, columns=list(FIGURES)).astype(float).astype({"trades": np.int64})
    return pd.DataFrame(dict(window=np.arange(1, windows + 1), start=times[:-1], end=times[1:])).join(figures)


def _figures(trades: pd.DataFrame, equity: pd.DataFrame, before: float, market: Calendar) -> dict[str, float | None]:
    if equity.empty:
        return dict(trades=float(len(trades)))
    facts = facts_of(trades, pd.DataFrame(dict(spread_cost=[], slippage_cost=[])), equity, before, market=market)
    with np.errstate(all="ignore"):
        return {key: finite(METRICS[key].value(facts)) for key in FIGURES}
