"""Verification of what stands beside the trail, of its guards, of broken databases and of copies; and of what is new alone."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from domain.errors import BadRequest
from tests.worker.test_evidence import overpowered
from worker import evidence, schedule
from worker.desk import Desk, Refused
from worker.store import Store
from worker.store.append import TrailBroken
from worker.store.guards import faults, remark
from worker.store.seals import Altered
from worker.store.trail import Trail

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
RUN = dict(kind="backtest", job_id="j1", title="A run", spec={"strategy": "breakout"}, manifest={"data": []}, frames={}, actor="ana", example=False)
RULES = 'name = "mine"\naccount = 100000\n[day]\nreset = "00:00"\ntz = "UTC"\n[daily]\nbasis = "balance"\namount = "5 %"\nwatch = "equity"\neffect = "FAIL"\ncomparator = "<"\n'
TRIAL = dict(strategy="breakout", params="p", spec="s", sharpe=0.1, days=10)


def recorded(store: Store, **summary: object) -> str:
    """A run with its event, after three other events."""
    with store.unit() as unit:
        for k in range(3):
            unit.audit("ana", "order_filled", f"order:{k}", price=1.1)
        run_id = unit.runs.add(**RUN, summary={"net": 12.5, "empty": float("nan"), **summary}, created_at=unit.now())
        unit.audit("ana", "run_finished", f"run:{run_id}")
    return run_id


@pytest.fixture
def run(store) -> str:
    return recorded(store)


def forge(store: Store, run: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE runs SET summary = :summary WHERE id = :run"), dict(summary='{"net": 1000000}', run=run))


def test_an_honest_run_is_covered_by_its_event(store, run):
    verdict = evidence.check(store)
    assert (verdict["holds"], verdict["covered"], verdict["uncovered"], verdict["faults"]) == (True, 1, 0, [])
    with store.read() as unit:
        assert unit.trail.head()[0] == 4, "the event that names the run carries its hash; none is added"
        assert unit.runs.get(run).summary["net"] == 12.5


def test_a_forged_summary_is_found_on_reading_and_by_verification(store, run):
    forge(store, run)
    with store.read() as unit, pytest.raises(Altered, match=f"Run {run} was altered since it was recorded: its content is not the one that event 4 of the audit trail names"):
        unit.runs.get(run)
    verdict = evidence.check(store)
    assert not verdict["holds"] and verdict["broken_at"] == 4
    assert verdict["why"] == f"Run {run} was altered: its content is not the one that event 4 recorded."


def test_lists_leave_a_forged_run_out_and_say_so(store, settings, run):
    other = recorded(store)
    forge(store, run)
    desk = Desk(store, settings, "ana")
    assert [listed.id for listed in desk.backtests.latest()] == [other]
    assert desk.stories.altered_runs("backtest") == desk.stories.altered_runs()
    assert list(desk.stories.altered_runs()) == [run] and desk.stories.altered_runs()[run].startswith(f"Run {run} was altered since it was recorded: its content")
    assert desk.stories.altered_runs("sweep") == {}
    with store.read() as unit:
        assert {stored.id for stored in unit.runs.stored()} == {run, other}, "it can be deleted"


@on_sqlite
def test_a_row_that_cannot_be_read_takes_no_list_with_it(store, settings, run):
    other = recorded(store)
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE runs SET created_at = 'never' WHERE id = :run"), dict(run=run))
    desk = Desk(store, settings, "ana")
    assert [listed.id for listed in desk.backtests.latest()] == [other]
    assert "its row cannot be read" in desk.stories.altered_runs()[run]


def test_a_forged_row_and_a_forged_seal_are_found_too(store, run):
    """The seal inside the event no longer hashes to what the chain says."""
    forge(store, run)
    with store.read() as unit:
        seal = unit.seals.of(f"run:{run}")[1]
        row = unit.connection.execute(sa.text("SELECT body FROM audit_events WHERE seq = 4")).scalar()
    overpowered(store, "UPDATE audit_events SET body = :body WHERE seq = 4", body=row.replace(seal, "0" * 64))
    with store.read() as unit, pytest.raises(Altered):
        unit.runs.get(run)
    assert evidence.check(store)["why"].startswith("Row 4 no longer hashes to what was recorded for it.")


@on_sqlite
@pytest.mark.parametrize("garbage", ["summary = 'no json'", "summary = '[1]'", "created_at = 'never'", "frames = '3'"])
def test_a_row_that_cannot_be_read_is_a_sentence(store, run, garbage):
    with store.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE runs SET {garbage}"))
    with store.read() as unit, pytest.raises(Altered, match=f"Run {run} was altered"):
        unit.runs.get(run)
    assert evidence.check(store, tables=True)["why"] == f"Run {run} was altered: its content is not the one that event 4 recorded."


def test_what_people_change_is_no_forgery(store, run):
    with store.unit() as unit:
        unit.runs.rename(run, "Mine", "a note")
        unit.audit("ana", "run_named", f"run:{run}", name="Mine")
    with store.read() as unit:
        assert unit.runs.get(run).name == "Mine"
    assert evidence.check(store)["holds"]


def test_a_removed_row_needs_an_event(store, run):
    other = recorded(store)
    with store.unit() as unit:
        unit.runs.remove([run])
        unit.audit("ana", "run_deleted", f"run:{run}")
    assert evidence.check(store)["holds"]
    with store.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM runs"))
    assert evidence.check(store)["why"] == f"Run {other}, recorded by event 8, is gone, and no event removed it."


def test_a_row_without_an_event_of_its_own_gets_one(store):
    with store.unit() as unit:
        unit.recipes.put("mine", ["atr(14)"], "", "ana", unit.now())
        assert unit.recipes.get("mine").columns == ("atr(14)",), "in the same unit"
    with store.read() as unit:
        (event,) = unit.trail.page()
    assert event.kind == "recorded" and '"entities":["recipe:mine"]' in event.body
    with store.unit() as unit:
        unit.recipes.put("mine", ["rsi(14)"], "", "ana", unit.now())
    with store.read() as unit:
        assert unit.recipes.get("mine").columns == ("rsi(14)",), "the last seal counts"
    assert evidence.check(store)["holds"]


def test_older_rows_are_counted_and_not_called_fine(store, run):
    with store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO recipes (name, columns, note, actor, created_at) VALUES ('old', '[]', '', 'ana', '2026-01-01 00:00:00+00')"))
    with store.read() as unit:
        assert unit.seals.of("recipe:old") is None
    verdict = evidence.check(store)
    assert (verdict["holds"], verdict["covered"], verdict["uncovered"]) == (True, 1, 1)


def test_trials_are_covered_by_their_numbers(store):
    with store.unit() as unit:
        unit.trials.add([TRIAL, TRIAL | dict(spec="t")], kind="run", datasets=["d"], job_id="j", actor="ana", at=unit.now())
    with store.unit() as unit:
        unit.trials.add([TRIAL | dict(spec="u")], kind="run", datasets=["d"], job_id="j", actor="ana", at=unit.now())
    verdict = evidence.check(store)
    assert (verdict["holds"], verdict["covered"], verdict["uncovered"]) == (True, 2, 0)
    overpowered(store, "UPDATE trials SET sharpe = 9.9 WHERE spec = 't'")
    assert evidence.check(store)["why"] == "Trials 1-2 was altered: its content is not the one that event 1 recorded."


def test_links_are_those_that_the_records_name(store, run):
    overpowered(store, "UPDATE audit_links SET entity = 'order:9' WHERE entity = 'order:1'")
    verdict = evidence.check(store)
    assert verdict["broken_at"] == 2 and verdict["why"] in ("Row 2 is no longer linked to 'order:1', which its record names.", "Row 2 is linked to 'order:9', which its record does not name.")


def test_a_node_below_the_root_is_compared_too(store):
    for _ in range(2):
        recorded(store)
    overpowered(store, "UPDATE audit_nodes SET hash = (SELECT hash FROM audit_events WHERE seq = 1) WHERE level = 1 AND position = 0")
    verdict = evidence.check(store)
    assert (verdict["broken_at"], verdict["why"]) == (2, "The tree over these rows is not the one that was kept beside them: its node over rows 1 to 2 differs.")


def test_a_stored_table_that_was_altered_is_found_where_tables_are_hashed(store):
    name = store.frames.put(pd.DataFrame({"r": [1.0, 2.0]}))
    with store.unit() as unit:
        run_id = unit.runs.add(**{**RUN, "frames": {"trades": name}}, summary={}, created_at=unit.now())
    Path(store.frames._path(name)).write_bytes(b"no table")
    assert evidence.check(store)["holds"]
    assert evidence.check(store, tables=True)["why"] == f"The table {name[:8]} of run {run_id} was altered since it was written."


# -- guards

GUARD = dict(sqlite="DROP TRIGGER trials_no_update", postgres="DROP TRIGGER trials_no_change ON trials")
OFF = dict(sqlite="DROP TRIGGER audit_events_link", postgres="ALTER TABLE audit_events DISABLE TRIGGER audit_events_link")
EVIL = dict(
    sqlite=("DROP TRIGGER audit_events_no_update", "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events BEGIN SELECT 1; END"),
    postgres=("CREATE OR REPLACE FUNCTION audit_deny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",),
)


def run_raw(store: Store, *statements: str) -> None:
    with store.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_guards_are_as_the_migrations_made_them(store):
    with store.read() as unit:
        assert faults(unit.connection) == []
        single = "The guards belong to the role that the program itself uses" if unit.connection.dialect.name == "postgresql" else ""
        assert remark(unit.connection).startswith(single) and bool(remark(unit.connection)) == bool(single)


def test_a_missing_guard_is_found(store, kind):
    run_raw(store, GUARD[kind])
    verdict = evidence.check(store)
    assert not verdict["holds"] and "on trials is missing: the database no longer guards the table against changes." in verdict["why"]


def test_a_guard_that_is_switched_off_is_found(store, kind):
    run_raw(store, OFF[kind])
    assert not evidence.check(store)["holds"] and "audit_events_link" in evidence.check(store)["why"]


def test_a_guard_that_guards_nothing_is_found(store, kind):
    run_raw(store, *EVIL[kind])
    assert "was altered: it is not the one that this program made." in evidence.check(store)["why"]


@on_sqlite
def test_a_trigger_of_somebody_else_is_found(store):
    run_raw(store, "CREATE TRIGGER evil AFTER INSERT ON audit_events BEGIN SELECT 1; END")
    assert evidence.check(store)["why"] == "The trigger evil on audit_events is none of this program's."


# -- facts, tables, rows that no append writes


@pytest.mark.parametrize("statement", ["DELETE FROM facts", "UPDATE facts SET value = '3' WHERE name = 'audit_seen'"])
def test_a_deleted_fact_is_found_once_an_event_recorded_a_verification(store, run, statement):
    evidence.check(store, actor="ana")
    assert evidence.check(store)["holds"]
    run_raw(store, statement)
    assert evidence.check(store)["why"].startswith("Event 5 recorded a verification, and the fact that the workspace remembered of it was")


@pytest.mark.parametrize("fact", ["3", '"x"', "{}", "[1]", '{"at": 3, "rows": 1}'])
def test_a_verdict_that_is_none_is_not_shown(store, desk, fact):
    run_raw(store, f"INSERT INTO facts (name, value) VALUES ('audit_verified', '{fact}')")
    assert desk.trail.verified() is None and desk.jobs.pulse().verified is None


@pytest.mark.parametrize("table", ["audit_links", "audit_nodes"])
def test_a_missing_table_is_a_sentence(store, run, table):
    run_raw(store, f"DROP TABLE {table}")
    assert evidence.check(store, actor="ana")["why"] == f"The table {table} is missing."
    with pytest.raises(TrailBroken, match="The audit trail cannot be continued"), store.unit() as unit:
        unit.audit("ana", "noted", "run:1")


def test_a_missing_table_of_facts_is_a_sentence(store, run, desk):
    run_raw(store, "DROP TABLE facts")
    assert evidence.check(store)["why"] == "The table facts is missing."


@on_sqlite
@pytest.mark.parametrize("garbage", ["hash = NULL", "hash = 'zz'", "body = NULL", "body = 3", "prev_hash = X'00'", "kind = NULL", "body = CAST(X'FF' AS TEXT)", "hash = upper(hash)"])
def test_a_garbage_row_is_a_sentence_wherever_it_stands(store, run, garbage):
    """Also where constraints were taken away with the guards; the last row is the head that the next event would follow."""
    with store.engine.begin() as connection:
        triggers = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        columns = "seq INTEGER PRIMARY KEY, event_id, ts, actor, kind, body, prev_hash, hash"
        for statement in (*(f"DROP TRIGGER {name}" for name, _ in triggers), "PRAGMA legacy_alter_table=ON", "ALTER TABLE audit_events RENAME TO kept",
                          f"CREATE TABLE audit_events ({columns})", "INSERT INTO audit_events SELECT * FROM kept", f"UPDATE audit_events SET {garbage} WHERE seq = 4"):  # fmt: skip
            connection.exec_driver_sql(statement)
    verdict = evidence.check(store, actor="ana")
    assert not verdict["holds"] and verdict["broken_at"] == 4 and verdict["why"].startswith("Row 4 ")


def test_a_head_that_is_no_hash_stops_the_trail_and_health_says_so(store, run, desk):
    overpowered(store, "UPDATE audit_events SET hash = 'zz' WHERE seq = 4")
    part = next(part for part in desk.system.health() if part.part == "Audit trail")
    assert part.state == "failed" and part.note == "Row 4, the last, holds no hash: no event can follow it."
    with pytest.raises(TrailBroken, match="The audit trail cannot be continued"), store.unit() as unit:
        unit.audit("ana", "noted")
    assert evidence.check(store)["broken_at"] == 4


def test_a_row_before_the_first_is_found(store, run):
    row = "(seq, event_id, ts, actor, kind, body, prev_hash, hash) VALUES (-5, 'x', 't', 'a', 'k', '{}', 'p', 'h')"
    overpowered(store, f"INSERT INTO audit_events {row}")
    assert evidence.check(store)["why"] == "1 rows of the trail or of its links have numbers outside of 1 to 4."


# -- from a trusted checkpoint


def test_from_a_trusted_checkpoint_only_what_is_new_is_walked(store, monkeypatch):
    for _ in range(5):
        recorded(store)
    with store.read() as unit:
        size, root = 13, unit.trail.root(13)
    walked, rows = [], Trail.rows
    monkeypatch.setattr(Trail, "rows", lambda self, after, until: walked.append(after) or rows(self, after, until))
    verdict = evidence.check(store, since=(size, root))
    assert (verdict["holds"], verdict["rows"], verdict["since"]) == (True, 20, 13) and walked == [13]
    whole = evidence.check(store)
    assert (whole["head"], whole["root"]) == (verdict["head"], verdict["root"])


@pytest.mark.parametrize("size", [1, 2, 7, 8, 19, 20])
def test_a_trusted_checkpoint_of_any_size_leads_to_the_same_root(store, size):
    for _ in range(5):
        recorded(store)
    with store.read() as unit:
        root = unit.trail.root(size)
    assert evidence.check(store, since=(size, root))["holds"]
    assert evidence.check(store, since=(size, "0" * 64))["why"] == f"The first {size} rows are not those of the trusted checkpoint."


def test_what_was_cut_off_below_a_trusted_checkpoint_is_found(store, run):
    assert evidence.check(store, since=(9, "0" * 64))["why"] == "The first 9 rows are not those of the trusted checkpoint."


def test_a_new_row_that_was_altered_is_found_from_a_checkpoint(store):
    for _ in range(3):
        recorded(store)
    with store.read() as unit:
        root = unit.trail.root(6)
    overpowered(store, "UPDATE audit_events SET actor = 'eve' WHERE seq = 9")
    assert evidence.check(store, since=(6, root))["why"].startswith("Row 9 shows actor 'eve'")


def test_the_clock_walks_all_of_it_once_a_day(store, run):
    schedule.verify(store)
    with store.read() as unit:
        first = evidence.last(unit.fact(evidence.FACT))
    recorded(store)
    schedule.verify(store)
    with store.read() as unit:
        second, seen, now = evidence.last(unit.fact(evidence.FACT)), unit.fact(evidence.SEEN), unit.now()
    assert (first["since"], second["since"], second["rows"]) == (0, 4, 8)
    assert evidence.trusted_since(seen, now + timedelta(days=1, seconds=1), schedule.WHOLE_EVERY) is None
    assert datetime.fromisoformat(seen["whole_at"]).tzinfo == UTC


# -- copies


@on_sqlite
@pytest.mark.parametrize("with_log", [False, True])
def test_a_read_only_copy_verifies_and_is_not_written(store, run, tmp_path, with_log):
    if not with_log:
        with store.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in tmp_path.glob("tidemark.db*"):
        if with_log or path.name == "tidemark.db":
            shutil.copy(path, folder / path.name)
    copy = folder / "tidemark.db"
    copy.chmod(0o400)
    before = copy.read_bytes()
    verdict = evidence.check_copy(copy)
    assert verdict["holds"] and verdict["rows"] == 4 and verdict["covered"] == 1
    assert copy.read_bytes() == before
    os.chmod(copy, 0o600)


@on_sqlite
def test_a_copy_that_was_altered_is_found(store, run, tmp_path):
    forge(store, run)
    assert evidence.check_copy(tmp_path / "tidemark.db")["why"] == f"Run {run} was altered: its content is not the one that event 4 recorded."


def test_what_is_no_copy_is_refused(tmp_path):
    (tmp_path / "text.db").write_text("no database at all, but some text that is long enough to be looked at")
    with pytest.raises(BadRequest, match="is no SQLite database"):
        evidence.check_copy(tmp_path / "text.db")
    for path in (tmp_path, tmp_path / "nothing.db"):
        with pytest.raises(BadRequest, match="there is no file"):
            evidence.check_copy(path)


def test_the_page_of_a_forged_run_gets_a_sentence(store, desk, run):
    forge(store, run)
    with pytest.raises(Refused, match=f"Run {run} was altered since it was recorded"):
        desk.backtests.find(run)
    assert desk.backtests.delete(run).id == run and evidence.check(store)["holds"]


def test_a_verification_by_the_page_is_a_job_that_says_what_it_found(store, desk, run, system):
    from worker.actors import run as work

    forge(store, run)
    job = desk.trail.verify().job
    work(job.id)
    verdict = desk.trail.verified()
    assert desk.jobs.get(job.id).state == "done" and verdict["why"] == f"Run {run} was altered: its content is not the one that event 4 recorded."


def test_a_job_on_a_trail_that_takes_no_more_events_waits_without_an_error(store, desk, run, system, caplog):
    from worker.actors import run as work

    job = desk.trail.verify().job
    overpowered(store, "UPDATE audit_events SET hash = 'zz' WHERE seq = 5")
    work(job.id)
    assert desk.jobs.get(job.id).state == "queued" and "no job can begin: The audit trail cannot be continued" in caplog.text
    with pytest.raises(Refused, match="The audit trail cannot be continued"):
        desk.jobs.cancel(job.id)


def test_a_job_whose_end_the_trail_does_not_take_fails_with_the_sentence_and_is_not_tried_again(store, desk, run, system):
    from worker.actors import execute

    job = desk.trail.verify().job
    with store.unit() as unit:
        claimed = unit.jobs.claim(job.id, "w", unit.now())
    overpowered(store, "UPDATE audit_events SET hash = 'zz' WHERE seq = 5")
    execute(claimed)
    ended = desk.jobs.get(job.id)
    assert ended.state == "failed" and ended.error["sentence"].startswith("The audit trail cannot be continued")
    assert desk.trail.verified()["broken_at"] == 5, "and the verdict is there"


# -- rule sets: all versions of one have one hash


@pytest.mark.parametrize("statement", ["UPDATE rule_sets SET text = replace(text, '5 %', '9 %')", "DELETE FROM rule_sets WHERE version = 1", "UPDATE rule_sets SET version = version + 10"])
def test_an_altered_rule_set_is_found_and_judges_nothing(store, desk, statement):
    for amount in ("5 %", "4 %"):
        desk.rule_sets.save("mine", RULES.replace("5 %", amount), why="tried")
    assert evidence.check(store)["holds"] and desk.rule_sets.get("mine").name
    overpowered(store, statement)
    assert re.match(r"Rule set mine was altered: its content is not the one that event \d+ recorded", evidence.check(store)["why"])
    with pytest.raises(BadRequest, match="Rule set mine was altered since it was recorded"):
        desk.rule_sets.get("mine")
