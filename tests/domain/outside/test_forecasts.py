"""A file of forecasts: which bars its rows belong to, what is left out, and what is refused in a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.outside.forecasts import QUANTILES, forecasts_of

HOUR = 3_600_000_000_000
TS = pd.date_range("2024-03-01", periods=6, freq="h", tz="UTC").as_unit("ns").asi8
ENDS = TS + HOUR


def table(rows: int = 6, **changed) -> pd.DataFrame:
    columns = {name: np.arange(rows) / 1_000 + k for k, name in enumerate(QUANTILES)}
    return pd.DataFrame({"ts": pd.to_datetime(TS[:rows], utc=True), **columns} | changed)


def test_a_row_belongs_to_the_bar_that_opens_at_ts_or_ends_at_start():
    by_open, by_end = table(), table().drop(columns="ts").assign(start=pd.to_datetime(ENDS, utc=True))
    for given in (by_open, by_end, by_open.iloc[::-1], by_open.assign(ts=by_open["ts"].astype(str))):
        read = forecasts_of(given, "EURUSD", TS, ENDS)
        np.testing.assert_array_equal(read.values["q05"].times, ENDS)
        np.testing.assert_array_equal(read.values["q95"].values, np.arange(6) / 1_000 + 6)
        assert read.sentence == "forecasts at 6 bars"


def test_columns_as_predict_writes_them_are_the_same():
    written = table().rename(columns={name: f"q_0.{name[1:].rstrip('0')}" for name in QUANTILES})
    assert list(written)[1:4] == ["q_0.05", "q_0.1", "q_0.25"]
    np.testing.assert_array_equal(forecasts_of(written, "EURUSD", TS, ENDS).values["q10"].values, table()["q10"])


def test_rows_that_the_model_was_fitted_to_and_rows_at_no_bar_are_left_out_and_counted():
    given = table(in_sample=[True, "true", 0, False, "False", ""])
    given.loc[5, "ts"] += pd.Timedelta(minutes=1)
    read = forecasts_of(given, "EURUSD", TS, ENDS)
    np.testing.assert_array_equal(read.values["q50"].times, ENDS[2:5])
    assert read.sentence == "forecasts at 3 bars; 2 left out, which the model may have been fitted to; 1 at no bar of these"


def test_of_several_instruments_its_own_rows_are_read():
    given = pd.concat([table(instrument="GBPUSD", q50=9.0), table(3, instrument="EURUSD")])
    assert forecasts_of(given, "EURUSD", TS, ENDS).values["q50"].values.tolist() == pytest.approx([3.0, 3.001, 3.002])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (table().drop(columns=["q05", "q95"]), "the forecasts have no columns q05, q95"),
        (table().drop(columns="ts"), "the forecasts have no times; write ts"),
        (table(ts="at noon"), "ts of the forecasts holds something that is no time"),
        (table(q50=["a", *[0.1] * 5]), "row 1 of the forecasts: q50 is 'a'; it must be a number"),
        (pd.concat([table(), table(1)]), "the forecasts of EURUSD have two rows at 2024-03-01 00:00 UTC"),
        (table(ts=pd.Timestamp("2020-01-01", tz="UTC")), "no forecast is made at a bar of EURUSD: 6 rows, 0 of them fitted"),
        (table(instrument="GBPUSD"), "no forecast is made at a bar of EURUSD: 0 rows"),
    ],
    ids=("columns", "times", "no time", "no number", "twice", "elsewhere", "other instrument"),
)  # fmt: skip
def test_what_cannot_be_read_is_stated(given, sentence):
    with pytest.raises(BadRequest, match=sentence):
        forecasts_of(given, "EURUSD", TS, ENDS)
