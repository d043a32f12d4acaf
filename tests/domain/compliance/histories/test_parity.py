"""The equity rebuilt from a backtest's trades and bars is the backtest's own, and is judged the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.backtest.study import Series, run
from domain.compliance.histories import read
from domain.compliance.histories.marks import MarketBars
from domain.compliance.histories.rebuilt import rebuilt
from domain.market import instruments
from domain.market.timeframe import Timeframe
from domain.strategies import STRATEGIES
from domain.trading.costs import Costs
from domain.trading.rules import Rules
from tests.domain.backtest.points import bars
from worker.terminal import csv


def test_the_equity_rebuilt_from_a_backtests_trades_is_its_own(tmp_path):
    """At every bar's end of bars in which no trade began or ended: there the kernel and the rebuild mark the same
    trades at the same prices. (Of the others the kernel dates fills inside a bar at its start.)"""
    known, frame = instruments(), Timeframe.named("H1")
    market, rules = bars("EURUSD", days=60), Rules(costs=Costs(swap_long=0.0, swap_short=0.0))
    outcome = run([Series(known["EURUSD"], frame, market)], rules, STRATEGIES["breakout"](lookback=20)).outcome
    csv.write(outcome.trades, tmp_path / "trades.csv")
    history = read(tmp_path / "trades.csv", currency="USD", initial=rules.account.balance, known=known)
    result = rebuilt(
        history.points,
        history.legs,
        history.flows,
        history.initial,
        "USD",
        {"EURUSD": MarketBars(market, 60, "bid", known["EURUSD"])},
    )
    own, again = outcome.equity.set_index("ts"), result.points.set_index("ts")
    hour = pd.Timedelta(hours=1)
    touched = set(outcome.trades["entry_ts"]) | set(outcome.trades["exit_ts"])
    quiet = [ts for ts in again.index if ts in own.index and ts - hour not in touched and ts not in touched]
    assert len(quiet) > 100
    np.testing.assert_allclose(again.loc[quiet, "equity"], own.loc[quiet, "equity"], atol=0.02)
    np.testing.assert_allclose(again.loc[quiet, "equity_low"], own.loc[quiet, "equity_low"], atol=0.02)
