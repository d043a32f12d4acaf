"""Connections: SQLite tuned so that writers queue and nothing acknowledged is lost, or PostgreSQL as it is."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, NoSuchModuleError

from domain.compact import encoder
from domain.errors import BadRequest
from worker.store.waiting import begin_writing, write_ahead


def _item(value: Any) -> Any:
    """A number of numpy as Python's."""
    if not hasattr(value, "item"):
        raise TypeError(f"{type(value).__name__} is nothing that JSON holds")
    return value.item()


ENCODE = encoder(_item, (", ", ": "), allow_nan=False)
UNREADABLE = {"unreadable": True}
ASK_AFTER = 1.0         # seconds that a connection to a server may lie idle and be used unasked
PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "trusted_schema=OFF")


def make_engine(url: str) -> Engine:
    """An engine for ``url``; SQLite's folder is created if it is missing.

    Writers on SQLite begin with BEGIN IMMEDIATE: the default, begun late and deferred, loses updates, and a plain
    BEGIN fails at the first write beside another writer. Readers (``readonly``) begin plainly and block nobody.
    """
    address = parsed(url)
    if address.get_backend_name() == "sqlite":
        _make_folder(Path(address.database or ".").parent)
        engine = create_engine(address, json_serializer=json_text, json_deserializer=_read_json)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine
    engine = create_engine(address, pool_size=5, max_overflow=15, json_serializer=json_text, json_deserializer=_read_json)
    event.listen(engine, "checkin", _put_back)
    event.listen(engine, "handle_error", _no_text)
    event.listen(engine, "checkout", partial(_ask_if_idle, engine))
    return engine


def _put_back(_: Any, record: Any) -> None:
    record.info["at"] = time.monotonic()


def _no_text(context: Any) -> None:
    """PostgreSQL keeps no U+0000 in a text: whoever gives one is answered, and no error of the program."""
    message = str(context.original_exception)
    if "NUL (0x00)" in message or "\\u0000 cannot be converted" in message:
        raise BadRequest("a text holds the letter U+0000, which the database does not keep; leave it out") from None


def _ask_if_idle(engine: Engine, connection: Any, record: Any, _: Any) -> None:
    """A server that was restarted has closed the connections that lay idle meanwhile: one that lay for long is pinged before it is used."""
    if time.monotonic() - record.info.get("at", time.monotonic()) < ASK_AFTER:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise InvalidatePoolError from None


def read_only(path: Path) -> Engine:
    """A SQLite file that is never written to, such as a copy on a read-only medium. Without a write-ahead log beside it, it is read as a file that nobody changes."""
    alone = not any(beside.exists() and beside.stat().st_size for beside in (Path(f"{path}-wal"), Path(f"{path}-journal")))
    options = {"uri": "true", "mode": "ro"} | ({"immutable": "1"} if alone else {})
    address = URL.create("sqlite", database=path.resolve().as_uri(), query=options)
    engine = create_engine(address, json_deserializer=_read_json, execution_options=dict(readonly=True))
    event.listen(engine, "connect", _as_text)
    event.listen(engine, "begin", _begin)
    return engine


def reader_of(engine: Engine) -> Engine:
    """The same connections for reading one consistent state: on PostgreSQL, each statement alone would see a newer one."""
    snapshot = {} if engine.dialect.name == "sqlite" else dict(isolation_level="REPEATABLE READ")
    return engine.execution_options(readonly=True, **snapshot)


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that may say ON CONFLICT, which both databases understand alike."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def quoted(texts: Iterable[str]) -> str:
    r"""An array of texts for a message of several statements to PostgreSQL, which takes no parameters. ``E''`` reads the same whatever the server's settings.

    >>> print(quoted(["it's", "a\\b"]))
    ARRAY[E'it''s',E'a\\b']::text[]
    """
    literals = ("E'" + text.replace("\\", "\\\\").replace("'", "''") + "'" for text in texts)
    return f"ARRAY[{','.join(literals)}]::text[]"


def parsed(url: str) -> Any:
    """
    >>> str(parsed("postgres://ana@db/tidemark"))
    'postgresql+psycopg://ana@db/tidemark'
    """
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            url = "postgresql+psycopg://" + url.removeprefix(prefix)
    try:
        address = make_url(url)
        address.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise BadRequest("database_url is not a database address; write sqlite:///path or postgresql://user:password@host/name") from None
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadRequest(f"database_url names {address.get_backend_name()}; it must be SQLite or PostgreSQL")
    return address


def hidden(url: str) -> str:
    """The address without user, password and options (which may contain a password), safe to show.

    >>> hidden("redis://:secret@host:6379/0"), hidden("postgresql://db/t?password=secret")
    ('redis://***@host:6379/0', 'postgresql://db/t?***')
    """
    scheme, at, rest = url.partition("://")
    where, options, _ = rest.rpartition("@")[2].partition("?")
    return scheme + at + ("***@" if "@" in rest else "") + where + ("?***" if options else "")


@dataclass(slots=True)
class Encoded:
    """A value of a JSON column that is text already, as ``json_text`` gives it."""

    text: str


def json_text(value: Any) -> str:
    """JSON has no NaN and no infinity, and PostgreSQL refuses them: null, as in what the terminal prints."""
    if type(value) is Encoded:
        return value.text
    try:
        return ENCODE(value)
    except ValueError:
        return ENCODE(_finite(value))


def _read_json(text: str) -> Any:
    """``UNREADABLE`` where the stored text is no JSON any more: the row is then not the one that was recorded, and is reported as altered."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return dict(UNREADABLE)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"the database's folder {folder} cannot be written: {error.strerror}. Name another in [storage] home or database_url") from None


def _as_text(connection: Any, _: Any) -> None:
    connection.isolation_level = None      # SQLAlchemy says BEGIN, not the driver
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")      # invalid text is shown and reported, and does not raise


def _prepare(connection: Any, record: Any) -> None:
    _as_text(connection, record)
    if not write_ahead(connection):
        connection.execute("PRAGMA journal_mode=WAL")       # for the error as the library words it
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("readonly"):
        connection.exec_driver_sql("BEGIN")
    elif not begin_writing(connection.connection.driver_connection):     # type: ignore[arg-type]
        connection.exec_driver_sql("BEGIN IMMEDIATE")       # for the error as the library words it
