"""Figures of trades against numbers computed by hand and against loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import METRICS, measure, r_histogram, trade_figures
from domain.analytics.trades import point_value, risked, time_in_market
from tests.domain.analytics.makers import VALUE, curve, equity, fills, trades

R = np.array([2.0, -1.0, -1.0, 0.5, 0.0, 3.0, -1.0])


def test_wins_losses_and_streaks_by_hand():
    metrics = trade_figures(trades(R))
    assert metrics["win_rate"] == pytest.approx(3 / 7) and metrics["profit_factor"] == pytest.approx(5.5 / 3)
    assert (metrics["average_win"], metrics["average_loss"]) == (pytest.approx(550 / 3), -100.0)
    assert metrics["payoff"] == pytest.approx(5.5 / 3) and metrics["average_trade"] == pytest.approx(250 / 7)
    assert (metrics["winning_streak"], metrics["losing_streak"]) == (1, 2)
    assert (metrics["best_trade"], metrics["worst_trade"], metrics["best_r"], metrics["worst_r"]) == (300.0, -100.0, 3.0, -1.0)
    assert metrics["best_trade_share"] == pytest.approx(300 / 250) and metrics["best_percent_share"] == pytest.approx(300 / 250)


def test_system_quality_counts_no_more_than_a_hundred_trades():
    r = np.random.default_rng(4).normal(0.1, 1.0, 400)
    metrics = trade_figures(trades(r))
    t = r.mean() / (r.std(ddof=1) / np.sqrt(400))
    assert metrics["expectancy_t"] == pytest.approx(t) and metrics["system_quality"] == pytest.approx(t / 2)
    few = trade_figures(trades(r[:64]))
    assert few["system_quality"] == pytest.approx(few["expectancy_t"])


def test_streaks_follow_the_order_of_exits_not_of_entries():
    run = trades(np.array([1.0, 1.0, -1.0, 1.0]))
    assert trade_figures(run)["winning_streak"] == 2
    late = run.assign(exit_ts=run["exit_ts"] + pd.to_timedelta([0, 0, 90, 0], unit="min"))
    assert trade_figures(late)["winning_streak"] == 3


def test_tails_of_r_are_those_of_the_worst_twentieth():
    r = np.random.default_rng(5).standard_t(3, 300)
    metrics = trade_figures(trades(r))
    assert metrics["r_at_risk"] == pytest.approx(np.percentile(r, 5))
    assert metrics["r_shortfall"] == pytest.approx(np.sort(r)[: int(299 * 0.05) + 1].mean())
    z = (r - r.mean()) / r.std()
    assert (metrics["r_skew"], metrics["r_kurtosis"]) == (pytest.approx((z**3).mean()), pytest.approx((z**4).mean()))


def test_trades_without_a_stop_are_left_out_of_figures_in_r():
    frame = trades(R)
    frame.loc[[0, 3], "r"] = np.nan
    metrics = trade_figures(frame)
    assert metrics["expectancy_r"] == pytest.approx(0.0) and metrics["trades"] == 7 and metrics["average_trade"] == pytest.approx(250 / 7)
    frame["r"] = np.nan
    assert [trade_figures(frame)[key] for key in ("expectancy_r", "expectancy_t", "system_quality", "worst_r", "r_at_risk", "r_skew")] == [None] * 6


@pytest.mark.parametrize("seed", range(5))
def test_time_in_the_market_counts_overlaps_once(seed):
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, 60, 12)
    leave = entry + rng.integers(0, 10, 12)
    assert time_in_market(entry, leave) == len({minute for a, b in zip(entry, leave, strict=True) for minute in range(a, b)})


def test_exposure_holding_time_and_turnover_by_hand():
    run = trades(np.array([1.0, -1.0]), start="2024-01-01T00:00Z", every="10D").assign(entry_price=1.0, exit_price=[1.001, 1.001])
    run["exit_ts"] = run["entry_ts"] + pd.to_timedelta([5, 15], unit="D")
    run["side"] = ["long", "short"]
    rows = curve(*[10_000.0] * 51)
    metrics = measure(run, fills(run), rows, 10_000.0)
    assert metrics["exposure"] == pytest.approx(20 / 50) and metrics["days_held"] == pytest.approx(10.0)
    assert metrics["turnover"] == pytest.approx(2 * VALUE * 2.001 / 10_000 / (50 / 365.25))


def test_the_value_of_a_price_unit_is_computed_from_profits():
    frame = trades(np.array([1.0, -1.0, 0.0, 2.0]))
    assert point_value(frame) == pytest.approx([VALUE] * 4)
    other = trades(np.array([0.0])).assign(instrument="XAUUSD")
    assert np.isnan(point_value(pd.concat([frame, other], ignore_index=True))[-1])
    assert risked(frame)[[0, 1, 3]] == pytest.approx([100.0] * 3) and np.isnan(risked(frame)[2])


def test_every_r_is_in_one_bin_and_the_ends_hold_the_rest():
    r = np.array([-7.0, -3.0, -0.25, 0.0, 0.24, 5.99, 6.0, 20.0])
    table = r_histogram(trades(r))
    assert table["trades"].sum() == len(r) and table["share"].sum() == pytest.approx(1.0)
    assert (table["low"].iloc[0], table["high"].iloc[-1]) == (-7.0, 20.0)
    for bin_ in table.iloc[1:-1].itertuples():
        assert bin_.trades == ((r >= bin_.low) & (r < bin_.high)).sum()
    assert table["trades"].iloc[-1] == 3 and table["trades"].iloc[0] == 2
    assert r_histogram(trades(np.array([])))["share"].sum() == 0


def test_no_trade_has_no_figure_but_the_count():
    metrics = trade_figures(trades(np.array([])))
    assert {key for key, value in metrics.items() if value is not None} == {"trades", "winning_streak", "losing_streak"}


def test_measure_and_trade_figures_agree():
    run = trades(np.random.default_rng(2).normal(0.2, 1, 50))
    metrics = measure(run, fills(run), equity(run), 10_000.0)
    assert all(metrics[key] == value for key, value in trade_figures(run).items())
    assert {METRICS[key].family for key in trade_figures(run)} == {"trades", "tails"}
