"""The audit trail at ten million events: what one append costs, which indices its statements use, how quickly the page reads.

TIDEMARK_EVENTS sets another number, TIDEMARK_LONG_TRAIL a database that was filled before (``sqlite:///…``), which is then kept.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.timing import Row, median
from domain.audit import GENESIS, chain_hash
from domain.audit.merkle import inclusion_proof
from domain.audit.record import canonical_text, instant
from worker.store import Filter, Store
from worker.store.append import EVENT, LINK, NODE, Frontier
from worker.store.engine import make_engine
from worker.store.migrate import upgrade

EVENTS = int(os.environ.get("TIDEMARK_EVENTS", "10000000"))
FEW = 10_000            # events of the trail beside which the long one is measured
STEP = 50_000           # rows of one message to the driver while filling
UNITS = 400             # units of work that are timed
KINDS = ("order_filled", "order_submitted", "downloaded", "run_finished", "job_finished", "checked")
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
APPEND, PAGE = 0.001, 0.1       # goals: seconds of CPU of an append, of a page


def rows() -> Iterator[Row]:
    given = os.environ.get("TIDEMARK_LONG_TRAIL", "")
    with tempfile.TemporaryDirectory() as folder:
        short = _filled(f"sqlite:///{folder}/short.db", FEW)
        long = _filled(given or f"sqlite:///{folder}/long.db", EVENTS)
        few, many = appended(short, folder), appended(long, folder)
        yield Row(f"SQLite: CPU of a unit with one event, beside {EVENTS:,}", many, f"{FEW:,} events", many / few, f"≤ {APPEND * 1e3:.0f} ms", many <= APPEND)
        for what, seconds in read(long, folder):
            yield Row(f"SQLite: {what}, of {EVENTS:,} events", seconds, goal=f"≤ {PAGE * 1e3:.0f} ms", holds=seconds <= PAGE)


def _filled(url: str, count: int) -> str:
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    fill(url.removeprefix("sqlite:///"), count)
    return url


def fill(path: str, count: int) -> None:
    """Unless it has events: a valid chain with its links and its tree up to ``count`` events, written past the triggers, which a file's owner may do: they are made again."""
    connection = sqlite3.connect(path, isolation_level=None)
    if connection.execute("SELECT EXISTS (SELECT 1 FROM audit_events)").fetchone()[0]:
        return connection.close()
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-4000000", "locking_mode=EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}")
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'").fetchall()
    indices = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE 'audit_%' AND sql IS NOT NULL").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for name, _ in indices:
        connection.execute(f"DROP INDEX {name}")
    connection.execute("BEGIN")
    for events, links, nodes in _chain(count):
        for statement, some in ((EVENT, events), (LINK, links), (NODE, nodes)):
            connection.executemany(statement, some)
    connection.execute("COMMIT")
    for _, sql in (*indices, *triggers):
        connection.execute(sql)
    connection.close()


Rows = list[tuple[object, ...]]


def _chain(count: int) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Rows of events, of links and of nodes, some at a time."""
    seq, hash_, tree = 0, GENESIS, Frontier(0, [])
    while seq < count:
        events: Rows = []
        links: Rows = []
        nodes: Rows = []
        for number in range(seq + 1, min(seq + STEP, count) + 1):
            kind, at, entities = KINDS[number % len(KINDS)], instant(BEGAN + timedelta(seconds=15 * number)), [f"order:{number}", f"run:{number // 200}"]
            body = canonical_text(dict(event_id=f"e{number:012d}", ts=at, actor="ana", kind=kind, entities=entities, detail=dict(price="1.10325", units=1000, stop="1.09")))
            previous, hash_ = hash_, chain_hash(number, hash_, body)
            events.append((number, f"e{number:012d}", at, "ana", kind, body, previous, hash_))
            links += [(entity, number) for entity in entities]
            nodes += tree.grow(bytes.fromhex(hash_))
        seq += len(events)
        yield events, links, nodes


def appended(url: str, folder: str) -> float:
    """Seconds of this process's CPU of a unit with one event; the median. The disk's wait for its commit is not of it."""
    store, took = Store(url, str(Path(folder) / "frames")), []
    gc.collect()
    for k in range(UNITS):
        began = time.process_time_ns()
        with store.unit() as unit:
            unit.audit("ana", "order_filled", f"order:one-{k}", price="1.10325")
        took.append((time.process_time_ns() - began) / 1e9)
    store.close()
    return sorted(took)[UNITS // 2]


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
