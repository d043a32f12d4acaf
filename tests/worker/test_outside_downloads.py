"""``tidemark data outside download``: series, calendars and feeds from doubles, added to what is stored."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.conformance.outside_rig import CPI
from tests.doubles.documents import RSS, WEEK, DocumentsDouble
from tests.doubles.fred import KEY, FredDouble
from worker import actors
from worker.cli import app
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def at(system, desk, monkeypatch):
    """The desk that the terminal uses, whose jobs are done at once."""

    def finished(desk, submitted, as_json=False):
        actors.run(submitted.job.id)
        job = desk.jobs.get(submitted.job.id)
        if job.state != "done":
            raise BadRequest(str(job.error))
        return job

    monkeypatch.setattr(here, "desk", lambda: desk)
    monkeypatch.setattr(here, "finished", finished)
    return desk


def reach(desk, monkeypatch, **vendors: str) -> None:
    """The desk and its jobs with these variables of the environment."""
    settings = replace(desk.settings, vendors=vendors)
    monkeypatch.setattr(desk.outside_downloads, "_context", replace(desk.outside_downloads._context, settings=settings))
    monkeypatch.setattr(actors.WorkerContext, "settings", settings)


def say(*words: object):
    result = CliRunner().invoke(app, ["data", "outside", "download", *map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_series_is_downloaded_once_and_then_only_what_is_newer(at, tmp_path, monkeypatch):
    double = FredDouble({"CPIAUCSL": CPI[:2]})
    with double.serve() as address:
        reach(at, monkeypatch, TIDEMARK_FRED_KEY=KEY, TIDEMARK_FRED_URL=address)
        first = say("--source", "fred", "--name", "US_INFLATION")
        assert (first["rows"], first["new"], first["source"]) == (2, True, "FRED: CPIAUCSL (local double)")
        assert first["publication_lag"] == first["known"] == "known from the day of its publication at 22:00 UTC" and not at.outside.about(at.outside.get(first["id"])).revised
        double.series["CPIAUCSL"] = CPI
        double.requests.clear()
        second = say("--source", "fred", "--name", "US_INFLATION")
        assert (second["rows"], second["new"]) == (3, True)
        assert {request.query["observation_start"] for request in double.requests if "observations" in request.path} == {"2024-05-01"}
        assert at.outside.line(second["id"])["value"].tolist() == [313.2, 313.9, 313.05]
        again = say("--source", "fred", "--name", "US_INFLATION")
        assert (again["id"], again["new"]) == (second["id"], False)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith(".db") for path in files) and not any(KEY.encode() in path.read_bytes() for path in files)


def test_a_calendar_and_a_feed_are_added_to_what_is_stored(at, monkeypatch):
    double = DocumentsDouble({"/week.xml": WEEK, "/fx.xml": RSS})
    with double.serve() as address:
        calendar = say("--source", "calendar", "--url", f"{address}/week.xml")
        assert (calendar["kind"], calendar["name"], calendar["rows"], calendar["source"]) == ("releases", "calendar", 1, "Calendar: 127.0.0.1/week.xml")
        double.documents["/week.xml"] = WEEK.replace("07-11-2024", "07-18-2024")
        assert say("--source", "calendar", "--url", f"{address}/week.xml")["rows"] == 2
        feed = say("--source", "headlines", "--url", f"{address}/fx.xml?lang=en", "--name", "wire")
        assert (feed["kind"], feed["name"], feed["rows"], feed["source"]) == ("headlines", "wire", 2, "Headlines: 127.0.0.1/fx.xml") and feed["scorer"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--source", "fred", "--name", "VIX"), "FRED needs a key in the environment variable TIDEMARK_FRED_KEY, which is not set"),
        (("--source", "headlines"), "headlines come from a feed, and none is given"),
        (("--source", "headlines", "--url", "https://example.com/?key=1"), "holds a key"),
        (("--source", "frde"), "did you mean 'fred'"),
    ],
)
def test_what_cannot_be_had_is_stated_before_a_job_begins(at, words, sentence):
    with pytest.raises(BadRequest, match=sentence):
        CliRunner().invoke(app, ["data", "outside", "download", *words], catch_exceptions=False)


def test_a_page_that_others_reach_asks_vendors_own_addresses_only(at, monkeypatch):
    settings = replace(at.settings, app=replace(at.settings.app, host="0.0.0.0"))
    monkeypatch.setattr(at.outside_downloads, "_context", replace(at.outside_downloads._context, settings=settings))
    with pytest.raises(BadRequest, match="asks vendors' own addresses only"):
        at.outside_downloads.submit("headlines", url="http://127.0.0.1:9/feed.xml")
