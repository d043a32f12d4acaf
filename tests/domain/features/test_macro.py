"""Outside series: when they are known, how their files are read, and their scores against loops."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features import Context, compute, use
from domain.features import macro as features
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.outside.series import read_series, series
from domain.outside.timed_values import TimedValues
from tests.domain.features.world import market

DATA = Path(os.environ.get("TIDEMARK_DATA", ""), "macro")
DAY, HOUR = 86_400_000_000_000, 3_600_000_000_000
CAUSAL = ("macro_zscore", "dollar_zscore", "vix_zscore", "yield_zscore", "rate_differential", "rate_differential_zscore")


def slow_score(values: np.ndarray, ts: np.ndarray, window: int) -> np.ndarray:
    """From the sentence: the last value of each day, the present one so far."""
    computed = []
    for i in range(len(values)):
        by_day = {int(t // DAY): v for t, v in zip(ts[: i + 1], values[: i + 1], strict=True) if not np.isnan(v)}
        days = list(by_day.values())[-window:]
        if np.isnan(values[i]) or len(days) < min(window, 5):
            computed.append(np.nan)
        else:
            computed.append((values[i] - np.mean(days)) / np.std(days) if np.std(days) > 1e-9 else 0.0)
    return np.array(computed)


@pytest.mark.parametrize("window", (1, 3, 5, 10, 60))
def test_a_score_is_of_days_not_of_bars(window):
    rng = np.random.default_rng(3)
    ts = np.sort(rng.choice(np.arange(0, 40 * 24), 500, replace=False)) * HOUR + 900 * DAY
    values = np.round(np.cumsum(rng.normal(0, 1, 500)) * (rng.random(500) < 0.1), 2)
    values[:7] = np.nan
    np.testing.assert_allclose(features.dollar_zscore({"DXY": values}, ts, window=window), slow_score(values, ts, window), atol=1e-9)


def test_it_does_not_matter_how_long_the_bars_of_a_day_are():
    days = np.arange(100) * DAY
    daily = np.cumsum(np.random.default_rng(4).normal(0, 1, 100))
    hourly = features.vix_zscore({"VIX": np.repeat(daily, 24)}, np.repeat(days, 24) + np.tile(np.arange(24) * HOUR, 100), window=20)
    np.testing.assert_array_equal(hourly[23::24], features.vix_zscore({"VIX": daily}, days, window=20))


def test_a_rate_that_stays_scores_zero_and_moves_off_it_after_a_decision():
    days = np.arange(30) * DAY
    computed = features.yield_zscore({"US10Y": np.r_[np.full(15, 4.1), np.full(15, 4.35)]}, days, window=10)
    assert np.isnan(computed[:4]).all() and (computed[4:15] == 0).all() and computed[15] == pytest.approx(3.0) and (computed[24:] == 0).all()
    assert (np.diff(computed[15:25]) < 0).all(), "back within the window"


def test_the_differential_is_base_less_quote():
    rates = {"EU_RATE": [4.0], "US_RATE": [5.25], "JP_RATE": [0.1]}
    for name, wanted in (("EURUSD", -1.25), ("USDJPY", 5.15), ("XAUUSD", -5.25), ("EURJPY", 3.9)):
        assert features.rate_differential([1.0], rates, instrument(name))[0] == pytest.approx(wanted)
    for name in ("GBPUSD", "US500", "CL=F"):
        assert np.isnan(features.rate_differential([1.0], rates, instrument(name))).all()


def test_a_value_is_seen_by_the_first_bar_that_ends_when_it_is_out():
    bars, context = market(400)
    ends = context.ends(bars)
    out = int(ends[100])
    column = compute(bars, [use("rate_differential")], Context(context.instrument, context.timeframe, macro={"EU_RATE": TimedValues(np.array([0, out]), np.array([1.0, 3.0])), "US_RATE": TimedValues(np.array([0]), np.array([0.0]))}))
    assert column["rate_differential"].tolist() == [1.0] * 100 + [3.0] * 300


def test_without_series_there_is_nothing_to_say():
    bars, context = market(300)
    frame = compute(bars, [use(name) for name in CAUSAL], Context(context.instrument, context.timeframe))
    assert frame[[use(name).column for name in CAUSAL]].isna().all().all()


@pytest.mark.parametrize("name", CAUSAL)
def test_what_is_not_known_yet_changes_nothing(name):
    bars, context = market(1_500)
    use_ = use(name)
    full = compute(bars, [use_], context)[use_.column].to_numpy()
    assert np.isfinite(full[-300:]).all()
    for cut in (2, 451, 1_201):
        part = compute(bars.iloc[:cut], [use_], context.until(int(context.ends(bars)[cut - 1])))[use_.column].to_numpy()
        np.testing.assert_array_equal(part, full[:cut])


def test_every_series_says_what_it_is_and_when_it_is_known():
    for name, row in series().items():
        assert row.title and row.unit and row.source and row.file, name
        assert (row.weekdays > 0) != (row.days > 0), f"{name}: weekdays or days, one of them"
        dates = np.arange(np.datetime64("2024-01-01"), np.datetime64("2026-01-01"))
        known_at = row.known_at(dates)
        assert (np.diff(known_at) >= 0).all() and (known_at > (dates.astype(np.int64) + 1) * DAY - 3 * HOUR).all(), f"{name} is known before its date has passed"


def test_a_friday_is_known_on_monday():
    friday = np.array(["2024-07-12"], "datetime64[D]")
    assert str(series()["VIX"].known_at(friday).view("datetime64[ns]")[0]).startswith("2024-07-15T22:00")
    assert str(series()["USD_BROAD"].known_at(friday).view("datetime64[ns]")[0]).startswith("2024-07-22T22:00")


@pytest.mark.parametrize("text", ("date,value\n2024-07-11,1.5\n2024-07-10,1.0\n", "ts,open,high,low,close,volume\n2024-07-10,9,9,9,1.0,0\n2024-07-11,9,9,9,1.5,0", "observation_date,DFF\n2024-07-09,\n2024-07-10,1.0\n2024-07-11,1.5\n"))
def test_files_of_three_shapes_are_read_and_sorted(text):
    assert read_series(io.StringIO(text), "US_RATE").values.tolist() == [1.0, 1.5]


@pytest.mark.parametrize(("text", "message"), (
    ("date\n2024-07-10\n", "needs a date and a value"), ("date,value\n10/07/2024,1\n", "row 2 .* '10/07/2024'"), ("date,value\n2024-07-10,1\n2024-07-11,high\n", "row 3 .* 'high'"), ("", "is not a CSV with a date and a value in every row"),
))  # fmt: skip
def test_where_a_file_is_wrong_is_reported(text, message):
    with pytest.raises(BadRequest, match=message):
        read_series(io.StringIO(text), "DXY")


def test_a_file_that_is_not_there_and_a_series_that_no_table_has():
    with pytest.raises(BadRequest, match="cannot be read"):
        read_series(Path("/nowhere/x.csv"), "DXY")
    with pytest.raises(UnknownName, match="did you mean 'US_RATE'"):
        read_series(Path("/nowhere/x.csv"), "US_RTE")


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="TIDEMARK_DATA names no folder with macro")
@pytest.mark.parametrize(("name", "file"), (("US10Y", "fred_DGS10.csv"), ("VIX", "fred_VIXCLS.csv"), ("US_RATE", "fred_DFF.csv"), ("USD_BROAD", "fred_DTWEXBGS.csv"), ("US_INFLATION", "fred_CPIAUCSL.csv"), ("DXY", "yahoo_DXY_D1.csv.gz"), ("WTI", "fred_DCOILWTICO.csv"), ("US_UNEMPLOYMENT", "fred_UNRATE.csv")))
def test_real_files_are_read(name, file):
    series_read, rows = read_series(DATA / file, name), pd.read_csv(DATA / file)
    assert len(series_read.values) == rows[next(c for c in ("close", "value", "dff") if c in rows)].notna().sum()
    assert (np.diff(series_read.times) >= 0).all() and np.isfinite(series_read.values).all()


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="TIDEMARK_DATA names no folder with macro")
def test_the_vix_of_march_2020_stands_far_off_its_days():
    days = pd.bdate_range("2019-06-03", "2020-06-30", tz="UTC")
    bars = pd.DataFrame({"ts": days, **{name: 1.1 for name in ("open", "high", "low", "close")}})
    context = Context(instrument("EURUSD"), Timeframe.named("D1"), macro={"VIX": read_series(DATA / "fred_VIXCLS.csv", "VIX")})
    scores = compute(bars, [use("vix_zscore")], context).set_index("ts")["vix_zscore(60)"]
    assert scores.idxmax().strftime("%Y-%m") in ("2020-02", "2020-03") and scores.max() > 4
