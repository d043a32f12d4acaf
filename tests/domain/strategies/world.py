"""A small market in which every strategy of the catalogue decides something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from domain.features import Context
from domain.outside.timed_values import TimedValues
from tests.domain.features.world import market

LENGTH = 1_800
FITTING: Mapping[str, Mapping[str, Any]] = {        # where the defaults are for other bars and decide nothing on these
    "gold_buy_dip": dict(percentage_threshold=0.1, lookback_candles=30, zscore_threshold_buy=-2.0, zscore_threshold_sell=2.0),
}
# beside the defaults
PARAMS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "aggressive": (dict(costs=0.0, first_share=0.3),),
    "breakout": (dict(lookback=20), dict(quiet=0.0, break_even_r=0.0, max_bars=0)),
    "correlation": (dict(spread_window=30, correlation_window=20, zscore_exit=0.0), dict(other="GBPUSD", correlation_least=-1.0)),
    "gold_buy_dip": (dict(percentage_threshold=0.05, zscore_wait_candles=0, zscore_threshold_buy=-1.5, use_grid_percent=True, use_take_profit_percent=True),),
    "mean_reversion": (dict(zscore_window=10, adx_most=100.0), dict(zscore_exit=1.0, rsi_low=45.0, max_bars=0)),
    "momentum": (dict(roc_window=5, fast=3, slow=9, adx_least=10.0), dict(roc_least=0.1, target_r=0.0)),
    "sentiment_macro": (dict(half_life=2.0, dollar_most=20.0, release_minutes=0.0), dict(half_life=6.0, sentiment_least=0.1)),
    "simple_ma": (dict(fast=3, slow=9),),
    "structure": (dict(swing_bars=1, longer="H1", trend_window=5), dict(longer="D1", trend_window=3, break_even_r=0.0)),
    "volume_breakout": (dict(lookback=5, volume_least=0.5), dict(ratio_least=0.0, ratio_window=10)),
    "volume_flow": (dict(flow_least=0.0, vpin_least=0.0), dict(flow_window=5, vpin_window=10)),
    "written": (
        dict(name="two averages", long="mean(close, 5)@H1 > close@H1 and held(close > sma(20), 3)", short="rsi(14) < 45 and not within(rsi(14) < 40, 4)", exit_long="close < lowest(lag(low, 1), 10)", exit_short="cross_above(close, session_high(london))"),
        dict(long="close > sma(1000) or volume / 0 > 1 or rsi(5)@H4 > 60", short="", stop_atr=1.0, drawdown_tolerance=0.0),
    ),
}


def params_of(name: str) -> tuple[Mapping[str, Any], ...]:
    """The defaults, or what fits these bars, and others."""
    return FITTING.get(name, {}), *PARAMS.get(name, ())


@lru_cache
def world() -> tuple[pd.DataFrame, Context]:
    """Bars of EURUSD with all around them; GBPUSD moves with EURUSD and comes back to it."""
    bars, context = market(3_000)
    bars = bars.iloc[:LENGTH]
    rng, drift = np.random.default_rng(3), np.zeros(LENGTH)
    for k in range(1, LENGTH):
        drift[k] = 0.95 * drift[k - 1] + rng.normal(0.0, 2e-4)
    together = TimedValues(context.ends(bars), bars["close"].to_numpy() * np.exp(drift))
    return bars, replace(context, others={**context.others, "GBPUSD": together})
