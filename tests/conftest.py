"""Shared fixtures: a fresh database of each kind, a store and a desk on it."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.databases import KINDS, Postgres, postgres
from worker.memory import keep_objects

# As in the program's workers: several processes share the cores, where the threads of a library wait for one another by computing.
for name_ in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name_, "1")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults: kills at random moments, many writers, for minutes; make check-faults")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests are there to stay, as in the program's own processes: who looks for garbage passes them by, and looks less often."""
    gc.disable()
    try:
        return (yield)
    finally:
        keep_objects(thoroughly=False)
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """tests/faults takes minutes: it runs when it is named (``make check-faults``), not with everything."""
    long = collection_path.name == "faults" and collection_path.is_dir()
    return True if long and not any("faults" in str(named) for named in config.args) else None


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves its script as ``__main__``, which processes started later would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def empty_database(kind, request, tmp_path) -> Iterator[str]:
    """The address of a database without a table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'tidemark.db'}"
    else:
        with request.getfixturevalue("postgres_server").database(migrated=False) as url:
            yield url


@pytest.fixture
def database(kind, request, tmp_path) -> Iterator[str]:
    """The address of a migrated database without a row."""
    if kind == "sqlite":
        yield migrated(f"sqlite:///{tmp_path / 'tidemark.db'}")
    else:
        with request.getfixturevalue("postgres_server").database(migrated=True) as url:
            yield url


@pytest.fixture
def store(database, tmp_path):
    from worker.store import Store

    store_ = Store(database, str(tmp_path / "frames"))
    yield store_
    store_.close()


class Sent(list):
    """Takes messages in place of the queue: ``(queue, job id)``. ``up`` False: the queue server does not answer."""

    up = True

    def __call__(self, redis_url: str, queue: str, job_id: str) -> bool:
        if self.up:
            self.append((queue, job_id))
        return self.up


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def settings(tmp_path, database):
    """The settings of a workspace in this test's folder."""
    from worker.settings import load

    return load(environment={"TIDEMARK_STORAGE_HOME": str(tmp_path), "TIDEMARK_DATABASE_URL": database, "TIDEMARK_APP_USER": "ana", "TIDEMARK_EXAMPLE": "false"})


@pytest.fixture
def desk(store, settings, sent):
    from worker.desk import Desk

    return Desk(store, settings, send=sent)


def migrated(url: str) -> str:
    """The address, with a migrated database behind it. SQLite's is a copy of one that was migrated once, as PostgreSQL's is made from a template."""
    path = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and path and not Path(path).exists():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(migrated_file(), path)
    else:
        migrate(url)
    return url


@cache
def migrated_file() -> Path:
    """Of this process; it is closed, so all of it is in one file."""
    folder = tempfile.TemporaryDirectory(prefix="tidemark-migrated-")
    atexit.register(folder.cleanup)
    migrate(f"sqlite:///{folder.name}/tidemark.db")
    return Path(folder.name) / "tidemark.db"


def migrate(url: str) -> None:
    from worker.store.engine import make_engine
    from worker.store.migrate import upgrade

    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture
def quick_hash(monkeypatch) -> None:
    """Passwords are hashed with the least work, as a hash that is safe takes a tenth of a second."""
    from argon2 import PasswordHasher

    from worker.desk import passwords

    monkeypatch.setattr(passwords, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()
