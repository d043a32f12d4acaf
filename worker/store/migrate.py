"""Migrates a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import BadRequest
from worker.store.engine import reader_of
from worker.trouble import redacted

FOLDER = Path(__file__).with_name("migrations")


def head() -> str:
    """The newest revision; files are named ``0001_what.py``."""
    return max(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def current(connection: Connection) -> str | None:
    """The revision the database is at, or None if it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))


def other_version(connection: Connection) -> str:
    """Why this program does not work on the database: it is another version's. Empty where it is this one's."""
    revision = current(connection)
    if revision == head():
        return ""
    if revision and revision > head():
        return f"the database is at revision {revision}, newer than this program's {head()}, so it takes no work: start the newer program on this machine"
    return f"the database is at revision {revision or 'none'}, older than this program's {head()}, so it takes no work: tidemark up brings the database forward"


def refuse_other_version(engine: Engine) -> None:
    with reader_of(engine).connect() as connection:
        if sentence := other_version(connection):
            raise BadRequest(sentence[0].upper() + sentence[1:])


def upgrade(engine: Engine) -> bool:
    """True if something changed. Several processes may call this at once: the first does it, the others wait and see."""
    with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711, 2)"))
        revision = current(connection)
        if revision == head():
            return False
        if revision and revision > head():
            raise BadRequest(f"the database is at revision {revision}, newer than this program's {head()}: start the newer program, or restore a backup")
        _run(connection)
        return True


def bring_to(connection: Connection, revision: str) -> None:
    """Bring the database forward to ``revision``, inside the connection's transaction."""
    _run(connection, revision)


def _run(connection: Connection, revision: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def reachable(engine: Engine) -> str:
    """Empty if the database answers, else its error message."""
    try:
        with reader_of(engine).connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except SQLAlchemyError as error:
        return redacted(str(getattr(error, "orig", None) or error).strip().splitlines()[0], engine.url.render_as_string(hide_password=False))
    return ""
