"""Verification of the whole trail, on trails tampered with by someone with the database's own rights."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from domain.audit import GENESIS, AuditEvent, chain_hash
from worker import evidence
from worker.store import Store

ROWS = 21
GUARDED = "SELECT tgname, relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT tgisinternal"


@pytest.fixture
def trail(store) -> Store:
    for k in range(ROWS):
        with store.unit() as unit:
            unit.audit("ana", "order_filled", f"order:{k}", event_id=f"e{k}", price=1.1)
    return store


def overpowered(store: Store, *statements: str, **values: object) -> None:
    """As the owner of the database, who can switch its guards off, and on again so that nobody sees it by them."""
    with store.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            triggers = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            off, on = [f"DROP TRIGGER {name}" for name, _ in triggers], [sql for _, sql in triggers]
        else:
            every = connection.execute(sa.text(GUARDED)).all()
            off, on = ([f"ALTER TABLE {table} {state} TRIGGER {name}" for name, table in every] for state in ("DISABLE", "ENABLE ALWAYS"))
        for statement in off:
            connection.exec_driver_sql(statement)
        for statement in statements:
            connection.execute(sa.text(statement), values)
        for statement in on:
            connection.exec_driver_sql(statement)


def test_an_honest_trail_holds_and_the_check_is_remembered(trail):
    verdict = evidence.check(trail)
    assert verdict["holds"] and (verdict["rows"], verdict["broken_at"], verdict["why"]) == (ROWS, None, "")
    with trail.read() as unit:
        last = evidence.last(unit.fact(evidence.FACT))
        assert last == verdict and last["at"].tzinfo == UTC and unit.trail.head()[0] == ROWS, "the clock's own check is no event"


def test_a_check_by_a_user_is_an_event(trail):
    evidence.check(trail, actor="ana")
    with trail.read() as unit:
        last = unit.trail.page(limit=1)[0]
    assert (last.kind, last.actor, last.seq) == ("audit_verified", "ana", ROWS + 1) and evidence.check(trail)["holds"]


def test_a_check_says_how_far_it_is(trail):
    notes = []
    evidence.check(trail, progress=lambda share, note: notes.append((share, note)))
    assert notes == [(0.0, "0 of 21 events")]


def test_an_empty_trail_holds(store):
    assert evidence.check(store)["holds"]


CUT = [f"DELETE FROM {table} WHERE seq > 9" for table in ("audit_links", "audit_events")]
TAMPERED = {
    "edit": (["UPDATE audit_events SET body = replace(body, '1.1', '9.9') WHERE seq = 7"], 7, "Row 7 no longer hashes"),
    "edit and own hash": (["UPDATE audit_events SET body = :body, hash = :hash WHERE seq = 7"], 7, "Row 7 shows event_id 'e6' beside its record"),
    "delete": (["DELETE FROM audit_links WHERE seq = 7", "DELETE FROM audit_events WHERE seq = 7"], 7, "Row 7 is missing: row 6 is followed by row 8."),
    "swap": (["UPDATE audit_events SET seq = -1 WHERE seq = 7", "UPDATE audit_events SET seq = 7 WHERE seq = 8", "UPDATE audit_events SET seq = 8 WHERE seq = -1"], 7, "Row 7 does not follow row 6"),
    "a column": (["UPDATE audit_events SET actor = 'eve' WHERE seq = 7"], 7, "Row 7 shows actor 'eve' beside its record, which says 'ana'."),
    "cut the tail": (CUT, 10, "The trail ends at row 9, and its tree was built over another number of rows."),
    "empty": (["DELETE FROM audit_links", "DELETE FROM audit_events"], 1, "The trail ends at row 0, and its tree was built over another number of rows."),
    "a node": (["UPDATE audit_nodes SET hash = repeat('0', 64) WHERE level = 4"], 21, "The tree over these 21 rows is not the one"),
    "no node": (["DELETE FROM audit_nodes WHERE level = 2"], 21, "The tree over these 21 rows is not the one"),
    "a lower node": (["DELETE FROM audit_nodes WHERE level = 1 AND position = 0"], 22, "its tree was built over another number of rows"),
    "a node that is no hash": (["UPDATE audit_nodes SET hash = 'zz'"], 21, "The tree over these 21 rows is not the one"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_shown_with_its_row(trail, kind, how):
    statements, row, why = TAMPERED[how]
    if kind == "sqlite":
        statements = [statement.replace("repeat('0', 64)", f"'{'0' * 64}'") for statement in statements]
    if how == "swap":
        statements = ["DELETE FROM audit_links", *statements]
    with trail.read() as unit:
        before = next(unit.trail.all(after=6))
    overpowered(trail, *statements, body="{}", hash=chain_hash(7, before.prev_hash, "{}"))
    verdict = evidence.check(trail, actor="ana")
    assert not verdict["holds"] and verdict["broken_at"] == row and why in verdict["why"]
    with trail.read() as unit:
        assert unit.fact(evidence.FACT)["holds"] is False


def rewritten(store: Store, rows: int, actor: str = "eve") -> None:
    """The whole chain rewritten with its tree: consistent in itself."""
    overpowered(store, *(f"DELETE FROM {table}" for table in ("audit_links", "audit_events", "audit_nodes")))
    for k in range(rows):
        with store.unit() as unit:
            unit.audit(actor, "order_filled", f"order:{k}", event_id=f"e{k}", price=9.9)


def test_a_rewritten_chain_contradicts_an_earlier_check(trail):
    """As long as that one was left; a thief who also rewrites it is shown only by a head noted elsewhere (tests/domain/audit)."""
    evidence.check(trail)
    rewritten(trail, ROWS + 5)
    for _ in range(2):
        verdict = evidence.check(trail)
        assert (verdict["holds"], verdict["broken_at"], verdict["why"]) == (False, ROWS, "The first 21 rows are not those that an earlier check saw.")
    overpowered(trail, "DELETE FROM facts")
    assert evidence.check(trail)["holds"], "said honestly: what is kept beside the trail proves little"


def test_a_shorter_chain_contradicts_an_earlier_check(trail):
    evidence.check(trail)
    rewritten(trail, 9)
    assert evidence.check(trail)["why"] == "The trail ends at row 9, and an earlier check went up to row 21."


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["body", "actor", "event_id", "hash", "prev_hash", "ts", "kind"])
def test_text_that_is_no_text_is_shown_too(trail, column):
    overpowered(trail, f"UPDATE audit_events SET {column} = CAST(X'22FFFE22' AS TEXT) WHERE seq = 7")
    verdict = evidence.check(trail)
    assert not verdict["holds"] and verdict["broken_at"] in (7, 8) and verdict["why"]


def test_what_comes_in_meanwhile_is_for_the_next_check(trail, monkeypatch):
    monkeypatch.setattr("worker.store.trail.PAGE", 5)

    def write(share: float, note: str) -> None:
        with trail.unit() as unit:
            unit.audit("ana", "noted")

    assert evidence.check(trail, progress=write)["rows"] == ROWS and evidence.check(trail)["rows"] == ROWS + 1


def test_the_chain_begins_at_genesis(trail):
    with trail.read() as unit:
        first = next(unit.trail.all())
    assert first.prev_hash == GENESIS and first.hash == chain_hash(1, GENESIS, first.body)
    assert AuditEvent("e0", datetime.fromisoformat(first.ts), "ana", "order_filled", ("order:0",), {"price": 1.1}).body() == first.body
