"""A part of a shared job is held by one at a time and done once."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest

LEASE = 8.0


@pytest.fixture
def parts(store):
    with store.unit() as unit:
        unit.chunks.add("job", [(k, 10, dict(numbers=[k])) for k in range(4)])
    return store


def claim(store, holder: str, later: float = 0.0):
    with store.unit() as unit:
        return unit.chunks.claim("job", holder, unit.now() + timedelta(seconds=later), LEASE)


def finish(store, number: int, name: str = "f") -> bool:
    with store.unit() as unit:
        return unit.chunks.finish("job", number, dict(table=f"{name}{number}"), None, unit.now())


def test_each_part_goes_to_one(parts):
    assert [claim(parts, who).number for who in "abcd"] == [0, 1, 2, 3] and claim(parts, "e") is None


def test_racing_hands_never_get_the_same_part(parts):
    with parts.unit() as unit:
        unit.chunks.add("job", [(k, 1, None) for k in range(4, 40)])
    taken: list[int] = []

    def greedy(who: str) -> None:
        while one := claim(parts, who):
            taken.append(one.number)

    threads = [Thread(target=greedy, args=(who,)) for who in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(40))


def test_a_part_is_free_again_once_its_holder_is_silent_too_long(parts):
    claim(parts, "dead")
    assert claim(parts, "b").number == 1 and claim(parts, "c", later=LEASE + 1).number == 0


def test_who_gives_signs_of_life_keeps_its_part(parts):
    claim(parts, "a")
    with parts.unit() as unit:
        unit.chunks.renew("job", 0, "a", unit.now() + timedelta(seconds=5), LEASE)
    assert claim(parts, "b", later=LEASE + 1).number == 1


def test_a_part_done_twice_is_written_once(parts):
    claim(parts, "a")
    assert finish(parts, 0) and not finish(parts, 0, "other")
    with parts.look() as unit:
        assert unit.chunks.all("job")[0].frames == {"table": "f0"} and unit.chunks.frames() == {"f0"}


def test_what_one_lets_go_another_takes_at_once(parts):
    claim(parts, "a")
    finish(parts, 0)
    claim(parts, "a")
    with parts.unit() as unit:
        unit.chunks.let_go("a")
    assert claim(parts, "b").number == 1


def test_parts_laid_out_again_stay_as_they_are(parts):
    finish(parts, 2)
    with parts.unit() as unit:
        unit.chunks.add("job", [(k, 10, "new") for k in range(5)])
    with parts.look() as unit:
        assert unit.chunks.counts("job") == (4, 10, 50) and [one.spec for one in unit.chunks.all("job")][3:] == [dict(numbers=[3]), "new"]


def test_parts_of_a_job_that_is_long_over_are_forgotten(store):
    with store.unit() as unit:
        now = unit.now()
        jobs = [unit.jobs.add("sweep", "research", "", {}, "ana", now)[0].id for _ in range(2)]
        for one in (*jobs, "gone"):
            unit.chunks.add(one, [(0, 1, None)])
        unit.jobs.cancel(jobs[0], "ana", now - timedelta(days=2))
        unit.chunks.forget(now - timedelta(days=1))
    with store.look() as unit:
        assert [len(unit.chunks.all(one)) for one in (*jobs, "gone")] == [0, 1, 0]
