"""Speed of the trail, durable, on both databases (P6, P7): some eight minutes each for a million events; TIDEMARK_EVENTS sets another number."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from benchmarks import audit
from domain.audit.merkle import inclusion_proof
from tests.conftest import migrated
from tests.databases import DURABLE, postgres
from tests.faults.sizes import size
from worker import evidence
from worker.store import Filter, Store

pytestmark = pytest.mark.faults
EVENTS = size("EVENTS", 1_000_000)
NEW = 5_000             # events after the trusted checkpoint
FLUID = 0.1             # seconds for a page of the newest events
PROOF = 1_024           # bytes


@pytest.fixture
def durable(kind, tmp_path) -> Iterator[str]:
    """The address of a migrated database that keeps what it acknowledged."""
    if kind == "sqlite":
        yield migrated(f"sqlite:///{tmp_path / 'tidemark.db'}")
        return
    with postgres(DURABLE) as server, server.database(migrated=True) as url:
        yield url


def test_appends_of_eight_writers_never_wait_long(durable, tmp_path, record_property):
    p99, per_second = audit.paced(durable, str(tmp_path), seconds=float(size("SECONDS", 60)))
    record_property("p99_ms", round(p99 * 1e3, 1))
    assert per_second > 0.9 * audit.RATE and p99 <= audit.P99


def test_a_million_events_are_appended_verified_and_paged_quickly(durable, kind, tmp_path, record_property):
    rate = audit.batches(durable, str(tmp_path), EVENTS // audit.BATCH)
    store = Store(durable, str(tmp_path / "frames"))
    with store.read() as unit:
        size, root = unit.trail.head()[0] - NEW, unit.trail.root(unit.trail.head()[0] - NEW)
    began = time.perf_counter()
    whole = evidence.check(store)
    verified, began = whole["rows"] / (time.perf_counter() - began), time.perf_counter()
    assert evidence.check(store, since=(size, root))["holds"]
    from_checkpoint = time.perf_counter() - began
    with store.read() as unit:
        proof = inclusion_proof(size // 2, size, unit.trail.node)
        began = time.perf_counter()
        assert len(unit.trail_index.page(Filter(kinds=("order_filled",)))) == 50
        paged = time.perf_counter() - began
    store.close()
    one = audit.single(durable, str(tmp_path))      # with the disk's part of its commit, which no append can be faster than
    alone, _ = audit.beside_bare(durable, str(tmp_path), audit.UNSYNCED["SQLite" if kind == "sqlite" else "PostgreSQL"])
    for name, value in dict(batches_per_s=round(rate), verified_per_s=round(verified), from_checkpoint_s=round(from_checkpoint, 2), page_ms=round(paged * 1e3, 1), one_ms=round(one * 1e3, 2), one_alone_ms=round(alone * 1e3, 2)).items():
        record_property(name, value)
    assert whole["holds"] and rate >= audit.EVENTS and verified >= audit.VERIFIED
    assert len(b"".join(proof)) <= PROOF and from_checkpoint < 0.2 * EVENTS / verified and paged <= FLUID and alone <= audit.SINGLE
