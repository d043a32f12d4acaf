"""Versions of models are immutable; at most one of a name is in production; who decided so and why stays."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.worker.test_evidence import overpowered
from worker import evidence
from worker.schedule import clean
from worker.store.blobs import WrongHash
from worker.store.model_files import files_of
from worker.store.seals import Altered
from worker.store.trail import Filter


def add(store, name: str = "fake", content: bytes = b"tree", **changed):
    """A candidate with one file."""
    with store.unit() as unit:
        values = dict(learner="fakeout", target="fake", run_id="r1", spec_hash="s", files={"model.txt": store.blobs.put(content)}, frames={}, manifest={"seed": 1}, scores={}, synthetic=True, actor="ana")
        model = unit.models.add(name=name, created_at=unit.now(), **(values | changed))
        unit.models.move(model.id, "candidate", "ana", unit.now(), "", {})
        unit.audit("ana", "model_registered", model.entity)
    return model


def move(store, model, stage: str, reason: str = "", **evidence) -> None:
    with store.unit() as unit:
        unit.models.move(model.id, stage, "ben", unit.now(), reason, evidence)
        unit.audit("ben", "model_moved", model.entity)


def test_versions_count_up_by_name_and_keep_what_they_are(store):
    first, second, other = add(store), add(store, content=b"tree 2"), add(store, "wide")
    assert [model.title for model in (first, second, other)] == ["fake@1", "fake@2", "wide@1"] and len({model.digest for model in (first, second, other)}) == 3
    with store.read() as unit:
        assert unit.models.version("fake", 1) == unit.models.get(first.id) == first and unit.models.version("fake", 3) is None
        assert [model.title for model in unit.models.versions("fake")] == ["fake@2", "fake@1"] and len(unit.models.all()) == 3 == len(unit.models.of_run("r1"))
    verdict = evidence.check(store, tables=True)
    assert (verdict["holds"], verdict["covered"], verdict["uncovered"]) == (True, 6, 0), "three versions and their first stages are sealed"


def test_stages_are_appended_with_who_and_why_and_one_version_is_in_production(store):
    first, second = add(store), add(store)
    move(store, first, "production", "weak, but mine", weak=True)
    with pytest.raises(DBAPIError, match="another version is in production"):
        move(store, second, "production")
    move(store, first, "retired", "second is better")
    move(store, second, "production")
    with store.read() as unit:
        assert [(stage.number, stage.stage, stage.actor, stage.reason) for stage in unit.models.stages(first.id)] == [(1, "candidate", "ana", ""), (2, "production", "ben", "weak, but mine"), (3, "retired", "ben", "second is better")]
        assert unit.models.stages(first.id)[1].evidence == {"weak": True} and unit.models.in_production("fake") == second and unit.models.in_production("none") is None


@pytest.mark.parametrize("attempt", ["UPDATE models SET learner = 'x'", "DELETE FROM models", "UPDATE model_stages SET stage = 'production'", "DELETE FROM model_stages", "UPDATE trial_datasets SET version = 'x'"])
def test_neither_versions_nor_stages_nor_datasets_of_trials_are_changed(store, attempt):
    add(store)
    with store.unit() as unit:
        unit.trials.add([dict(strategy="breakout", params="p", spec="s", sharpe=0.0, days=1)], kind="train", datasets=["v1"], job_id="a", actor="ana", at=unit.now())
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(sa.text(attempt))


def test_an_altered_version_is_refused_on_reading_and_found_by_verification(store):
    model = add(store)
    overpowered(store, "UPDATE models SET learner = 'other'")
    with store.read() as unit, pytest.raises(Altered, match=f"Model {model.id} was altered since it was recorded"):
        unit.models.get(model.id)
    assert f"Model {model.id} was altered" in evidence.check(store)["why"]


def test_a_changed_file_is_refused_recorded_and_found_by_verification(store):
    model = add(store)
    with store.blobs._fs.open(f"{store.blobs._root}/{model.files['model.txt'][:2]}/{model.files['model.txt']}", "wb") as file:
        file.write(b"tred")
    with pytest.raises(WrongHash, match=r"The file model\.txt of model fake@1 was altered since it was written"):
        files_of(store, model, "ana")
    with store.read() as unit:
        refusals = [record for record in unit.trail.all(Filter(entity=model.entity)) if record.kind == "model_refused"]
    assert len(refusals) == 1 and refusals[0].actor == "ana"
    assert evidence.check(store, tables=True)["why"] == "The file model.txt of model fake@1 was altered since it was written."


def test_files_stay_as_long_as_a_model_names_them(store, monkeypatch):
    from worker import schedule

    model, left = add(store), store.blobs.put(b"named by nothing")
    monkeypatch.setattr(schedule.time, "time", lambda: 4e9)
    clean(store)
    assert files_of(store, model, "ana") == {"model.txt": b"tree"} and store.blobs.fault(left) == "gone"
