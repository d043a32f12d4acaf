"""P1 at its full size: random mutations of each of the nine kinds of tampering, each caught and its row named.

A thousand of each (TIDEMARK_MUTATIONS) on trails in memory; of each some more inside a SQLite and a PostgreSQL database, whose guards are switched off.
"""

from __future__ import annotations

import random
import re

import pytest
import sqlalchemy as sa

from domain.audit.bundle import Point
from tests.domain.audit.test_verifier_tampering import COVERED, KINDS, NOTES, ROWS, notes_beside, outside, tampered
from tests.domain.audit.trails import BEGAN, Memory, verified
from tests.faults.sizes import size
from tests.worker.test_bundle import overpowered
from worker.bundle import write
from worker.bundle_evidence import evidence_of
from worker.store import Filter
from worker.store.schema import checkpoints, events, nodes

__all__ = ["outside"]       # a fixture
pytestmark = pytest.mark.faults
MUTATIONS, IN_DATABASE = size("MUTATIONS", 1_000), size("STORED_MUTATIONS", 30)


@pytest.mark.parametrize("tampering", KINDS)
def test_tampering_is_caught_a_thousand_times(tampering, outside, tmp_path):
    for seed in range(MUTATIONS):
        tampered(tampering, seed, tmp_path, outside)


@pytest.mark.parametrize("tampering", KINDS)
def test_tampering_inside_a_database_is_caught(tampering, store, outside, tmp_path):
    """``store``: of each kind of database."""
    overpowered(store)
    assert verdict(store, ROWS, NOTES, tmp_path, outside)[0] == 0
    for seed in range(IN_DATABASE):
        rng = random.Random(seed)
        rows, _ = tampering(list(ROWS), rng.randint(1, COVERED - 1), rng)
        status, text = verdict(store, rows, notes_beside(rows, rng)[0], tmp_path, outside)
        assert status == 1 and re.search(r"[Rr]ows? \d", text), (tampering.__name__, seed, text)


def verdict(store, rows, notes, folder, options):
    """Of the bundle that the database gives once it holds these rows, their tree and these checkpoints."""
    tree = [dict(level=level, position=position, hash=digest.hex()) for (level, position), digest in Memory(list(rows)).nodes.items() if level]
    signed = [dict(number=k, at=BEGAN, size=Point.of(note).checkpoint.size, root="", key="", heartbeat=False, note=note) for k, note in enumerate(notes, 1)]
    with store.engine.begin() as connection:
        for table in ("audit_links", "audit_nodes", "checkpoints", "audit_events"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
        for table, values in ((events, [row.__dict__ for row in rows]), (nodes, tree), (checkpoints, signed)):
            if values:
                connection.execute(sa.insert(table), values)
    with store.read() as unit:
        write(unit, folder / "audit.zip", Filter(), evidence_of(unit, ""), {})
    return verified(folder / "audit.zip", *options)
