"""A valid trail of many events, written past the guards as a database's owner may: chain, links and tree, with the guards in place again afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.audit import GENESIS, chain_hash
from domain.audit.record import canonical_text, instant
from worker.store.append import EVENT, LINK, NODE, Frontier
from worker.store.engine import make_engine
from worker.store.migrate import upgrade

STEP = 50_000           # rows of one message to the driver
KINDS = ("order_filled", "order_submitted", "downloaded", "run_finished", "job_finished", "checked")
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
BODY = canonical_text(dict(event_id="e%012d", ts="%s", actor="ana", kind="%s", entities=["%s", "%s"], detail=dict(price="1.10325", units=1000, stop="1.09")))      # in the order of its keys
Rows = list[tuple[object, ...]]
TABLES = {"audit_events": "seq, event_id, ts, actor, kind, body, prev_hash, hash", "audit_links": "entity, seq", "audit_nodes": "level, position, hash"}
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid IN ('audit_events'::regclass, 'audit_links'::regclass, 'audit_nodes'::regclass) AND contype IN ('p', 'u', 'f') ORDER BY contype = 'f'
"""
INDICES = "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename LIKE 'audit\\_%' AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"


def filled(url: str, count: int) -> str:
    """The database at ``url`` with ``count`` events, unless it has some already."""
    engine = make_engine(url)
    upgrade(engine)
    server = engine.dialect.name == "postgresql"
    engine.dispose()
    (_fill_server if server else _fill_file)(url, count)
    return url


def chain(count: int) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Rows of events, of links and of nodes, some at a time."""
    seq, hash_, tree = 0, GENESIS, Frontier(0, [])
    while seq < count:
        events: Rows = []
        links: Rows = []
        nodes: Rows = []
        for number in range(seq + 1, min(seq + STEP, count) + 1):
            kind, at, entities = KINDS[number % len(KINDS)], instant(BEGAN + timedelta(seconds=15 * number)), [f"order:{number}", f"run:{number // 200}"]
            body = BODY % (*entities, number, kind, at)
            previous, hash_ = hash_, chain_hash(number, hash_, body)
            events.append((number, f"e{number:012d}", at, "ana", kind, body, previous, hash_))
            links += [(entity, number) for entity in entities]
            nodes += tree.grow(bytes.fromhex(hash_))
        seq += len(events)
        yield events, links, nodes


def _fill_file(url: str, count: int) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
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
    for parts in chain(count):
        for statement, some in zip((EVENT, LINK, NODE), parts, strict=True):
            connection.executemany(statement, some)
    connection.execute("COMMIT")
    for _, sql in (*indices, *triggers):
        connection.execute(sql)
    connection.close()


def _fill_server(url: str, count: int) -> None:
    """By COPY: what the guards and the indices cost is paid once, at the end."""
    engine = make_engine(url)
    with engine.begin() as opened:
        connection = opened.connection.driver_connection
        assert connection is not None
        if connection.execute("SELECT EXISTS (SELECT 1 FROM audit_events)").fetchone()[0]:
            return
        with _unguarded(connection):
            for parts in chain(count):
                for (table, columns), some in zip(TABLES.items(), parts, strict=True):
                    _copied(connection, f"COPY {table} ({columns}) FROM STDIN", some)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as opened:
        for table in TABLES:
            opened.exec_driver_sql(f"VACUUM ANALYZE {table}")
        opened.exec_driver_sql("CHECKPOINT")
    engine.dispose()


def _copied(connection: Any, statement: str, rows: Rows) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join("\t".join(map(str, row)) + "\n" for row in rows))       # no text of ours needs an escape


@contextmanager
def _unguarded(connection: Any) -> Iterator[None]:
    """Without triggers, keys and indices on the trail's tables; all of them are there again afterwards."""
    keys, indices = connection.execute(CONSTRAINTS).fetchall(), connection.execute(INDICES).fetchall()
    for table in TABLES:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for table, name, _ in reversed(keys):
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indices:
        connection.execute(f"DROP INDEX {name}")
    yield
    for table, name, text in keys:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}")
    for _, text in indices:
        connection.execute(text)
    for table in TABLES:
        connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change")
        connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate")
    connection.execute("ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_link")
