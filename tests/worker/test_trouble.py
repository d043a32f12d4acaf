"""The disk full, the database away, the workspace closed: a sentence without a secret, nothing half-written, and work resumes automatically."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys

import pandas as pd
import pytest
import redis
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from domain.errors import BadRequest
from worker import actors, cli, trouble
from worker.desk import health_here
from worker.logs import Redacting
from worker.settings import load
from worker.store import Filter, Store
from worker.store.frames import Frames
from worker.trouble import AWAY, CLOSED, FULL, QUEUE, redacted, secrets_of, sentence_of

NOWHERE = "postgresql://ana:canary%21x@127.0.0.1:1/t?sslpassword=canary2"
SECRETS = ("canary", "canary2", "canary!x")
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def error_of(what) -> BaseException:
    with pytest.raises((OSError, sa.exc.SQLAlchemyError)) as raised:
        what()
    return raised.value


def write(store: Store, rows: int = 1) -> None:
    with store.unit() as unit:
        for _ in range(rows):
            unit.jobs.add("t", "research", "x" * 5_000, {}, "ana", unit.now())


# -- sentences


def test_a_database_that_is_away_is_a_sentence_without_its_password():
    store = Store(NOWHERE, "memory://nowhere")
    error = error_of(lambda: write(store))
    sentence = sentence_of(error, NOWHERE)
    assert sentence.startswith(AWAY.partition("{")[0]) and "work resumes automatically" in sentence and "127.0.0.1" in sentence
    assert not any(secret in sentence for secret in SECRETS) and "\n" not in sentence


def test_a_read_only_workspace_is_a_sentence(tmp_path):
    from tests.conftest import migrated

    migrated(f"sqlite:///{tmp_path / 'tidemark.db'}")
    closed = Store(f"sqlite:///file:{tmp_path / 'tidemark.db'}?mode=ro&uri=true", str(tmp_path))
    assert sentence_of(error_of(lambda: write(closed))) == CLOSED
    closed.close()


@on_sqlite
def test_a_full_disk_under_the_database_is_a_sentence_and_nothing_of_the_unit_stays(store):
    write(store)

    def full(connection, _) -> None:
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")

    store.engine.dispose()
    sa.event.listen(store.engine, "connect", full)
    assert sentence_of(error_of(lambda: write(store, 50))) == FULL
    sa.event.remove(store.engine, "connect", full)
    store.engine.dispose()
    with store.read() as unit:
        assert len(unit.jobs.latest()) == 1
    write(store)


@pytest.mark.parametrize(("error", "sentence"), [
    (OSError(errno.ENOSPC, "x"), FULL), (OSError(errno.EDQUOT, "x"), FULL), (OSError(errno.EROFS, "x"), CLOSED), (redis.ConnectionError("away"), QUEUE),
    (OperationalError("s", {}, Exception("connection refused")), AWAY.format("connection refused")), (BrokenPipeError(errno.EPIPE, "x"), ""), (FileNotFoundError(2, "x"), ""),
    (IntegrityError("s", {}, Exception("UNIQUE constraint failed")), ""), (OperationalError("s", {}, Exception("no such column: x")), ""), (ValueError("x"), ""),
])  # fmt: skip
def test_only_what_the_world_did_is_trouble(error, sentence):
    assert sentence_of(error) == sentence


def test_the_terminal_says_it_and_ends(monkeypatch, capsys, tmp_path):
    for name in [name for name in os.environ if name.startswith("TIDEMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TIDEMARK_DATABASE_URL", NOWHERE)
    monkeypatch.setenv("TIDEMARK_STORAGE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["tidemark", "runs", "list"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    output = capsys.readouterr().err
    assert ended.value.code == 1 and output.startswith("tidemark: The database does not answer: ") and output.count("\n") == 1
    assert not any(secret in output for secret in SECRETS)


# -- the server


def test_health_is_503_with_the_database_away_from_the_start(monkeypatch):
    from app import server

    def away():
        raise OperationalError("CONNECT", {}, Exception(f"no route for {NOWHERE}"))

    monkeypatch.setenv("TIDEMARK_DATABASE_URL", NOWHERE)
    part, = health_here(away)
    assert (part.part, part.state) == ("Database", "failed") and part.note.startswith("The database does not answer") and not any(secret in part.note for secret in SECRETS)
    monkeypatch.setattr(server, "desk", away)
    answer = asyncio.run(server.health(None))
    assert answer.status_code == 503 and b'"database":"failed"' in answer.body and b"canary" not in answer.body


@on_sqlite
def test_health_is_503_where_nothing_can_be_stored(desk, monkeypatch, tmp_path):
    from worker.desk import system as system

    def disk() -> str:
        return next(part.state for part in desk.system.health() if part.part == "Disk")

    assert disk() in ("well", "warning")
    with monkeypatch.context() as patched:
        patched.setattr(system.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1_000}))
        assert disk() == "failed"
    with monkeypatch.context() as patched:
        patched.setattr(system.os, "access", lambda path, mode: False)
        assert disk() == "failed"


# -- work


@on_sqlite
def test_a_job_that_meets_a_full_disk_waits_and_goes_on_by_itself(store, system, monkeypatch, desk):
    monkeypatch.setattr(actors, "TROUBLED", 0.0)
    write_frame = Frames._write

    def full(frames: Frames, frame: pd.DataFrame, name: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    from datetime import UTC, datetime

    job = desk.data.generate("gbm", {}, "EURUSD", "M15", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC), 1).job
    monkeypatch.setattr(Frames, "_write", full)
    for _ in range(6):
        actors.run(job.id)
        waiting = desk.jobs.get(job.id)
        assert (waiting.state, waiting.note, waiting.attempts, waiting.deaths) == ("queued", FULL, 0, 0), "however often"
    monkeypatch.setattr(Frames, "_write", write_frame)
    actors.run(job.id)
    assert desk.jobs.get(job.id).state == "done"
    with store.read() as unit:
        assert [event.kind for event in unit.trail.all(Filter(entity=f"job:{job.id}"))][-3:] == ["job_postponed", "job_started", "dataset_imported"]


def test_half_a_frame_does_not_stay(tmp_path, monkeypatch):
    frames = Frames(str(tmp_path))

    def half(frame, file, **how) -> None:
        file.write(b"PAR1")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_parquet", half)
        with pytest.raises(OSError, match="No space left"):
            frames.put(pd.DataFrame({"a": [1]}))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert frames.get(frames.put(pd.DataFrame({"a": [1]})))["a"].tolist() == [1]


# -- secrets


def test_no_log_line_and_no_traceback_holds_a_secret():
    line = logging.makeLogRecord(dict(msg="cannot reach %s", args=(NOWHERE,), levelno=logging.ERROR))
    try:
        raise BadRequest(f"canary2 at {NOWHERE}")
    except BadRequest:
        line.exc_info = sys.exc_info()
    text = Redacting(logging.Formatter("%(message)s"), secrets_of(NOWHERE)).format(line)
    assert "BadRequest: ***" in text and not any(secret in text for secret in ("canary2", "canary%21x", "canary!x"))


def test_addresses_of_the_settings_are_those_that_may_hold_one():
    settings = load(environment={"TIDEMARK_DATABASE_URL": NOWHERE, "TIDEMARK_REDIS_URL": "redis://:canary3@h/0"})
    assert redacted("canary!x canary3", *trouble.addresses(settings)) == "*** ***"
