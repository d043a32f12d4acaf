"""Each strategy against its sentence, read bar by bar with None for unknown, from the columns that the catalogue names."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features import Context, compute, parse
from domain.market.instrument import instrument
from domain.outside.timed_values import TimedValues
from domain.strategies.base import decide, make
from tests.domain.strategies.world import world


class Bars:
    """The columns of the world by name as lists, None where unknown."""

    def __init__(self) -> None:
        self.bars, self.context = world()
        self.columns: dict[str, list] = {name: self.listed(self.bars[name]) for name in ("open", "high", "low", "close", "volume")}

    def __getitem__(self, name: str) -> list:
        if name not in self.columns:
            use = parse(name)
            self.columns[name] = self.listed(compute(self.bars, [use], self.context)[use.column])
        return self.columns[name]

    @staticmethod
    def listed(column: pd.Series) -> list:
        return [None if math.isnan(value) else float(value) for value in column]


@pytest.fixture(scope="module")
def b() -> Bars:
    return Bars()


def truth(*parts) -> bool:
    """All of them, each a function of known values; what is unknown is not true."""
    return all(None not in values and test(*values) for test, *values in parts)


def begun(conditions: list[bool]) -> list[int]:
    return [t for t, now in enumerate(conditions) if now and not (t and conditions[t - 1])]


def table_of(b: Bars, name: str, **params) -> pd.DataFrame:
    table = decide(make(name, params), b.bars, b.context).table
    table["t"] = np.searchsorted(b.bars["ts"].array, table["ts"].array)
    return table.assign(order=table.get("order", "market"))


def check_entries(b: Bars, name: str, long, short, stop_atr: float, protection: dict[str, float], **params) -> None:
    """Entries where a condition begins and the ATR is known, with their stop and protection."""
    table, n = table_of(b, name, **params), len(b.bars)
    entries = table[table["order"] == "market"]
    atr, close = b["atr(14)"], b["close"]
    expected = sorted([(t, 1) for t in begun([long(t) for t in range(n)]) if atr[t]] + [(t, -1) for t in begun([short(t) for t in range(n)]) if atr[t]])
    assert len(expected) > 3 and {side for _, side in expected} == {1, -1}
    assert list(zip(entries["t"], entries["side"], strict=True)) == expected
    assert entries["stop_loss"].tolist() == [close[t] - side * (stop_atr * atr[t]) for t, side in expected]
    for column in ("target_r_1", "break_even_r", "max_bars"):
        values = entries[column].to_numpy(float)
        assert (values == protection[column]).all() if column in protection else np.isnan(values).all(), column


def check_exits(b: Bars, name: str, column: str, at: float) -> None:
    """On each bar: longs from ``at`` on, shorts from its mirror image on, each by the tag of its side."""
    table = table_of(b, name)
    exits = table[table["order"] == "exit"]
    for side, word, leaves in ((1, "long", lambda z: z >= at), (-1, "short", lambda z: z <= -at)):
        own = exits[exits["side"] == side]
        assert own["t"].tolist() == [t for t, z in enumerate(b[column]) if z is not None and leaves(z)]
        assert set(own["tag"]) == {f"{name}_{word}"} and own["stop_loss"].isna().all()
        assert set(table[(table["order"] == "market") & (table["side"] == side)]["tag"]) == {f"{name}_{word}"}


def test_momentum(b):
    roc, fast, slow, adx = b["roc(20)"], b["ema(12)"], b["ema(48)"], b["adx(14)"]

    def sign(s):
        return lambda t: truth((lambda r: s * r > 0, roc[t]), (lambda f, w: s * f > s * w, fast[t], slow[t]), (lambda a: a >= 20, adx[t]))

    check_entries(b, "momentum", sign(1), sign(-1), 2.0, dict(target_r_1=2.0, max_bars=96))


def test_mean_reversion(b):
    z, rsi, adx = b["zscore(20)"], b["rsi(14)"], b["adx(14)"]

    def long(t):
        return truth((lambda v: v <= -2, z[t]), (lambda v: v <= 30, rsi[t]), (lambda v: v <= 25, adx[t]))

    def short(t):
        return truth((lambda v: v >= 2, z[t]), (lambda v: v >= 70, rsi[t]), (lambda v: v <= 25, adx[t]))

    check_entries(b, "mean_reversion", long, short, 2.5, dict(max_bars=48))
    check_exits(b, "mean_reversion", "zscore(20)", 0.0)


def test_volume_breakout(b):
    close, top, bottom, volume, ratio = b["close"], b["channel_high(20)"], b["channel_low(20)"], b["relative_volume(20)"], b["atr_ratio(14, 100)"]

    def awake(t):
        return truth((lambda v: v >= 1.5, volume[t]), (lambda r: r >= 1, ratio[t]))

    check_entries(b, "volume_breakout", lambda t: awake(t) and truth((lambda h: close[t] > h, top[t])), lambda t: awake(t) and truth((lambda w: close[t] < w, bottom[t])), 2.0, dict(target_r_1=3.0))


def test_volume_flow(b):
    flow, vpin, vwap, close = b["chaikin_money_flow(20)"], b["vpin(50)"], b["vwap"], b["close"]

    def sign(s):
        return lambda t: truth((lambda f: s * f >= 0.1, flow[t]), (lambda v: v >= 0.4, vpin[t]), (lambda w: s * close[t] > s * w, vwap[t]))

    check_entries(b, "volume_flow", sign(1), sign(-1), 2.0, dict(target_r_1=2.0))


def test_sentiment_macro(b):
    tone, dollar, ends, releases = b["sentiment(24.0)"], b["dollar_zscore(60)"], b.context.ends(b.bars), b.context.releases
    near = [bool((np.abs(releases - end) <= 30 * 60_000_000_000).any()) for end in ends]

    def sign(s, least):
        return lambda t: not near[t] and truth((lambda v: s * v >= least, tone[t]), (lambda z: s * z <= 0.5, dollar[t]))

    check_entries(b, "sentiment_macro", sign(1, 0.1), sign(-1, 0.1), 2.0, dict(target_r_1=2.0, max_bars=48), sentiment_least=0.1)
    assert make("sentiment_macro", {}).sentiment_least == 0.3 and any(near)


def test_correlation(b):
    z, together = b["spread_zscore(100, first)"], b["correlation(50, first)"]

    def sign(s):
        return lambda t: truth((lambda v: s * v <= -2, z[t]), (lambda c: c >= 0.6, together[t]))

    check_entries(b, "correlation", sign(1), sign(-1), 3.0, {})
    check_exits(b, "correlation", "spread_zscore(100, first)", -0.5)


def test_structure(b):
    broken, trend, low, high, atr = b["break_of_structure(3)"], b["distance(20, 14)@H4"], b["swing_low(3)"], b["swing_high(3)"], b["atr(14)"]

    def sign(s):
        return lambda t: truth((lambda v: v == s, broken[t]), (lambda d: s * d > 0, trend[t]))

    table = table_of(b, "structure")
    expected = sorted([(t, 1) for t in begun([sign(1)(t) for t in range(len(b.bars))])] + [(t, -1) for t in begun([sign(-1)(t) for t in range(len(b.bars))])])
    assert len(expected) > 20 and list(zip(table["t"], table["side"], strict=True)) == expected
    assert table["stop_loss"].tolist() == [low[t] - 0.1 * atr[t] if side > 0 else high[t] + 0.1 * atr[t] for t, side in expected]
    assert set(table["target_r_1"]) == {2.0} and set(table["break_even_r"]) == {1.0} and table["max_bars"].isna().all()


def test_the_wick_filter_of_a_breakout(b):
    """Of the breakouts those with a body of half the bar and no more than three tenths of it given back."""
    every, kept = table_of(b, "breakout"), table_of(b, "breakout", fake_filter="wick")
    spans = [high - low for high, low in zip(b["high"], b["low"], strict=True)]

    def solid(t, side):
        span, o, c = spans[t], b["open"][t], b["close"][t]
        wick = b["high"][t] - max(o, c) if side > 0 else min(o, c) - b["low"][t]
        return span > 0 and abs(c - o) / span >= 0.5 and wick / span <= 0.3

    expected = [(t, side) for t, side in zip(every["t"], every["side"], strict=True) if solid(t, side)]
    assert 10 < len(expected) < len(every) and list(zip(kept["t"], kept["side"], strict=True)) == expected


# -- what data lack


@pytest.mark.parametrize("name", ("volume_breakout", "volume_flow"))
@pytest.mark.parametrize("volume", (np.nan, 0.0, None), ids=("unknown", "zero", "no column"))
def test_no_volume_is_a_sentence(b, name, volume):
    bars = b.bars.drop(columns="volume") if volume is None else b.bars.assign(volume=volume)
    with pytest.raises(BadRequest, match="needs volume, and these bars have none"):
        decide(make(name, {}), bars, b.context)
    assert len(decide(make(name, {}), bars, b.context, part=True).table) == 0


def test_no_headlines_and_no_other_instrument_are_sentences(b):
    bare = Context(b.context.instrument, b.context.timeframe)
    with pytest.raises(BadRequest, match=r"reads sentiment\(24.0\), which needs headlines"):
        decide(make("sentiment_macro", {}), b.bars, bare)
    with pytest.raises(BadRequest, match=r"reads spread_zscore\(100, first\), which needs bars of another instrument"):
        decide(make("correlation", {}), b.bars, bare)


def test_without_a_calendar_no_release_stands_against_it(b):
    """None known: passes. With one release alone, bars before it and after it have one unknown side."""
    tone = dict(sentiment_least=0.05)
    free = decide(make("sentiment_macro", tone), b.bars, replace(b.context, releases=np.zeros(0, np.int64))).table
    unwatched = decide(make("sentiment_macro", {**tone, "release_minutes": 0.0}), b.bars, replace(b.context, releases=np.zeros(0, np.int64))).table
    assert len(free) > 3 and free.equals(unwatched)
    at = b.context.ends(b.bars)[np.searchsorted(b.bars["ts"].array, free["ts"].iloc[2])]
    minutes = 60_000_000_000
    for offset, stays in ((0, False), (30, False), (31, True), (-30, False), (-31, True)):
        table = decide(make("sentiment_macro", tone), b.bars, replace(b.context, releases=np.array([at + offset * minutes]))).table
        assert (free["ts"].iloc[2] in set(table["ts"])) is stays, offset
        assert set(free["ts"].iloc[:2]) <= set(table["ts"])


def test_the_dollar_stands_on_the_other_side_of_what_has_it_as_base(b):
    """A strong dollar stands against EURUSD and for USDJPY, and says nothing of EURGBP."""
    days = b.context.macro["DXY"].times
    strong = TimedValues(days, np.where(np.arange(len(days)) % 2, 100.0, 101.0) + np.linspace(0, 30, len(days)) ** 1.5)
    glad = TimedValues(b.context.ends(b.bars)[[20]], np.array([1.0]))
    given = replace(b.context, macro={"DXY": strong}, headlines=glad, releases=np.zeros(0, np.int64))
    sides = {name: decide(make("sentiment_macro", {}), b.bars, replace(given, instrument=instrument(name))).table for name in ("EURUSD", "USDJPY", "EURGBP")}
    assert len(sides["USDJPY"]) and len(sides["EURGBP"]) == 1 and (sides["EURGBP"]["side"] == 1).all()
    assert not len(sides["EURUSD"]), "the dollar stood 0.5 or more above its mean on every day"


@pytest.mark.parametrize("name, expected", [
    ("momentum", dict(roc_window=20, roc_least=0.0, fast=12, slow=48, adx_window=14, adx_least=20.0, atr_window=14, stop_atr=2.0, target_r=2.0, max_bars=96)),
    ("mean_reversion", dict(zscore_window=20, zscore_entry=2.0, zscore_exit=0.0, rsi_window=14, rsi_low=30.0, adx_window=14, adx_most=25.0, atr_window=14, stop_atr=2.5, max_bars=48)),
    ("volume_breakout", dict(lookback=20, volume_window=20, volume_least=1.5, atr_window=14, ratio_window=100, ratio_least=1.0, stop_atr=2.0, target_r=3.0)),
    ("volume_flow", dict(flow_window=20, flow_least=0.1, vpin_window=50, vpin_least=0.4, atr_window=14, stop_atr=2.0, target_r=2.0)),
    ("sentiment_macro", dict(half_life=24.0, sentiment_least=0.3, dollar_window=60, dollar_most=0.5, release_minutes=30.0, atr_window=14, stop_atr=2.0, target_r=2.0, max_bars=48)),
    ("correlation", dict(other="first", spread_window=100, zscore_entry=2.0, zscore_exit=0.5, correlation_window=50, correlation_least=0.6, atr_window=14, stop_atr=3.0)),
    ("structure", dict(swing_bars=3, longer="H4", trend_window=20, atr_window=14, stop_atr=0.1, break_even_r=1.0, target_r=2.0)),
])  # fmt: skip
def test_the_defaults_are_those_of_the_table(name, expected):
    from domain.params import values_of

    assert values_of(make(name, {})) == expected


def test_a_breakout_left_to_a_model_needs_one(b):
    from domain.strategies.base import refuse_without_model, unfiltered

    by_model = make("breakout", dict(fake_filter="model"))
    with pytest.raises(BadRequest, match="no model is named for the run"):
        refuse_without_model(by_model, False)
    refuse_without_model(by_model, True)
    assert unfiltered(by_model) == make("breakout", {})
    assert table_of(b, "breakout", fake_filter="model").equals(table_of(b, "breakout"))


def test_no_run_and_no_sweep_takes_breakouts_that_no_model_has_judged(b):
    from domain.backtest import study
    from domain.backtest.bench import Bench
    from domain.trading.rules import Rules

    by_model, series = make("breakout", dict(fake_filter="model")), study.Series(b.context.instrument, b.context.timeframe, b.bars)
    with pytest.raises(BadRequest, match="no model is named for the run"):
        study.run([series], Rules(), by_model)
    with pytest.raises(BadRequest, match="no model is named for the run"):
        Bench([series]).signals(by_model)
