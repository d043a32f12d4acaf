"""Feature tests are counted once each, also by concurrent writers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from worker.store.tries import count_tries, tried_on

VERSIONS = ["a" * 64]


def test_tests_counted_at_the_same_moment_all_count(store):
    workers = 6
    gate = threading.Barrier(workers)

    def count(worker: int) -> None:
        gate.wait(10)
        for turn in range(5):
            with store.unit() as unit:
                count_tries(unit, VERSIONS, {f"{worker}-{turn}", "common"})

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(count, range(workers)))
    with store.read() as unit:
        assert tried_on(unit, VERSIONS) == {"common", *(f"{worker}-{turn}" for worker in range(workers) for turn in range(5))}


def test_other_data_has_a_count_of_its_own(store):
    with store.unit() as unit:
        count_tries(unit, VERSIONS, {"x"})
        assert tried_on(unit, ["b" * 64]) == set()
        count_tries(unit, ["b" * 64], {"y"})
        assert tried_on(unit, VERSIONS) == {"x"}
