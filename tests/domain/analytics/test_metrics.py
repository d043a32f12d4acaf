"""Headline figures against numbers computed by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from domain.analytics import METRICS, daily_returns, days_a_year, measure, monthly, returns
from domain.analytics.metrics import FAMILIES, UNITS
from tests.domain.analytics import makers

DAYS = pd.date_range("2024-01-01", periods=60, freq="D", tz="UTC")
WEEKDAYS = pd.bdate_range("2024-01-02", periods=60, tz="UTC")
YEAR = days_a_year("fx")


def trades(*pnl: float, r: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(dict(pnl=pnl, r=[r * value / 100 for value in pnl], costs=1.0, swap=-0.5, bars_held=2))


def fills(spread: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame(dict(spread_cost=[spread], slippage_cost=[0.0]))


def equity(*values: float, low: list[float] | None = None) -> pd.DataFrame:
    return pd.DataFrame(dict(ts=DAYS[: len(values)], equity=values, equity_low=low or values))


def test_drawdown_is_from_the_highest_value_so_far_the_start_included():
    metrics = measure(trades(1.0), fills(), equity(900.0, 1200.0, 600.0, low=[850.0, 1200.0, 540.0]), start=1000.0)
    assert metrics["max_drawdown"] == pytest.approx(-0.5)
    assert metrics["max_drawdown_low"] == pytest.approx(540 / 1200 - 1)
    assert metrics["net_return"] == pytest.approx(-0.4)


def test_time_under_water_counts_to_the_next_high_or_the_end():
    metrics = measure(trades(1.0), fills(), equity(1000.0, 1100.0, 1050.0, 1100.0, 1090.0, 1080.0, 1070.0), start=1000.0)
    assert metrics["longest_drawdown"] == pytest.approx(3.0)


def test_trades_are_counted_won_and_weighed():
    metrics = measure(trades(200.0, -100.0, 50.0, 0.0), fills(), equity(1000.0, 1150.0), start=1000.0)
    assert (metrics["trades"], metrics["win_rate"], metrics["average_trade"]) == (4, 0.5, 37.5)
    assert metrics["profit_factor"] == pytest.approx(2.5)
    assert metrics["expectancy_r"] == pytest.approx(0.375)
    r = np.array([2.0, -1.0, 0.5, 0.0])
    assert metrics["expectancy_t"] == pytest.approx(r.mean() / (r.std(ddof=1) / 2))
    assert (metrics["commission_paid"], metrics["swap"]) == (4.0, -2.0)


def test_sharpe_is_of_daily_returns():
    rng = np.random.default_rng(1)
    values = 1000 * np.cumprod(1 + rng.normal(0.001, 0.01, 60))
    daily = np.diff(np.concatenate(([1000.0], values))) / np.concatenate(([1000.0], values[:-1]))
    metrics = measure(trades(1.0), fills(), equity(*values).assign(ts=WEEKDAYS), start=1000.0)
    assert metrics["sharpe"] == pytest.approx(daily.mean() / daily.std(ddof=1) * np.sqrt(YEAR)) and 259 < YEAR < 260
    assert metrics["annual_volatility"] == pytest.approx(daily.std(ddof=1) * np.sqrt(YEAR))
    assert metrics["sortino"] == pytest.approx(daily.mean() * np.sqrt(YEAR) / np.sqrt(np.mean(np.minimum(daily, 0.0) ** 2)))


def test_the_spread_that_breaks_even():
    metrics = measure(trades(300.0), fills(spread=100.0), equity(1000.0, 1300.0), start=1000.0, mean_spread=0.0001)
    assert metrics["break_even_spread"] == pytest.approx(0.0004)


def test_what_has_no_value_is_none_and_never_nan():
    metrics = measure(trades(), fills(), equity(1000.0, 1000.0), start=1000.0)
    assert set(metrics) == set(METRICS)
    assert metrics["profit_factor"] is None and metrics["sharpe"] is None and metrics["annual_return"] is None
    assert measure(trades(), fills(), equity().iloc[:0], start=1.0) == {key: None for key in METRICS}


def test_months_chain_to_the_year():
    ts = pd.to_datetime(["2023-12-31", "2024-01-31", "2024-02-29"], utc=True)
    table = monthly(pd.DataFrame(dict(ts=ts, equity=[1100.0, 1210.0, 1089.0])), start=1000.0)
    share = {(row.year, row.month): row.share for row in table.itertuples()}
    assert share == {(2023, 12): pytest.approx(0.1), (2024, 1): pytest.approx(0.1), (2024, 2): pytest.approx(-0.1), (2023, 0): pytest.approx(0.1), (2024, 0): pytest.approx(-0.01)}


def test_a_row_at_the_close_belongs_to_the_day_that_ends_and_one_at_midnight_to_its_month():
    ts = pd.to_datetime(["2024-01-31T21:55Z", "2024-01-31T22:00Z", "2024-02-01T00:00Z", "2024-02-01T00:05Z", "2024-02-04T22:05Z", "2024-02-05T12:00Z"])
    frame = pd.DataFrame(dict(ts=ts, equity=[1050.0, 1080.0, 1100.0, 1210.0, 1200.0, 1089.0]))
    daily = daily_returns(frame, 1000.0)
    assert [f"{day:%m-%d}" for day in daily.index] == ["01-31", "02-01", "02-05"] and daily.tolist() == pytest.approx([0.08, 1210 / 1080 - 1, -0.1])
    assert monthly(frame, 1000.0).set_index("month")["share"].to_dict() == pytest.approx({1: 0.1, 2: -0.01, 0: 0.089})


@pytest.mark.parametrize("seed", range(4))
def test_daily_returns_are_those_of_a_walk_over_the_rows(seed):
    rng = np.random.default_rng(seed)
    ts = pd.Series(pd.Timestamp("2024-01-02T00:00Z") + pd.to_timedelta(np.cumsum(rng.integers(1, 30, 300)), unit="h"))
    frame = pd.DataFrame(dict(ts=ts, equity=1000 + np.cumsum(rng.normal(0, 5, 300))))
    last: dict = {}
    for row in frame.itertuples():
        day = ((row.ts - pd.Timedelta(1, "ns")).tz_convert("America/New_York") + pd.Timedelta(hours=7)).date()      # ends at 17:00 New York
        last[day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0)) if str(day) != "2024-12-25" else day + timedelta(days=1)] = row.equity
    before, wanted = 1000.0, []
    for value in last.values():
        wanted.append(value / before - 1)
        before = value
    daily = daily_returns(frame, 1000.0)
    assert [day.date() for day in daily.index] == list(last) and daily.tolist() == pytest.approx(wanted)


def test_risk_figures_are_those_of_the_daily_returns():
    run = makers.trades(np.random.default_rng(3).normal(0.1, 1, 300), every="5h")
    rows = makers.equity(run)
    metrics, daily = measure(run, makers.fills(run), rows, 10_000.0), daily_returns(rows, 10_000.0)
    for key, figure in (("sharpe", returns.sharpe), ("sortino", returns.sortino), ("annual_volatility", returns.annual_volatility)):
        assert metrics[key] == pytest.approx(figure(daily, periods=YEAR)), key
    assert metrics["omega"] == pytest.approx(returns.omega(daily)) and metrics["stability"] == pytest.approx(returns.stability(daily))
    assert metrics["expected_shortfall"] == pytest.approx(returns.conditional_value_at_risk(daily)) and metrics["worst_day"] == pytest.approx(daily.min())
    assert metrics["calmar"] == pytest.approx(metrics["annual_return"] / -metrics["max_drawdown"])


def test_a_lost_account_has_no_risk_figures_and_every_value_is_valid_json():
    import json

    rows = equity(*np.linspace(1000, -200, 40), *[-200.0] * 20).assign(balance=1.0, used_margin=0.0)
    metrics = measure(trades(-1200.0), fills(), rows, 1000.0)
    assert metrics["sharpe"] is None and metrics["annual_return"] is None and metrics["max_drawdown"] == pytest.approx(-1.2)
    json.dumps(metrics, allow_nan=False)


@pytest.mark.parametrize("key", METRICS)
def test_every_metric_has_a_definition(key):
    metric = METRICS[key]
    assert metric.title and metric.unit in UNITS and metric.family in FAMILIES and metric.definition.endswith(".")
