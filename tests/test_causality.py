"""Look-ahead is impossible: whatever is registered says the same of the past, whether or not it has seen the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.features import FEATURES, Context, compute, use
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.strategies import STRATEGIES
from domain.venues.synthetic import GBM, generate
from tests.domain.features.world import market
from tests.domain.strategies.world import params_of, world

LENGTH = 700
CUTS = (1, 2, 15, 101, 350, 698, 699)


@pytest.fixture(scope="module", params=["regimes", "gbm"])
def seen(request) -> tuple[pd.DataFrame, Context]:
    """Bars with everything around them, and driftless ones alone."""
    if request.param == "regimes":
        bars, context = market(LENGTH)
        return bars, context
    start, end = (pd.Timestamp(day, tz="UTC").to_pydatetime() for day in ("2024-03-01", "2024-03-14"))
    instrument_, timeframe = instrument("EURUSD"), Timeframe.named("M15")
    return generate(GBM(), instrument_, timeframe, start, end, seed=5).iloc[:LENGTH].assign(volume=100.0), Context(instrument_, timeframe)


@pytest.fixture
def bars(seen) -> pd.DataFrame:
    return seen[0]


def part_of(seen: tuple[pd.DataFrame, Context], cut: int) -> tuple[pd.DataFrame, Context]:
    """What was known when bar ``cut`` - 1 had closed."""
    bars, context = seen
    part = bars.iloc[:cut]
    return part, context.until(int(context.ends(part)[-1]))


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_knows_no_later_bar(seen, name):
    use_ = use(name)

    def values(bars: pd.DataFrame, context: Context) -> np.ndarray:
        return compute(bars, [use_], context)[use_.column].to_numpy()

    full = values(*seen)
    for cut in CUTS:
        np.testing.assert_array_equal(values(*part_of(seen, cut)), full[:cut], err_msg=f"at bar {cut}")


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_leaves_its_input_as_it_was(bars, name):
    before = bars.copy(deep=True)
    compute(bars, [use(name)], market(LENGTH)[1])
    pd.testing.assert_frame_equal(bars, before)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_knows_no_later_bar(seen, name):
    strategy = STRATEGIES[name](**params_of(name)[0])

    def signals(bars: pd.DataFrame, context: Context) -> pd.DataFrame:
        return strategy.signals(compute(bars, strategy.features(), context)).reset_index(drop=True)

    full = signals(*seen)
    for cut in CUTS:
        expected = full[full["ts"] <= seen[0]["ts"].iloc[cut - 1]].reset_index(drop=True)
        pd.testing.assert_frame_equal(signals(*part_of(seen, cut)), expected, check_dtype=False, obj=f"signals up to bar {cut}")


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_says_something(name):
    bars, context = world()
    strategy = STRATEGIES[name](**params_of(name)[0])
    table = strategy.signals(compute(bars, strategy.features(), context))
    assert len(table[table["order"] != "exit"] if "order" in table else table) > 3


def test_the_gate_sees_a_feature_that_looks_ahead(bars):
    def cheat(close: pd.Series) -> pd.Series:
        return (close - close.mean()) / close.std()

    full, part = (cheat(seen["close"]).to_numpy() for seen in (bars, bars.iloc[:350]))
    assert not np.array_equal(part, full[:350])
