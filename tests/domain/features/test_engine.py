"""How columns are computed: once, from nothing that is changed, cached by what they are made of, longer ones when they have closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features import FEATURES, Context, compute, parse, use, warm_up_of
from domain.features.engine import FeatureTable, code_of
from domain.features.stream import Stream
from domain.market.bars import ts_of
from domain.market.resample import resample
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues
from tests.domain.features.world import market

BARS, CONTEXT = market(1_500)


class Counted(dict):
    """A cache that knows how often it was asked for what it had."""

    hits = 0

    def __getitem__(self, key):
        self.hits += 1
        return super().__getitem__(key)


def columns(texts, bars=BARS, context=CONTEXT, cache=None) -> pd.DataFrame:
    return compute(bars, [parse(text) for text in texts], context, cache)


def test_an_input_that_two_features_share_is_computed_once(monkeypatch):
    calls = []
    spec = FEATURES["true_range"]
    monkeypatch.setitem(FEATURES._things, "true_range", replace(spec, function=lambda *inputs: calls.append(1) or spec.function(*inputs)))
    columns(["atr(14)", "atr(20)", "true_range", "atr_ratio(14, 100)"])
    assert len(calls) == 1


def test_a_column_comes_from_the_cache_the_second_time_and_is_the_same():
    cache = Counted()
    first = columns(["rsi(14)", "zscore(20)"], cache=cache)
    size = len(cache)
    before = cache.hits
    second = columns(["rsi(14)", "zscore(20)"], cache=cache)
    assert size >= 1 and len(cache) == size and cache.hits > before
    pd.testing.assert_frame_equal(first, second)


def test_other_bars_parameters_or_surroundings_are_other_columns_in_the_cache():
    cache: dict = {}
    columns(["zscore(20)"], cache=cache)
    columns(["zscore(21)"], cache=cache)
    columns(["zscore(20)"], BARS.assign(close=BARS["close"] + np.where(np.arange(len(BARS)) == 700, 1e-5, 0.0)), cache=cache)
    columns(["zscore(20)"], context=replace(CONTEXT, macro={}), cache=cache)
    assert len(cache) == 4


def test_other_code_is_another_key(monkeypatch, tmp_path):
    source = tmp_path / "kernel.py"
    source.write_text("a = 1")
    monkeypatch.setattr("domain.features.engine.KERNELS", tmp_path)
    code_of.cache_clear()
    before = code_of("zscore")
    source.write_text("a = 2")
    code_of.cache_clear()
    after = code_of("zscore")
    code_of.cache_clear()
    assert before != after


def test_bars_are_not_changed_and_stand_first():
    before = BARS.copy(deep=True)
    frame = columns(["atr(14)", "rsi(14)"])
    pd.testing.assert_frame_equal(BARS, before)
    assert list(frame) == [*BARS, "atr(14)", "rsi(14)"]
    assert columns([]) is BARS


@pytest.mark.parametrize("text", ["atr(14)@H1", "sma(5)@H4", "roc(2)@D1"])
def test_a_longer_bar_is_known_from_its_end_on_and_not_before(text):
    use_ = parse(text)
    longer = resample(BARS, CONTEXT.timeframe, Timeframe.named(use_.timeframe), "fx")
    values = FeatureTable(longer, CONTEXT.on(Timeframe.named(use_.timeframe))).column(use(use_.name, **dict(use_.params)))
    ends, high = CONTEXT.ends(BARS), CONTEXT.on(Timeframe.named(use_.timeframe)).ends(longer)
    wanted = [next((values[k] for k in range(len(high) - 1, -1, -1) if high[k] <= end), np.nan) for end in ends]
    np.testing.assert_array_equal(columns([text])[text], wanted)
    assert np.isfinite(wanted).any()


def test_bars_of_a_longer_timeframe_may_be_brought():
    longer = resample(BARS, CONTEXT.timeframe, Timeframe.named("H1"), "fx")
    given = replace(CONTEXT, longer={"H1": longer.assign(close=longer["close"] + 1.0)})
    np.testing.assert_allclose(columns(["sma(3)@H1"], context=given)["sma(3)@H1"], columns(["sma(3)@H1"])["sma(3)@H1"] + 1.0)


def test_a_stream_refuses_a_bar_that_comes_late():
    stream = Stream(BARS.iloc[:50], [use("sma")], CONTEXT)
    with pytest.raises(BadRequest, match="in order"):
        stream.append(BARS.iloc[49])


def test_what_is_not_known_of_bars_or_around_them_is_nan():
    bare = BARS[["ts", "open", "high", "low", "close"]]
    frame = columns(["mfi(14)", "spread_to_atr", "vix_zscore(60)"], bare, Context(CONTEXT.instrument, CONTEXT.timeframe))
    assert frame[["mfi(14)", "spread_to_atr", "vix_zscore(60)"]].isna().all(axis=None)


def test_values_are_joined_when_they_were_published():
    ends = CONTEXT.ends(BARS)
    vix = TimedValues(np.array([ends[10], ends[20] + 1]), np.array([1.0, 2.0]))
    joined = FeatureTable(BARS, replace(CONTEXT, macro={"VIX": vix})).input("macro")["VIX"]
    assert np.isnan(joined[:10]).all() and (joined[10:21] == 1.0).all() and (joined[21:] == 2.0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("atrr(14)", "did you mean 'atr'"), ("atr(windw=3)", "did you mean 'window'"), ("atr(0)", "whole number above 0"), ("atr(1.5)", "whole number above 0"),
        ("atr(x)", "whole number above 0"), ("atr(1, 2)", "more parameters"), ("atr(14", "is no feature"), ("atr@H2", "H1"), ("", "is no feature"),
        ("bollinger_upper(20, nan)", "must be a number"),
    ],
)  # fmt: skip
def test_a_use_that_cannot_be_read_is_reported_with_what_is_wrong(text, message):
    with pytest.raises((BadRequest, UnknownName), match=message):
        parse(text)


def test_a_use_is_written_as_it_is_read():
    for name in FEATURES:
        for use_ in (use(name), use(name, "H1")):
            assert parse(use_.column) == use_


def test_longer_bars_need_the_timeframe_of_these():
    with pytest.raises(BadRequest, match="timeframe"):
        compute(BARS, [parse("sma(3)@H1")])


def test_a_feature_that_gives_no_value_a_bar_is_refused(monkeypatch):
    spec = FEATURES["sma"]
    monkeypatch.setitem(FEATURES._things, "sma", replace(spec, function=lambda close, window: close[:-1]))
    with pytest.raises(BadRequest, match="one value a bar"):
        compute(BARS, [use("sma")])


def test_times_out_of_order_are_refused():
    with pytest.raises(BadRequest, match="times of VIX are not in order"):
        Context(macro={"VIX": TimedValues(np.array([2, 1]), np.zeros(2))})


def test_the_warm_up_of_longer_bars_counts_shorter_ones():
    assert warm_up_of(parse("sma(3)@H1"), CONTEXT) == 3 * 4 - 1
    assert warm_up_of(parse("sma(3)@H1")) == 2
    assert ts_of(BARS)[0] < ts_of(BARS)[1]
