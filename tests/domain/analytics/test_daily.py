"""One path has the same days, the same volatility and the same Sharpe ratio, whatever the timeframe of its bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import account_calendar, daily_returns, daily_sharpe, days_a_year, measure, significance_of
from domain.analytics.daily import calendar_of
from domain.market.calendar import calendar
from domain.market.timeframe import Timeframe

NO_TRADES = pd.DataFrame(dict(pnl=[], r=[], costs=[], swap=[], bars_held=[]), dtype=float)
NO_FILLS = pd.DataFrame(dict(spread_cost=[], slippage_cost=[]), dtype=float)
RISK = ("annual_volatility", "downside_risk", "sharpe", "sortino", "omega", "value_at_risk", "expected_shortfall", "tail_ratio", "stability", "best_day", "worst_day", "winning_days")


def hourly(market: str, seed: int = 5) -> pd.DataFrame:
    """Equity at the end of every hour in which the market is open, over a year with both changes of the clocks."""
    start, end = (np.datetime64(text, "ns").astype(np.int64) for text in ("2023-01-09", "2024-01-12T22:00"))
    opens = calendar(market).expected_opens(start, end, Timeframe.named("H1"))
    ts = pd.to_datetime(opens + 3_600_000_000_000, utc=True)
    return pd.DataFrame(dict(ts=ts, equity=10_000 * np.exp(np.cumsum(np.random.default_rng(seed).normal(1e-5, 1e-3, len(ts))))))


def daily(rows: pd.DataFrame, market: str) -> pd.DataFrame:
    """The same path at the close of each trading day alone."""
    closes = calendar(market).day_table.closes
    return rows[np.isin(rows["ts"].dt.as_unit("ns").astype("int64"), closes)].reset_index(drop=True)


@pytest.mark.parametrize("market", ["fx", "metal", "cme"])
def test_risk_figures_of_one_path_are_the_same_on_hourly_and_on_daily_rows(market):
    rows = hourly(market)
    closes = daily(rows, market)
    assert len(closes) > 250 and len(rows) > 20 * len(closes)
    finer, coarser = (measure(NO_TRADES, NO_FILLS, frame, 10_000.0, market=calendar(market)) for frame in (rows, closes))
    for key in RISK:
        assert finer[key] == pytest.approx(coarser[key]), key


def test_sunday_evening_is_no_day_of_its_own():
    rows = hourly("fx")
    days = daily_returns(rows, 10_000.0)
    assert days.index.day_of_week.max() == 4
    assert len(days) == pytest.approx(days_a_year("fx"), abs=6)


def test_an_account_has_the_days_of_the_calendar_with_the_most_of_them():
    assert account_calendar(["index", "fx"]) is account_calendar(["fx", "index"]) is calendar("fx")
    assert account_calendar(["grain", "cme"]) is calendar("cme") and account_calendar([]) is calendar("fx")
    assert calendar_of({"instruments": {"ES=F": {"calendar": "cme"}}}) is calendar("cme")
    assert 257 < days_a_year("cme") < days_a_year("fx") < 260


def test_the_daily_sharpe_has_no_value_where_days_are_few_equal_or_follow_a_loss_of_all():
    returns = np.random.default_rng(2).normal(0.001, 0.01, 60)
    assert daily_sharpe(returns) == pytest.approx(returns.mean() / returns.std(ddof=1))
    for none in (returns[:19], np.full(60, 0.001), np.full(60, 0.1) + np.arange(60) * 1e-16, np.append(returns, np.nan)):
        assert np.isnan(daily_sharpe(none))


def test_a_yearly_sharpe_uses_the_days_it_names():
    significance = significance_of(np.random.default_rng(2).normal(0.001, 0.01, 60), periods_a_year=days_a_year("cme"))
    assert significance.sharpe_year == pytest.approx(significance.sharpe * np.sqrt(days_a_year("cme"))) and significance.periods_a_year == days_a_year("cme")
