from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadRequest
from domain.market import bar_ends, calendar, check, frame, join_closed, resample, ts_of
from domain.market.zones import HOUR
from tests.domain.market.makers import D1, H1, H4, M1, M5, M15, M30, bars_at, fx_bars, ns, texts


def slowly(bars: pd.DataFrame, target, calendar_name: str) -> list[tuple]:
    """One longer bar at a time, by the sentence: up to H1 on multiples of UTC, beyond from the open of the trading day."""
    market, groups = calendar(calendar_name), {}
    for row in bars.itertuples(index=False):
        t = row.ts.value
        if target.nanoseconds <= HOUR:
            key = t - t % target.nanoseconds
        else:
            opens = int(market.session_of(t)[0]) if len(market.windows) == 1 else int(market.day_table.opens[market.day_of(t)])
            key = opens if target is D1 else opens + (t - opens) // target.nanoseconds * target.nanoseconds
        groups.setdefault(key, []).append(row)
    return [(key, g[0].open, max(r.high for r in g), min(r.low for r in g), g[-1].close, sum(r.volume for r in g)) for key, g in sorted(groups.items())]


@pytest.mark.parametrize("calendar_name", ["fx", "metal", "cme", "grain"])
@pytest.mark.parametrize("target", [M5, M15, M30, H1, H4, D1])
def test_longer_bars_are_what_the_sentence_says(calendar_name, target):
    bars = fx_bars("2024-03-06T05:00", "2024-03-13T05:00", M5, calendar_name)
    bars["volume"] = np.arange(len(bars), dtype=float)
    bars = bars[np.random.default_rng(3).random(len(bars)) > 0.2].reset_index(drop=True)
    longer = resample(bars, M5, target, calendar_name, partial=True)
    check(longer)
    expected = slowly(bars, target, calendar_name)
    assert list(zip(ts_of(longer).tolist(), longer.open, longer.high, longer.low, longer.close, longer.volume, strict=True)) == expected


def test_an_fx_day_has_six_four_hour_bars_and_closes_at_five_in_new_york():
    day = fx_bars("2024-01-09T22:00", "2024-01-10T22:00", M1)
    assert [t[11:] for t in texts(ts_of(resample(day, M1, H4, "fx")))] == ["22:00", "02:00", "06:00", "10:00", "14:00", "18:00"]
    assert texts(ts_of(resample(day, M1, D1, "fx"))) == ["2024-01-09T22:00"]


@pytest.mark.parametrize(("last", "remaining"), [("2024-07-10T10:59", 11), ("2024-07-10T10:58", 10)])
def test_a_last_bar_that_is_not_over_is_left_out_unless_requested(last, remaining):
    bars = fx_bars("2024-07-10T00:00", "2024-07-11T00:00", M1)
    bars = bars[bars["ts"] <= pd.Timestamp(last, tz="UTC")]
    assert len(resample(bars, M1, H1, "fx")) == remaining
    assert len(resample(bars, M1, H1, "fx", partial=True)) == 11


def test_the_last_short_bar_of_a_day_ends_it():
    """A metal day ends an hour before its last H4 bar would: with the day the bar is over."""
    bars = fx_bars("2024-07-09T22:00", "2024-07-10T21:00", M5, "metal")
    assert texts(ts_of(resample(bars, M5, H4, "metal"))[-1:]) == ["2024-07-10T18:00"]
    assert len(resample(bars, M5, D1, "metal")) == 1


def test_spread_is_the_mean_of_what_is_known_and_volume_the_sum():
    bars = fx_bars("2024-07-10T00:00", "2024-07-10T00:10", M1).assign(volume=[1.0] * 9 + [np.nan], spread=[0.1, 0.3, np.nan, np.nan, 0.2] + [np.nan] * 5)
    longer = resample(bars, M1, M5, "fx")
    assert longer["volume"].tolist() == [5.0, 4.0] and longer["spread"][0] == pytest.approx(0.2) and np.isnan(longer["spread"][1])


def test_what_lies_between_two_trading_days_is_known_with_the_next():
    """A stray bar of the daily break must not enter a day that has ended."""
    stray = bars_at(np.array([ns("2024-07-10T20:55"), ns("2024-07-10T21:30"), ns("2024-07-10T22:00")]))
    days = resample(stray, M5, D1, "metal", partial=True)
    assert texts(ts_of(days)) == ["2024-07-09T22:00", "2024-07-10T22:00"]
    assert days["open"][1] == stray["open"][1]


@pytest.mark.parametrize("target", [M15, H1, H4, D1])
def test_nothing_is_in_a_bar_from_after_its_end(target):
    bars = fx_bars("2024-01-02", "2024-02-20", M5)
    bars = bars[np.random.default_rng(5).random(len(bars)) > 0.5].reset_index(drop=True)
    longer = resample(bars, M5, target, "fx")
    ends, low_ends = bar_ends(ts_of(longer), target, "fx"), bar_ends(ts_of(bars), M5)
    full = resample(bars, M5, target, "fx", partial=True)
    inside = np.searchsorted(ts_of(full), ts_of(bars), side="right") - 1
    complete = inside < len(longer)
    assert (low_ends[complete] <= ends[inside[complete]]).all()


def test_finer_is_refused_and_the_same_is_the_same():
    bars = fx_bars("2024-07-10", "2024-07-11", H1)
    with pytest.raises(BadRequest, match="H1 bars cannot become M5: what happened inside them is not known; choose H4 or D1"):
        resample(bars, H1, M5, "fx")
    assert resample(bars, H1, H1, "fx").equals(bars)
    with pytest.raises(BadRequest, match="there is no longer one"):
        resample(bars, D1, H4, "fx")


def test_in_two_steps_as_in_one():
    bars = fx_bars("2024-01-02", "2024-02-01", M1)
    assert resample(resample(bars, M1, M5, "fx"), M5, H1, "fx").equals(resample(bars, M1, H1, "fx"))


def test_no_bars_stay_no_bars():
    empty = np.empty(0)
    assert not len(resample(frame(np.empty(0, np.int64), open=empty, high=empty, low=empty, close=empty), M1, H1, "fx"))


@settings(max_examples=100)
@given(low=st.lists(st.integers(0, 50), max_size=20).map(sorted), high=st.lists(st.integers(0, 50), max_size=8).map(sorted))
def test_the_joined_bar_is_the_last_that_has_closed(low, high):
    joined = join_closed(np.array(low, np.int64), np.array(high, np.int64))
    assert joined.tolist() == [max([k for k, end in enumerate(high) if end <= moment], default=-1) for moment in low]


@settings(max_examples=25)
@given(cut=st.integers(1, 600), target=st.sampled_from([M15, H1, H4, D1]))
def test_what_is_known_of_longer_bars_never_changes(cut, target):
    """The joined longer bars of the first rows are the same whether or not more rows follow."""
    bars = fx_bars("2024-07-08", "2024-07-12", M5)
    part = bars.iloc[:cut]

    def known(rows: pd.DataFrame) -> np.ndarray:
        longer = resample(rows, M5, target, "fx")
        at = join_closed(bar_ends(ts_of(rows), M5), bar_ends(ts_of(longer), target, "fx"))
        close = np.r_[longer["close"].to_numpy(), np.nan]
        return close[at]

    np.testing.assert_array_equal(known(part), known(bars)[:cut])
