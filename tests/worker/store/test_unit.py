"""One unit of work: all of it or nothing of it; and reading one consistent state beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.store.racers import add_same_key, race
from worker.store import Process


def job_and_event(unit) -> None:
    unit.jobs.add("noted", "interactive", "", {}, "ana", unit.now())
    unit.audit("ana", "job_submitted")


def counts(store) -> tuple[int, int]:
    with store.read() as unit:
        return sum(unit.jobs.counts().values()), unit.trail.count()


def test_row_and_event_commit_together(store):
    with store.unit() as unit:
        job_and_event(unit)
    assert counts(store) == (1, 1)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_inside_leaves_neither_row_nor_event(store, error):
    with pytest.raises(error), store.unit() as unit:
        job_and_event(unit)
        raise error
    assert counts(store) == (0, 0)


@pytest.mark.parametrize("detail", [dict(x="a" * 70_000), dict(x=object()), dict(x="\ud83d")])
def test_an_event_that_cannot_be_written_takes_its_row_with_it(store, detail):
    with pytest.raises((ValueError, TypeError)), store.unit() as unit:
        job_and_event(unit)
        unit.audit("ana", "noted", **detail)
    assert counts(store) == (0, 0)
    with store.unit() as unit:
        job_and_event(unit)
    assert counts(store) == (1, 1)


def test_what_is_not_committed_is_not_seen(store):
    with store.unit() as unit:
        job_and_event(unit)
        assert counts(store) == (0, 0)


def test_a_reader_sees_one_state_while_others_write(store):
    with store.read() as unit:
        before = unit.trail.count()
        with store.unit() as other:
            job_and_event(other)
        assert unit.trail.count() == before and unit.jobs.counts() == {}
    assert counts(store) == (1, 1)


def test_the_clock_is_utc_and_goes_on_inside_a_unit(store):
    with store.unit() as unit:
        first, second = unit.now(), unit.now()
    assert first.tzinfo == UTC and first < second < first + timedelta(seconds=5)
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_fact_is_remembered_and_replaced(store):
    with store.unit() as unit:
        assert unit.fact("x") is None
        unit.remember("x", {"a": [1, None]})
        unit.remember("x", {"a": [2, None]})
    with store.read() as unit:
        assert unit.fact("x") == {"a": [2, None]}


def test_json_has_no_nan_on_either_database(store):
    with store.unit() as unit:
        unit.remember("x", {"a": float("nan"), "b": [float("inf"), (1.5, "nan")], "c": -0.5})
    with store.read() as unit:
        assert unit.fact("x") == {"a": None, "b": [None, [1.5, "nan"]], "c": -0.5}


def test_processes_come_give_signs_of_life_and_go(store):
    with store.unit() as unit:
        now = unit.now()
        process_ = Process("host:1:ab", "worker", "host", 1, now - timedelta(hours=1), now, "")
        old = Process("host:2:cd", "worker", "host", 2, now - timedelta(days=2), now - timedelta(days=1, hours=1), "backtest x")
        for process in (process_, old, process_):
            unit.alive(process)
        assert unit.processes(timedelta(seconds=8)) == [process_] and len(unit.processes(timedelta(days=9))) == 2
        unit.forget_dead(timedelta(days=1))
        assert unit.processes(timedelta(days=9)) == [process_]
        unit.gone(process_.id)
        assert unit.processes(timedelta(days=9)) == []


def test_units_of_many_threads_all_commit(store):
    """SQLite's writers queue up for as long as they must, PostgreSQL's wait for the trail's head."""

    def write(number: int) -> None:
        with store.unit() as unit:
            job_and_event(unit)
            unit.remember("last", number)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(64)))
    assert counts(store) == (64, 64)


def test_the_same_question_from_many_processes_at_once_makes_one_job(database, tmp_path):
    results = race(add_same_key, 6, database, str(tmp_path / "frames"), 20)
    assert all(isinstance(result, list) for result in results), results
    for turn in zip(*results, strict=True):
        assert len({job for job, _ in turn}) == 1 and sorted(new for _, new in turn) == [False] * 5 + [True]
