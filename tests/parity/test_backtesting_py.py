"""The moving-average cross of backtesting.py's own test, through our engine: 66 trades, their equity curve, their statistics.

What differs, and why:

| theirs | ours | so |
|---|---|---|
| whole shares for all the cash, at the open that fills | whole shares for all the equity, at the close that decides | sizes differ by the gap between close and open; given their sizes, every trade is equal to the cent |
| an order needs cash | an order needs margin, which a gap up would exceed with leverage 1 | leverage 2 here, and one position at a time |
| a trade open at the end leaves at the last bar's open | at the last close, reason ``end`` | here it leaves by an exit decided one bar before |
| profit factor, best, worst and average trade of returns in percent | of money | computed here from our trades' prices |
| exposure counts the bar of the exit too | counts bars held | the trades' number of bars less |
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from domain.analytics import measure
from tests.parity.goog import CASH, FOLDER, MISSING, bars, there, traded

pytestmark = [pytest.mark.data, pytest.mark.skipif(not there(), reason=MISSING)]


@pytest.fixture(scope="module")
def theirs() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "goog_smacross_trades.csv")


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((FOLDER / "goog_smacross_expected.json").read_text())["expected"]


@pytest.fixture(scope="module")
def of() -> pd.DataFrame:
    return bars()


@pytest.fixture(scope="module")
def outcome(of, theirs):
    """With their sizes."""
    return traded(of, lots=theirs["Size"].abs().to_numpy(float), leave_at=len(of) - 2)


def rows(of: pd.DataFrame, trades: pd.DataFrame) -> pd.DataFrame:
    at = {name: of["ts"].searchsorted(trades[f"{name.lower()[:-3]}_ts"]) for name in ("EntryBar", "ExitBar")}
    return pd.DataFrame(at | dict(EntryPrice=trades["entry_price"], ExitPrice=trades["exit_price"]))


def test_all_in_by_equity_trades_at_the_same_bars_and_prices(of, theirs):
    trades = traded(of, leave_at=len(of) - 2).trades
    pd.testing.assert_frame_equal(rows(of, trades), theirs[["EntryBar", "ExitBar", "EntryPrice", "ExitPrice"]], check_dtype=False, rtol=1e-12)
    assert (np.where(trades["side"] == "long", 1, -1) == np.sign(theirs["Size"])).all()


def test_all_in_by_equity_buys_whole_shares_at_the_close_that_decides(of):
    outcome = traded(of, leave_at=len(of) - 2)
    trades = outcome.trades
    decided = of["ts"].searchsorted(trades["entry_ts"]) - 1
    equity = outcome.equity["equity"].to_numpy()[decided]
    assert (trades["lots"].to_numpy() == np.floor(equity / of["close"].to_numpy()[decided] + 1e-6)).all()


def test_with_their_sizes_every_trade_is_equal_to_the_cent(of, outcome, theirs):
    trades = outcome.trades
    assert len(trades) == 66
    pd.testing.assert_frame_equal(rows(of, trades), theirs[["EntryBar", "ExitBar", "EntryPrice", "ExitPrice"]], check_dtype=False, rtol=1e-12)
    np.testing.assert_allclose(trades["pnl"], theirs["PnL"], atol=1e-9)
    assert set(trades["exit_reason"]) == {"signal"}


def test_with_their_sizes_the_equity_curve_is_theirs(outcome):
    curve = pd.read_csv(FOLDER / "goog_smacross_equity.csv.gz")
    np.testing.assert_allclose(outcome.equity["equity"], curve["Equity"], atol=1e-8)


def test_the_open_trade_would_leave_at_the_last_close(of, theirs):
    left = traded(of, lots=theirs["Size"].abs().to_numpy(float)).trades.iloc[-1]
    assert (left["exit_reason"], left["exit_price"]) == ("end", of["close"].iloc[-1])


STATISTICS = [      # theirs, ours as a function of metrics and trades, tolerance
    ("# Trades", lambda m, t: m["trades"], 0),
    ("Equity Final [$]", lambda m, t: CASH + m["net_profit"], 1e-8),
    ("Return [%]", lambda m, t: 100 * m["net_return"], 1e-9),
    ("Max. Drawdown [%]", lambda m, t: 100 * m["max_drawdown"], 1e-9),
    ("Win Rate [%]", lambda m, t: 100 * m["win_rate"], 1e-9),
    ("Max. Drawdown Duration", lambda m, t: round(m["longest_drawdown"]), 0),               # ours in hours too: closes move with daylight saving
    ("CAGR [%]", lambda m, t: 100 * m["annual_return"], 0.001),                             # years from close to close, theirs from midnight
    ("Exposure Time [%]", lambda m, t: 100 * (t["bars_held"].sum() + 1) / 2148, 1e-9),      # and the last exit's bar; the others' are the next entry's
    ("Best Trade [%]", lambda m, t: 100 * returns(t).max(), 1e-9),
    ("Worst Trade [%]", lambda m, t: 100 * returns(t).min(), 1e-9),
    ("Avg. Trade [%]", lambda m, t: 100 * (np.prod(1 + returns(t)) ** (1 / len(t)) - 1), 1e-9),
    ("Expectancy [%]", lambda m, t: 100 * returns(t).mean(), 1e-9),
    ("Profit Factor", lambda m, t: returns(t)[returns(t) > 0].sum() / -returns(t)[returns(t) < 0].sum(), 1e-9),
    ("SQN", lambda m, t: np.sqrt(len(t)) * t["pnl"].mean() / t["pnl"].std(), 1e-9),
]  # fmt: skip


def returns(trades: pd.DataFrame) -> np.ndarray:
    return (trades["exit_price"] / trades["entry_price"] - 1).to_numpy() * np.where(trades["side"] == "long", 1, -1)


@pytest.mark.parametrize(("name", "ours", "tolerance"), STATISTICS, ids=[row[0] for row in STATISTICS])
def test_statistic(outcome, expected, name, ours, tolerance):
    metrics = measure(outcome.trades, outcome.fills, outcome.equity, CASH)
    wanted = float(str(expected[name]).removesuffix(" days"))
    assert ours(metrics, outcome.trades) == pytest.approx(wanted, abs=tolerance)
