from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadBars, UnknownName
from domain.market import check, content_version, frame
from tests.domain.market.makers import H1, M1, M5, bars_at, fx_bars


def with_value(column: str, row: int, value: float) -> pd.DataFrame:
    bars = fx_bars("2024-07-10", "2024-07-11", M5)
    bars["spread"] = 0.0001
    bars.loc[row, column] = value
    return bars


@pytest.mark.parametrize(
    ("bars", "sentence"),
    [
        (with_value("high", 3, 0.5), "is above the high 0.5"),
        (with_value("close", 0, np.nan), "row 0 (2024-07-10 00:00): the close is not a number"),
        (with_value("low", 2, -1.0), "row 2 (2024-07-10 00:10): the low is not above 0"),
        (with_value("open", 1, np.inf), "row 1 (2024-07-10 00:05): the open is not a number"),
        (with_value("spread", 9, -0.1), "row 9 (2024-07-10 00:45): the spread -0.1 is negative or infinite; unknown is NaN"),
        (with_value("spread", 9, 1.0).iloc[::-1].reset_index(drop=True), "is not after the row before it; sort the bars and merge duplicates"),
        (with_value("spread", 9, 1.0).iloc[5:], "bars need a plain index 0, 1, 2 …; call reset_index(drop=True)"),
        (with_value("spread", 9, 1.0).rename(columns={"open": "Open"}), "bars have a column 'Open'; they may have ts, open, high, low, close, volume, spread"),
        (with_value("spread", 9, 1.0).drop(columns="close"), "bars have no column 'close'"),
        (with_value("spread", 9, 1.0).astype({"high": "float32"}), "high is float32; it must be float64"),
    ],
)  # fmt: skip
def test_bars_that_break_the_contract_are_refused_with_their_row(bars, sentence):
    with pytest.raises(BadBars, match=re.escape(sentence)):
        check(bars)


def test_naive_or_coarse_times_are_refused():
    bars = fx_bars("2024-07-10", "2024-07-11", H1)
    for ts in (bars["ts"].dt.tz_localize(None), bars["ts"].dt.as_unit("us")):
        with pytest.raises(BadBars, match="it must be datetime64\\[ns, UTC\\]"):
            check(bars.assign(ts=ts))


def test_good_bars_come_back_unchanged_and_negative_prices_only_when_allowed():
    bars = bars_at(np.arange(5) * 60 * 10**9, level=-37.63)
    assert check(bars, negative_prices=True) is bars
    with pytest.raises(BadBars, match="is not above 0"):
        check(bars)


def test_no_bars_are_good_bars():
    empty = np.empty(0)
    check(frame(np.empty(0, np.int64), open=empty, high=empty, low=empty, close=empty))


def test_versions_never_change():
    """These strings are the format: if one changes, every stored dataset loses its name."""
    ts = np.array([1_720_569_600_000_000_000, 1_720_569_900_000_000_000])
    p = np.array([1.1, 1.2])
    plain = frame(ts, open=p, high=p, low=p, close=p)
    full = frame(ts, open=p, high=p, low=p, close=p, volume=np.array([3.0, 0.0]), spread=np.array([0.0001, np.nan]))
    none = frame(ts[:0], open=p[:0], high=p[:0], low=p[:0], close=p[:0])
    assert content_version(plain, "EURUSD", M5, "bid") == "b0fb76860ddacc8be4248a1604692e195a5387f209b4dccfdeb02ffa14749186"
    assert content_version(full, "EURUSD", M5, "bid") == "729afd94edf477ee72ca5812d938a76b999b09edf74522d17086ea4214720796"
    assert content_version(none, "XAUUSD", H1, "mid") == "7f8e2ebd07b7d851543dbc4c2493efaa43737383d99c2799c9dce1b05277a16c"


def test_minus_zero_and_every_nan_are_one():
    ts, p = np.array([0, 1]), np.ones(2)
    odd = np.array([0x7FF8_0000_0000_0001, 0], np.int64).view(np.float64)
    a = frame(ts, open=p, high=p, low=p, close=p, spread=np.array([np.nan, 0.0]))
    b = frame(ts, open=p, high=p, low=p, close=p, spread=np.array([odd[0], -0.0]))
    assert content_version(a, "EURUSD", M1, "bid") == content_version(b, "EURUSD", M1, "bid")


@settings(max_examples=30)
@given(rows=st.integers(1, 40), row=st.integers(0, 39), column=st.sampled_from(["ts", "open", "high", "low", "close", "volume"]))
def test_any_change_of_any_value_changes_the_version(rows, row, column):
    bars = bars_at(np.arange(rows) * 60 * 10**9).assign(volume=1.0)
    changed = bars.copy()
    row %= rows
    if column == "ts":
        changed.loc[row, "ts"] += pd.Timedelta(1, "ns")
    else:
        changed.loc[row, column] = np.nextafter(changed.loc[row, column], 9.0)
    assert content_version(bars, "EURUSD", M1, "bid") != content_version(changed, "EURUSD", M1, "bid")


def test_the_version_is_also_of_the_identity_and_of_which_columns_there_are():
    bars = fx_bars("2024-07-10", "2024-07-11")
    versions = {
        content_version(bars, "EURUSD", M5, "bid"), content_version(bars, "GBPUSD", M5, "bid"), content_version(bars, "EURUSD", M1, "bid"),
        content_version(bars, "EURUSD", M5, "ask"), content_version(bars.assign(spread=np.nan), "EURUSD", M5, "bid"), content_version(bars.iloc[:-1], "EURUSD", M5, "bid"),
    }  # fmt: skip
    assert len(versions) == 6


def test_the_version_does_not_depend_on_where_the_hash_is_cut():
    bars = bars_at(np.arange(300_000) * 60 * 10**9)
    import domain.market.bars as module

    before, module.CHUNK = module.CHUNK, 1000
    try:
        small = content_version(bars, "EURUSD", M1, "bid")
    finally:
        module.CHUNK = before
    assert small == content_version(bars, "EURUSD", M1, "bid")


def test_an_unknown_side_is_given_the_nearest():
    with pytest.raises(UnknownName, match="no side named 'bidd'; did you mean 'bid'"):
        content_version(fx_bars("2024-07-10", "2024-07-11"), "EURUSD", M5, "bidd")
