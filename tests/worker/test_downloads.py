"""Downloads as jobs, from the double of Yahoo: only what is missing, resumed to the same bytes, what is missing named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from domain.market import content_version, ts_of
from domain.market.timeframe import Timeframe
from tests.conformance.source_rig import HOUR, NOON, Skipped, random_bars
from tests.doubles.server import HttpRequest, Reply
from tests.doubles.yahoo import YahooDouble
from worker import vendors
from worker.actors import run
from worker.cli import app
from worker.desk import Desk
from worker.jobs import download
from worker.jobs.base import ShuttingDown
from worker.store.clock import DatabaseClock
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
NOW = datetime(2024, 7, 10, 12, tzinfo=UTC)     # NOON
START, END = NOW - timedelta(days=20), NOW - timedelta(days=1)
TOKEN = "not-to-be-seen-4711"


class Hooked(YahooDouble):
    """Calls ``before`` with the number of each chart that is asked for, from 1."""

    before: Callable[[int], None] = staticmethod(lambda number: None)

    def reply(self, request: HttpRequest) -> Reply:
        if self.watched in request.path:
            self.before(len(self.watched_requests))
        return super().reply(request)


@pytest.fixture(scope="module")
def minutes() -> pd.DataFrame:
    """An hour a day of M1 bars, over three of Yahoo's pages."""
    bars = random_bars(timeframe="M1", days=20, spread=None, volume=False)
    return bars[ts_of(bars) % (24 * HOUR) // HOUR == 9].reset_index(drop=True)


@pytest.fixture
def yahoo(minutes):
    double = Hooked({("EURUSD=X", "1m"): minutes}, NOON // 1_000_000_000)
    with double.serve() as double.address:
        yield double


@dataclass
class At:
    """The desk, a double, and a clock that skips what is slept."""

    desk: Desk
    double: Any
    skipped: Skipped = field(default_factory=Skipped)

    def job(self, start: datetime = START, end: datetime = END, source: str = "yahoo") -> Any:
        return self.desk.downloads.submit(source, "EURUSD", "M1", start, end).job

    def done(self, job: Any) -> Any:
        run(job.id)
        return self.desk.jobs.get(job.id)

    def download(self, **span: Any) -> Any:
        job = self.done(self.job(**span))
        assert job.state == "done", job.error
        return job.result

    def bars(self, result: Any) -> pd.DataFrame:
        return self.desk.data._context.store.frames.get(self.desk.data.get(result["dataset"]).frame)

    def bytes_of(self, result: Any) -> bytes:
        return next(self.desk.settings.home.glob(f"frames/*/{self.desk.data.get(result['dataset']).frame}.parquet")).read_bytes()


@pytest.fixture
def at(system, store, settings, sent, yahoo, monkeypatch) -> At:
    began = datetime.now(UTC)
    monkeypatch.setattr(DatabaseClock, "now", lambda self, connection: NOW + (datetime.now(UTC) - began))
    system.settings = replace(system.settings, vendors={"TIDEMARK_YAHOO_URL": yahoo.address})
    here_ = At(Desk(store, system.settings, send=sent), yahoo)

    def connected(*arguments: Any) -> Any:
        connection = vendors.connection_to(*arguments, clock=here_.skipped.clock)
        connection.pace, connection.random = None, lambda: 0.0
        return connection

    monkeypatch.setattr(download, "connection_to", connected)
    monkeypatch.setattr(here, "desk", lambda: here_.desk)
    return here_


def in_span(bars: pd.DataFrame, start: datetime = START, end: datetime = END) -> pd.DataFrame:
    return bars[(bars["ts"] >= start) & (bars["ts"] < end)].reset_index(drop=True)


def spoken(*words: str) -> Any:
    return CliRunner().invoke(app, ["data", "download", "--source", "yahoo", "--instrument", "EURUSD", "--timeframe", "M1", *words])


def test_what_is_stored_is_what_the_vendor_has(at, minutes):
    result = at.download()
    pd.testing.assert_frame_equal(at.bars(result), in_span(minutes), check_exact=True)
    dataset = at.desk.data.get(result["dataset"])
    assert (dataset.source, dataset.side, dataset.clock, dataset.provenance["double"]) == ("Yahoo (local double)", "mid", "UTC", at.double.address)
    assert dataset.version == content_version(in_span(minutes), "EURUSD", Timeframe.named("M1"), "mid")
    assert (result["missing"], result["pages"], result["cached"]) == ([], 3, 0)


def test_a_download_cut_at_each_page_and_resumed_gives_the_same_bytes(at):
    """The worker leaves while a page is asked for; the next one goes on with the pages that came."""
    whole = at.download()
    expected, pages = at.bytes_of(whole), whole["pages"]
    for cut in range(1, pages + 1):
        at.desk.data.delete(whole["dataset"])
        shutil.rmtree(at.desk.settings.home / "answers")
        begun = len(at.double.watched_requests)

        def leave(number: int, begun: int = begun, cut: int = cut) -> None:
            if number == begun + cut:
                for work in list(download_work()):
                    work.stop(ShuttingDown())
                at.double.over.wait(0.3)            # until it has gone

        at.double.before = leave
        job = at.done(at.job())
        assert job.state == "queued" and job.checkpoint["at"], cut
        job = at.done(job)
        at.double.before = lambda number: None
        whole = job.result
        assert (whole["pages"], whole["cached"]) == (pages - cut + 1, cut - 1)
        assert len(at.double.watched_requests) - begun == pages + 1         # that at which it was cut, twice
        assert at.bytes_of(whole) == expected and whole["new"]


def download_work():
    from worker.actors import WorkerContext

    return WorkerContext.running


def test_only_what_is_missing_is_requested_with_one_bar_to_compare(at, minutes):
    at.download(end=NOW - timedelta(days=5))
    before = len(at.double.watched_requests)
    result = at.download()
    request = at.double.watched_requests[before:]
    pd.testing.assert_frame_equal(at.bars(result), in_span(minutes), check_exact=True)
    last = in_span(minutes, end=NOW - timedelta(days=5))["ts"].iloc[-1]
    assert min(int(each.query["period1"]) for each in request) == int(last.timestamp())
    assert result["revised_count"] == 0 and result["new"]


def test_what_is_stored_already_is_not_requested_at_all(at):
    first = at.download()
    before = len(at.double.watched_requests)
    second = at.download()
    part = at.download(start=START + timedelta(days=3))
    assert len(at.double.watched_requests) == before
    assert (second["dataset"], second["new"], second["pages"]) == (first["dataset"], False, 0)
    assert part["bars"] < first["bars"] and part["new"]


def test_a_bar_that_the_vendor_changed_makes_a_new_version_and_is_named(at, minutes):
    first = at.download(end=NOW - timedelta(days=5))
    changed, held = minutes.copy(), in_span(minutes, end=NOW - timedelta(days=5))
    last, earlier = held.index[-1], held.index[3]
    changed.loc[last, "close"] = changed.loc[last, "high"] = changed.loc[last, "high"] + 0.001
    changed.loc[earlier, "low"] = changed.loc[earlier, "low"] - 0.001
    at.double.bars["EURUSD=X", "1m"] = changed
    second = at.download(end=NOW - timedelta(days=5) + timedelta(hours=24))
    expected = in_span(changed, end=NOW - timedelta(days=4))
    pd.testing.assert_frame_equal(at.bars(second), expected, check_exact=True)
    assert second["version"] != first["version"] and second["revised_count"] == 2
    assert any("low" in sentence for sentence in second["revised"]) and "revised" in second["notes"][-1]
    assert at.desk.data.get(first["dataset"]).version == first["version"]          # the earlier one stays as it was


def test_a_page_that_never_comes_is_named_and_the_rest_stored(at, minutes):
    at.double.before = lambda number: at.double.fail(503, times=6) if number == 1 else None
    job = at.done(at.job())
    result = job.result
    (missing,) = result["missing"]
    assert missing["reason"] == "failed" and "503" in missing["sentence"] and "6 tries" in missing["sentence"]
    hole = (pd.Timestamp(missing["from"]), pd.Timestamp(missing["to"]))
    outside = in_span(minutes)
    outside = outside[(outside["ts"] < hole[0]) | (outside["ts"] >= hole[1])].reset_index(drop=True)
    pd.testing.assert_frame_equal(at.bars(result), outside, check_exact=True)
    at.double.before = lambda number: None
    again = at.download()
    assert again["missing"] == [] and len(at.bars(again)) == len(in_span(minutes))


def test_the_terminal_says_0_3_and_2(at):
    at.double.fail(401, times=9)
    with pytest.raises(BadRequest, match="401"):
        raise spoken("--from", "2024-06-12", "--to", "2024-06-13").exception
    at.double.faults.clear()
    whole = spoken("--from", "2024-06-24", "--to", "2024-07-09", "--json")
    assert whole.exit_code == 0 and json.loads(whole.stdout)["missing"] == []
    part = spoken("--from", "2024-06-01", "--to", "2024-07-12")
    assert part.exit_code == 3
    assert "Yahoo gives M1 bars of the last 30 days" in part.stdout and "(open)" in part.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--from", "2024-01-01", "--to", "2024-01-05"), "of the last 30 days"),
        (("--from", "2024-07-05", "--to", "2024-07-01"), "choose a later end"),
        (("--from", "2024-07-06", "--to", "2024-07-07"), "has no bars"),
        (("--from", "soon", "--to", "2024-07-01"), "not a time"),
    ],
)
def test_what_cannot_be_had_is_refused_in_a_sentence(at, words, sentence):
    outcome = spoken(*words)
    assert isinstance(outcome.exception, BadRequest) and sentence in str(outcome.exception)


def test_an_address_that_is_not_this_machine_is_refused(at, system):
    system.settings = replace(system.settings, vendors={"TIDEMARK_YAHOO_URL": "http://192.0.2.1:80"})
    desk = Desk(at.desk.data._context.store, system.settings)
    with pytest.raises(BadRequest, match="which is not this machine"):
        desk.downloads.submit("yahoo", "EURUSD", "M1", START, END)


def test_no_secret_is_in_what_a_download_leaves(at, system, caplog):
    """Variables of other vendors are at hand in the worker; none of them is stored, logged or shown."""
    system.settings = replace(system.settings, vendors={**system.settings.vendors, "TIDEMARK_OANDA_TOKEN": TOKEN})
    at.download()
    assert TOKEN not in repr(system.settings) and TOKEN not in caplog.text
    assert not [path for path in at.desk.settings.home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    shown = Desk(at.desk.data._context.store, system.settings).downloads.vendors()
    assert TOKEN not in str(shown) and np.all([state.gives for state in shown])
