"""Looks at features are counted, each once, whoever counts them at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from worker.store.tries import count_tries, tried_on

VERSIONS = ["a" * 64]


def test_looks_that_are_counted_at_the_same_moment_are_all_kept(store):
    hands = 6
    gate = threading.Barrier(hands)

    def count(hand: int) -> None:
        gate.wait(10)
        for turn in range(5):
            with store.unit() as unit:
                count_tries(unit, VERSIONS, {f"{hand}-{turn}", "common"})

    with ThreadPoolExecutor(hands) as pool:
        list(pool.map(count, range(hands)))
    with store.read() as unit:
        assert tried_on(unit, VERSIONS) == {"common", *(f"{hand}-{turn}" for hand in range(hands) for turn in range(5))}


def test_other_data_has_a_count_of_its_own(store):
    with store.unit() as unit:
        count_tries(unit, VERSIONS, {"x"})
        assert tried_on(unit, ["b" * 64]) == set()
        count_tries(unit, ["b" * 64], {"y"})
        assert tried_on(unit, VERSIONS) == {"x"}
