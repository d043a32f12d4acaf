"""What other markets do beside this one, against loops written from the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from domain.features import Context, compute, use
from domain.features import cross as features
from domain.market.instrument import instrument
from domain.outside.timed_values import TimedValues
from tests.domain.features.world import market

RNG = np.random.default_rng(11)
LENGTH = 400
CLOSE, POUND, YEN = (100 * np.exp(np.cumsum(RNG.normal(0, 1e-3, LENGTH))) for _ in range(3))
OTHERS = {"USDJPY": YEN, "GBPUSD": POUND}
R, P, Y = (np.diff(np.log(closes)) for closes in (CLOSE, POUND, YEN))     # R[i]: return of bar i + 1
CAUSAL = ("basket_return", "correlation", "beta", "relative_strength", "spread_zscore", "lead_lag", "currency_strength")


def slow(window: int, value_at, first: int) -> np.ndarray:
    return np.array([value_at(i) if i >= first else np.nan for i in range(LENGTH)])


@pytest.mark.parametrize("window", (2, 3, 20, 64))
def test_correlation_is_pearsons_of_log_returns(window):
    wanted = slow(window, lambda i: np.corrcoef(R[i - window : i], P[i - window : i])[0, 1], window)
    np.testing.assert_allclose(features.correlation(CLOSE, OTHERS, window=window), wanted, atol=1e-9)


def test_the_other_is_the_first_by_name_unless_one_is_named():
    by_default, pound, yen = (features.correlation(CLOSE, OTHERS, other=name) for name in ("first", "GBPUSD", "USDJPY"))
    np.testing.assert_array_equal(by_default, pound)
    np.testing.assert_array_equal(features.correlation(CLOSE, OTHERS, other=""), pound)
    assert not np.allclose(by_default, yen, equal_nan=True)
    assert np.isnan(features.correlation(CLOSE, OTHERS, other="EURCHF")).all()


def test_beta_is_the_slope_of_least_squares_on_the_basket():
    window, basket = 30, (P + Y) / 2
    wanted = slow(window, lambda i: np.polyfit(basket[i - window : i], R[i - window : i], 1)[0], window)
    computed = features.beta(CLOSE, features.basket_return(CLOSE, OTHERS), window=window)
    np.testing.assert_allclose(computed, wanted, rtol=1e-7)


def test_relative_strength_is_this_return_less_the_mean_of_the_others():
    window = 12
    wanted = slow(window, lambda i: np.log(CLOSE[i] / CLOSE[i - window]) - np.mean([np.log(other[i] / other[i - window]) for other in OTHERS.values()]), window)
    np.testing.assert_allclose(features.relative_strength(CLOSE, features.basket_return(CLOSE, OTHERS), window=window), wanted, atol=1e-12)


def test_the_basket_is_of_those_that_are_known():
    late = YEN.copy()
    late[:100] = np.nan
    computed = features.basket_return(CLOSE, {"GBPUSD": POUND, "USDJPY": late})
    np.testing.assert_allclose(computed[1:101], P[:100])
    np.testing.assert_allclose(computed[101:], (P[100:] + Y[100:]) / 2)


def test_spread_zscore_by_a_loop():
    window = 25
    ratio = np.log(CLOSE / POUND)
    wanted = slow(window, lambda i: (ratio[i] - ratio[i - window + 1 : i + 1].mean()) / ratio[i - window + 1 : i + 1].std(), window - 1)
    np.testing.assert_allclose(features.spread_zscore(CLOSE, OTHERS, window=window), wanted, atol=1e-9)


def test_lead_lag_by_a_loop_and_its_sign():
    window = 40

    def of(i: int) -> float:
        now, then = slice(i - window, i), slice(i - window - 1, i - 1)
        return np.corrcoef(R[now], P[then])[0, 1] - np.corrcoef(R[then], P[now])[0, 1]

    np.testing.assert_allclose(features.lead_lag(CLOSE, OTHERS, window=window), slow(window, of, window + 1), atol=1e-9)
    follower = np.r_[POUND[0], POUND[:-1]] * np.exp(np.random.default_rng(12).normal(0, 1e-5, LENGTH))
    assert features.lead_lag(follower, OTHERS)[60:].min() > 0.5, "who follows the other has it leading"


def test_currency_strength_is_base_less_quote_over_all_that_hold_them():
    window = 10

    def of(i: int) -> float:
        euro, pound, yen = (np.log(item[i] / item[i - window]) for item in (CLOSE, POUND, YEN))
        return np.mean([euro]) - np.mean([-euro, -pound, yen])

    computed = features.currency_strength(CLOSE, {**OTHERS, "US500": POUND, "EURGBX7": YEN}, instrument("EURUSD"), window=window)
    np.testing.assert_allclose(computed, slow(window, of, window), atol=1e-12)


def test_a_pair_that_no_table_knows_counts_by_its_name():
    alone = features.currency_strength(CLOSE, {"USDJPY": YEN}, instrument("EURUSD"), window=5)
    crown = features.currency_strength(CLOSE, {"USDJPY": YEN, "EURCZK": POUND}, instrument("EURUSD"), window=5)
    assert not np.allclose(alone[5:], crown[5:])
    assert np.isnan(features.currency_strength(CLOSE, {"GBPJPY": YEN}, instrument("EURUSD"), window=5)).all(), "it holds neither"


def test_a_stale_other_has_returns_of_zero():
    bars, context = market()
    end = context.ends(bars)
    stale = TimedValues(end[:200], bars["close"].to_numpy()[:200])
    column = compute(bars, [use("basket_return")], Context(context.instrument, context.timeframe, {"GBPUSD": stale}))["basket_return"].to_numpy()
    assert (column[200:] == 0).all() and np.abs(column[1:200]).max() > 0


def test_one_that_stands_still_has_no_correlation_and_no_slope():
    still = np.r_[POUND[:100], np.full(300, POUND[99])]
    computed = features.correlation(CLOSE, {"GBPUSD": still}, window=20)
    assert np.isfinite(computed[20:119]).all() and np.isnan(computed[120:]).all()
    assert np.isnan(features.beta(CLOSE, features.basket_return(CLOSE, {"GBPUSD": still}), window=20)[120:]).all()
    assert (features.spread_zscore(np.full(LENGTH, 1.1), {"GBPUSD": np.full(LENGTH, 1.3)}, window=20)[19:] == 0).all()


def test_a_quiet_stretch_after_a_shock_keeps_its_digits():
    shocked = CLOSE * np.exp(np.where(np.arange(LENGTH) == 200, 2.0, 0.0)) ** np.where(np.arange(LENGTH) >= 200, 1, 0)
    window, r = 30, np.diff(np.log(shocked))
    wanted = slow(window, lambda i: np.corrcoef(r[i - window : i], P[i - window : i])[0, 1], window)
    np.testing.assert_allclose(features.correlation(shocked, OTHERS, window=window), wanted, atol=1e-9)


def test_without_others_there_is_nothing_to_say():
    bars, context = market(300)
    frame = compute(bars, [use(name) for name in CAUSAL], Context(context.instrument, context.timeframe))
    assert frame[[use(name).column for name in CAUSAL]].isna().all().all()


def test_prices_of_zero_and_less_are_unknown_not_infinite():
    fallen = CLOSE.copy()
    fallen[50:60] = [0.0, -37.6] * 5
    for computed in (features.basket_return(CLOSE, {"CL=F": fallen}), features.correlation(fallen, OTHERS), features.spread_zscore(fallen, OTHERS)):
        assert not np.isinf(computed).any() and np.isnan(computed[50:60]).all()


@pytest.mark.parametrize("name", CAUSAL)
def test_what_is_not_known_yet_changes_nothing(name):
    bars, context = market(900)
    use_ = use(name)
    full = compute(bars, [use_], context)[use_.column].to_numpy()
    for cut in (2, 151, 700):
        part = compute(bars.iloc[:cut], [use_], context.until(int(context.ends(bars)[cut - 1])))[use_.column].to_numpy()
        np.testing.assert_array_equal(part, full[:cut])
