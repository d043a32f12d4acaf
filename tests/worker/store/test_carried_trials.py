"""The trials of before the datasets of each were kept are carried over."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from worker.store import Store
from worker.store import migrate as migration
from worker.store.trials import data_of

AT = "2026-01-01 00:00:00+00:00"


def upgraded_to(engine, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migration.FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.fixture
def old(empty_database, tmp_path):
    """A database of the revision before, with trials on v1, on v1 and v2 (of a run), on v2 and v3 (a pair that no run names), and on bars that are gone."""
    store = Store(empty_database, str(tmp_path / "frames"))
    upgraded_to(store.engine, "0010")
    with store.engine.begin() as c:
        for version in ("v1", "v2", "v3"):
            c.execute(sa.text(
                "INSERT INTO datasets (id, version, instrument, timeframe, side, source, clock, bars, first_ts, last_ts, gaps, verdict, quality, provenance, frame, bytes, actor, created_at, synthetic, example) "
                "VALUES (:v, :v, 'EURUSD', 'H1', 'bid', '', 'UTC', 1, :at, :at, 0, 'clean', '{}', '{}', 'f', 1, 'ana', :at, false, false)"
            ), dict(v=version, at=AT))  # fmt: skip
        c.execute(sa.text("INSERT INTO runs (id, kind, job_id, name, note, title, spec, manifest, summary, frames, actor, created_at, example, synthetic) VALUES ('r', 'sweep', 'j', '', '', '', :spec, '{}', '{}', '{}', 'ana', :at, false, false)"), dict(spec=json.dumps(dict(datasets=["v2", "v1"])), at=AT))
        for spec, versions in (("a", ["v1"]), ("b", ["v1", "v2"]), ("c", ["v3", "v2"]), ("d", ["gone", "too"])):
            c.execute(sa.text("INSERT INTO trials (at, actor, kind, data, strategy, params, spec, sharpe, days, job_id) VALUES (:at, 'ana', 'run', :data, 'breakout', 'p', :spec, 0.1, 100, 'j')"), dict(at=AT, data=data_of(versions), spec=spec))
    yield store
    store.close()


def test_old_trials_count_for_the_datasets_that_they_touched(old):
    upgraded_to(old.engine, "head")
    with old.read() as unit:
        counts = {versions: unit.trials.count(versions, "breakout") for versions in (("v1",), ("v2",), ("v3",), ("v1", "v3"), ("gone", "too"), ("gone",))}
    assert counts == {("v1",): 2, ("v2",): 2, ("v3",): 1, ("v1", "v3"): 3, ("gone", "too"): 1, ("gone",): 0}, "what nothing names any more is counted by its whole set"
