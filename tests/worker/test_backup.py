"""A backup while others write, a restore into an empty workspace: the trail holds, what is lost is said, and damage is named."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from domain.errors import BadRequest
from worker import evidence
from worker.backup import take as take_
from worker.backup.folder import BackupFolder
from worker.backup.restore import restore
from worker.backup.take import take
from worker.checkpoints.notary import Notary
from worker.cli import app
from worker.store import Filter, Store, session_asking

AT = datetime(2025, 1, 2, tzinfo=UTC)


def table(number: int) -> pd.DataFrame:
    return pd.DataFrame({"close": [1.0 * number, float("nan"), 1 / 3], "text": ["é\n", "", "\\N"]})


def keep(store: Store, number: int) -> str:
    """A run with a frame, and the file of a part of a job."""
    frame, file = store.frames.put(table(number)), store.blobs.put(b"weights %d" % number)
    with store.unit() as unit:
        unit.runs.add(kind="t", job_id=f"j{number}", title='a "title",\nof two lines', spec={"é": [None, 0.1]}, manifest={}, summary={}, frames={"t": frame}, actor="ana", created_at=unit.now())
        unit.chunks.add(f"j{number}", [(0, 1, {})])
        unit.chunks.finish(f"j{number}", 0, {}, {"files": {"w": file}}, unit.now())
        unit.audit("ana", "run_finished", f"run:{number}")
    return frame


@pytest.fixture
def elsewhere(kind, request, tmp_path, settings) -> Iterator:
    """The settings of an empty workspace with an empty database of the same kind; ``fresh`` is called once a workspace."""
    with ExitStack() as stack:
        def fresh(name: str):
            home = tmp_path / name
            url = f"sqlite:///{home}/tidemark.db" if kind == "sqlite" else stack.enter_context(request.getfixturevalue("postgres_server").database(migrated=False))
            return replace(settings, storage=replace(settings.storage, home=str(home), database_url=url))
        yield fresh


def test_what_was_backed_up_comes_back_and_its_trail_holds(store, settings, elsewhere, tmp_path):
    frames = [keep(store, number) for number in range(3)]
    taken = take(store, settings, tmp_path / "out", "ana")
    with store.unit() as unit:
        unit.audit("ana", "after", "run:x")
    there = elsewhere("there")
    done = restore(there, tmp_path / "out", "bea")
    assert done.verdict["holds"] and done.missing == [] and (done.verdict["rows"], done.verdict["root"]) == (taken.manifest.rows, taken.manifest.root)
    back = Store(there.database_url, there.frames_url)
    assert evidence.check(back, tables=True)["holds"]
    for number, name in enumerate(frames):
        pd.testing.assert_frame_equal(back.frames.get(name), table(number))
    with back.read() as unit, store.read() as before:
        assert {run.id: run for run in unit.runs.latest()} == {run.id: run for run in before.runs.latest()}
        assert unit.chunks.files() == before.chunks.files() and all(back.blobs.fault(name) == "" for name in unit.chunks.files())
        event = next(unit.trail.all(Filter(kinds=("restored",))))
    detail = json.loads(event.body)["detail"]
    assert event.actor == "bea" and detail["backup"] == taken.manifest.name and detail["rows"] == taken.manifest.rows and detail["checkpoint"] is None
    assert "events recorded after it are lost. How many is not known" in detail["sentence"]
    keep(back, 7)
    back.close()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_second_backup_copies_only_what_is_new(store, settings, tmp_path, monkeypatch):
    keep(store, 1)
    first = take(store, settings, tmp_path / "out", "ana")
    keep(store, 2)
    moved = datetime(2031, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(take_, "datetime", type("Later", (), {"now": staticmethod(lambda zone: moved)}))
    second = take(store, settings, tmp_path / "out", "ana")
    assert (first.named, first.copied) == (2, 2) and (second.named, second.copied) == (4, 2)
    assert BackupFolder(tmp_path / "out").names() == [first.manifest.name, "2031-01-01T00-00-00Z"]


def test_the_backup_is_of_one_moment_while_others_write(store, settings, elsewhere, tmp_path):
    keep(store, 0)
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            with store.unit() as unit:
                job, _ = unit.jobs.add("t", "research", "t", {}, "ana", unit.now())
                unit.audit("ana", "job_submitted", f"job:{job.id}")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        taken = take(store, settings, tmp_path / "out", "ana")
    finally:
        over.set()
        for writer in writers:
            writer.join()
    there = elsewhere("there")
    assert restore(there, tmp_path / "out", "bea").verdict["holds"]
    back = Store(there.database_url, there.frames_url)
    with back.read() as unit:
        events = {entity for record in unit.trail.all(Filter(kinds=("job_submitted",))) for entity in json.loads(record.body)["entities"]}
        assert {f"job:{job.id}" for job in unit.jobs.latest(limit=100_000)} == events, "a job and its event come back together, or not at all"
    assert taken.manifest.rows >= 1
    back.close()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_range_that_is_lost_is_reported_by_a_checkpoint_that_left(store, settings, elsewhere, tmp_path):
    notary = Notary(store, settings)
    notary.step()
    keep(store, 1)
    taken = take(store, settings, tmp_path / "out", "ana")
    with store.unit() as unit:
        for number in range(5):
            unit.audit("ana", "after", f"run:{number}")
    last = notary.sign()
    notary.release()
    there = elsewhere("there")
    done = restore(there, tmp_path / "out", "bea", checkpoint=settings.checkpoints_file)
    assert done.verdict["holds"] and f"events {taken.manifest.rows + 1:,} to {last.size:,}, which the last checkpoint outside the database covers, are lost" in done.lost
    back = Store(there.database_url, there.frames_url)
    with back.read() as unit:
        detail = json.loads(next(unit.trail.all(Filter(kinds=("restored",)))).body)["detail"]
    assert (detail["lost_first"], detail["lost_last"], detail["checkpoint"]) == (taken.manifest.rows + 1, last.size, last.note)
    back.close()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_workspace_that_is_not_empty_is_refused_and_stays_as_it_is(store, settings, elsewhere, tmp_path):
    keep(store, 1)
    take(store, settings, tmp_path / "out", "ana")
    with pytest.raises(BadRequest, match="is not empty, and a restore writes over nothing"):
        restore(settings, tmp_path / "out", "bea")
    there = elsewhere("there")
    Store("sqlite://", there.frames_url).frames.put(table(9))
    with pytest.raises(BadRequest, match="there are tables already where this workspace stores its frames"):
        restore(there, tmp_path / "out", "bea")


def test_damaged_and_missing_files_are_named(store, settings, elsewhere, tmp_path):
    name, gone = keep(store, 1), keep(store, 2)
    manifest = take(store, settings, tmp_path / "out", "ana").manifest
    frames = tmp_path / "out" / "frames"
    (frames / name[:2] / f"{name}.parquet").write_bytes(b"x")
    (frames / gone[:2] / f"{gone}.parquet").unlink()
    there = elsewhere("there")
    with pytest.raises(BadRequest, match="Nothing was restored") as refused:
        restore(there, tmp_path / "out", "bea")
    assert all(part in str(refused.value) for part in (f"table {name}", "is altered", f"table {gone}", "is gone", "--partial"))
    done = restore(there, tmp_path / "out", "bea", partial=True)
    assert done.verdict["holds"] and len(done.missing) == 2
    path = next((tmp_path / "out" / "backups" / manifest.name / "database").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BadRequest, match=r"the database file .* is altered"):
        restore(elsewhere("other"), tmp_path / "out", "bea", partial=True)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_the_store_has_lost_is_named_by_the_backup(store, settings, tmp_path):
    name = keep(store, 1)
    Path(store.frames._path(name)).unlink()
    taken = take(store, settings, tmp_path / "out", "ana")
    assert len(taken.manifest.missing) == 1 and name in taken.manifest.missing[0] and "no longer in the workspace" in taken.manifest.missing[0]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_backup_is_for_its_owner_only_and_holds_no_key_and_no_password(store, settings, tmp_path):
    Notary(store, settings).step()
    take(store, settings, tmp_path / "out", "ana")
    paths = list((tmp_path / "out").rglob("*"))
    assert {stat.S_IMODE(os.stat(path).st_mode) & 0o077 for path in (tmp_path / "out", *paths)} == {0}
    key = (settings.home / "audit.key").read_bytes().strip()
    assert (settings.home / "audit.key").exists() and not any(key in path.read_bytes() for path in paths if path.is_file())
    assert any(path.name == "audit-keys.txt" for path in paths), "the public keys, by which the trail is verified, are"
    password = make_url(settings.database_url).password
    assert not password or not any(password.encode() in path.read_bytes() for path in paths if path.is_file())


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_trading_is_halted_where_a_session_was_open(store, settings, elsewhere, tmp_path):
    with store.unit() as unit:
        session_asking.start(unit, "one", {}, {}, "ana")
    take(store, settings, tmp_path / "out", "ana")
    there = elsewhere("there")
    assert restore(there, tmp_path / "out", "bea").halted
    back = Store(there.database_url, there.frames_url)
    with back.read() as unit:
        (halt,) = unit.session_halts.latched()
        assert (halt.session, halt.flatten, halt.who) == ("", False, "bea") and "Check every account" in halt.reason
    back.close()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_an_unfinished_backup_does_not_count(settings, elsewhere, tmp_path):
    folder = BackupFolder(tmp_path / "out")
    folder.make()
    folder.begin(AT)
    with pytest.raises(BadRequest, match="there is no finished backup"):
        restore(elsewhere("there"), tmp_path / "out", "bea")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_backup_of_the_other_kind_of_database_or_of_a_newer_program_is_refused(store, settings, elsewhere, tmp_path, monkeypatch):
    take(store, settings, tmp_path / "out", "ana")
    folder = BackupFolder(tmp_path / "out")
    path = folder.folder_of(folder.names()[0]) / "manifest.json"
    manifest = json.loads(path.read_text())
    for change, sentence in (({"dialect": "postgresql"}, "is of PostgreSQL, and this workspace's database is SQLite"), ({"revision": "9999"}, "newer than this program's")):
        path.write_text(json.dumps(manifest | change))
        with pytest.raises(BadRequest, match=sentence):
            restore(elsewhere("there"), tmp_path / "out", "bea")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_terminal_backs_up_and_restores(store, settings, tmp_path, monkeypatch):
    keep(store, 1)
    out, home = tmp_path / "out", tmp_path / "there"
    monkeypatch.setenv("TIDEMARK_STORAGE_HOME", str(settings.home))
    taken = CliRunner().invoke(app, ["backup", "--out", str(out), "--json"])
    assert taken.exit_code == 0 and json.loads(taken.stdout)["copied"] == 2, taken.output
    monkeypatch.setenv("TIDEMARK_STORAGE_HOME", str(home))
    done = CliRunner().invoke(app, ["restore", "--from", str(out), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["holds"] is True, done.output
    again = CliRunner().invoke(app, ["restore", "--from", str(out)])
    assert isinstance(again.exception, BadRequest) and "is not empty" in str(again.exception)
