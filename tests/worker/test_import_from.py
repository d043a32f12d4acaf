"""Imports: the whole file, the complete part of it, and the bars downloaded in parts."""

from __future__ import annotations

import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.domain.market.makers import D1, H1, bars_at, fx_bars, own_csv
from worker.actors import run

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def mixed(tmp_path):
    """Daily bars of four years, then hourly ones of half a year: a file of H1 as MetaTrader exports it."""
    bars = pd.concat([fx_bars("2018-01-02", "2022-01-02", D1), fx_bars("2022-01-02", "2022-07-01", H1)], ignore_index=True)
    return own_csv(tmp_path / "EURUSD_H1.csv", bars)


def ended(desk, submitted):
    run(submitted.job.id)
    return desk.jobs.get(submitted.job.id)


def test_the_part_that_is_complete_is_found_shown_and_imported(desk, system, mixed, tmp_path):
    staged = desk.data.stage_path(str(mixed))
    assert staged.recognised.timeframe == "H1", "the timeframe is that of most rows, not of the first"
    report = ended(desk, desk.data.inspect(staged, "EURUSD", "", clock_key="UTC")).result["report"]
    assert (report["verdict"], report["timeframe"], report["complete_from"]) == ("refused", "H1", "2022-01-02")
    refused = ended(desk, desk.data.import_(staged, "EURUSD", "H1", clock_key="UTC", repair=True))
    assert refused.state == "failed" and "Import it from 2022-01-02" in refused.error["sentence"] and desk.data.catalogue() == []
    done = ended(desk, desk.data.import_(staged, "EURUSD", "", clock_key="UTC", start=report["complete_from"]))
    assert done.state == "done", done.error
    [dataset] = desk.data.catalogue()
    assert (dataset.timeframe, dataset.verdict, f"{dataset.first_ts:%Y-%m-%d}", dataset.bars) == ("H1", "clean", "2022-01-02", len(fx_bars("2022-01-02", "2022-07-01", H1)))
    assert dataset.quality["left_out"] == len(fx_bars("2018-01-02", "2022-01-02", D1))
    for form in ("csv", "parquet"):
        desk.data.write_download(dataset.id, form, tmp_path / form)
    assert (tmp_path / "csv").read_bytes() == desk.data.download(dataset.id, "csv")
    assert pd.read_parquet(tmp_path / "parquet").equals(desk.data._context.store.frames.get(dataset.frame))


def test_a_start_that_is_no_time_is_a_sentence(desk, mixed):
    staged = desk.data.stage_path(str(mixed))
    for text in ("soon", "2022-13-01", "x" * 500):
        with pytest.raises(BadRequest, match="write it like 2012-01-02"):
            desk.data.import_(staged, "EURUSD", "H1", start=text)


def test_times_that_are_cut_to_the_hour_are_refused_at_import(desk, system, tmp_path):
    bars = fx_bars("2024-07-01", "2024-07-20")
    path = own_csv(tmp_path / "EURUSD_M5.csv", bars.assign(ts=bars["ts"].dt.floor("h")))
    for timeframe in ("M5", "H1", ""):
        job = ended(desk, desk.data.import_(desk.data.stage_path(str(path)), "EURUSD", timeframe, clock_key="UTC", repair=True))
        assert job.state == "failed" and "rows would be lost, because they share their time with another row" in job.error["sentence"]


def test_an_early_daily_part_does_not_tell_the_clock(desk, system, tmp_path):
    days = [day for day in pd.date_range("2005-01-03", "2010-01-01", tz="UTC") if day.day_of_week < 5]
    daily = bars_at(pd.DatetimeIndex(days).as_unit("ns").asi8)
    path = own_csv(tmp_path / "EURUSD_H1.csv", pd.concat([daily, fx_bars("2010-01-03", "2011-06-01", H1)], ignore_index=True))
    staged = desk.data.stage_path(str(path))
    report = ended(desk, desk.data.inspect(staged, "EURUSD", "")).result["report"]
    assert (report["clock"], report["complete_from"]) == ("UTC", "2010-01-03")
    assert ended(desk, desk.data.import_(staged, "EURUSD", "", start="2010-01-03")).state == "done"
    assert desk.data.catalogue()[0].clock == "UTC"


def test_a_start_after_the_last_bar_is_a_sentence(desk, system, mixed):
    job = ended(desk, desk.data.inspect(desk.data.stage_path(str(mixed)), "EURUSD", "", start="2031-05-01"))
    assert job.state == "failed" and job.error["sentence"].endswith("EURUSD_H1.csv ends at 2022-06-30, before the chosen start, 2031-05-01; choose an earlier one"), job.error
