"""``tidemark compliance import`` and ``tidemark compliance histories``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.domain.compliance.histories import statements
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
    path = statements.write(tmp_path, "mt5_html")
    new = json.loads(say("import", path, "--clock", "mt5_us", "--name", "Challenge", "--json"))
    assert (new["new"], new["format"], new["initial"], new["balance"], new["trades"], new["currency"]) == (
        True,
        "mt5_html",
        10_000.0,
        9783.0,
        2,
        "USD",
    )
    assert any(finding["sentence"] == "The rows add up to the stated balance, 9,783.00." for finding in new["findings"])
    assert [row["id"] for row in json.loads(say("histories", "--json"))] == [new["id"]] and "Challenge" in say(
        "histories"
    )
    shown = json.loads(say("histories", new["id"], "--out", tmp_path / "out", "--json"))
    assert shown["knows"] == ["balance", "trades"] and shown["written"] == ["points.csv", "trades.csv", "flows.csv"]
    assert (
        (tmp_path / "out" / "flows.csv").read_text().split("\n")[1].startswith("2024-03-07T10:00:00Z,-100.0,Withdrawal")
    )
    with pytest.raises(BadRequest, match=r"this would delete the account history Challenge \(2 trades"):
        say("histories", new["id"], "--delete")
    assert json.loads(say("histories", new["id"], "--delete", "--yes", "--json")) == {"deleted": new["id"]}
    assert json.loads(say("histories", "--json")) == [] and "(none)" in say("histories")


def test_a_check_stores_nothing_and_says_what_the_file_holds(at, tmp_path):
    output = json.loads(say("import", statements.write(tmp_path, "mt4_html"), "--clock", "UTC+2", "--check", "--json"))
    assert (output["title"], output["balance"], output["trades"], output["flows"]) == (
        "MetaTrader 4 statement (HTML)",
        9302.25,
        3,
        1,
    )
    assert at.histories.all() == []
    text = say("import", statements.write(tmp_path, "mt4_html"), "--clock", "UTC+2", "--check")
    assert "- The rows add up to the stated balance, 9,302.25." in text


def test_a_warning_is_marked(at, tmp_path):
    path = statements.written(tmp_path, "s.htm", statements.MT4_HTML.replace("9 302.25", "9 300.00"))
    assert "! The rows add up to 9,302.25, and the statement says its balance is 9,300.00" in say(
        "import", path, "--clock", "mt5_us"
    )


def test_what_is_missing_is_one_sentence(at, tmp_path):
    with pytest.raises(BadRequest, match="does not say which clock"):
        say("import", statements.write(tmp_path, "mt4_html"))
    with pytest.raises(BadRequest, match="there is no account history nosuch"):
        say("histories", "nosuch")
    with pytest.raises(BadRequest, match="say which history"):
        say("histories", "--delete")


def judged(folder, history, *words):
    """Exit status and verdict."""
    result = CliRunner().invoke(
        app,
        ["compliance", "judge", "--history", history, "--out", str(folder), *map(str, words)],
        catch_exceptions=False,
    )
    return result.exit_code, json.loads((folder / "verdict.json").read_text())


def test_a_metatrader_5_statement_is_imported_and_judged_end_to_end(at, tmp_path):
    """By hand. FTMO 2-Step: the day ends at 00:00 Prague, 23:00Z. At the end of 5 March the balance is 10,391.25, so the floor of the 6th is
    10,391.25 - 5 % of 10,000 = 9,891.25. The first half of the gold position books -505.25 at 10:00 on the server (New York + 7 h), 08:00Z: 9,886.00.
    """
    history = json.loads(say("import", statements.write(tmp_path, "mt5_html"), "--clock", "mt5_us", "--json"))["id"]
    status, verdict = judged(tmp_path / "out", history, "--preset", "ftmo-2-step")
    assert (status, verdict["state"], verdict["initial"]) == (1, "failed", 10_000.0)
    rules = {row["rule"]: row for row in verdict["rules"]}
    breach = rules["daily_loss"]["first_breach"]
    assert (breach["ts"], breach["value"], breach["floor"]) == ("2024-03-06T08:00:00Z", 9886.0, 9891.25)
    assert breach["trades"] == [2], "the gold position, the second trade"
    assert rules["max_drawdown"]["state"] == "not judged" and "equity" in rules["max_drawdown"]["sentence"]
    assert any("by the balance alone, or not at all" in note for note in verdict["notes"])


def test_a_statement_without_a_breach_is_open_and_what_needs_the_equity_is_not_passed(at, tmp_path):
    """The gold half books -5.25 in place of -505.25: nothing breaks, and nothing that watches the equity is called passed."""
    deals = tuple((*deal[:11], "0.00", *deal[12:]) if deal[1] == "9005" else deal for deal in statements.DEALS)
    path = statements.written(tmp_path, "r.html", statements.mt5_html(deals=deals).encode("utf-16"))
    history = json.loads(say("import", path, "--clock", "mt5_us", "--json"))["id"]
    status, verdict = judged(tmp_path / "out", history, "--preset", "ftmo-2-step")
    rules = {row["rule"]: row["state"] for row in verdict["rules"]}
    assert (status, verdict["state"]) == (0, "open") and (rules["daily_loss"], rules["max_drawdown"]) == (
        "not judged",
        "not judged",
    )


def test_withdrawals_are_no_loss(at, tmp_path):
    """The withdrawal of 100 on 7 March lowers the balance, and no floor is judged against it: the last value is 9,783 + 100."""
    history = json.loads(say("import", statements.write(tmp_path, "mt5_html"), "--clock", "mt5_us", "--json"))["id"]
    _, verdict = judged(tmp_path / "out", history, "--preset", "ftmo-2-step")
    assert {row["rule"]: row["value"] for row in verdict["rules"]}["max_drawdown"] == 9883.0


def test_what_cannot_be_judged_together_is_one_sentence(at, tmp_path):
    history = json.loads(say("import", statements.write(tmp_path, "mt5_html"), "--clock", "mt5_us", "--json"))["id"]
    for words, sentence in {
        ("--preset", "ftmo-2-step", "--run", "x"): "give one of --run ID, --history ID and --equity",
        ("--preset", "ftmo-2-step", "--initial", "5"): "a history has its own start",
        ("--preset", "ftmo-2-step", "--rebuilt"): "was not rebuilt from bars",
    }.items():
        with pytest.raises(BadRequest, match=sentence):
            judged(tmp_path / "out", history, *words)
