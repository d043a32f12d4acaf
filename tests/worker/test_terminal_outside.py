"""``tidemark data outside``, and the outside files of ``tidemark features``."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest, TidemarkError
from domain.features import Context, compute, parse
from domain.features.sentiment import read_headlines
from domain.market import instrument
from domain.outside.headlines import headlines_of
from domain.outside.releases import concerning, read_releases
from domain.outside.series import read_series
from tests.worker import outside as external
from tests.worker.test_features import done, request_for
from tests.worker.test_terminal_features import M30, bars_of, files, of_the_file  # noqa: F401  bars in files
from worker.cli import app
from worker.terminal import here

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
TEXTS = ["vix_zscore(20)", "sentiment(24.0)", "minutes_since_release"]


def say(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def at(system, desk, monkeypatch):
    monkeypatch.setattr(here, "desk", lambda: desk)
    return desk


@on_sqlite
def test_outside_data_is_imported_listed_shown_and_removed(at, tmp_path):
    vix = external.series(tmp_path / "VIXCLS.csv")
    output = json.loads(say("data", "outside", "import", vix, "--json"))
    assert (output["kind"], output["name"], output["new"], output["in_use"], output["publication_lag"]) == ("series", "VIX", True, "yes", "known 1 weekday later at 22:00 UTC")
    say("data", "outside", "import", external.headlines(tmp_path / "news.csv", zone=""), "--utc", "--name", "wire")
    say("data", "outside", "import", external.calendar(tmp_path / "calendar.csv"))
    listed = {load["name"]: load for load in json.loads(say("data", "outside", "list", "--json"))}
    assert set(listed) == {"VIX", "wire", "calendar"} and listed["VIX"]["version"] == output["version"]
    text = say("data", "outside", "list")
    assert output["version"] not in text and output["version"][:12] in text and "fred" not in text
    shown = json.loads(say("data", "outside", "show", "VIX", "--rows", 3, "--json"))
    assert len(shown["latest"]) == 3 and shown["runs"] == [] and "no value" in shown["notes"][0] and "known 1 weekday later" in say("data", "outside", "show", output["id"])
    assert json.loads(say("data", "outside", "remove", output["id"], "--yes", "--json")) == {"removed": output["id"]}
    assert {row["name"] for row in json.loads(say("data", "outside", "list", "--json"))} == {"wire", "calendar"}


@on_sqlite
def test_the_table_of_series_says_what_is_there_and_what_is_not(at, tmp_path):
    external.imported(at, external.series(tmp_path / "VIXCLS.csv"))
    rows = {load["series"]: load for load in json.loads(say("data", "outside", "list", "--series", "--json"))}
    assert rows["VIX"]["last"].startswith("2024-04") and rows["US10Y"]["last"] is None and rows["US10Y"]["file"] == "DGS10" and rows["US_INFLATION"]["revised"] is True


@on_sqlite
def test_a_check_stores_nothing_and_what_is_replaced_stays_in_the_list_of_all(at, tmp_path):
    path = external.series(tmp_path / "VIXCLS.csv")
    output = json.loads(say("data", "outside", "import", path, "--check", "--json"))
    assert (output["kind"], output["series"], output["zones"], len(output["rows"])) == ("series", "VIX", True, 5) and "observation date" in say("data", "outside", "import", path, "--check")
    assert at.outside.every() == [] and at.jobs.latest() == []
    say("data", "outside", "import", path)
    say("data", "outside", "import", external.series(tmp_path / "more.csv", 2, external.DAYS[-9:] + pd.Timedelta("14D")), "--name", "VIX", "--add")
    assert [load["in_use"] for load in json.loads(say("data", "outside", "list", "--every", "--json"))] == ["yes", "no"]
    assert len(json.loads(say("data", "outside", "list", "--json"))) == 1


@on_sqlite
def test_what_a_run_names_is_not_removed(at, tmp_path):
    dataset = external.imported(at, external.series(tmp_path / "VIXCLS.csv"))
    run = done(at, at.features.submit_columns(request_for(at, ["vix_zscore(20)"])))
    result = CliRunner().invoke(app, ["data", "outside", "remove", dataset.id, "--yes"])
    assert isinstance(result.exception, BadRequest) and f"is used by 1 run ({run.id})" in str(result.exception)


def test_columns_of_files_take_headlines_releases_and_dated_series(files):      # noqa: F811
    days = pd.bdate_range("2023-10-02", "2024-02-01")
    vix, news, calendar = external.series(files / "VIXCLS.csv", 3, days), external.headlines(files / "news.csv", zone=""), external.calendar(files / "calendar.csv")
    beside = ["--macro", f"VIX={vix}", "--headlines", news, "--releases", calendar, "--utc"]
    for impact in ("high", "medium"):
        say("features", "compute", *of_the_file(files), "--columns", *TEXTS, *beside, "--impact", impact, "--out", files / "out.parquet")
        context = Context(
            instrument("EURUSD"), M30, macro={"VIX": read_series(vix, "VIX")}, headlines=read_headlines(headlines_of(news, utc=True).frame), releases=concerning(read_releases(calendar).frame, instrument("EURUSD"), impact),
        )  # fmt: skip
        expected, frame = compute(bars_of("EURUSD", M30, 1), map(parse, TEXTS), context), pd.read_parquet(files / "out.parquet")
        for text in TEXTS:
            np.testing.assert_allclose(frame[text], expected[text], rtol=1e-12, err_msg=text)
            assert frame[text].notna().any(), text
    green = CliRunner().invoke(app, [str(word) for word in ("features", "check", *of_the_file(files), "--columns", *TEXTS, *beside)])
    assert green.exit_code == 0 and "no look-ahead: 3 columns" in green.output


@pytest.mark.parametrize(("words", "sentence"), (
    (("--macro", "WHAT={vix}"), "no series named 'WHAT'"), (("--headlines", "{news}"), "which has no zone"), (("--releases", "{vix}"), "needs the time of each release"),
    (("--releases", "{calendar}", "--impact", "hgih"), "no impact of a release named 'hgih'; did you mean 'high'"), (("--headlines", "nowhere.csv"), "cannot be opened"),
))  # fmt: skip
def test_outside_files_that_cannot_be_read_are_reported(files, words, sentence):      # noqa: F811
    paths = dict(vix=external.series(files / "VIXCLS.csv"), news=external.headlines(files / "news.csv", zone=""), calendar=external.calendar(files / "calendar.csv"))
    result = CliRunner().invoke(app, [str(word).format(**paths) for word in ("features", "compute", *of_the_file(files), "--columns", *TEXTS, *words, "--out", files / "out.csv")])
    assert isinstance(result.exception, TidemarkError) and sentence in str(result.exception), result.exception
