"""Figures of period returns against empyrical's own vectors, and against what must hold of any series."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.analytics import returns
from tests.domain.analytics.makers import ORACLES, oracle

FILE = "empyrical_vectors.json"
PERIODS = {"DAILY": 252, "WEEKLY": 52, "MONTHLY": 12, "YEARLY": 1}
PAPER = "psr_dsr_mintrl.json"


@cache
def vectors() -> dict[str, Any]:
    return json.loads((ORACLES / FILE).read_text())


def series(given: Any) -> Any:
    """An input by its name; a plain value as it is."""
    if not isinstance(given, dict):
        return given
    given_series = vectors()["inputs"][given["ref"]]
    return pd.Series(given_series["values"], given_series["index"], dtype=float)


def cases(test: str) -> list[list[Any]]:
    """The cases of an upstream test that are about a single series."""
    return [case for case in vectors()["cases"][test] if not any(isinstance(argument, dict) and argument["ref"].startswith(("df_", "pd.DataFrame")) for argument in case)]


def check(test: str, figure, least: int, within: float = 1e-8) -> None:
    count = 0
    for *given, expected in cases(test):
        if isinstance(expected, str):
            assert expected.startswith("expr:")
            expected = returns.total_return(series(given[0]))
        np.testing.assert_allclose(figure(*map(series, given)), expected, rtol=1e-8, atol=within, err_msg=f"{test} {given}")
        count += 1
    assert count >= least, f"{test} has {count} cases"


@pytest.mark.data
@oracle(FILE)
def test_figures_equal_empyricals():
    check("test_simple_returns", returns.simple_returns, 2)
    check("test_cum_returns", returns.cumulative_returns, 4, within=1e-4)     # upstream rounds them
    check("test_max_drawdown", returns.max_drawdown, 8)
    check("test_annual_ret", lambda r, periods: returns.annual_return(r, PERIODS[periods]), 3)
    check("test_annual_volatility", lambda r, periods: returns.annual_volatility(r, PERIODS[periods]), 4)
    check("test_calmar", lambda r, periods: returns.calmar(r, PERIODS[periods]), 5)
    check("test_omega", returns.omega, 9)
    check("test_sharpe_ratio", returns.sharpe, 8)
    check("test_downside_risk", lambda r, required, periods: returns.downside_risk(r, required, PERIODS[periods]), 9)
    check("test_sortino", lambda r, required, periods: returns.sortino(r, required, PERIODS[periods]), 10)
    check("test_excess_sharpe", returns.excess_sharpe, 5)
    check("test_stability_of_timeseries", returns.stability, 4)


@pytest.mark.data
@oracle(FILE)
def test_totals_and_tails_equal_empyricals():
    for given, start, expected in cases("test_cum_returns_final"):
        wanted = series(given).iloc[0] if isinstance(expected, str) else expected
        np.testing.assert_allclose(returns.total_return(series(given), start), wanted, rtol=1e-4, atol=1e-8)      # rounded upstream
    for given, expected in cases("test_tail_ratio"):        # upstream asks one decimal only
        np.testing.assert_allclose(returns.tail_ratio(series(given)), expected, atol=0.05)
    for given, periods, expected in cases("test_cagr"):
        if isinstance(given, dict):
            np.testing.assert_allclose(returns.annual_return(series(given), PERIODS[periods.upper()]), expected, rtol=1e-8)
    steps = {"WEEKLY": "week", "MONTHLY": "month", "QUARTERLY": "quarter", "YEARLY": "year"}
    for given, to, expected in cases("test_aggregate_returns"):
        np.testing.assert_allclose(returns.aggregate(series(given).rename(pd.Timestamp), steps[to]), expected, atol=1e-8)


@pytest.mark.data
@oracle(FILE)
def test_rolling_figures_equal_empyricals():
    for test, figure in (("test_roll_max_drawdown", returns.max_drawdown), ("test_roll_sharpe_ratio", returns.sharpe)):
        for given, window, expected in cases(test):
            decimals = 4 if "drawdown" in test else 7
            np.testing.assert_allclose(returns.rolling(series(given), window, figure), expected, atol=10.0**-decimals)


@pytest.mark.data
@oracle(FILE)
def test_shifting_returns_moves_figures_as_upstream_expects():
    for given, by in cases("test_max_drawdown_translation"):
        r = series(given)
        assert returns.max_drawdown(r - by) <= returns.max_drawdown(r) <= returns.max_drawdown(r + by)
    for given, less, more in cases("test_omega_returns"):
        assert returns.omega(series(given), 0.0, less) > returns.omega(series(given), 0.0, more)
    for given, required, by in cases("test_sharpe_translation_same"):
        for figure in (returns.sharpe, returns.sortino, returns.downside_risk):
            assert figure(series(given) + by, required + by) == pytest.approx(figure(series(given), required), rel=1e-8)
    for given, required, by in cases("test_sharpe_translation_1"):
        assert returns.sharpe(series(given) - by, required) < returns.sharpe(series(given), required) < returns.sharpe(series(given) + by, required)
    for given, by in cases("test_cagr_translation"):
        assert returns.annual_return(series(given) - by) < returns.annual_return(series(given)) < returns.annual_return(series(given) + by)
    for (given,) in cases("test_cagr_with_nan_inputs"):
        assert np.isfinite(returns.annual_return(series(given)))


@pytest.mark.data
@oracle("empyrical_returns.csv")
def test_a_real_series_of_percents_equals_a_loop():
    r = pd.read_csv(ORACLES / "empyrical_returns.csv", header=None)[1].to_numpy() / 100
    value = peak = 1.0
    deepest = 0.0
    for change in r:
        value *= 1 + change
        peak = max(peak, value)
        deepest = min(deepest, value / peak - 1)
    assert returns.max_drawdown(r) == pytest.approx(deepest)
    assert returns.total_return(r) == pytest.approx(value - 1)
    worst = sorted(r)[: int((len(r) - 1) * 0.05) + 1]
    assert returns.conditional_value_at_risk(r) == pytest.approx(sum(worst) / len(worst))
    assert returns.value_at_risk(r) == pytest.approx(np.percentile(r, 5))


@pytest.mark.data
@oracle(PAPER)
def test_ratios_equal_published_examples():
    by_name = {case["fn"]: case for case in json.loads((ORACLES / PAPER).read_text())["cases"]}
    example = by_name["sharpe_iid"]
    assert returns.sharpe(example["data"], example["bench"], 1) == pytest.approx(example["expected"], abs=1e-6)
    example = by_name["sortino_iid"]
    assert returns.sortino(example["data"], example["bench"], 1) == pytest.approx(example["expected"], abs=1e-6)
    example = by_name["omega"]
    assert returns.omega(example["data"], example["target"]) == pytest.approx(example["expected"], abs=1e-8)


def test_a_missing_return_is_left_out():
    r = np.random.default_rng(1).normal(0.001, 0.01, 60)
    gaps = np.insert(r, [3, 20, 59], np.nan)
    for figure in (returns.sharpe, returns.sortino, returns.omega, returns.max_drawdown, returns.total_return, returns.tail_ratio, returns.stability, returns.skewness):
        assert figure(gaps) == figure(r)


def test_what_does_not_vary_has_no_finite_ratio():
    assert returns.sharpe([0.001] * 30) == np.inf and returns.sharpe([-0.1] * 30) == -np.inf
    assert np.isnan(returns.sharpe([0.0] * 30)) and np.isnan(returns.kurtosis([0.1] * 30))
    assert np.isnan(returns.sharpe([])) and np.isnan(returns.value_at_risk([])) and np.isnan(returns.max_drawdown([]))


def test_a_lost_account_has_no_growth_and_no_stability():
    assert returns.max_drawdown([0.1, -1.0, 0.5]) == -1.0
    assert returns.annual_return([-1.0]) == -1.0 and np.isnan(returns.annual_return([-2.0])) and np.isnan(returns.stability([0.1, -1.0]))
