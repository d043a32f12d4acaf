"""External data in the database: the newest import is in use, older ones stay, and frames that an import uses stay."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from worker import schedule
from worker.schedule import clean
from worker.store.outside import version_of


def values(store, kind: str = "series", name: str = "VIX", value: float = 1.0) -> dict[str, Any]:
    frame = store.frames.put(pd.DataFrame(dict(value=[value])))
    edge = datetime(2024, 7, 11, tzinfo=UTC)
    return dict(
        kind=kind, name=name, version=version_of(kind, name, frame), rows=1, first_ts=edge, last_ts=edge, source="vix.csv", notes=["1 date has no value."], scorer="", frame=frame, bytes=9, actor="ana", example=False,
    )  # fmt: skip


def add(store, **which):
    with store.unit() as unit:
        return unit.outside.add(**values(store, **which), created_at=unit.now())


def test_the_newest_of_a_kind_and_name_is_in_use_and_the_others_stay(store):
    first, new = add(store, value=1.0)
    second, newer = add(store, value=2.0)
    other, _ = add(store, name="DXY", value=1.0)
    assert new and newer and len({first.version, second.version, other.version}) == 3, "the same values of another series are another version"
    with store.read() as unit:
        assert unit.outside.newest("series", "VIX") == second and unit.outside.newest("series", "DXY") == other and unit.outside.newest("headlines") is None
        assert unit.outside.get(first.version) == unit.outside.get(first.id) == first and unit.outside.get("nosuch") is None
        assert [dataset.id for dataset in unit.outside.all()] == [other.id, second.id, first.id]
        assert (first.notes, first.created_at.tzinfo, first.first_ts) == (["1 date has no value."], UTC, datetime(2024, 7, 11, tzinfo=UTC))


def test_the_same_again_is_no_new_row_but_what_was_replaced_may_come_back(store):
    first, _ = add(store, value=1.0)
    assert add(store, value=1.0) == (first, False)
    add(store, value=2.0)
    back, new = add(store, value=1.0)
    with store.read() as unit:
        assert new and back.id != first.id and back.version == first.version and unit.outside.newest("series", "VIX") == back == unit.outside.get(first.version)
        assert len(unit.outside.all()) == 3


def test_of_a_kind_the_newest_of_all_names_is_found(store):
    add(store, kind="releases", name="a", value=1.0)
    last, _ = add(store, kind="releases", name="b", value=2.0)
    with store.read() as unit:
        assert unit.outside.newest("releases") == last and unit.outside.newest("releases", "a").name == "a"


def test_what_is_removed_gives_its_place_to_the_one_before(store):
    first, _ = add(store, value=1.0)
    second, _ = add(store, value=2.0)
    with store.unit() as unit:
        assert unit.outside.remove(second.id) and not unit.outside.remove(second.id)
        assert unit.outside.newest("series", "VIX") == first


def test_runs_are_found_by_the_versions_that_they_name(store):
    values = dict(kind="columns", job_id="j", title="", manifest={}, summary={}, frames={}, actor="ana")
    with store.unit() as unit:
        specs = ({}, dict(outside=dict(series=dict(VIX="aa"))), dict(outside=dict(headlines="aa")), dict(outside=dict(releases="bb", impact="high")))
        ids = [unit.runs.add(**values, spec=spec, created_at=unit.now()) for spec in specs]
        assert set(unit.runs.of_outside("aa")) == set(ids[1:3]) and unit.runs.of_outside("bb") == [ids[3]] and unit.runs.of_outside("high") == []


def test_a_frame_is_kept_as_long_as_an_import_names_it(store, monkeypatch):
    dataset, _ = add(store)
    unnamed = store.frames.put(pd.DataFrame(dict(value=[9.0])))
    now = time.time()
    monkeypatch.setattr(schedule.time, "time", lambda: now + 7_200)
    clean(store)
    assert store.frames.exists(dataset.frame) and not store.frames.exists(unnamed)
    with store.unit() as unit:
        unit.outside.remove(dataset.id)
    clean(store)
    assert not store.frames.exists(dataset.frame)
