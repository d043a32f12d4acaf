"""Rule sets of one's own: edited figure by figure, versioned, compared, retired; from the desk and from the terminal."""

from __future__ import annotations

import json
import tomllib
from datetime import date

import pytest
from typer.testing import CliRunner

from domain.compliance import load, preset
from domain.errors import BadRequest, UnknownName
from worker.cli import app

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
MINE = "my ftmo"


def edit(desk, values, sources=None, name: str = MINE, why: str = "a change"):
    rules = desk.rule_sets.get("ftmo-2-step")
    return desk.rule_sets.save(name, desk.rule_sets.edited(rules, values, sources), why, "ftmo-2-step")


def test_a_changed_figure_is_a_persons_own_and_the_rest_keeps_its_source(desk):
    saved = edit(desk, {"daily.amount": "4 % of initial"})
    assert (saved.version, saved.base, saved.why, saved.actor) == (1, "ftmo-2-step", "a change", "ana")
    figures = load(saved.text).figures
    own, kept = figures["daily.amount"], figures["drawdown.amount"]
    assert (own.source, own.confidence) == ("own value", "own") and (kept.confidence, kept.retrieved) == ("official", preset("ftmo-2-step").figures["drawdown.amount"].retrieved)
    row = desk.rule_sets.row(MINE)
    assert row.own and row.overridden == ("daily.amount",) and row.confidence == "own"
    assert float(tomllib.loads(saved.text)["account"]) == 100_000 and load(saved.text).rule("daily_loss").amount.value == 4.0


def test_a_new_value_with_its_source_keeps_source_date_and_confidence(desk):
    saved = edit(desk, {"daily.amount": "4 % of initial"}, {"daily.amount": dict(source="Mail of the firm", retrieved="2026-11-20", confidence="secondary")})
    figure = load(saved.text).figures["daily.amount"]
    assert (figure.source, figure.retrieved, figure.confidence) == ("Mail of the firm", date(2026, 11, 20), "secondary")
    assert desk.rule_sets.row(MINE).confidence == "secondary"


def test_a_value_of_one_phase_leaves_the_others(desk):
    rules = desk.rule_sets.get("ftmo-2-step", "verification")
    changed = desk.rule_sets.edited(rules, {"target.amount": "6 % of initial"})
    assert changed.rule("target").amount.value == 6.0 and changed.in_phase("challenge").rule("target").amount.value == 10.0


def test_own_buffers_are_no_override_of_the_firm(desk):
    edit(desk, {"daily.buffer": 500.0})
    row = desk.rule_sets.row(MINE)
    assert row.overridden == () and row.confidence == "official" and desk.rule_sets.get(MINE).rule("daily_loss").buffer == 500.0


def test_versions_stay_and_their_difference_is_shown(desk):
    edit(desk, {"daily.amount": "4 % of initial"})
    edit(desk, {"daily.amount": "3 % of initial"}, why="the firm changed it")
    assert [(each.version, each.why) for each in desk.rule_sets.versions(MINE)] == [(2, "the firm changed it"), (1, "a change")]
    frame = desk.rule_sets.difference(f"{MINE}@1", MINE)
    assert frame[["figure", "before", "after"]].values.tolist() == [["daily.amount", "4 % of initial", "3 % of initial"]]
    from_preset = desk.rule_sets.difference("ftmo-2-step", MINE).iloc[0]
    assert (from_preset["before"], from_preset["confidence_before"], from_preset["confidence_after"]) == ("5 % of initial", "official", "own")
    event = desk.trail.history(f"rule_set:{MINE}")[-1]
    assert event.kind == "rule_set_saved" and event.detail["version"] == 2 and event.detail["changed"] == {"daily.amount": "4 % of initial to 3 % of initial"}


def test_rules_are_added_and_removed(desk):
    rules = desk.rule_sets.get("ftmo-2-step")
    more = desk.rule_sets.with_rule(rules, "max_lots")
    assert more.rule("max_lots").lots == 1.0 and more.figures["max_lots.lots"].confidence == "own"
    fewer = desk.rule_sets.without_rule(more, "min_days")
    assert fewer.rule("min_days") is None and fewer.rule("daily_loss") == rules.rule("daily_loss")


@pytest.mark.parametrize(("values", "match"), [
    ({"daily.amount": "five"}, "daily.amount is 'five'; it must be"), ({"daily.amuont": "5 %"}, "no figure of the rule set named 'daily.amuont'; did you mean 'daily.amount'"),
    ({"day.tz": "Europe/Pargue"}, "did you mean 'Europe/Prague'"), ({"daily.basis": "blance"}, "no daily.basis named 'blance'; did you mean 'balance'"),
])  # fmt: skip
def test_a_bad_value_is_a_sentence_and_nothing_is_saved(desk, values, match):
    with pytest.raises((BadRequest, UnknownName), match=match):
        edit(desk, values)
    assert desk.rule_sets.versions(MINE) == []


@pytest.mark.parametrize(("name", "why", "match"), [
    ("ftmo-2-step", "x", "is a preset, which stays as it was read"), ("", "x", "give it 1 to 64 letters"), ("../x", "x", "give it 1 to 64 letters"), (MINE, " ", "there is no reason for the change"),
])  # fmt: skip
def test_a_bad_name_or_no_reason_is_a_sentence(desk, name, why, match):
    with pytest.raises(BadRequest, match=match):
        edit(desk, {"daily.amount": "4 %"}, name=name, why=why)


def test_the_same_rules_are_no_new_version(desk):
    edit(desk, {"daily.amount": "4 % of initial"})
    with pytest.raises(BadRequest, match="is the same as its version 1; nothing was saved"):
        edit(desk, {"daily.amount": "4 % of initial"})


def test_a_retired_rule_set_leaves_the_lists_and_comes_back_when_saved(desk):
    edit(desk, {"daily.amount": "4 % of initial"})
    desk.rule_sets.retire(MINE, "no account there any more")
    assert MINE not in {row.name for row in desk.rule_sets.all()} and len(desk.rule_sets.versions(MINE)) == 2
    with pytest.raises(BadRequest, match="is off the lists already"):
        desk.rule_sets.retire(MINE, "again")
    edit(desk, {"daily.amount": "4 % of initial"})
    assert desk.rule_sets.row(MINE).version == 3


def test_rules_read_long_ago_warn(desk, monkeypatch):
    read = min(figure.retrieved for figure in preset("ftmo-2-step").figures.values())
    monkeypatch.setattr("worker.desk.rule_sets.RuleSetsView._today", lambda self: date.fromordinal(read.toordinal() + 90))
    assert desk.rule_sets.trust("ftmo-2-step")[0] == "" and not desk.rule_sets.row("ftmo-2-step").old
    monkeypatch.setattr("worker.desk.rule_sets.RuleSetsView._today", lambda self: date.fromordinal(read.toordinal() + 91))
    assert "91 days ago" in desk.rule_sets.trust("ftmo-2-step")[0] and desk.rule_sets.row("ftmo-2-step").old


def test_the_terminal_lists_shows_saves_and_compares(desk, monkeypatch, tmp_path):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)

    def terminal(*words: str):
        return CliRunner().invoke(app, ["compliance", "rules", *words])

    rows = json.loads(terminal("list", "--json").stdout)
    assert {"ftmo-2-step", "topstep-50k"} <= {row["name"] for row in rows} and all(row["version"] == 0 for row in rows)
    shown = terminal("show", "ftmo-2-step").stdout
    assert load(shown).rule("daily_loss") == preset("ftmo-2-step").rule("daily_loss")
    file = tmp_path / "mine.toml"
    file.write_text(shown.replace('amount = "5 % of initial"', 'amount = "4 % of initial"', 1))
    refused = terminal("save", str(file), "--name", MINE)
    assert "there is no reason for the change" in str(refused.exception)
    saved = json.loads(terminal("save", str(file), "--name", MINE, "--why", "stricter", "--json").stdout)
    assert (saved["name"], saved["version"], saved["base"]) == (MINE, 1, "ftmo-2-step")
    difference = json.loads(terminal("diff", "ftmo-2-step", MINE, "--json").stdout)
    assert [(row["figure"], row["before"], row["after"]) for row in difference] == [("daily.amount", "5 % of initial", "4 % of initial")]
    assert terminal("diff", MINE, f"{MINE}@1").stdout == "Nothing differs.\n"
    assert terminal("retire", MINE, "--why", "done").exit_code == 0 and [each["retired"] for each in json.loads(terminal("show", MINE, "--versions", "--json").stdout)] == [True, False]
    missing = terminal("show", "ftmo-2-stop")
    assert "did you mean 'ftmo-2-step'" in str(missing.exception)
