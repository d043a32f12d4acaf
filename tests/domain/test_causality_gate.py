"""The gate names what has look-ahead bias: the column, the bar and the size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from domain.causality import check, check_features, check_strategy
from domain.errors import BadRequest
from domain.features import FEATURES, Context, Use, feature, parse, use
from domain.market.bars import frame
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues
from domain.strategies import STRATEGIES, decide
from domain.strategies.lacking import inputs_of
from tests.domain.features.world import market

BARS, CONTEXT = market(600)


@pytest.fixture
def forbidden():
    """Two features that look ahead, and are taken off the register afterwards."""

    @feature(unit="ratio", source="a whole-sample z-score")
    def whole_sample(close):
        return (close - close.mean()) / close.std()

    @feature(unit="price", source="the next close")
    def next_close(close):
        return np.append(close[1:], np.nan)

    @feature(unit="ratio", source="what other markets say next")
    def next_other(close, others):
        values = next(iter(others.values()))
        return np.append(values[1:], values[-1:])

    yield ("whole_sample", "next_close", "next_other")
    for name in ("whole_sample", "next_close", "next_other"):
        del FEATURES._things[name]


def test_a_whole_sample_z_score_is_named_with_its_bar_and_size(forbidden):
    verdict = check_features(BARS, [use("sma"), use("whole_sample")], CONTEXT)
    (leak,) = verdict.leaks
    close = BARS["close"].to_numpy()
    full, part = ((close - seen.mean()) / seen.std() for seen in (close, close[: leak.cut]))
    assert not verdict.green and leak.column == "whole_sample"
    assert leak.size == pytest.approx(abs(full[leak.bar] - part[leak.bar])) and leak.size >= np.abs(full - part)[: leak.cut].max() - 1e-12
    assert leak.ts == f"{BARS['ts'].iloc[leak.bar]:%Y-%m-%d %H:%M} UTC" and leak.ts in str(leak) and "whole_sample" in str(leak)


def test_a_shift_by_one_bar_shows_at_the_last_bar_before_a_cut(forbidden):
    (leak,) = check_features(BARS, [use("next_close")], CONTEXT).leaks
    assert leak.bar == leak.cut - 1 and np.isnan(leak.size) and leak.unseen == "nothing" and leak.bars == 1


def test_one_bar_taken_away_is_enough(forbidden):
    (leak,) = check_features(BARS, [use("next_close")], CONTEXT, cuts=1).leaks
    assert leak.cut == len(BARS) - 1


def test_the_future_of_another_market_is_cut_too(forbidden):
    assert check_features(BARS, [use("next_other")], CONTEXT).leaks
    assert CONTEXT.until(int(CONTEXT.ends(BARS)[99])).others["GBPUSD"].times[-1] <= CONTEXT.ends(BARS)[99]


@dataclass(frozen=True)
class Peeking:
    """Stops at the low of the next bar."""

    def features(self) -> tuple[Use, ...]:
        return (use("sma"),)

    def signals(self, frame):
        at = np.arange(30, len(frame) - 1, 10)
        return pd.DataFrame(dict(ts=frame["ts"].array[at], side=1, stop_loss=frame["low"].to_numpy()[at + 1]))


def test_a_strategy_that_peeks_is_refused_by_its_signals():
    verdict = check_strategy(BARS, Peeking(), CONTEXT)
    assert not verdict.green and {leak.column for leak in verdict.leaks} <= {"stop_loss", "signals"}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_is_green(name):
    verdict = check_strategy(BARS, STRATEGIES[name](), CONTEXT)
    assert verdict.green and len(verdict.cuts) > 4 and {"ts", "side"} <= set(verdict.checked)


def test_every_feature_is_green_with_everything_around_it():
    verdict = check_features(BARS, [use(name) for name in FEATURES], CONTEXT, cuts=4)
    assert verdict.green, [str(leak) for leak in verdict.leaks]


def test_longer_bars_are_green_with_bars_in_breaks_and_weekends():
    opens = pd.Timestamp("2024-07-11 09:00", tz="UTC").value + 1_800_000_000_000 * np.arange(300)
    close = 2_400.0 + np.cumsum(np.random.default_rng(2).normal(0, 1, 300))
    bars = frame(opens, open=close, high=close + 1.0, low=close - 1.0, close=close)
    gold = Context(instrument("XAUUSD"), Timeframe.named("M30"))
    assert check_features(bars, [parse(f"{text}@{name}") for text in ("sma(2)", "rsi(2)", "minute_of_day_sine") for name in ("H1", "H4", "D1")], gold, cuts=40).green


def test_nothing_checked_is_not_green():
    assert not check(BARS, lambda seen, context: pd.DataFrame(index=seen.index), CONTEXT).green


def test_a_person_may_stop_it():
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_features(BARS, [use("sma")], CONTEXT, watch=stop)


@dataclass(frozen=True)
class Hasty:
    """Signals before its average has a value."""

    def features(self) -> tuple[Use, ...]:
        return (use("sma", window=50),)

    def signals(self, frame):
        return pd.DataFrame(dict(ts=frame["ts"].array[[10, 60]], side=1))


def test_a_signal_from_a_warm_up_bar_is_refused():
    with pytest.raises(BadRequest, match=r"inside the warm-up of sma\(50\)"):
        decide(Hasty(), BARS, CONTEXT)


EASIER = {"gold_buy_dip": dict(percentage_threshold=0.2, zscore_threshold_buy=-1.5, zscore_threshold_sell=1.5)}      # defaults that so few bars do not reach


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_decides_in_its_warm_up(name):
    bars, context = market()
    strategy = STRATEGIES[name](**EASIER.get(name, {}))
    table = decide(strategy, bars, context).table
    assert len(table)
    if not {"others", "macro"} & set().union(*map(inputs_of, strategy.features())):
        bare = replace(context, others={}, macro={"VIX": TimedValues(np.zeros(0, np.int64), np.zeros(0))})
        assert decide(strategy, bars, bare).table.equals(table)
