"""Gold Buy Dip: its decisions against a slow reading of its definitions, its grid, its limit, and the run that the definitions are known by."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.backtest.bench import Bench
from domain.errors import BadRequest
from domain.features import Context, compute
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.strategies.gold_buy_dip import GoldBuyDip
from domain.trading.rules import rules_from

GOLD, H4 = instrument("XAUUSD"), Timeframe.named("H4")
QUICK = GoldBuyDip(lookback_candles=12, zscore_wait_candles=3, zscore_period=8, zscore_threshold_buy=-1.8, zscore_threshold_sell=1.8, percentage_threshold=1.0, atr_period=5)
DATA = os.environ.get("TIDEMARK_DATA", "")


@pytest.fixture(scope="module")
def bars() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    close = np.round(1_900 * np.exp(np.cumsum(rng.normal(0, 0.004, 600))), 2)
    open_ = np.concatenate([[1_900.0], close[:-1]])
    reach = np.round(np.abs(rng.normal(0, 3.0, (2, 600))), 2)
    ts = pd.date_range("2024-01-01", periods=600, freq="4h", tz="UTC").as_unit("ns")
    return pd.DataFrame(dict(ts=ts, open=open_, high=np.maximum(open_, close) + reach[0], low=np.minimum(open_, close) - reach[1], close=close))


@pytest.fixture(scope="module")
def frame(bars) -> pd.DataFrame:
    return compute(bars, QUICK.features(), Context(GOLD, H4))


def by_definition(bars: pd.DataFrame, s: GoldBuyDip) -> list[tuple[int, int]]:
    """Bar and side of each signal, bar by bar from the sentences of docs/gold-buy-dip.md."""
    high, low, close = (bars[name].tolist() for name in ("high", "low", "close"))
    n, wait, period = s.lookback_candles, s.zscore_wait_candles, s.zscore_period

    def moved(t: int, side: int) -> bool:
        if t < n - 1:
            return False
        top, bottom = max(high[t - n + 1 : t + 1]), min(low[t - n + 1 : t + 1])
        return (100 * (top - close[t]) / top if side > 0 else 100 * (close[t] - bottom) / bottom) >= s.percentage_threshold

    result = []
    for t in range(period - 1, len(close)):
        window = close[t - period + 1 : t + 1]
        score = (close[t] - np.mean(window)) / np.std(window)
        for side in (1, -1):
            confirmed = score <= s.zscore_threshold_buy if side > 0 else score >= s.zscore_threshold_sell
            if confirmed and any(moved(u, side) for u in range(max(t - wait, 0), t + 1)):
                result.append((t, side))
    return result


def test_it_decides_as_it_is_defined(bars, frame):
    signals = QUICK.signals(frame)
    expected = by_definition(bars, QUICK)
    assert len(expected) > 20 and {side for _, side in expected} == {1, -1}
    assert list(zip(signals.index.tolist(), signals["side"].tolist(), strict=True)) == expected


def test_its_memory_is_the_wait_and_the_bar(frame):
    full = QUICK.signals(frame)
    for bar in full.index:
        pd.testing.assert_frame_equal(QUICK.signals(frame.iloc[bar + 1 - QUICK.memory : bar + 1].reset_index(drop=True)).tail(1).reset_index(drop=True), full.loc[[bar]].reset_index(drop=True))


@pytest.mark.parametrize(
    ("changed", "spacing", "adds", "first", "further", "target"),
    [
        ({}, "atr(5)", 4, 1.0, 1.0, 2.00),
        (dict(grid_lot_multiplier=2.0, use_progressive_lots=True, max_grid_trades=3), "atr(5)", 2, 2.0, 1.5, 2.00),
        (dict(grid_atr_multiplier=0.5, take_profit=35.0, magic_number=7), "half", 4, 1.0, 1.0, 0.35),
        (dict(use_grid_percent=True, grid_percent=0.25, use_take_profit_percent=True, take_profit_percent=0.5), "percent", 4, 1.0, 1.0, "percent"),
        (dict(use_grid_trading=False), "", 0, 1.0, 1.0, 2.00),
    ],
    ids=("defaults", "progressive", "ticks", "percent", "no grid"),
)  # fmt: skip
def test_its_grid_in_price_units(bars, changed, spacing, adds, first, further, target):
    s = replace(QUICK, **changed)
    frame = compute(bars, s.features(), Context(GOLD, H4))
    signals = s.signals(frame)
    close = frame["close"][signals.index]
    distances = {"percent": 0.0025 * close, "": signals["grid_basket_target"]}
    expected = distances[spacing] if spacing in distances else frame["atr(5)"][signals.index] * (0.5 if spacing == "half" else 1.0)
    np.testing.assert_allclose(signals["grid_spacing"], expected)
    np.testing.assert_allclose(signals["grid_basket_target"], 0.005 * close if target == "percent" else target)
    row = signals.iloc[0]
    assert (row["grid_max_adds"], row["grid_first_factor"], row["grid_lots_factor"], row["lots"], row["tag"]) == (adds, first, further, 0.1, str(s.magic_number))
    assert "stop_loss" not in signals


def test_without_an_instrument_there_is_no_tick_and_no_signal(bars):
    assert QUICK.signals(compute(bars, QUICK.features(), Context())).empty


@pytest.mark.parametrize(("period", "threshold", "message"), [(20, 4.25, "at most 4.2485"), (2, 0.75, "at most 0.7071"), (20, 4.24, "")])
def test_a_threshold_out_of_reach_is_refused(period, threshold, message):
    for name, sign in (("zscore_threshold_sell", 1), ("zscore_threshold_buy", -1)):
        other = {("zscore_threshold_buy" if sign > 0 else "zscore_threshold_sell"): 0.0}
        if not message:
            assert GoldBuyDip(zscore_period=period, **{name: sign * threshold}, **other)
            continue
        with pytest.raises(BadRequest, match=f"{name} is {sign * threshold:g}, out of reach of {period} closes: .*{message}"):
            GoldBuyDip(zscore_period=period, **{name: sign * threshold}, **other)


@pytest.mark.parametrize(("own", "account", "effective"), [(50.0, 0.0, 0.5), (50.0, 0.1, 0.1), (5.0, 0.1, 0.05), (0.0, 0.1, 0.1), (0.0, 0.0, 0.0)])
def test_the_stricter_limit_of_drawdown_holds_in_a_run_and_in_a_sweep(bars, own, account, effective):
    """These bars fall by a quarter, and the baskets lose all but everything: whatever limit holds halts the account."""
    series, rules = [study.Series(GOLD, H4, bars)], rules_from({"account": {"balance": 20_000.0}, "limits": {"max_drawdown": account}})
    s = replace(QUICK, max_drawdown_percent=own, lot_size=2.0)
    run = study.run(series, rules, s)
    assert run.rules.limits.max_drawdown == effective
    assert bool(run.outcome.counts["halted"]) == (effective > 0)
    assert Bench(series).evaluate(s, rules).figures["net_profit"] == run.metrics["net_profit"]


@pytest.mark.skipif(not DATA, reason="needs TIDEMARK_DATA, the folder of real bars")
def test_the_run_that_the_definitions_are_known_by():
    path = Path(DATA) / "fx" / "dukascopy_h1" / "XAUUSD_H4_bid_2007_2023.parquet"
    if not path.exists():
        pytest.skip(f"no {path.name} in TIDEMARK_DATA")
    run = study.run([study.Series(GOLD, H4, pd.read_parquet(path))], rules_from({"account": {"balance": 1_000_000.0}}), GoldBuyDip())
    assert len(run.outcome.trades) == 272
    assert round(float(run.outcome.equity["balance"].iloc[-1]), 2) == 1_008_485.07
