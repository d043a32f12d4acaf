"""Every metric in four columns: all trades, the long ones, the short ones, and buy and hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from domain.analytics.daily import nanoseconds
from domain.analytics.guards import finite
from domain.analytics.metrics import METRICS, Facts, facts_of
from domain.analytics.reading_order import in_reading_order

COLUMNS = {
    "all": ("All", "All trades of the run, marked to market at bar closes."),
    "long": ("Long", "The long trades alone. Empty where a metric needs the equity of one side, which no account has: its trades share one balance."),
    "short": ("Short", "The short trades alone. Empty where a metric needs the equity of one side, which no account has: its trades share one balance."),
    "hold": ("Buy and hold", "The traded instruments bought at the start, an equal part of the balance each, and held to the end at the run's costs, without leverage."),
}
OF_CLOSED = ("net_return", "net_profit", "max_drawdown_closed", "break_even_factor", "break_even_spread")     # of a side: from the results of its closed trades
OF_ONE = ("exposure", "turnover", "days_held", "bars_held")     # of a held position: it is one trade, and one is no sample


def statistics(
    metrics: Mapping[str, float | None], trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame, start: float,
    hold: Mapping[str, float | None] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """``key, title, family, unit, definition, source, all, long, short, hold``, a row a metric; NaN where a metric does not exist for a column.

    ``metrics``: those of the run; ``hold``: those of buy and hold, if it is known.
    """
    sides = {side: side_metrics(trades, fills, equity, start, side, metrics.get("mean_spread")) for side in ("long", "short")}
    columns = dict(all=metrics, **sides, hold={key: value for key, value in (hold or {}).items() if _of_held(key)})
    keys = in_reading_order(METRICS)
    described = {name: [getattr(METRICS[key], name) for key in keys] for name in ("key", "title", "family", "unit", "definition", "source")}
    return pd.DataFrame(described | {name: np.array([values.get(key) for key in keys], float) for name, values in columns.items()})


def side_metrics(
    trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame, start: float, side: str, mean_spread: float | None = None
) -> dict[str, float | None]:  # fmt: skip
    """The metrics of the trades of one side; without those that need its own equity, and none but the count where it has no trade."""
    own = trades[(trades["side"] == side).to_numpy(bool)].reset_index(drop=True)
    if own.empty or equity.empty:
        return dict(trades=0.0)
    paid = fills[fills["trade_id"].isin(own["trade_id"]).to_numpy(bool)]
    account = facts_of(own, paid, equity, start, np.nan if mean_spread is None else mean_spread)
    closed = _closed(account)
    with np.errstate(all="ignore"):
        return {key: finite(METRICS[key].value(closed if key in OF_CLOSED else account)) for key in (*OF_CLOSED, *_of_trades())}


def _closed(account: Facts) -> Facts:
    """An account that had these trades alone, at the ends of the trades."""
    order = np.argsort(nanoseconds(account.trades["exit_ts"]), kind="stable")
    balance = account.start + np.cumsum(account.pnl[order])
    return replace(account, ts=nanoseconds(account.trades["exit_ts"])[order], equity=balance, low=balance, balance=balance)


def _of_held(key: str) -> bool:
    """Whether a metric says something of a position that is held: what counts or samples trades does not, nor a spread that is paid once."""
    return (METRICS[key].family not in ("trades", "tails") or key in OF_ONE) and not key.startswith("break_even")


def _of_trades() -> list[str]:
    """The metrics that need no equity of their own."""
    return [key for key, metric in METRICS.items() if metric.family in ("trades", "tails", "costs") and key not in (*OF_CLOSED, "mean_spread")]
