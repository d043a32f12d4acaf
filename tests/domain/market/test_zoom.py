"""Candles of any stretch of a series, against a plain loop over its bars."""

from __future__ import annotations

import os

import numpy as np
import pytest

from domain.market.zoom import Window, candles_of, counts, last_values, size_for, window

CASES = int(os.environ.get("TIDEMARK_CASES", "40"))


def bars(rows: int, seed: int, offset: float = 0.0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    close = offset + np.cumsum(draw.normal(size=rows))
    opened = close + draw.normal(size=rows)
    spread = draw.uniform(0.0, 2.0, rows)
    gaps = np.cumsum(draw.choice([60, 120, 172_800], rows, p=[0.9, 0.08, 0.02]))       # missing bars and weekends
    return dict(ts=gaps * 1_000_000_000, open=opened, high=np.maximum(opened, close) + spread, low=np.minimum(opened, close) - spread, close=close, volume=draw.integers(0, 9, rows).astype(float))


def by_hand(series: dict[str, np.ndarray], view: Window) -> list[tuple]:
    rows = []
    for start in range(view.first, view.last, view.size):
        part = range(start, min(start + view.size, view.last))
        rows.append((start, series["ts"][start], series["open"][start], max(series["high"][k] for k in part), min(series["low"][k] for k in part), series["close"][part[-1]], sum(series["volume"][k] for k in part), len(part)))
    return rows


@pytest.mark.parametrize("seed", range(CASES))
def test_candles_are_those_of_a_loop_over_the_bars_at_any_window_with_gaps_and_negative_prices(seed):
    draw = np.random.default_rng(1_000 + seed)
    rows = int(draw.integers(1, 700))
    series = bars(rows, seed, float(draw.choice([0.0, -40.0, 1_000.0])))
    first = float(draw.uniform(-50, rows))
    view = window(first, first + float(draw.uniform(0, rows)), rows, int(draw.integers(1, 60)), float(draw.choice([0.0, 1.0])))
    shown = candles_of(series, view)
    expected = by_hand(series, view)
    for k, name in enumerate(("row", "ts", "open", "high", "low", "close", "volume", "bars")):
        assert shown[name].tolist() == [candle[k] for candle in expected], name
    assert last_values(series["close"], view).tolist() == shown["close"].tolist()
    assert view.first % view.size == 0 and 0 <= view.first < view.last <= rows and int(shown["bars"].sum()) == view.last - view.first
    assert (shown["bars"][:-1] == view.size).all() and (view.last == rows or shown["bars"][-1] == view.size), "only the last candle of the series may hold fewer bars"


def test_a_candle_holds_the_same_bars_wherever_the_view_stands():
    series = bars(5_000, 3)
    one, other = (window(first, first + 2_000, 5_000, 100) for first in (800, 1_013))
    assert one.size == other.size == 32
    both = sorted({*one.starts} & {*other.starts})[1:-1]
    shown = [{int(row): values for row, *values in zip(*(candles_of(series, view)[name].tolist() for name in ("row", "open", "high", "low", "close", "bars")), strict=True)} for view in (one, other)]
    assert len(both) > 100 and all(shown[0][row] == shown[1][row] for row in both)


def test_the_last_bar_of_the_series_is_the_close_of_the_last_candle_and_none_is_left_out():
    series = bars(1_001, 5)
    view = window(0, 1_001, 1_001, 100)
    shown = candles_of(series, view)
    assert shown["close"][-1] == series["close"][-1] and shown["bars"][-1] == 1_001 % 16 and shown["high"].max() == series["high"].max() and shown["low"].min() == series["low"].min()


def test_a_view_deep_enough_shows_single_bars():
    series = bars(100_000, 6)
    view = window(50_000, 50_300, 100_000, 360)
    shown = candles_of(series, view)
    assert view == Window(49_700, 50_600, 1) and (shown["bars"] == 1).all() and shown["open"].tolist() == series["open"][49_700:50_600].tolist()


def test_a_view_never_has_more_candles_than_its_budget_and_at_most_three_times_as_many_are_loaded():
    for rows in (1, 2, 999, 1_300_000):
        for budget in (1, 120, 480):
            view = window(0, rows, rows, budget)
            assert len(view.starts) <= budget
            middle = window(0.4 * rows, 0.5 * rows, rows, budget)
            assert len(middle.starts) <= 3 * budget + 2
    assert [size_for(bars_, 100) for bars_ in (100, 101, 200, 201)] == [1, 2, 2, 4]


def test_every_fill_inside_the_window_is_counted_once():
    rows = np.sort(np.random.default_rng(9).integers(0, 10_000, 3_000))
    view = window(2_000, 6_000, 10_000, 50)
    assert counts(rows, view).sum() == ((rows >= view.first) & (rows < view.last)).sum() and len(counts(rows, view)) == len(view.starts)
