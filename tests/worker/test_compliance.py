"""Stored paths judged by rule sets: through the desk and the job, stored, found again, marked when they are older."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from domain.compliance import presets
from domain.errors import BadRequest, UnknownName
from tests.domain.compliance.histories import statements
from tests.worker.equity_runs import equity_of, stored_run, trades_of
from worker import actors

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
RULES = """
title = "Small loss"
firm = "Firm"
phases = ["one", "two"]
source = "page"
retrieved = 2026-11-02
confidence = "official"
[day]
reset = "00:00"
tz = "Europe/Prague"
[daily]
basis = "balance"
amount = "5 % of initial"
watch = "equity"
effect = "FAIL"
comparator = "<"
buffer = 1000
[target]
amount = { one = "10 %", two = "5 %" }
"""
# The overnight trap: 5,000 below yesterday's balance is held, but at 23:00 UTC (00:00 Prague) the floor rises with the balance.
TRAP = (
    ("2026-03-02T10:00Z", 100_000.0, 100_000.0), ("2026-03-02T20:00Z", 104_000.0, 97_000.0), ("2026-03-02T22:59Z", 104_000.0, 96_000.0),
    ("2026-03-02T23:00Z", 104_000.0, 96_000.0), ("2026-03-02T23:30Z", 104_000.0, 99_500.0),
)  # fmt: skip


@pytest.fixture
def trap(desk, system) -> str:
    """A run that breaks the daily loss at a reset, without a trade: floor 104,000 less 5,000."""
    held = dict(entry_ts="2026-03-02T11:00Z", exit_ts="2026-03-02T23:30Z")
    desk.rule_sets.save("small", RULES, "a test")
    return stored_run(desk, equity_of(*TRAP), trades_of(dict(entry_ts="2026-03-02T10:00Z", exit_ts="2026-03-02T10:30Z"), held))


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return job.result["run"]


def test_a_breach_at_a_reset_is_stored_with_floor_value_and_trades(desk, trap):
    subject = desk.compliance.subject("run", trap)
    assert desk.compliance.judged(subject, "small") is None and desk.compliance.job(subject, "small") is None
    done(desk, desk.compliance.submit(subject, "small"))
    judged = desk.compliance.judged(subject, "small")
    daily = judged.run.summary["rules"][0]
    assert (judged.word, judged.stale, judged.complete, daily["floor"], daily["value"]) == ("failed", "", True, 99_000.0, 99_500.0)
    assert judged.sentence == "Small loss, one, on by hand: failed by daily loss on 2026-03-02 23:00 UTC, on trading day 2"
    breach = desk.compliance.breaches(judged.run.id).iloc[0]
    assert (breach.title, breach.value, breach.floor, breach.unit, breach.trades) == ("Daily loss", 96_000.0, 99_000.0, "money", ["2"])
    calendar = desk.compliance.days(judged.run.id)
    assert calendar["breach"].tolist() == ["", "daily loss"] and calendar["share"].tolist() == [-4.0, 3.5] and not calendar["after"].any()


def test_the_floors_are_drawn_where_they_move_and_saved_in_full(desk, trap):
    run = done(desk, desk.compliance.submit(desk.compliance.subject("run", trap), "small"))
    lines = desk.compliance.floor_lines(run)
    daily = lines[lines["floor"] == "daily loss"]
    assert daily["value"].tolist() == [95_000.0, 99_000.0, 99_000.0] and (daily["role"] == "warn").all()
    assert lines[lines["floor"] == "target"]["value"].unique().tolist() == [110_000.0]
    table = pd.read_csv(io.BytesIO(desk.compliance.download(run, "floors")))
    assert table["daily_loss"].tolist() == [95_000.0, 95_000.0, 95_000.0, 99_000.0, 99_000.0] and desk.trail.history(f"run:{run}")[-1].kind == "downloaded"
    with pytest.raises(UnknownName, match="no table of the result named 'floor'; did you mean 'floors'"):
        desk.compliance.download(run, "floor")


def test_own_buffer_and_used_share_of_the_allowance(desk, trap):
    desk.rule_sets.save("calm", RULES, "a test")
    run = stored_run(desk, equity_of(("2026-03-02T10:00Z", 100_000.0, 100_000.0), ("2026-03-02T12:00Z", 100_000.0, 98_000.0)), trades_of())
    subject = desk.compliance.subject("run", run)
    done(desk, desk.compliance.submit(subject, "calm"))
    daily = desk.compliance.judged(subject, "calm").run.summary["rules"][0]
    assert (daily["headroom"], daily["used"], daily["buffer"]) == (3_000.0, pytest.approx(0.4), pytest.approx(0.8)), "2,000 of 5,000 used; own buffer 1,000 before the floor"


def test_the_same_request_is_free_and_another_version_makes_the_result_an_older_one(desk, trap, sent):
    subject = desk.compliance.subject("run", trap)
    first = done(desk, desk.compliance.submit(subject, "small"))
    again = desk.compliance.submit(subject, "small")
    assert not again.new and desk.compliance.judged(subject, "small").run.id == first
    desk.rule_sets.save("small", RULES.replace('"5 % of initial"', '"9 % of initial"'), "the firm changed it")
    older = desk.compliance.judged(subject, "small")
    assert older.run.id == first and older.stale == "Judged by version 1 of the rule set; version 2 is the newest."
    done(desk, desk.compliance.submit(subject, "small"))
    newest = desk.compliance.judged(subject, "small")
    assert newest.stale == "" and newest.word == "open" and newest.run.summary["rules"][0]["floor"] == 95_000.0
    assert newest.sentence.endswith("no rule broken in 2 trading days; 6,000 USD to the target")


def test_phases_are_judged_by_themselves(desk, trap):
    subject = desk.compliance.subject("run", trap)
    done(desk, desk.compliance.submit(subject, "small", "two"))
    assert desk.compliance.judged(subject, "small", "one") is None
    target = desk.compliance.judged(subject, "small", "two").run.summary["rules"][1]
    assert target["floor"] == 105_000.0


def test_every_rule_set_in_one_table(desk, trap):
    subject = desk.compliance.subject("run", trap)
    run = done(desk, desk.compliance.submit_table(subject))
    rows = desk.compliance.table_rows(run).set_index("name")
    assert set(rows.index) == {*presets(), "small"}
    ftmo, topstep = rows.loc["ftmo-2-step"], rows.loc["topstep-50k"]
    assert (ftmo.word, ftmo.by, ftmo.days, ftmo.used) == ("failed", "daily loss, 2026-03-02", 2, 1.0)
    assert topstep.account == 50_000.0 and bool(topstep.scaled), "a path of 100,000 is judged in proportion where amounts are money"
    assert desk.compliance.table(subject).run.id == run and desk.compliance.table(subject).stale == ""
    desk.rule_sets.save("another", RULES, "one more")
    assert desk.compliance.table(subject).stale == "Judged before a rule set was added or changed."


def test_headroom_of_a_path_that_passed_stands_where_it_passed(desk, system):
    """Then it loses all of it, which is another account's: 6,000 above the day's floor is more than its 5,000, so nothing of it is used."""
    desk.rule_sets.save("small", RULES, "a test")
    ruined = (("2026-03-02T10:00Z", 100_000.0, 100_000.0), ("2026-03-02T12:00Z", 111_000.0, 111_000.0), ("2026-03-03T12:00Z", 1_000.0, 1_000.0))
    run = stored_run(desk, equity_of(*ruined), trades_of(*(dict(entry_ts=f"2026-03-{day}T10:30Z", exit_ts=f"2026-03-{day}T11:30Z") for day in ("02", "03"))))
    subject = desk.compliance.subject("run", run)
    done(desk, desk.compliance.submit(subject, "small"))
    judged = desk.compliance.judged(subject, "small")
    daily = judged.run.summary["rules"][0]
    assert (judged.word, daily["state"], daily["value"], daily["floor"], daily["headroom"], daily["used"]) == ("passed", "passed", 111_000.0, 95_000.0, 16_000.0, 0.0)
    rows = desk.compliance.table_rows(done(desk, desk.compliance.submit_table(subject))).set_index("name")
    assert (rows.loc["small"].word, rows.loc["small"].used) == ("passed", 0.0) and rows.loc["topstep-50k"].used == 1.0


def test_the_manifest_names_rule_set_run_and_code_and_the_event_what_decided(desk, trap):
    run = desk.compliance.get(done(desk, desk.compliance.submit(desk.compliance.subject("run", trap), "small")))
    assert run.spec["rules"]["version"] == 1 and run.spec["path"] == dict(kind="run", id=trap) and len(run.manifest["code"]) == 64
    event = desk.trail.history(f"run:{run.id}")[0]
    assert event.kind == "run_judged" and {f"run:{trap}", f"run:{run.id}", "rule_set:small"} <= set(event.entities)
    assert event.detail["spec"] == run.manifest["spec_hash"] and event.detail["state"] == "failed" and event.detail["frames"] == dict(run.frames)


def test_a_path_that_is_gone_fails_with_a_sentence_and_is_shown_as_failed(desk, trap):
    subject = desk.compliance.subject("run", trap)
    submitted = desk.compliance.submit(subject, "small")
    desk.backtests.delete(trap)
    actors.run(submitted.job.id)
    failed = desk.compliance.job(subject, "small")
    assert failed.state == "failed" and "there is no run" in failed.error["sentence"]


def test_a_judgement_goes_with_its_run(desk, trap):
    subject = desk.compliance.subject("run", trap)
    first, table = done(desk, desk.compliance.submit(subject, "small")), done(desk, desk.compliance.submit_table(subject))
    desk.backtests.delete(trap)
    for run in (first, table):
        with pytest.raises(BadRequest, match="there is no judgement"):
            desk.compliance.get(run)


def test_news_windows_of_the_next_week_for_what_is_traded(desk, trap, store):
    subject = desk.compliance.subject("run", trap)
    assert desk.compliance.windows(subject, "small") is None, "no rule of news"
    assert desk.compliance.windows(subject, "ftmo-2-step", "funded").calendar is False
    with store.unit() as unit:
        now = pd.Timestamp(unit.now())
        releases = pd.DataFrame(dict(ts=[now + pd.Timedelta(minutes=1), now + pd.Timedelta(days=2), now + pd.Timedelta(days=30)], title=["Now", "Soon", "Later"], currency="USD", impact="high"))
        frame = store.frames.put(releases.assign(ts=releases["ts"].dt.as_unit("ns")))
        edges = dict(first_ts=releases["ts"].iloc[0].to_pydatetime(), last_ts=releases["ts"].iloc[-1].to_pydatetime())
        unit.outside.add(kind="releases", name="calendar", version="v", rows=3, source="x", notes=[], scorer="", frame=frame, bytes=1, actor="ana", created_at=datetime.now(UTC), example=False, **edges)
    windows = desk.compliance.windows(subject, "ftmo-2-step", "funded")
    assert windows.table["title"].tolist() == ["Now", "Soon"] and windows.table["now"].tolist() == [True, False]
    assert (windows.table["end"] - windows.table["start"]).eq(pd.Timedelta(minutes=4)).all()


def test_an_imported_statement_is_judged_on_what_it_knows_and_again_when_its_equity_was_rebuilt(desk, system, tmp_path, store):
    staged = desk.histories.stage_path(str(statements.write(tmp_path, "mt4_html")), own_rights=True)
    actors.run((job := desk.histories.import_(staged, "mt5_us").job).id)
    history = desk.jobs.get(job.id).result["history"]
    subject = desk.compliance.subject("history", history)
    assert subject in desk.compliance.subjects() and subject.address == dict(history=history)
    done(desk, desk.compliance.submit(subject, "ftmo-2-step"))
    judged = desk.compliance.judged(subject, "ftmo-2-step")
    states = {rule["title"]: rule["state"] for rule in judged.run.summary["rules"]}
    breach = desk.compliance.breaches(judged.run.id).iloc[0]
    assert (breach.title, breach.value, breach.floor, breach.trades) == ("Daily loss", 9_483.5, 10_493.0 - 500.0, ["2"]), "10,000 + 493, less 1,009.50 on the next day"
    assert states["Daily loss"] == "failed" and states["Max drawdown"] == "not judged", "a balance alone shows a breach, and proves no rule held"
    assert {f"history:{history}", f"run:{judged.run.id}"} <= set(desk.trail.history(f"run:{judged.run.id}")[0].entities)
    points = desk.histories.points(history)
    with store.unit() as unit:
        unit.histories.rebuilt(history, store.frames.put(points.assign(equity=points["balance"])), dict(key="rebuilt", severity="note", sentence="Rebuilt."))
    rebuilt = desk.compliance.subject("history", history)
    assert desk.compliance.judged(rebuilt, "ftmo-2-step").stale == "Computed before the equity of the account was rebuilt from bars."
    done(desk, desk.compliance.submit(rebuilt, "ftmo-2-step"))
    newest = desk.compliance.judged(rebuilt, "ftmo-2-step")
    assert newest.stale == "" and newest.run.summary["path"]["note"] == "The equity was rebuilt from bars of this workspace."
