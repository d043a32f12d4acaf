"""The audit trail in SQL: the database itself refuses every change, and its content equals that of domain.audit, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from domain.audit import GENESIS, chain_hash, consistency_proof, inclusion_proof, verify, verify_consistency, verify_inclusion
from tests.worker.store.racers import eight_writers
from worker.store import Filter, Store

AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
TRICKY = dict(text="a'b\"c\\d\n\x01:x %s é 𝄞", share=0.1, none=None, deep={"b": [1, {"a": True}]}, nul="a\0b")


def write(store: Store, events: int = 1, first: int = 1) -> None:
    with store.unit() as unit:
        for k in range(first, first + events):
            unit.trail.add("ana" if k % 2 else "worker", "noted" if k % 3 else "job_failed", f"job:{k % 4}", f"run:{k}", at=AT + timedelta(minutes=k), event_id=f"e{k}", number=k, **TRICKY)


def everything(store: Store) -> list:
    with store.read() as unit:
        return list(unit.trail.all())


def execute(store: Store, statement: str, **values: object) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text(statement), values)


ROW = "(seq, event_id, ts, actor, kind, body, prev_hash, hash) VALUES (:seq, :event_id, 't', 'a', 'k', '{}', :prev_hash, :hash)"
CHANGES = [
    "UPDATE audit_events SET actor = 'eve' WHERE seq = 2", "UPDATE audit_events SET seq = 99 WHERE seq = 5", "DELETE FROM audit_events WHERE seq = 5", "DELETE FROM audit_events",
    "UPDATE audit_nodes SET hash = 'x'", "DELETE FROM audit_nodes", "UPDATE audit_links SET entity = 'x'", "DELETE FROM audit_links",
]  # fmt: skip
SQLITE = [
    f"INSERT OR REPLACE INTO audit_events {ROW}", "UPDATE OR REPLACE audit_events SET seq = 1 WHERE seq = 2", "UPDATE OR IGNORE audit_events SET actor = 'eve'",
    "INSERT OR REPLACE INTO audit_nodes (level, position, hash) VALUES (1, 0, 'x')", "INSERT OR REPLACE INTO audit_links (entity, seq) VALUES ('run:1', 1)",
]  # fmt: skip
POSTGRES = ["TRUNCATE audit_events CASCADE", "TRUNCATE audit_nodes", "TRUNCATE audit_links"]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses_to_change_history(store, statement):
    write(store, 5)
    before = everything(store)
    with pytest.raises(DBAPIError, match="append-only"):
        execute(store, statement)
    assert everything(store) == before and verify(before).holds


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", SQLITE)
def test_sqlite_refuses_to_replace_history(store, statement):
    """INSERT OR REPLACE deletes without a DELETE."""
    write(store, 5)
    before = everything(store)
    with pytest.raises(DBAPIError, match=r"append-only|not the next"):
        execute(store, statement, seq=2, event_id="x", prev_hash="a", hash="b")
    assert everything(store) == before


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
@pytest.mark.parametrize("statement", POSTGRES)
def test_postgresql_refuses_to_truncate(store, statement):
    write(store, 5)
    with pytest.raises(DBAPIError, match="append-only"):
        execute(store, statement)


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
@pytest.mark.parametrize("statement", CHANGES[:4])
def test_postgresql_refuses_even_a_session_that_says_it_replicates(store, statement):
    write(store, 5)
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.execute(sa.text(statement))


def forged(store: Store, **changes: object) -> dict[str, object]:
    """A next row as an honest writer would make it, but for ``changes``."""
    with store.read() as unit:
        seq, head = unit.trail.head()
    row = dict(seq=seq + 1, event_id="forged", prev_hash=head) | changes
    return dict(hash=chain_hash(int(row["seq"]), str(row["prev_hash"]), "{}")) | row


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize(
    ("changes", "why"),
    [(dict(seq=9), "seq is not the next"), (dict(seq=0), "seq is not the next"), (dict(prev_hash="00" * 32), "prev_hash is not the head")],
)
def test_the_database_refuses_a_gap_and_a_fork(store, rows, changes, why):
    write(store, rows)
    with pytest.raises(DBAPIError, match=why):
        execute(store, f"INSERT INTO audit_events {ROW}", **forged(store, **changes))
    assert len(everything(store)) == rows


def test_the_database_refuses_an_event_that_is_there_already(store, kind):
    write(store, 3)
    for verb in ("INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE") if kind == "sqlite" else ("INSERT",):
        with pytest.raises(DBAPIError, match=r"append-only|uq_audit_events_event_id"):
            execute(store, f"{verb} INTO audit_events {ROW}", **forged(store, event_id="e2"))
    assert len(everything(store)) == 3


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
def test_postgresql_refuses_a_hash_that_is_not_of_the_row(store):
    write(store, 3)
    with pytest.raises(DBAPIError, match="hash is not of this row"):
        execute(store, f"INSERT INTO audit_events {ROW}", **forged(store, hash="00" * 32))


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
def test_postgresql_appends_only_where_each_statement_sees_the_last_commit(store):
    """Under REPEATABLE READ two writers would fork."""
    with pytest.raises(DBAPIError, match="needs READ COMMITTED"), store.engine.execution_options(isolation_level="REPEATABLE READ").begin() as connection:
        connection.execute(sa.text("SELECT audit_append(ARRAY['e'], ARRAY['{}'])"))


def test_what_is_stored_is_what_the_domain_says(store):
    """Chain, tree and columns, made in SQL on one database and in Python on the other, for text of every kind."""
    for first in (1, 2, 9, 40):
        write(store, {1: 1, 2: 7, 9: 31, 40: 31}[first], first)
    rows = everything(store)
    with store.read() as unit:
        head, root = unit.trail.head(), unit.trail.root()
    verdict = verify(rows, root, 70)
    assert verdict.holds, verdict.why
    assert head == (70, rows[-1].hash) and rows[0].prev_hash == GENESIS
    assert [row.event_id for row in rows] == [f"e{k}" for k in range(1, 71)]


def test_both_databases_would_write_the_same_bytes(store):
    write(store, 3)
    assert everything(store)[-1].hash == "cfdd0795a796f2ea3c9f4f4fc1e9e41567c4238f70e7207a56b23425df4c6014"


def test_every_proof_from_the_stored_nodes_verifies(store):
    write(store, 21)
    with store.read() as unit:
        node, rows = unit.trail.node, list(unit.trail.all())
        roots = [bytes.fromhex(unit.trail.root(size)) for size in range(22)]
        assert all(verify_inclusion(row.seq - 1, 21, bytes.fromhex(row.hash), inclusion_proof(row.seq - 1, 21, node), roots[21]) for row in rows)
        assert all(verify_consistency(old, 21, roots[old], roots[21], consistency_proof(old, 21, node)) for old in range(1, 22))


def test_an_empty_trail_has_a_head_and_a_root(store):
    with store.read() as unit:
        assert unit.trail.head() == (0, GENESIS) and verify([], unit.trail.root(), 0).holds


def test_a_redelivered_event_is_written_once(store):
    for _ in range(3):
        with store.unit() as unit:
            unit.trail.add("ana", "noted", "run:1", at=AT, event_id="once")
            unit.trail.add("ana", "noted", "run:1", at=AT, event_id="once")
            unit.trail.add("ana", "noted", at=AT)
    assert [row.event_id == "once" for row in everything(store)] == [True, False, False, False]
    assert verify(everything(store)).holds


def test_an_event_names_an_entity_once(store):
    with store.unit() as unit:
        unit.trail.add("ana", "noted", "run:1", "job:2", "run:1", at=AT)
    with store.read() as unit:
        assert unit.trail.count(Filter(entity="run:1")) == unit.trail.count(Filter(entity="job:2")) == 1


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(), range(1, 13)), (Filter(actor="ana"), range(1, 13, 2)), (Filter(kinds=("job_failed",)), [3, 6, 9, 12]), (Filter(kinds=("job_failed", "noted")), range(1, 13)),
        (Filter(entity="job:2"), [2, 6, 10]), (Filter(entity="run:7"), [7]), (Filter(since="2026-11-20T14:10"), [10, 11, 12]), (Filter(until="2026-11-20T14:03"), [1, 2]),
        (Filter(text='"number":12'), [12]), (Filter(text="NUMBER"), range(1, 13)), (Filter(text="%"), range(1, 13)), (Filter(text="_x_"), []), (Filter(text="%1%"), []),
        (Filter(actor="worker", kinds=("noted",), entity="job:2"), [2, 10]), (Filter(actor="' OR 1=1 --"), []),
    ],
)  # fmt: skip
def test_events_are_found_by(store, wanted, numbers):
    write(store, 12)
    with store.read() as unit:
        assert [row.seq for row in unit.trail.all(wanted)] == list(numbers)
        assert unit.trail.count(wanted) == len(numbers)
        assert [row.seq for row in unit.trail.page(wanted, limit=3, offset=1)] == list(numbers)[::-1][1:4]


def test_the_whole_trail_comes_in_pages(store, monkeypatch):
    monkeypatch.setattr("worker.store.trail.PAGE", 4)
    write(store, 9)
    assert [row.seq for row in everything(store)] == list(range(1, 10))
    with store.read() as unit:
        assert [row.seq for row in unit.trail.all(after=6)] == [7, 8, 9]


def test_events_are_counted_by_the_hour(store):
    write(store, 70)
    with store.read() as unit:
        hours = unit.trail.per_hour("2026-11-20T14:50", "2026-11-20T15:05")
        assert hours == [("2026-11-20T14", "job_failed", 3), ("2026-11-20T14", "noted", 7), ("2026-11-20T15", "job_failed", 2), ("2026-11-20T15", "noted", 3)]
        assert unit.trail.kinds() == ["job_failed", "noted"] and unit.trail.actors() == ["ana", "worker"]


def test_eight_processes_write_one_order_without_a_fork(database, tmp_path):
    units, _ = eight_writers(database, str(tmp_path / "frames"), most=100, seconds=60)
    assert units == 800
