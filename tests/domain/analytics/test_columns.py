"""Every metric in four columns, and figures over time, on runs made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import METRICS, statistics
from domain.analytics.rolling import daily_results, exposure_curve, in_calendar, rolling_risk
from domain.analytics.trade_table import TradeFilter, in_order, result_points, trade_table
from domain.errors import BadRequest
from tests.domain.analytics import makers

RESULTS = [2.0, -1.0, -1.0, 3.0, 1.0, -0.5]     # long and short by turns


@pytest.fixture
def run():
    trades = makers.trades(RESULTS, costs=4.0, swap=-1.0)
    return trades, makers.fills(trades, slippage=0.00001), makers.equity(trades)


def table_of(run, hold=None) -> pd.DataFrame:
    trades, fills, equity = run
    metrics = dict.fromkeys(METRICS, 1.0) | dict(mean_spread=0.0001)
    return statistics(metrics, trades, fills, equity, 10_000.0, hold=hold).set_index("key")


def test_the_sides_add_up_to_the_run_and_need_no_equity_of_their_own(run):
    trades, fills, _ = run
    table = table_of(run)
    for key, total in dict(trades=6, net_profit=trades["pnl"].sum(), commission_paid=24.0, swap=-6.0, spread_paid=fills["spread_cost"].sum(), slippage_paid=fills["slippage_cost"].sum()).items():
        assert table.loc[key, "long"] + table.loc[key, "short"] == pytest.approx(total), key
    assert table.loc["net_return", "long"] == pytest.approx(0.02) and table.loc["win_rate", "short"] == pytest.approx(1 / 3)
    assert table.loc["max_drawdown_closed", "short"] == pytest.approx(-100.0 / 10_000.0), "the first short trade, before any gain"
    for key in ("sharpe", "sortino", "max_drawdown", "annual_return", "best_day", "mean_spread", "longest_drawdown"):
        assert np.isnan(table.loc[key, ["long", "short"]].astype(float)).all(), key


def test_a_side_without_a_trade_has_a_count_and_nothing_else(run):
    trades = run[0].assign(side="long")
    short = table_of((trades, makers.fills(trades), makers.equity(trades)))["short"].astype(float)
    assert short["trades"] == 0 and short.drop("trades").isna().all()


def test_what_is_held_has_no_sample_of_trades(run):
    hold = table_of(run, dict.fromkeys(METRICS, 2.0))["hold"].astype(float)
    assert hold["sharpe"] == hold["net_return"] == hold["swap"] == hold["exposure"] == 2.0
    assert np.isnan(hold[["win_rate", "profit_factor", "winning_streak", "best_r"]]).all() and table_of(run)["hold"].isna().all()


def test_the_trades_are_read_with_their_costs_by_kind_and_excursions_in_money(run):
    trades, fills, _ = run
    table = trade_table(trades, fills, dict(EURUSD=0.0001))
    assert table["spread"].to_numpy() == pytest.approx(np.full(6, -10.0)) and table["slippage"].to_numpy() == pytest.approx(np.full(6, -2.0))
    assert (table["commission"] == -4.0).all() and (table["charges"] == -5.0).all() and table["cumulative"].iloc[-1] == pytest.approx(trades["pnl"].sum())
    assert table["mae"].to_numpy() == pytest.approx(trades["mae_r"].to_numpy() * 100.0) and (table["hours"] == 0.5).all()
    assert table["pips"].to_numpy() == pytest.approx(trades["pnl_gross"].to_numpy() / makers.VALUE / 0.0001)


def test_filters_hold_together_and_text_is_searched_in_tag_reason_labels_and_note(run):
    table = trade_table(run[0], run[1], dict(EURUSD=0.0001)).assign(note=["late", *[""] * 5], labels=[["news"], [], ["News", "fomo"], [], [], []])
    chosen = {
        (1, 4, 5): TradeFilter(net_from=0.0), (1,): TradeFilter(["long"], net_from=0.0, net_to=250.0, r_from=1.5), (2, 3, 6): TradeFilter(text="stop loss"), (3,): TradeFilter(labels=["fomo"]),
        (1, 3): TradeFilter(text="NEWS"), (2, 3): TradeFilter(entered_from=table["entry_ts"].iloc[1], entered_until=table["entry_ts"].iloc[3]), (): TradeFilter(instruments=["USDJPY"]),
    }  # fmt: skip
    for numbers, request in chosen.items():
        assert tuple(table.loc[request.rows(table), "trade_id"]) == numbers, request
    with pytest.raises(BadRequest, match="the range of net is 5 to 1; give the lower end first"):
        TradeFilter(net_from=5.0, net_to=1.0).rows(table)
    assert in_order(table, "pnl", True)["trade_id"].iloc[0] == 4 and in_order(table, "side")["trade_id"].tolist() == [1, 3, 5, 2, 4, 6]


def test_leverage_is_of_the_open_lots_and_long_and_short_do_not_cancel():
    ts = pd.to_datetime(["2024-01-02T10:00Z", "2024-01-02T11:00Z", "2024-01-02T12:00Z", "2024-01-02T13:00Z"])
    trades = makers.trades([1.0, 1.0], start="2024-01-02T10:30Z", every="1min")
    trades = trades.assign(exit_ts=pd.to_datetime(["2024-01-02T12:30Z", "2024-01-02T11:30Z"], utc=True).as_unit("ns"))
    shown = exposure_curve(trades, makers.fills(trades), pd.DataFrame(dict(ts=ts, equity=[10_000.0, 10_000.0, -1.0, 10_000.0])))
    assert shown["leverage"].round(6).tolist()[:2] == [0.0, 22.0] and np.isnan(shown["leverage"].iloc[2]) and shown["leverage"].iloc[3] == 0.0
    assert shown["net"].iloc[1] == 0.0, "one long and one short of the same size"


def test_rolling_figures_are_those_of_the_window_and_what_does_not_vary_has_none():
    days = pd.date_range("2024-01-01", periods=60, freq="B")
    daily = pd.Series(np.sin(np.arange(60.0)) / 100, days)
    shown = rolling_risk(daily, 21, 259.5)
    last = daily.to_numpy()[-21:]
    assert shown["sharpe"].iloc[-1] == pytest.approx(last.mean() / last.std(ddof=1) * np.sqrt(259.5)) and shown["volatility"].iloc[:20].isna().all()
    assert rolling_risk(pd.Series(0.01, days), 21, 259.5)[["sharpe", "volatility"]].isna().all(axis=None)


def test_days_add_up_and_stand_in_their_week():
    trades = makers.trades([1.0] * 50, every="7h")
    equity = makers.equity(trades)
    days = in_calendar(daily_results(equity, 10_000.0))
    assert days["net"].sum() == pytest.approx(equity["equity"].iloc[-1] - 10_000.0) and ((1 + days["share"]).prod() - 1) * 10_000 == pytest.approx(days["net"].sum())
    assert (days.groupby("week")["weekday"].is_monotonic_increasing).all() and days.loc[0, ["year", "week", "weekday"]].tolist() == [2024, 0, 1]


def test_of_many_trades_the_extremes_are_drawn():
    trades = makers.trades(np.random.default_rng(3).normal(size=5_000))
    shown = result_points(trades, 300)
    assert len(shown) <= 300 and {trades["pnl"].min(), trades["pnl"].max()} <= set(shown["pnl"])
