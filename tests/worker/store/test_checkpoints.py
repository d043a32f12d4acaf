"""Checkpoints and their receipts in SQL: only added, but for old heartbeats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from domain.audit import verify_consistency
from worker.store.checkpoints import COSIGNED, FILE, STORED, cosigned

AT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LINE = "\u2014 witness AAAAAAA=\n"


def add(store, *sizes: int, key: str = "aa", first: datetime = AT):
    """A checkpoint a minute."""
    rows = []
    with store.unit() as unit:
        for minute, size in enumerate(sizes):
            row = unit.checkpoints.add(size, f"{size:064x}", key, f"text {size}\n\n\u2014 log AQEBAQE=\n", first + timedelta(minutes=minute))
            unit.checkpoints.receive(row, FILE, STORED, "file", row.at)
            rows.append(row)
    return rows


def test_a_checkpoint_that_repeats_the_one_before_is_a_heartbeat(store):
    rows = add(store, 3, 3, 5, 5, 5)
    assert [(row.number, row.heartbeat) for row in rows] == [(1, False), (2, True), (3, False), (4, True), (5, True)]
    assert not add(store, 5, key="bb")[0].heartbeat, "another key signed the same state"
    with store.read() as unit:
        assert unit.checkpoints.latest().number == 6 and unit.checkpoints.count() == 6
        assert [row.number for row in unit.checkpoints.all(heartbeats=False)] == [1, 3, 6] and unit.checkpoints.all()[:5] == rows
        assert [row.number for row in unit.checkpoints.page(2, before=5)] == [4, 3] and unit.checkpoints.get(3) == rows[2]
        assert unit.checkpoints.of_note(rows[2].note, 5).size == 5 and unit.checkpoints.of_note("other", 5) is None


def test_a_receipt_is_recorded_once_and_cosignatures_join_the_note(store):
    row, = add(store, 3)
    with store.unit() as unit:
        for _ in range(2):
            unit.checkpoints.receive(row, "http://w", COSIGNED, LINE, AT)
    with store.read() as unit:
        received = unit.checkpoints.receipts([row.number])[row.number]
        assert unit.checkpoints.latest_of("http://w", COSIGNED) == received[1] and unit.checkpoints.latest_of("http://v", COSIGNED) is None
    assert [receipt.receiver for receipt in received] == [FILE, "http://w"]
    assert cosigned(row, received) == row.note + LINE


def test_old_heartbeats_are_forgotten_and_nothing_else(store):
    add(store, 3, 3, 3, 5, 5)
    with store.unit() as unit:
        assert unit.checkpoints.forget_heartbeats(AT + timedelta(minutes=2)) == 1
        assert unit.checkpoints.forget_heartbeats(AT + timedelta(days=9)) == 1, "the newest stays, though it is a heartbeat"
    with store.read() as unit:
        assert [row.number for row in unit.checkpoints.all()] == [1, 4, 5] and sorted(unit.checkpoints.receipts(range(9))) == [1, 4, 5]


@pytest.mark.parametrize("table", ["checkpoints", "checkpoint_receipts"])
@pytest.mark.parametrize("attempt", ["UPDATE {} SET number = 9", "DELETE FROM {}", "REPLACE"])
def test_no_checkpoint_and_no_receipt_is_changed_or_removed(store, kind, table, attempt):
    add(store, 3, 3)
    if attempt == "REPLACE":
        attempt = "INSERT OR REPLACE INTO {} SELECT * FROM {}" if kind == "sqlite" else "TRUNCATE {}"
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(sa.text(attempt.format(table, table)))


def test_the_trail_up_to_an_instant_and_its_proofs(store):
    with store.unit() as unit:
        for minute in range(7):
            unit.trail.add("ana", "noted", at=AT + timedelta(minutes=minute))
    with store.read() as unit:
        at = unit.checkpoints
        assert [at.rows_until(AT + timedelta(minutes=m)) for m in (-1, 0, 2.5, 99)] == [0, 1, 3, 7]
        assert at.root(7).hex() == unit.trail.root() and at.proof(0, 7) == []
        assert verify_consistency(3, 7, at.root(3), at.root(7), at.proof(3, 7))
