"""What one machine stores, another computes on: they share the database and the bucket, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import fsspec
import pandas as pd
import pytest
import sqlalchemy as sa

from domain.errors import BadRequest
from tests.worker.test_sweeps import END, START, question
from worker import actors
from worker.desk import Desk
from worker.store import Store
from worker.store.copies import Copies
from worker.store.migrate import head, refuse_other_version

URL = "memory://bucket/frames"


@pytest.fixture
def machine(system, database, settings, sent, tmp_path):
    """A machine by its name: its desk, after which its worker is the one that works."""
    stores: dict[str, Store] = {}

    def at(name: str) -> Desk:
        home = tmp_path / name
        stores[name] = stores.get(name) or Store(database, URL, Copies(home / "copies", 100_000_000))
        system.store = stores[name]
        system.settings = replace(settings, storage=replace(settings.storage, home=str(home), frames_url=URL))
        return Desk(stores[name], system.settings, send=sent)

    yield at
    for store_ in stores.values():
        store_.close()
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_run_on_bars_of_another_machine_is_the_same_run(machine, tmp_path):
    desk = machine("one")
    request = question(desk)
    frames = []
    for name in ("one", "two"):
        desk = machine(name)
        job = desk.backtests.submit(request).job.id
        actors.run(job)
        run = desk.backtests.get(desk.jobs.get(job).result["run"])
        frames.append(dict(run.frames))
        desk.backtests.delete(run.id)
    assert frames[0] == frames[1] and frames[0]
    names = {path.name for path in (tmp_path / "two" / "copies").glob("*/*")}
    assert set(frames[1].values()) <= names and not (tmp_path / "two" / "frames").exists()
    name = frames[1]["trades"]
    pd.testing.assert_frame_equal(desk.jobs._context.store.frames.get(name), machine("three").jobs._context.store.frames.get(name))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("revision", "sentence"), [("9999", r"newer than this program's \d+, so it takes no work: start the newer program"), ("0003", r"older than this program's \d+, so it takes no work: tidemark up brings")])
def test_a_worker_of_another_version_than_the_database_takes_no_job_and_says_why(system, desk, store, caplog, revision, sentence):
    """The database is brought forward, or back, while the worker runs."""
    job_id = desk.data.generate("gbm", {}, "EURUSD", "H1", START, END, 3).job.id
    _at_revision(store, revision)
    for take in (lambda: actors.run(job_id), lambda: actors.wake("interactive", job_id), lambda: actors.wake("research", job_id)):
        take()
    assert desk.jobs.get(job_id).state == "queued" and desk.jobs.get(job_id).epoch == 0
    with pytest.raises(BadRequest, match=f"The database is at revision {revision}, {sentence}"):
        refuse_other_version(store.engine)
    assert re.search(f"no job is taken: the database is at revision {revision}, {sentence}", caplog.text)
    _at_revision(store, head())
    refuse_other_version(store.engine)
    actors.run(job_id)
    assert desk.jobs.get(job_id).state == "done"


def _at_revision(store, revision: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), dict(revision=revision))
