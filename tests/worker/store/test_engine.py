"""Database connections and their addresses."""

from __future__ import annotations

import os
import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from domain.errors import BadRequest
from worker.store.engine import hidden, make_engine, parsed

WANTED = dict(journal_mode="wal", synchronous=2, foreign_keys=1, busy_timeout=15_000, recursive_triggers=1, trusted_schema=0)


@pytest.mark.parametrize("pragma", WANTED)
def test_every_sqlite_connection_is_tuned(tmp_path, pragma):
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}").execution_options(readonly=True)
    with engine.connect() as first, engine.connect() as second:
        assert [c.exec_driver_sql(f"PRAGMA {pragma}").scalar() for c in (first, second)] == [WANTED[pragma]] * 2


def test_a_writer_begins_immediately_and_a_reader_does_not(tmp_path):
    """As the driver itself reports it."""
    engine, statements = make_engine(f"sqlite:///{tmp_path / 'a.db'}"), []
    sa.event.listen(engine, "connect", lambda connection, _: connection.set_trace_callback(statements.append))
    with engine.begin():
        pass
    with engine.execution_options(readonly=True).connect() as connection, connection.begin():
        pass
    assert [statement for statement in statements if statement.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


def test_who_opens_a_new_file_waits_for_another_that_holds_it(tmp_path, monkeypatch):
    """SQLite calls no handler while several turn on the write-ahead log: one of them was refused at once."""
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("worker.store.waiting.time.sleep", lambda _: other.rollback())
    with make_engine(f"sqlite:///{tmp_path / 'a.db'}").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal" and not other.in_transaction


def test_a_writer_waits_for_another_and_is_refused_after_a_limit(tmp_path, monkeypatch):
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin(), pytest.raises(OperationalError, match="database is locked"):
        monkeypatch.setattr("worker.store.waiting.LONGEST", 0.01)
        with engine.begin():
            pass
    with engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10, "and readers wait as long"


def test_the_folder_of_a_new_database_is_made(tmp_path):
    with make_engine(f"sqlite:///{tmp_path / 'a' / 'b' / 'c.db'}").connect():
        assert (tmp_path / "a" / "b" / "c.db").exists()


@pytest.mark.parametrize("url", ["nonsense", "", "mysql://u:canary@h/db", "postgresql://u:canary@h:port/db", "redis://h", "sqlite+nothing:///a.db", "postgresql://u:can@ary:x@h/db"])
def test_what_is_no_database_address_is_refused_without_repeating_it(url):
    with pytest.raises(BadRequest, match=r"^database_url") as refused:
        make_engine(url)
    assert "canary" not in str(refused.value)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such folders here")
def test_a_folder_that_cannot_be_made_is_a_sentence():
    with pytest.raises(BadRequest, match=r"the database's folder /proc/nowhere cannot be written: .*. Name another"):
        make_engine("sqlite:////proc/nowhere/a.db")


@pytest.mark.parametrize("url", ["postgres://ana@db/t", "postgresql://ana@db/t", "postgresql+psycopg://ana@db/t"])
def test_every_way_of_writing_postgresql_is_understood(url):
    assert str(parsed(url)) == "postgresql+psycopg://ana@db/t"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:canary@host:6379/0", "redis://***@host:6379/0"),
        ("postgresql://ana:canary@db:5432/t", "postgresql://***@db:5432/t"),
        ("postgresql://ana:can@ary@db/t?sslmode=require", "postgresql://***@db/t?***"),
        ("postgresql://db/t?user=ana&password=canary", "postgresql://db/t?***"),
        ("postgresql://ana:can?ary@db/t", "postgresql://***@db/t"),
        ("s3://key:canary@bucket/frames", "s3://***@bucket/frames"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"), ("unix:///a/queue.sock", "unix:///a/queue.sock"), ("", ""), ("/plain/folder", "/plain/folder"),
    ],
)  # fmt: skip
def test_addresses_are_shown_without_their_secrets(url, shown):
    assert hidden(url) == shown and "canary" not in hidden(url)
