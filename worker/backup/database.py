"""One consistent state of a database as files, while others write to it, and back.

SQLite: its own backup, a database file that can be opened as it is. PostgreSQL: a file a table, as COPY writes it, all of one snapshot.
"""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table

from domain.errors import BadRequest
from worker.store import Unit
from worker.store.engine import read_only, reader_of
from worker.store.migrate import bring_to

SQLITE, SUFFIX = "tidemark.db", ".copy.gz"
PART = 1 << 20          # bytes


@contextmanager
def copied(engine: Engine, folder: Path) -> Iterator[Unit]:
    """Write the database into ``folder``; the unit reads the very state that was written."""
    if engine.dialect.name == "sqlite":
        with _copied_sqlite(engine, folder / SQLITE) as unit:
            yield unit
        return
    with reader_of(engine).connect() as connection, connection.begin():
        for table in _tables(connection):
            _copy_out(connection, table, folder / f"{table.name}{SUFFIX}")
        yield Unit(connection)


@contextmanager
def _copied_sqlite(engine: Engine, path: Path) -> Iterator[Unit]:
    with closing(engine.raw_connection()) as source, closing(sqlite3.connect(path)) as copy:
        source.driver_connection.backup(copy)       # type: ignore[union-attr]
        copy.execute("PRAGMA journal_mode=DELETE")  # all of it in one file
    taken = read_only(path)
    try:
        with taken.connect() as connection, connection.begin():
            yield Unit(connection)
    finally:
        taken.dispose()


def load(engine: Engine, folder: Path, revision: str) -> None:
    """Put what ``copied`` wrote into an empty database, all of it or nothing."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(f"{(folder / SQLITE).resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as source, closing(sqlite3.connect(engine.url.database or "")) as copy:
            source.backup(copy)
        return
    with engine.connect() as connection, connection.begin():
        bring_to(connection, revision)
        for table in _tables(connection):
            if (path := folder / f"{table.name}{SUFFIX}").exists():
                _copy_in(connection, table, path)
        _continue_counting(connection)


def empty(engine: Engine) -> bool:
    """Whether there is no table; SQLite's file is not made by the question."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return True
    with engine.connect() as connection:
        return not sa.inspect(connection).get_table_names()


def refuse_other_kind(engine: Engine, dialect: str) -> None:
    """Refuse a backup of the other kind of database."""
    names = dict(sqlite="SQLite", postgresql="PostgreSQL")
    if engine.dialect.name != dialect:
        raise BadRequest(f"the backup is of {names.get(dialect, dialect)}, and this workspace's database is {names[engine.dialect.name]}; name one of that kind in TIDEMARK_DATABASE_URL")


def _tables(connection: Connection) -> list[Table]:
    """As the database has them, those that others refer to first."""
    meta = sa.MetaData()
    meta.reflect(connection)
    return [table for table in meta.sorted_tables if table.name != "alembic_version"]


def _copy_out(connection: Connection, table: Table, path: Path) -> None:
    """In the order of the key: the trail is put back event after event, each checked by the database."""
    keys = ", ".join(_quoted(connection, column.name) for column in table.primary_key)
    query = f"COPY (SELECT {_columns(connection, table)} FROM {_quoted(connection, table.name)} ORDER BY {keys}) TO STDOUT WITH (FORMAT csv, HEADER true, ENCODING 'UTF8')"
    with _cursor(connection) as cursor, cursor.copy(query) as copy, gzip.open(path, "wb", compresslevel=1) as file:
        for block in copy:
            file.write(block)


def _copy_in(connection: Connection, table: Table, path: Path) -> None:
    statement = f"COPY {_quoted(connection, table.name)} ({_columns(connection, table)}) FROM STDIN WITH (FORMAT csv, HEADER true, ENCODING 'UTF8')"
    with _cursor(connection) as cursor, cursor.copy(statement) as copy, gzip.open(path, "rb") as file:
        for block in iter(lambda: file.read(PART), b""):
            copy.write(block)


def _continue_counting(connection: Connection) -> None:
    """Numbers that the database gives out go on after the last."""
    for table in _tables(connection):
        for column in table.primary_key:
            sequence = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:table, :column)"), dict(table=table.name, column=column.name))
            if sequence:
                last = connection.scalar(sa.select(sa.func.max(column)))
                connection.execute(sa.text("SELECT setval(:sequence, :last, :called)"), dict(sequence=sequence, last=last or 1, called=last is not None))


def _columns(connection: Connection, table: Table) -> str:
    return ", ".join(_quoted(connection, column.name) for column in table.columns)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _cursor(connection: Connection) -> Any:
    return connection.connection.driver_connection.cursor()      # type: ignore[union-attr]
