"""No statement of an append or of the Audit page reads a whole table of the trail, however long it grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from domain.audit.merkle import inclusion_proof
from worker.store import Filter, Store, Unit

DAY = dict(since="2020-01-01T00:00:00", until="2030-01-01T00:00:00")
READS: dict[str, Callable[[Unit], object]] = {
    "newest": lambda unit: unit.trail_index.page(),
    "middle": lambda unit: unit.trail_index.page(before=20),
    "upwards": lambda unit: unit.trail_index.page(after=20),
    "kind": lambda unit: unit.trail_index.page(Filter(kinds=("run_finished",)), before=20),
    "kinds in a time": lambda unit: unit.trail_index.page(Filter(kinds=("run_finished", "checked"), **DAY)),
    "actor": lambda unit: unit.trail_index.page(Filter(actor="ana")),
    "entity": lambda unit: unit.trail_index.page(Filter(entity="order:7")),
    "count": lambda unit: unit.trail_index.count(),
    "count of a kind": lambda unit: unit.trail_index.count(Filter(kinds=("run_finished",))),
    "named": lambda unit: unit.trail_index.named("7"),
    "by hash": lambda unit: unit.trail_index.named("ab" * 32),
    "edges": lambda unit: unit.trail_index.edges(),
    "days": lambda unit: unit.trail_index.days(*DAY.values()),
    "kinds and actors": lambda unit: (unit.trail.kinds(), unit.trail.actors()),
    "root and proof": lambda unit: (unit.trail.root(33), inclusion_proof(7, 33, unit.trail.node)),
    "rows to verify": lambda unit: unit.trail.rows(5, 30),
}


@pytest.fixture
def filled(store) -> Store:
    with store.unit() as unit:
        for k in range(40):
            unit.audit("ana" if k % 2 else "bob", ("run_finished", "checked", "order_filled")[k % 3], f"order:{k}", price=1.1)
    return store


def sent(store: Store, act: Callable[[], object]) -> list[tuple[str, Any]]:
    """The statements that ``act`` sends, BEGIN and COMMIT aside, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def hear(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append((statement, parameters))

    sa.event.listen(store.engine, "before_cursor_execute", hear)
    act()
    sa.event.remove(store.engine, "before_cursor_execute", hear)
    return statements


def whole_tables(store: Store, statement: str, parameters: Any) -> list[str]:
    """The lines of the plan that read a table of the trail from end to end, and not along an index."""
    with store.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            lines = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            first_only = "LIMIT" in statement and ("WHERE" not in statement or statement.endswith("DESC LIMIT 1"))      # along the key, and not to its end
            return [line for line in lines if line.startswith("SCAN audit_") and "INDEX" not in line and not first_only]
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        lines = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
        return [line for line in lines if "Seq Scan on audit_" in line]


def test_one_event_costs_one_message_on_a_server_and_five_statements_in_a_file(filled):
    def one() -> None:
        with filled.unit() as unit:
            unit.audit("ana", "order_filled", "order:41")

    one()       # a server was asked for its time now, and is not again for a second
    statements = sent(filled, one)
    assert len(statements) == (1 if filled.engine.dialect.name == "postgresql" else 5), statements
    if filled.engine.dialect.name == "sqlite":
        assert [whole_tables(filled, *statement) for statement in statements] == [[]] * 5


def test_reading_goes_along_the_indices(filled):
    for read, ask in READS.items():

        def act(ask: Callable[[Unit], object] = ask) -> None:
            with filled.read() as unit:
                ask(unit)

        statements = sent(filled, act)
        assert statements and [whole_tables(filled, *statement) for statement in statements] == [[]] * len(statements), read
