"""The audit trail on both databases: appends of eight writers side by side, batches, verification. What is acknowledged is on the disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.timing import Row
from tests.databases import DURABLE, postgres
from tests.worker.store.racers import append_paced, race
from worker import evidence
from worker.store import Store
from worker.store.engine import make_engine
from worker.store.migrate import upgrade

WRITERS, RATE, SECONDS = 8, 200.0, 10.0
BATCH, BATCHES = 1_000, 50
P99, EVENTS, VERIFIED = 0.050, 5_000, 20_000        # goals: seconds; events a second
SINGLE, SINGLES = 0.001, 500
UNSYNCED = {"SQLite": "PRAGMA synchronous=OFF", "PostgreSQL": "SET synchronous_commit = off"}     # for one connection: a crash may then lose what was acknowledged
BARE = "CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"

numbers = count()


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        yield from _of("SQLite", f"sqlite:///{folder}/tidemark.db", folder)
        try:
            server = stack.enter_context(postgres(DURABLE))
        except pytest.skip.Exception as error:
            yield Row(f"PostgreSQL: not measured, {error}", None)
            return
        yield from _of("PostgreSQL", stack.enter_context(server.database(migrated=True)), folder)


def _of(name: str, url: str, folder: str) -> Iterator[Row]:
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    p99, per_second = paced(url, folder)
    yield Row(f"{name}: append, {WRITERS} writers, {per_second:,.0f} events/s, 99th percentile", p99, goal=f"≤ {P99 * 1e3:.0f} ms", holds=p99 <= P99)
    rate = batches(url, folder)
    yield Row(f"{name}: append in batches of {BATCH:,}", None, goal=f"≥ {EVENTS:,} events/s", holds=rate >= EVENTS, figure=f"{rate:,.0f} events/s")
    one, bare = beside_bare(url, folder)
    what = f"{name}: one event in a unit, median, after {BATCH * BATCHES:,}"
    yield Row(what, one, f"a bare INSERT and COMMIT, {bare * 1e3:,.2f} ms", one / bare, f"≤ {SINGLE * 1e3:.0f} ms", one <= SINGLE)
    one, bare = beside_bare(url, folder, UNSYNCED[name])
    yield Row(f"{what}, without the disk's part of the commit", one, f"the bare one, {bare * 1e3:,.2f} ms", one / bare, f"≤ {SINGLE * 1e3:.0f} ms", one <= SINGLE)
    rate = verified(url, folder)
    yield Row(f"{name}: verification of all of it", None, goal=f"≥ {VERIFIED:,} events/s", holds=rate >= VERIFIED, figure=f"{rate:,.0f} events/s")


def paced(url: str, folder: str, seconds: float = SECONDS) -> tuple[float, float]:
    """99th percentile of what an append took from the moment it was due, s; and events a second over all writers."""
    took = race(append_paced, WRITERS, url, str(Path(folder) / "frames"), RATE / WRITERS, seconds)
    assert all(isinstance(waits, list) for waits in took), took
    every = sorted(wait for waits in took for wait in waits)
    return every[int(len(every) * 0.99)], len(every) / seconds


def batches(url: str, folder: str, batches_: int = BATCHES) -> float:
    """Events a second of one writer that appends many in a unit."""
    store = Store(url, str(Path(folder) / "frames"))
    began = time.perf_counter()
    for batch in range(batches_):
        with store.unit() as unit:
            now = unit.now()
            for k in range(BATCH):
                unit.trail.add("ana", "order_filled", f"order:{batch}-{k}", f"run:{batch}", at=now, price="1.10325", units=1000, stop="1.09", target="1.12")
    took = time.perf_counter() - began
    store.close()
    return batches_ * BATCH / took


def single(url: str, folder: str) -> float:
    """Seconds of a unit with one event, BEGIN to the acknowledged COMMIT; the median."""
    store, took = Store(url, str(Path(folder) / "frames")), []
    for k in range(SINGLES):
        began = time.perf_counter()
        with store.unit() as unit:
            unit.audit("ana", "order_filled", f"order:one-{k}", price="1.10325")
        took.append(time.perf_counter() - began)
    store.close()
    return sorted(took)[SINGLES // 2]


def beside_bare(url: str, folder: str, setting: str = "") -> tuple[float, float]:
    """Medians of a unit with one event and of a transaction that inserts a row of its size into a table without guards, turn by turn, seconds."""
    store, ours, bare = Store(url, str(Path(folder) / "frames")), [], []
    body = "x" * 300
    if setting:
        sa.event.listen(store.engine, "connect", lambda connection, _: (connection.execute(setting), connection.commit()))
    with store.engine.begin() as connection:
        connection.exec_driver_sql(BARE)
    first = next(numbers)
    for k in range(SINGLES):
        began = time.perf_counter()
        with store.unit() as unit:
            unit.audit("ana", "order_filled", f"order:one-{first}-{k}", price="1.10325")
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"INSERT INTO bare (id, body) VALUES ({first * SINGLES + k}, '{body}')")
        bare.append(time.perf_counter() - began)
    store.close()
    return sorted(ours)[SINGLES // 2], sorted(bare)[SINGLES // 2]


def verified(url: str, folder: str) -> float:
    """Events a second of a whole verification: chain, tree, links, seals and guards."""
    store = Store(url, str(Path(folder) / "frames"))
    began = time.perf_counter()
    verdict = evidence.check(store)
    took = time.perf_counter() - began
    store.close()
    assert verdict["holds"], verdict["why"]
    return verdict["rows"] / took
