"""A part of a shared job has one holder at a time and is done once."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from threading import Thread

import pytest

NUMBERS = count()


@pytest.fixture
def parts(store):
    with store.unit() as unit:
        unit.chunks.add("job", [(k, 10, dict(numbers=[k])) for k in range(4)])
    return store


def helper(store) -> str:
    """The holder name of a running attempt at a job."""
    with store.unit() as unit:
        job = unit.jobs.claim(unit.jobs.add("part", "research", "", {}, "ana", unit.now())[0].id, f"w{next(NUMBERS)}", unit.now())
    return f"{job.id}:{job.epoch}"


def claim(store, holder: str):
    with store.unit() as unit:
        return unit.chunks.claim("job", holder)


def finish(store, number: int, name: str = "f") -> bool:
    with store.unit() as unit:
        return unit.chunks.finish("job", number, dict(table=f"{name}{number}"), None, unit.now())


def test_each_part_goes_to_one(parts):
    assert [claim(parts, helper(parts)).number for _ in range(4)] == [0, 1, 2, 3] and claim(parts, helper(parts)) is None


def test_racing_workers_never_get_the_same_part(parts):
    with parts.unit() as unit:
        unit.chunks.add("job", [(k, 1, None) for k in range(4, 40)])
    taken: list[int] = []

    def greedy(who: str) -> None:
        while part := claim(parts, who):
            taken.append(part.number)

    threads = [Thread(target=greedy, args=(who,)) for who in [helper(parts) for _ in range(4)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(40))


def test_a_part_is_free_again_once_its_holders_attempt_is_over(parts):
    """Its worker died and was found out, whatever time it is; or another attempt runs by now."""
    holder, other = helper(parts), helper(parts)
    assert claim(parts, holder).number == 0 and claim(parts, other).number == 1
    job, epoch = holder.split(":")
    with parts.unit() as unit:
        unit.jobs.rescue(job, int(epoch), 0)
    assert claim(parts, other).number == 0
    with parts.unit() as unit:
        unit.chunks.release(other)
        assert unit.chunks.claim("job", holder).number == 0
        unit.jobs.claim(job, "again", unit.now())
    assert claim(parts, other).number == 0


def test_who_is_running_keeps_its_part(parts):
    holder = helper(parts)
    claim(parts, holder)
    with parts.unit() as unit:
        unit.jobs.beat(holder.split(":")[0], 1, progress=0.5)
    assert claim(parts, helper(parts)).number == 1


def test_a_part_done_twice_is_written_once(parts):
    holder = helper(parts)
    claim(parts, holder)
    assert finish(parts, 0) and not finish(parts, 0, "other")
    with parts.read() as unit:
        assert unit.chunks.all("job")[0].frames == {"table": "f0"} and unit.chunks.frames() == {"f0"}


def test_what_one_lets_go_another_takes_at_once(parts):
    holder = helper(parts)
    claim(parts, holder)
    finish(parts, 0)
    claim(parts, holder)
    with parts.unit() as unit:
        unit.chunks.release(holder)
    assert claim(parts, helper(parts)).number == 1


def test_parts_laid_out_again_stay_as_they_are(parts):
    finish(parts, 2)
    with parts.unit() as unit:
        unit.chunks.add("job", [(k, 10, "new") for k in range(5)])
    with parts.read() as unit:
        assert unit.chunks.counts("job") == (4, 10, 50) and [chunk.spec for chunk in unit.chunks.all("job")][3:] == [dict(numbers=[3]), "new"]


def test_parts_of_a_job_that_is_long_over_are_forgotten(store):
    with store.unit() as unit:
        now = unit.now()
        jobs = [unit.jobs.add("sweep", "research", "", {}, "ana", now)[0].id for _ in range(2)]
        for job in (*jobs, "gone"):
            unit.chunks.add(job, [(0, 1, None)])
        unit.jobs.cancel(jobs[0], "ana", now - timedelta(days=2))
        unit.chunks.forget(now - timedelta(days=1))
    with store.read() as unit:
        assert [len(unit.chunks.all(job)) for job in (*jobs, "gone")] == [0, 1, 0]
