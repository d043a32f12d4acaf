"""What kind of market it is, by rules, against loops written from the sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.features import compute, use
from domain.features import regime as features
from domain.market.zones import to_local
from tests.domain.features.world import market

RNG = np.random.default_rng(21)
CLOSE = 100 * np.exp(np.cumsum(RNG.normal(0, 1e-3, 500) * np.repeat(RNG.uniform(0.3, 3.0, 10), 50)))
RETURNS: np.ndarray = np.r_[np.nan, np.diff(np.log(CLOSE))]
CAUSAL = ("volatility_rank", "volatility_regime", "trend_regime", "session_regime", "drawdown_depth", "calm", "trend", "panic")
HOUR = 3_600_000_000_000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    bars, context = market()
    return compute(bars, [use(name) for name in (*CAUSAL, "adx", "efficiency")], context)


@pytest.mark.parametrize(("window", "against"), ((1, 1), (1, 2), (5, 30), (20, 100)))
def test_volatility_rank_by_a_loop(window, against):
    volatility = [float(np.sqrt(np.mean(RETURNS[i - window + 1 : i + 1] ** 2))) if i >= window else np.nan for i in range(500)]
    wanted = []
    for i in range(500):
        others = volatility[max(i - against + 1, 0) : i]
        if i < window + against - 1:
            wanted.append(np.nan)
        else:
            wanted.append(sum(1.0 if v < volatility[i] else 0.5 if v == volatility[i] else 0.0 for v in others) / len(others) if others else 0.5)
    np.testing.assert_allclose(features.volatility_rank(RETURNS, window=window, against=against), wanted, atol=1e-12)


def test_equal_volatility_stands_in_the_middle():
    assert features.volatility_rank(np.zeros(40), window=5, against=20)[24:].tolist() == [0.5] * 16


def test_a_rank_is_the_same_wherever_the_column_begins():
    rounded = np.round(RETURNS, 3)      # many ties
    full = features.volatility_rank(rounded, window=7, against=40)
    for first in (1, 13, 200):
        np.testing.assert_array_equal(features.volatility_rank(rounded[first:], window=7, against=40)[60:], full[first + 60 :])


def test_terciles_of_volatility(frame):
    rank, regime = frame["volatility_rank(20, 250)"].to_numpy(), frame["volatility_regime"].to_numpy()
    valid = ~np.isnan(rank)
    assert (np.isnan(regime) == ~valid).all()
    assert (regime[valid] == np.select([rank[valid] < 1 / 3, rank[valid] < 2 / 3], [0, 1], 2)).all()
    assert {0.0, 1.0, 2.0} == set(regime[valid])


def test_a_trend_needs_strength_and_straightness(frame):
    close, adx, efficiency, regime = (frame[name].to_numpy() for name in ("close", "adx(14)", "efficiency(10)", "trend_regime(10, 25.0, 0.3)"))
    for i in range(100, len(frame)):
        wanted = np.sign(close[i] - close[i - 10]) if adx[i] >= 25 and efficiency[i] >= 0.3 - 1e-9 else 0.0
        assert regime[i] == wanted
    assert {-1.0, 0.0, 1.0} == set(regime[100:])


def test_sessions_go_by_the_clocks_of_their_cities():
    ts = np.arange(np.datetime64("2024-03-01", "ns").astype(np.int64), np.datetime64("2024-04-15", "ns").astype(np.int64), HOUR // 2)

    def awake(zone: str, opens: int, closes: int) -> np.ndarray:
        local = to_local(ts, zone)
        hour, weekday = local // HOUR % 24, (local // (24 * HOUR) + 3) % 7
        return (hour >= opens) & (hour < closes) & (weekday < 5)

    asia, london, york = awake("Asia/Tokyo", 9, 18), awake("Europe/London", 8, 17), awake("America/New_York", 8, 17)
    wanted = [4 if a and b else 3 if b else 2 if a else 1 if c else 0 for c, a, b in zip(asia, london, york, strict=True)]
    assert features.session_regime(ts).tolist() == wanted
    assert set(wanted) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("window", (1, 2, 10, 100))
def test_depth_of_a_drawdown_by_a_loop(window):
    computed = features.drawdown_depth(CLOSE, RETURNS, window=window)
    for i in range(500):
        if i < window:
            assert np.isnan(computed[i])
            continue
        fall = np.log(CLOSE[i - window : i + 1].max() / CLOSE[i])
        wide = 2 * np.sqrt(np.mean(RETURNS[i - window + 1 : i + 1] ** 2)) * np.sqrt(window)
        assert computed[i] == pytest.approx(min(1, fall / wide), abs=1e-9)


def test_no_move_is_no_drawdown():
    assert features.drawdown_depth(np.ones(20), np.r_[np.nan, np.zeros(19)], window=5)[5:].tolist() == [0.0] * 15


def test_memberships_add_up_to_one(frame):
    parts = frame[["calm", "trend", "panic"]].to_numpy()
    valid = ~np.isnan(parts).any(axis=1)
    assert valid.sum() > 2_000 and (np.isnan(parts).any(axis=1) == np.isnan(parts).all(axis=1)).all()
    np.testing.assert_allclose(parts[valid].sum(axis=1), 1.0, atol=1e-12)
    assert parts[valid].min() >= 0 and parts[valid].max() <= 1


def test_memberships_by_their_formula(frame):
    v, e, d = (frame[name].to_numpy()[300:] for name in ("volatility_rank(20, 250)", "efficiency(10)", "drawdown_depth(100)"))
    panic = v * v * (1 - e * (1 - d))
    for name, wanted in (("panic", panic), ("trend", (1 - panic) * e), ("calm", (1 - panic) * (1 - e))):
        np.testing.assert_allclose(frame[name].to_numpy()[300:], wanted, atol=1e-12)


def test_a_crash_is_panic_a_straight_rise_a_trend_and_a_quiet_range_calm():
    quiet = 100 + 0.01 * np.sin(np.arange(600) * 2.1)
    noise = 1 + 1e-5 * np.random.default_rng(22).normal(size=600)
    crash, rise = quiet.copy(), quiet.copy()
    crash[570:] = quiet[570:] * np.exp(-0.02 * np.arange(30) + 0.012 * np.sin(np.arange(30) * 3))
    rise[400:] = quiet[400:] * np.exp(1e-4 * np.arange(200))
    for close, wanted in ((crash * noise, "panic"), (rise * noise, "trend"), (quiet * noise, "calm")):
        bars = pd.DataFrame(dict(open=close, high=close * 1.0001, low=close * 0.9999, close=close))
        parts = compute(bars, [use(name) for name in ("calm", "trend", "panic")])[["calm", "trend", "panic"]].iloc[-25:].mean()
        assert parts.idxmax() == wanted, (wanted, parts.to_dict())


@pytest.mark.parametrize("name", CAUSAL)
def test_what_comes_later_changes_nothing(name):
    bars, context = market(900)
    use_ = use(name)
    full = compute(bars, [use_], context)[use_.column].to_numpy()
    for cut in (1, 290, 700):
        np.testing.assert_array_equal(compute(bars.iloc[:cut], [use_], context.until(int(context.ends(bars)[cut - 1])))[use_.column].to_numpy(), full[:cut])
