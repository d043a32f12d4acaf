"""The preset ``volatility`` of stops and targets, worked by hand, in a run as in a sweep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.backtest.bench import Bench
from domain.backtest.volatility_stops import with_volatility_stops
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.strategies.breakout import Breakout
from domain.trading.execution import Execution
from domain.trading.rules import Rules
from domain.trading.signals import read_columns

VOLATILE = Rules(execution=Execution(stops="volatility"))


@pytest.fixture(scope="module")
def series() -> study.Series:
    """Bars that range 0.0010 about their close, which never jumps beyond: ATR(14) is 0.0010 throughout; then one that falls and one that rises far."""
    close = np.full(60, 1.1)
    bars = pd.DataFrame(dict(ts=pd.date_range("2024-03-04", periods=60, freq="h", tz="UTC").as_unit("ns"), open=close, high=close + 0.0005, low=close - 0.0005, close=close, spread=0.0))
    bars.loc[50, "high"] = 1.1 + 0.0013     # 1.5 R is 1.1012, 2.4 R 1.10192
    bars.loc[52, "low"] = 1.1 - 0.0009      # the stop is 1.0992
    return study.Series(instrument("EURUSD"), Timeframe.named("H1"), bars)


def test_half_leaves_at_one_and_a_half_r_and_the_rest_at_the_stop(series):
    signals = pd.DataFrame(dict(ts=[series.bars["ts"][40]], side=1, stop_loss=1.05, target_1=1.1001, break_even_r=0.1))
    fills = study.run([series], VOLATILE, signals=signals).outcome.fills
    assert fills["reason"].tolist() == ["market", "target_1", "stop_loss"] and fills["lots"].tolist() == [1.0, 0.5, 0.5]
    assert fills["price"].tolist() == pytest.approx([1.1, 1.1 + 1.5 * 0.0008, 1.1 - 0.0008], abs=1e-9)


def test_of_pending_orders_grids_exits_and_the_first_bars(series):
    ts = [series.bars["ts"][k] for k in (40, 41, 42, 5)]
    given = read_columns(pd.DataFrame(dict(ts=ts, side=-1, order=["limit", "market", "exit", "market"], price=[1.102, None, None, None], stop_loss=[1.2, 1.3, None, 1.2],
                                           grid_spacing=[None, 0.001, None, None], grid_max_adds=[None, 1, None, None], grid_basket_target=[None, 0.002, None, None])), ("EURUSD",))  # fmt: skip
    columns = with_volatility_stops(given, series)
    np.testing.assert_allclose(columns["stop_loss"], [1.102 + 0.0008, 1.3, np.nan, np.nan])
    np.testing.assert_array_equal(columns["target_r_2"], [2.4, np.nan, np.nan, 2.4])
    np.testing.assert_array_equal(columns["fraction_1"], [0.5, np.nan, np.nan, 0.5])


def test_a_sweep_gives_what_a_run_gives():
    from tests.domain.strategies.world import world

    bars, context = world()
    market, breakout = study.Series(instrument("EURUSD"), Timeframe.named("M15"), bars, context=context), Breakout(lookback=20, quiet=0.0)
    run, bench = study.run([market], VOLATILE, breakout), Bench([market])
    own = study.run([market], replace(VOLATILE, execution=Execution()), breakout)
    assert bench.evaluate(breakout, VOLATILE).figures["net_profit"] == run.metrics["net_profit"] != own.metrics["net_profit"]
    assert bench.evaluate(breakout, Rules()).figures["net_profit"] == own.metrics["net_profit"]
