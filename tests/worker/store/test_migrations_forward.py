"""A database of an earlier revision, with a row in every table that it had, is brought forward: no row is lost or altered, and the trail holds."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from domain.audit import verify
from worker.store import Unit
from worker.store.engine import make_engine
from worker.store.migrate import FOLDER, bring_to, current, head, upgrade

AT = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
OURS = ("audit_events", "audit_links", "audit_nodes", "alembic_version")        # written by appending events, or by the migrations
LET_GO = {"chunks.lease_until", "jobs.lease_until"}      # columns that later revisions have no use for
RENAMED = {"approvals.asked_by": "requested_by", "approvals.asked_at": "requested_at"}
EVERY = sorted(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))
REVISIONS = EVERY if os.environ.get("TIDEMARK_CASES") else [EVERY[0], *EVERY[-2:]]       # all of them where more cases are asked for


def to(engine: sa.Engine, revision: str) -> None:
    with engine.begin() as connection:
        bring_to(connection, revision)


def value_of(column: sa.Column, label: str) -> Any:
    """Something of the column's type that names the revision."""
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, (sa.Integer, sa.Float, sa.Numeric)):
        return int(label)
    if isinstance(kind, sa.JSON):
        return {"revision": label, "frames": ["é", 0.1]}
    if isinstance(kind, sa.DateTime):
        return AT.replace(tzinfo=UTC if getattr(kind, "timezone", False) else None)
    if isinstance(kind, sa.LargeBinary):
        return label.encode()
    return f"r{label}"[-(getattr(kind, "length", None) or 99) :]


def filled(connection: sa.Connection, label: str) -> list[tuple[str, dict[str, Any]]]:
    """A row in every table, as the revision has them, and events in the trail."""
    meta = sa.MetaData()
    meta.reflect(connection)
    rows = [(table.name, {column.name: value_of(column, label) for column in table.columns}) for table in meta.sorted_tables if table.name not in OURS]
    for name, row in rows:
        connection.execute(sa.insert(meta.tables[name]).values(**row))
    unit = Unit(connection)
    for number in range(3):
        unit.trail.add("ana", "tested", f"revision:{label}", at=AT, event_id=f"{label}-{number}", number=number)
    unit.trail.flush(lambda: AT)
    return rows


def kept(connection: sa.Connection, name: str, row: dict[str, Any]) -> set[str]:
    """Asserts that the row is there as it was; the columns of it that are no longer there."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    row = {now if (now := RENAMED.get(f"{name}.{column}", column)) in table.columns else column: value for column, value in row.items()}
    keys = [column for column in table.primary_key if column.name in row]
    result = connection.execute(sa.select(table).where(*(column == row[column.name] for column in keys))).mappings().all()
    assert len(result) == 1, (name, row)
    have = {column for column in row if column in table.columns}
    assert {column: result[0][column] for column in have} == {column: row[column] for column in have}, name
    return {f"{name}.{column}" for column in row if column not in have}


def test_rows_of_every_revision_come_through_all_later_ones(empty_database):
    engine, written, gone = make_engine(empty_database), [], set()
    for revision in REVISIONS:
        to(engine, revision)
        with engine.begin() as connection:
            assert current(connection) == revision
            written += filled(connection, revision)
    assert upgrade(engine) is False and REVISIONS[-1] == head()
    with engine.connect() as connection:
        for name, row in written:
            gone |= kept(connection, name, row)
        unit = Unit(connection)
        trail = list(unit.trail.all())
        assert verify(trail, unit.trail.root(), unit.trail.head()[0]).holds
        assert [record.event_id for record in trail] == [f"{revision}-{number}" for revision in REVISIONS for number in range(3)]
    assert gone <= LET_GO and (gone == LET_GO or REVISIONS != EVERY), "a column that goes takes what stood in it along: name it here, or carry it over"
    engine.dispose()
