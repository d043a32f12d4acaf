"""Figures that do not exist are empty: over a base that is not above zero, and over what is nothing but rounding."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import group_table, measure, monthly, returns, trade_figures, waterfall
from domain.analytics.linter import Evidence
from domain.analytics.monte_carlo import automatic_block
from domain.analytics.stability import by_window
from tests.domain.analytics import makers

ENDS = pd.bdate_range("2024-01-02", "2024-05-31", tz="UTC")


def ruined() -> tuple[pd.DataFrame, pd.DataFrame]:
    """An account that goes from 4,000 to -16,000 in February and has -6,000 from April on."""
    at = pd.Series(ENDS)
    values = np.where(at < "2024-02-15", 4_000.0, np.where(at < "2024-04-10", -16_000.0, -6_000.0))
    trade = makers.trades(np.array([-10.0]), risk=1_000.0)
    return trade, pd.DataFrame(dict(ts=ENDS, balance=values, equity=values, equity_low=values, used_margin=1_000.0))


def test_after_ruin_there_are_no_returns():
    trade, rows = ruined()
    metrics = measure(trade, makers.fills(trade), rows, 4_000.0)
    assert metrics["worst_day"] == pytest.approx(-5.0) and metrics["best_day"] == 0.0
    assert metrics["winning_days"] == 0.0, "days that began with nothing left are no days on which equity moved"
    for key in ("turnover", "annual_return", "sharpe", "calmar", "annual_volatility", "value_at_risk"):
        assert metrics[key] is None, key
    months = monthly(rows, 4_000.0).set_index("month")["share"]
    assert months[2] == pytest.approx(-5.0) and months[[3, 4, 5]].isna().all(), "from -16,000 to -6,000 is no -62.5 %"
    assert months[0] == pytest.approx(-2.5)


def test_a_stretch_that_begins_with_nothing_has_no_figures():
    trade, rows = ruined()
    table = by_window(trade, rows, 4_000.0, windows=3)
    assert table["net_return"].iloc[0] == pytest.approx(-5.0) and table["net_return"].iloc[1:].isna().all() and table["max_drawdown"].iloc[1:].isna().all()


@pytest.mark.parametrize("noise", [0.0, 1e-13])
def test_forty_trades_of_two_r_have_no_deviation(noise):
    figures = trade_figures(makers.trades(2.0 + noise * np.random.default_rng(1).standard_normal(40)))
    assert figures["expectancy_r"] == pytest.approx(2.0)
    for key in ("expectancy_t", "system_quality", "r_skew", "r_kurtosis"):
        assert figures[key] is None, key
    figures = trade_figures(makers.trades(2.0 + 1e-3 * np.random.default_rng(1).standard_normal(40)))
    assert figures["expectancy_t"] > 1_000 and figures["r_skew"] is not None


def test_losses_and_nets_of_rounding_are_none():
    trades = makers.trades(np.array([1.0, 2.0, -1e-13, 1.0]))
    figures = trade_figures(trades)
    assert figures["profit_factor"] is None and figures["payoff"] is None
    assert np.isnan(group_table(trades, "instrument")["profit_factor"]).all()
    level = makers.trades(np.array([0.1, 0.2, -0.3]))        # adds up to 5e-17
    assert trade_figures(level)["best_trade_share"] is None and np.isnan(group_table(level, "side")["share"]).all()
    assert waterfall(level, makers.fills(level, spread=0.0))["share"].isna().all()
    assert Evidence(level, makers.fills(level), makers.equity(level), 10_000.0).net == 0.0


def test_returns_of_rounding_have_neither_deviation_nor_ratio():
    flat = 0.001 + 1e-17 * np.arange(30)
    assert returns.annual_volatility(flat) == 0.0 and np.isinf(returns.sharpe(flat)) and np.isnan(returns.skewness(flat)) and np.isnan(returns.stability(np.zeros(30)))
    assert np.isnan(returns.omega([0.01, -1e-14, 0.02])) and np.isinf(returns.sortino([0.01, -1e-14, 0.02]))
    assert np.isnan(returns.calmar([0.01, -1e-14, 0.02])) and automatic_block(flat) == 1.0


def test_a_change_from_below_zero_is_none():
    assert np.isnan(returns.simple_returns([-37.63, 10.01, 13.78])[0])
    assert returns.simple_returns([-37.63, 10.01, 13.78])[1] == pytest.approx(13.78 / 10.01 - 1)
