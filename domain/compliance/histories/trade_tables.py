"""Trades and legs of a statement as tables in UTC."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from domain.compliance.histories.base import Statement
from domain.compliance.histories.columns import instrument_of
from domain.market.clock import clock as clock_named
from domain.market.clock import to_utc
from domain.trading.task import TRADES

ROUNDED = 8  # decimals of sums of money
EXIT_WORDS = (
    ("[sl]", "stop_loss"),
    ("[s/l]", "stop_loss"),
    ("sl ", "stop_loss"),
    ("[tp]", "target_1"),
    ("[t/p]", "target_1"),
    ("tp ", "target_1"),
    ("so:", "stop_out"),
    ("so ", "stop_out"),
)


class Instants:
    """Wall times of a clock as instants; counts those that the clock shows twice or never."""

    def __init__(self, clock: str) -> None:
        self.clock, self.unclear = clock_named(clock), 0

    def __call__(self, wall: np.ndarray) -> np.ndarray:
        utc, bad = to_utc(np.asarray(wall, np.int64), self.clock)
        self.unclear = max(self.unclear, int(bad.sum()))
        return utc


def trades_table(statement: Statement, convert: Instants, known: Mapping[str, object]) -> pd.DataFrame:
    """The columns of a backtest's trades, then ticket, symbol, last_stop and comment, by entry."""
    trades = sorted(statement.trades, key=lambda trade: (trade.opened, trade.closed, trade.line))
    unknown = np.full(len(trades), np.nan)
    numbers = {
        "lots": [t.lots for t in trades],
        "entry_price": [t.open_price for t in trades],
        "exit_price": [t.close_price for t in trades],
        "pnl_gross": [t.profit for t in trades],
        "costs": [-(t.commission + t.taxes) for t in trades],
        "swap": [t.swap for t in trades],
        "pnl": [round(t.net, ROUNDED) for t in trades],
        "last_stop": [t.stop_loss for t in trades],
    }
    columns = {
        "trade_id": np.arange(1, len(trades) + 1),
        "tag": [""] * len(trades),
        "instrument": [instrument_of(t.symbol, known) for t in trades],
        "side": [t.side for t in trades],
        "exit_reason": [_reason(t.comment) for t in trades],
        "regime": [""] * len(trades),
        "entry_ts": pd.to_datetime(convert(np.array([t.opened for t in trades], np.int64)), utc=True),
        "exit_ts": pd.to_datetime(convert(np.array([t.closed for t in trades], np.int64)), utc=True),
        **{key: np.array(values, float) for key, values in numbers.items()},
        **{key: unknown for key in ("r", "mae_r", "mfe_r", "bars_held")},
        "stop_loss": np.array([t.stop_loss for t in trades], float) if statement.first_stops else unknown,
        "ticket": [t.ticket for t in trades],
        "symbol": [t.symbol for t in trades],
        "comment": [t.comment for t in trades],
    }
    return pd.DataFrame(columns)[[*TRADES, "ticket", "symbol", "last_stop", "comment"]]


def legs_table(statement: Statement, convert: Instants, known: Mapping[str, object]) -> pd.DataFrame:
    """What was open from when to when; the exit of what is still open is NaT."""
    legs = [*(statement.legs or statement.trades), *statement.open_trades]
    closed = np.array([leg.closed for leg in legs], np.int64)
    exits = pd.Series(pd.to_datetime(convert(np.maximum(closed, 0)), utc=True)).where(closed >= 0)
    return pd.DataFrame(
        {
            "instrument": [instrument_of(leg.symbol, known) for leg in legs],
            "side": [leg.side for leg in legs],
            "lots": np.array([leg.lots for leg in legs], float),
            "entry_ts": pd.to_datetime(convert(np.array([leg.opened for leg in legs], np.int64)), utc=True),
            "entry_price": np.array([leg.open_price for leg in legs], float),
            "exit_ts": exits,
            "exit_price": np.array([leg.close_price for leg in legs], float),
            "profit": np.array([leg.profit for leg in legs], float),
            "swap": np.array([leg.swap for leg in legs], float),
            "costs": np.array([leg.commission + leg.taxes for leg in legs], float),
        }
    )


def _reason(comment: str) -> str:
    """Why a trade closed, where its comment says so.

    >>> _reason("#2017 Buy[tp]"), _reason("so: 49.8%"), _reason("my order")
    ('target_1', 'stop_out', '')
    """
    text = comment.lower()
    return next(
        (reason for mark, reason in EXIT_WORDS if (mark in text if mark.startswith("[") else text.startswith(mark))), ""
    )
