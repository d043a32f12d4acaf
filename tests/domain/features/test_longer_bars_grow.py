"""Longer bars and their columns, bar by bar, are those of the whole table to the last bit: in breaks and weekends, on holidays, over changes of the clock, and begun at any bar."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features import Context, compute, parse
from domain.features.stream import Stream
from domain.market.bars import frame, ts_of
from domain.market.calendar import CALENDARS, bar_ends, ends_of
from domain.market.instrument import instrument
from domain.market.longer_bars import LongerBars
from domain.market.resample import resample
from domain.market.timeframe import TIMEFRAMES, Timeframe
from domain.outside.timed_values import TimedValues

CASES = int(os.environ.get("TIDEMARK_CASES", "8"))
SECOND = 1_000_000_000
BEGINNINGS = ("2024-03-07", "2024-03-27", "2024-07-02", "2024-07-11", "2024-10-25", "2024-10-31", "2024-12-22", "2024-12-29")     # clocks change, holidays, ordinary days
FEATURES = ("rsi(2)", "atr(2)", "sma(2)", "obv", "relative_volume(2)", "spread_to_usual(2)", "minute_of_day_sine", "distance_to_previous_day_high")
READS_BESIDE = ("relative_strength(1)", "vix_zscore(3)", "sentiment(24.0)")
COLUMNS = ("open", "high", "low", "close", "volume", "spread")


def bars_at(rng: np.random.Generator, opens: np.ndarray, end: np.ndarray | None) -> pd.DataFrame:
    close = 1.1 + np.cumsum(rng.normal(0, 1e-3, len(opens)))
    wide = rng.uniform(0, 1e-3, (2, len(opens)))
    volume, spread = (np.where(rng.random(len(opens)) < 0.1, np.nan, rng.gamma(2.0, scale, len(opens))) for scale in (1.7, 1e-5))
    return frame(opens, open=np.r_[close[:1], close[:-1]], high=close + wide[0] + 0.01, low=close - wide[1] - 0.01, close=close, volume=volume, spread=spread, end=end)


def case(seed: int) -> tuple[pd.DataFrame, Context, list[str]]:
    """Bars of several days around the clock, whatever the calendar says, with bars and stretches missing; some begin late and end before or after their time."""
    rng = np.random.default_rng(seed)
    source = TIMEFRAMES[int(rng.integers(0 if seed % 8 == 7 else 1, len(TIMEFRAMES) - 1))]
    market = list(CALENDARS)[int(rng.integers(len(CALENDARS)))]
    step, count = source.nanoseconds, min(900, 9 * 86_400 * SECOND // source.nanoseconds)
    begin = pd.Timestamp(BEGINNINGS[int(rng.integers(len(BEGINNINGS)))], tz="UTC").value + int(rng.integers(86_400)) * SECOND
    opens = begin // step * step + step * np.arange(count)
    kept = rng.random(count) > rng.choice([0.0, 0.1, 0.5])
    for _ in range(int(rng.integers(3))):
        first = int(rng.integers(count))
        kept[first : first + int(rng.integers(count // 3))] = False
    context = beside(rng, Context(replace(instrument("EURUSD"), calendar=market), source), opens)
    opens = opens[kept]
    if rng.random() < 0.5:
        return bars_at(rng, opens, None), context, longer_than(source)
    late = opens + np.where(rng.random(len(opens)) < 0.2, rng.integers(0, step // SECOND, len(opens)), 0) * SECOND
    ends = opens + step - np.where(rng.random(len(opens)) < 0.1, rng.integers(0, step // SECOND, len(opens)), 0) * SECOND
    ends = np.where(rng.random(len(opens)) < 0.1, ends + step, ends)
    ends = np.minimum(np.maximum(ends, late + SECOND), np.r_[late[1:], ends[-1] + step])
    return bars_at(rng, late, ends), context, longer_than(source)


def beside(rng: np.random.Generator, context: Context, opens: np.ndarray) -> Context:
    """Another instrument, an external series and headlines, at any time, the first two mostly at the same times as the bars."""
    times = [np.sort(rng.choice(opens, len(opens) * 2 // 3, replace=False)) + rng.choice([0, 0, 7 * SECOND]) for _ in range(3)]
    other, vix, news = (TimedValues(at, 1.0 + rng.random(len(at))) for at in times)
    return replace(context, others={"GBPUSD": other}, macro={"VIX": vix}, headlines=news)


def longer_than(source: Timeframe) -> list[str]:
    return [str(timeframe) for timeframe in TIMEFRAMES if timeframe > source]


def beginnings(bars: pd.DataFrame, rng: np.random.Generator) -> list[int]:
    """Where streams begin: with nothing, at any bar, and where the calendar's day may change."""
    hours = bars["ts"].dt.hour.to_numpy()
    late = np.flatnonzero((hours >= 18) | (hours <= 1))
    return sorted({0, *rng.integers(len(bars), size=2).tolist(), *(rng.choice(late, 3).tolist() if len(late) else ())})


@pytest.mark.parametrize("seed", range(CASES))
def test_longer_bars_that_grow_are_those_of_the_whole_table(seed):
    bars, context, timeframes = case(seed)
    ends, rows = ends_of(bars, context.timeframe, context.calendar).tolist(), bars[list(COLUMNS)].to_numpy().tolist()
    for name in timeframes:
        timeframe = Timeframe.named(name)
        growing, grown, known = LongerBars(timeframe, context.calendar), [], []
        for at, end, row in zip(ts_of(bars).tolist(), ends, rows, strict=True):
            ended = growing.append(at, end, row)
            grown += ended
            known += [end] * len(ended)
        wanted = resample(bars, context.timeframe, timeframe, context.calendar)
        wanted_ends = bar_ends(ts_of(wanted), timeframe, context.calendar)
        finished = int(np.searchsorted(wanted_ends, ends[-1], side="right"))
        assert [bar["ts"] for bar in grown] == ts_of(wanted)[:finished].tolist(), name
        assert [bar["end"] for bar in grown] == wanted_ends[:finished].tolist(), name
        assert known == [next(end for end in ends if end >= at) for at in wanted_ends[:finished]], name
        np.testing.assert_array_equal(np.reshape([[bar[column] for column in COLUMNS] for bar in grown], (-1, 6)), wanted[list(COLUMNS)].to_numpy()[:finished], err_msg=name)


@pytest.mark.parametrize("seed", range(CASES))
def test_a_stream_begun_at_any_bar_has_the_columns_of_the_whole_table(seed):
    bars, context, timeframes = case(seed)
    rng = np.random.default_rng(seed)
    uses = [parse(f"{text}@{name}") for name in timeframes for text in (*rng.choice(FEATURES, 4, replace=False), rng.choice(READS_BESIDE))]
    full = compute(bars, uses, context)[[use.column for use in uses]].to_numpy()
    records, ends = bars.to_dict("records"), context.ends(bars).tolist()

    def known(instant: int):
        return tuple({name: float(values.at(np.array([instant]))[0]) for name, values in family.items()} for family in (context.others, context.macro))

    for start in beginnings(bars, rng):
        seen = context.until(ends[start - 1] if start else 0)
        stream = Stream(bars.iloc[:start], uses, replace(seen, headlines=context.headlines))
        stop = min(start + 120, len(bars))
        appended = [list(stream.append(bar, *known(end), earlier=known).values()) for bar, end in zip(records[start:stop], ends[start:stop], strict=True)]
        np.testing.assert_array_equal(np.reshape(appended, (-1, len(uses))), full[start:stop], err_msg=f"begun at {start}")
        np.testing.assert_array_equal(compute(bars.iloc[:start], uses, seen)[[use.column for use in uses]].to_numpy(), full[:start], err_msg=f"cut at {start}")


def test_a_bar_in_the_break_belongs_to_the_next_day_and_the_day_before_ends_as_it_does_without_it():
    opens = pd.Timestamp("2024-07-17 17:00", tz="UTC").value + 900 * SECOND * np.arange(40)       # gold is shut from 21:00 to 22:00
    bars, context = bars_at(np.random.default_rng(1), opens, None), Context(instrument("XAUUSD"), Timeframe.named("M15"))
    stream = Stream(bars.iloc[:10], [parse("sma(1)@H4"), parse("sma(1)@D1")], context)
    four, day = zip(*(stream.append(bar).values() for bar in bars.iloc[10:].to_dict("records")), strict=True)
    close = bars["close"].to_numpy()
    changes = {str(bars["ts"].iloc[10 + k])[11:16]: four[k] for k in range(len(four)) if k and four[k] != four[k - 1]}
    assert changes == {"21:45": close[15], "01:45": close[35]}        # known at 22:00, with the last close before 21:00, and at 02:00
    assert day[4] != day[5] == close[15] == day[-1]                   # the day is known at 21:00


def test_a_bar_that_falls_into_a_longer_one_that_has_ended_is_refused():
    longer = LongerBars(Timeframe.named("H1"), "fx")
    minute = 60 * SECOND
    assert longer.append(0, 60 * minute, [1.0] * 6)
    with pytest.raises(BadRequest, match=r"falls into the H1 bar of 1970-01-01T00:00:00\.0+, which has ended"):
        longer.append(30 * minute, 60 * minute, [1.0] * 6)
