"""Files whose times are cut, whose bars are mostly missing, or whose early years are of another timeframe."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from domain.market import Report, calendar, instrument, repair, ts_of
from domain.market.coverage import coverage
from domain.market.step import not_apart, usual_timeframe
from domain.market.zones import HOUR
from tests.domain.market.makers import D1, H1, M5, bars_at, fx_bars, ns, raw_of

EURUSD = instrument("EURUSD")
LATER = datetime(2030, 1, 1, tzinfo=UTC)
MONTH = ("2024-07-01", "2024-07-27")


def report_of(bars: pd.DataFrame, timeframe=H1, **options) -> Report:
    return repair(bars, EURUSD, timeframe, "UTC", LATER, **options)[1]


def daily_then_hourly(turn: str = "2022-01-02", end: str = "2022-07-01") -> pd.DataFrame:
    return pd.concat([fx_bars("2018-01-02", turn, D1), fx_bars(turn, end, H1)], ignore_index=True)


def test_times_cut_to_the_hour_are_refused_with_the_number_of_rows_that_would_be_lost():
    bars = fx_bars(*MONTH)
    report = report_of(raw_of(bars, local_ns=ts_of(bars) // HOUR * HOUR), M5)
    hours = len(np.unique(ts_of(bars) // HOUR))
    assert report.verdict == "refused" and report["conflicts"].count == len(bars) - hours and report.rows_kept == hours
    assert report.sentence.startswith(f"Refused: {len(bars) - hours:,} of {len(bars):,} rows would be lost, because they share their time with another row: its times are cut to the hour; export")


def test_half_of_the_rows_sharing_a_time_is_refused_and_a_few_are_not():
    bars = fx_bars(*MONTH)
    half, few = ts_of(bars).copy(), ts_of(bars).copy()
    half[1::2], few[1:40:2] = half[::2], few[:40:2]
    assert report_of(raw_of(bars, local_ns=half), M5).verdict == "refused"
    report = report_of(raw_of(bars, local_ns=few), M5)
    assert (report.verdict, report["conflicts"].count) == ("repairable", 20) and "20 conflicting duplicates merged" in report.sentence


def test_an_hourly_file_with_daily_years_is_refused_and_says_from_when_it_is_complete():
    bars = daily_then_hourly()
    report = report_of(bars)
    assert report.verdict == "refused" and report.complete_from == "2022-01-02" and report["sparse"].count == len(fx_bars("2018-01-02", "2022-01-02", D1))
    assert "bars there are D1 apart, not H1. Import it from 2022-01-02, from when its H1 bars are complete." in report.sentence
    from_there, second = repair(bars, EURUSD, H1, "UTC", LATER, start=ns(report.complete_from))
    assert second.verdict == "clean" and second.sentence == "No issues found." and len(from_there) == len(fx_bars("2022-01-02", "2022-07-01", H1))
    assert second.left_out == len(bars) - len(from_there) and second.rows_read == len(from_there)


def test_a_year_of_daily_bars_before_many_hourly_ones_is_enough_to_refuse():
    bars = pd.concat([fx_bars("2018-01-02", "2018-01-20", D1), fx_bars("2018-01-21", "2020-01-01", H1)], ignore_index=True)
    assert report_of(bars).verdict == "refused" and report_of(bars).complete_from == "2018-01-21"


def test_more_daily_bars_than_hourly_ones_still_say_from_when_the_hourly_ones_are_complete():
    bars = daily_then_hourly(end="2022-01-20")
    report = report_of(bars)
    assert report.sentence.startswith("Refused: bars are D1 apart, not H1; choose that timeframe, or resample. Import it from 2022-01-02")


def test_daily_bars_in_the_middle_or_at_the_end_are_refused_too():
    hours = fx_bars("2021-01-03", "2022-01-01", H1)
    middle = pd.concat([hours, fx_bars("2022-01-02", "2022-07-03", D1), fx_bars("2022-07-03", "2022-09-01", H1)], ignore_index=True)
    end = pd.concat([hours, fx_bars("2022-01-02", "2022-07-03", D1)], ignore_index=True)
    assert (report_of(middle).verdict, report_of(middle).complete_from) == ("refused", "2022-07-03")
    assert (report_of(end).verdict, report_of(end).complete_from) == ("refused", "") and "choose the timeframe that its bars have" in report_of(end).sentence


def test_two_bars_in_three_missing_everywhere_are_refused():
    bars = fx_bars(*MONTH)
    remaining = bars[np.random.default_rng(1).random(len(bars)) < 1 / 3].reset_index(drop=True)
    report = report_of(remaining, M5)
    assert report.verdict == "refused" and "bars are missing" in report.sentence


def test_an_outage_of_weeks_and_quiet_bars_are_warnings_not_errors():
    bars = fx_bars("2024-01-02", "2024-12-20", H1)
    outage = bars[(bars["ts"] < "2024-05-01") | (bars["ts"] >= "2024-06-20")].reset_index(drop=True)
    quiet = bars[np.random.default_rng(1).random(len(bars)) < 0.8].reset_index(drop=True)
    for bars_ in (outage, quiet):
        report = report_of(bars_)
        assert report.verdict == "clean" and report.sentence.startswith("No errors; 2 warnings: ") and "missing bars listed" in report.sentence


def test_a_few_sparse_weeks_of_years_are_reported_and_do_not_refuse():
    bars = fx_bars("2023-01-02", "2024-12-20", H1)
    thin = (bars["ts"] >= "2023-03-05") & (bars["ts"] < "2023-04-02") & (bars["ts"].dt.hour > 5)
    report = report_of(bars[~thin].reset_index(drop=True))
    assert report.verdict == "clean" and report["sparse"].severity == "note" and report["sparse"].count and report.complete_from == ""


def test_bars_of_a_calendar_that_is_shut_most_of_the_time_are_complete():
    ts = calendar("grain").expected_opens(ns("2024-01-02"), ns("2024-12-20"), H1)
    assert coverage(ts, H1, calendar("grain")).share > 0.99 and not coverage(ts, H1, calendar("grain")).insufficient


@pytest.mark.parametrize(("ts", "requested", "what"), [
    ([0, 60, 120], "M5", "H1 apart, not M5"), ([0, 1, 2], "M5", "M1 apart, not M5"), ([0, 60], "M5", None), ([0, 5, 60], "M5", None), ([0, 0, 5, 5, 10], "M5", None), ([10, 5, 0], "M5", None), ([0], "M5", None),
])  # fmt: skip
def test_the_step_that_most_rows_keep_is_compared_with_the_timeframe(ts, requested, what):
    from domain.market import Timeframe

    assert not_apart(np.array(ts) * 60 * 10**9, Timeframe.named(requested)) == what


def test_the_timeframe_is_where_most_rows_lie():
    assert usual_timeframe(ts_of(daily_then_hourly())) == "H1"
    assert usual_timeframe(ts_of(daily_then_hourly(end="2022-01-09"))) == "D1"
    bars = bars_at(np.arange(50) * 300 * 10**9)
    assert usual_timeframe(ts_of(pd.concat([bars, bars, bars]))) == "M5"
