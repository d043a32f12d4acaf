"""The audit trail at ten million events, on both databases: what one append costs, how quickly the page reads.

TIDEMARK_EVENTS sets another number, TIDEMARK_LONG_TRAIL names databases that are kept (``sqlite:///…``, ``postgresql://…``, comma between): what is
missing is filled in, and only they are measured.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.timing import Row, median
from benchmarks.trail_filling import BEGAN, filled
from domain.audit.merkle import inclusion_proof
from domain.audit.record import instant
from tests.databases import DURABLE, postgres
from worker.store import Filter, Store

EVENTS = int(os.environ.get("TIDEMARK_EVENTS", "10000000"))
FEW = 10_000            # events of the trail beside which the long one is measured
UNITS = 400             # units of work that are timed
APPEND, PAGE = 0.001, 0.1       # goals: seconds of CPU of an append, of a page
LOADING = (*DURABLE, "max_wal_size = '8GB'", "maintenance_work_mem = '1GB'", "max_parallel_maintenance_workers = 0")


def rows() -> Iterator[Row]:
    given = [url for url in os.environ.get("TIDEMARK_LONG_TRAIL", "").split(",") if url]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        if not given or any(url.startswith("sqlite") for url in given):
            long = next((url for url in given if url.startswith("sqlite")), f"sqlite:///{folder}/long.db")
            yield from _of("SQLite", f"sqlite:///{folder}/short.db", long, folder)
        if given and not any(url.startswith("postgres") for url in given):
            return
        try:
            server = stack.enter_context(postgres(LOADING))
        except pytest.skip.Exception as error:
            yield Row(f"PostgreSQL: not measured, {error}", None)
            return
        short = stack.enter_context(server.database(migrated=True))
        long = next((url for url in given if url.startswith("postgres")), "") or stack.enter_context(server.database(migrated=True))
        yield from _of("PostgreSQL", short, long, folder)


def _of(name: str, short: str, long: str, folder: str) -> Iterator[Row]:
    few, many = appended(filled(short, FEW), folder), appended(filled(long, EVENTS), folder)
    yield Row(f"{name}: CPU of a unit with one event, beside {EVENTS:,}", many, f"{FEW:,} events", many / few, f"≤ {APPEND * 1e3:.0f} ms", many <= APPEND)
    for what, seconds in read(long, folder):
        yield Row(f"{name}: {what}, of {EVENTS:,} events", seconds, goal=f"≤ {PAGE * 1e3:.0f} ms", holds=seconds <= PAGE)


def appended(url: str, folder: str) -> float:
    """Seconds of CPU of a unit with one event, this process's and its server's together; the median. The disk's wait for its commit is not of it."""
    store, took = Store(url, str(Path(folder) / "frames")), []
    server = _server_clock(store)
    gc.collect()
    for k in range(UNITS):
        began = time.process_time_ns() + server()
        with store.unit() as unit:
            unit.audit("ana", "order_filled", f"order:one-{k}", price="1.10325")
        took.append((time.process_time_ns() + server() - began) / 1e9)
    store.close()
    return sorted(took)[UNITS // 2]


def _server_clock(store: Store) -> Callable[[], int]:
    """Nanoseconds of CPU of the server's process that this program talks to, where it runs on this machine."""
    if store.engine.dialect.name != "postgresql":
        return lambda: 0
    with store.unit() as unit:
        pid = unit.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    path = Path(f"/proc/{pid}/schedstat")
    return lambda: int(path.read_text().split()[0])


def read(url: str, folder: str) -> Iterator[tuple[str, float]]:
    """What the Audit page asks for, and the seconds that each takes; the median."""
    store = Store(url, str(Path(folder) / "frames"))
    with store.read() as unit:
        rows_, index, trail = unit.trail.head()[0], unit.trail_index, unit.trail
        middle = instant(BEGAN + timedelta(seconds=15 * (rows_ // 2)))
        later = instant(BEGAN + timedelta(seconds=15 * (rows_ // 2) + 86_400))
        questions: dict[str, Callable[[], object]] = {
            "page of the newest events": lambda: index.page(),
            "page in the middle": lambda: index.page(before=rows_ // 2),
            "page of one kind": lambda: index.page(Filter(kinds=("run_finished",)), before=rows_ // 2),
            "page of two kinds in a day": lambda: index.page(Filter(kinds=("run_finished", "checked"), since=middle, until=later)),
            "events of an order": lambda: index.page(Filter(entity=f"order:{rows_ // 2}")),
            "count of a kind, bounded": lambda: index.count(Filter(kinds=("run_finished",))),
            "kinds and actors": lambda: (trail.kinds(), trail.actors()),
            "event by its hash": lambda: index.named(trail.head()[1]),
            "days of a month": lambda: index.days(middle[:10], instant(BEGAN + timedelta(seconds=15 * (rows_ // 2) + 31 * 86_400))[:10]),
            "root and one inclusion proof": lambda: (trail.root(rows_), inclusion_proof(rows_ // 2, rows_, trail.node)),
        }
        for what, ask in questions.items():
            yield what, median(ask, 5, 1)
    store.close()
