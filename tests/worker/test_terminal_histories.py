"""``tidemark compliance import`` and ``tidemark compliance histories``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.domain.compliance.histories import statements as made
from worker.cli import app
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def at(system, desk, monkeypatch):
    monkeypatch.setattr(here, "desk", lambda: desk)
    return desk


def say(*words: object) -> str:
    result = CliRunner().invoke(app, ["compliance", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_statement_is_imported_listed_shown_exported_and_deleted(at, tmp_path):
    path = made.write(tmp_path, "mt5_html")
    new = json.loads(say("import", path, "--clock", "mt5_us", "--name", "Challenge", "--json"))
    assert (new["new"], new["format"], new["initial"], new["balance"], new["trades"], new["currency"]) == (True, "mt5_html", 10_000.0, 9783.0, 2, "USD")
    assert any(finding["sentence"] == "The rows add up to the stated balance, 9,783.00." for finding in new["findings"])
    assert [row["id"] for row in json.loads(say("histories", "--json"))] == [new["id"]] and "Challenge" in say("histories")
    shown = json.loads(say("histories", new["id"], "--out", tmp_path / "out", "--json"))
    assert shown["knows"] == ["balance", "trades"] and shown["written"] == ["points.csv", "trades.csv", "flows.csv"]
    assert (tmp_path / "out" / "flows.csv").read_text().split("\n")[1].startswith("2024-03-07T10:00:00Z,-100.0,Withdrawal")
    with pytest.raises(BadRequest, match=r"this would delete the account history Challenge \(2 trades"):
        say("histories", new["id"], "--delete")
    assert json.loads(say("histories", new["id"], "--delete", "--yes", "--json")) == {"deleted": new["id"]}
    assert json.loads(say("histories", "--json")) == [] and "(none)" in say("histories")


def test_a_check_stores_nothing_and_says_what_the_file_holds(at, tmp_path):
    output = json.loads(say("import", made.write(tmp_path, "mt4_html"), "--clock", "UTC+2", "--check", "--json"))
    assert (output["title"], output["balance"], output["trades"], output["flows"]) == ("MetaTrader 4 statement (HTML)", 9302.25, 3, 1)
    assert at.histories.all() == []
    text = say("import", made.write(tmp_path, "mt4_html"), "--clock", "UTC+2", "--check")
    assert "- The rows add up to the stated balance, 9,302.25." in text


def test_a_warning_is_marked(at, tmp_path):
    path = made.written(tmp_path, "s.htm", made.MT4_HTML.replace("9 302.25", "9 300.00"))
    assert "! The rows add up to 9,302.25, and the statement says its balance is 9,300.00" in say("import", path, "--clock", "mt5_us")


def test_what_is_missing_is_one_sentence(at, tmp_path):
    with pytest.raises(BadRequest, match="does not say which clock"):
        say("import", made.write(tmp_path, "mt4_html"))
    with pytest.raises(BadRequest, match="there is no account history nosuch"):
        say("histories", "nosuch")
    with pytest.raises(BadRequest, match="say which history"):
        say("histories", "--delete")
