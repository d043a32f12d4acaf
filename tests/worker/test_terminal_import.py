"""``tidemark data import``: sides, asks in a second file, and the reader's notes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.domain.market.bi5 import put_hour
from tests.domain.market.formats import SAMPLES, put
from tests.worker.test_import_sides import hours
from worker.actors import run
from worker.cli import app
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def at(system, desk, monkeypatch):
    """The desk that the terminal uses, whose jobs are done at once."""

    def finished(desk, submitted, as_json=False):
        run(submitted.job.id)
        job = desk.jobs.get(submitted.job.id)
        if job.state != "done":
            raise BadRequest(str(job.error))
        return job

    monkeypatch.setattr(here, "desk", lambda: desk)
    monkeypatch.setattr(here, "finished", finished)
    return desk


def output_of(*words: object) -> str:
    return CliRunner().invoke(app, ["data", "import", *map(str, words)], catch_exceptions=False).stdout


def test_a_file_of_asks_is_joined_to_its_bids(at, tmp_path):
    bids, asks = hours(tmp_path, "EURUSD_H1_bid.csv"), hours(tmp_path, "EURUSD_H1_ask.csv", 0.00017)
    dataset = json.loads(output_of(bids, "--ask", asks, "--clock", "UTC", "--json"))
    assert (dataset["side"], round(dataset["spread"], 9)) == ("bid", 0.00017)
    assert "prices are the bid's; spread is the mean of ask minus bid" in dataset["notes"][0]


def test_what_no_file_says_is_stated_by_the_terminal(at, tmp_path):
    assert "does not say which side it quotes: taken as the bid" in output_of(hours(tmp_path, "EURUSD_H1.csv"), "--clock", "UTC")
    assert "which side" not in output_of(hours(tmp_path, "GBPUSD_H1_mid.csv"), "--clock", "UTC")


def test_notes_of_the_reader_are_printed(at, tmp_path):
    sample = next(sample for sample in SAMPLES if sample.name == "EURUSD_h1_b.csv")
    shown = output_of(put(tmp_path, sample.name, sample.text), "--clock", "mt5_us", "--check")
    assert "Note: spread is in points of 0.00001 (prices have 5 decimals), converted to price units." in shown


def test_hours_of_ticks_are_imported_from_a_folder_and_from_one_file(at, tmp_path):
    """The same hours are the same file, and the timeframe is that of the bars they are made into."""
    for name in ("20h", "21h"):
        put_hour(tmp_path, f"EURUSD/2018/06/05/{name}_ticks.bi5", [(ms, 116_568, 116_573) for ms in range(0, 3_600_000, 60_000)])
    folder = json.loads(output_of(tmp_path / "EURUSD", "--timeframe", "M5", "--json"))
    assert (folder["instrument"], folder["timeframe"], folder["source"], folder["side"], folder["bars"], folder["new"]) == ("EURUSD", "M5", "Dukascopy", "bid", 24, True)
    assert folder["first"].startswith("2018-07-05T20:00") and round(folder["spread"], 9) == 0.00005 and "120 ticks made into 24 M5 bars" in folder["notes"][0]
    again = json.loads(output_of(tmp_path / "EURUSD/2018", "--timeframe", "M5", "--json"))
    assert (again["id"], again["new"]) == (folder["id"], False)
    hour = json.loads(output_of(tmp_path / "EURUSD/2018/06/05/20h_ticks.bi5", "--json"))
    assert (hour["timeframe"], hour["bars"]) == ("M1", 60)
