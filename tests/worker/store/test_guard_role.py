"""The guards of another role, by the statements of docs/trail.md, on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from worker import evidence
from worker.store import Store
from worker.store.engine import make_engine

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "trail.md"
BEFORE, AFTER = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("kind", ["postgres"], indirect=True)]


@pytest.fixture
def separated(database, postgres_server, tmp_path) -> Iterator[Store]:
    """A store as ``tidemark_app``, whose guards belong to ``tidemark_guard``."""
    name = sa.engine.make_url(database).database
    for statement in BEFORE.split(";")[:2]:
        postgres_server.sql(statement)
    postgres_server.sql(f"ALTER DATABASE {name} OWNER TO tidemark_guard")
    admin = make_engine(database)
    with admin.begin() as connection:
        connection.exec_driver_sql("GRANT CREATE, USAGE ON SCHEMA public TO tidemark_app")
        connection.exec_driver_sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO tidemark_app")      # as if the program had made them
        connection.connection.driver_connection.execute(AFTER)
    store = Store(sa.engine.make_url(database).set(username="tidemark_app").render_as_string(hide_password=False), str(tmp_path / "frames"))
    yield store
    store.close()
    with admin.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY tidemark_app")
        connection.exec_driver_sql("REASSIGN OWNED BY tidemark_guard TO CURRENT_USER")
    admin.dispose()
    postgres_server.sql(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
    for role in ("tidemark_app", "tidemark_guard"):
        postgres_server.sql(f"DROP ROLE {role}")


def test_the_program_appends_reads_and_verifies_and_can_remove_no_guard(separated):
    trial = dict(strategy="breakout", params="p", spec="s", sharpe=0.1, days=10)
    with separated.unit() as unit:
        unit.trials.add([trial], kind="run", datasets=["d"], job_id="j", actor="ana", at=unit.now())
        unit.audit("ana", "noted", "run:1")
    verdict = evidence.check(separated, actor="ana")
    assert (verdict["holds"], verdict["rows"], verdict["guards"]) == (True, 2, ""), verdict["why"]
    for statement in (
        "DROP TRIGGER audit_events_no_change ON audit_events", "ALTER TABLE audit_events DISABLE TRIGGER USER", "DROP TABLE audit_nodes", "TRUNCATE audit_links",
        "INSERT INTO audit_events VALUES (9)", "DELETE FROM audit_links", "UPDATE trials SET sharpe = 9", "DROP FUNCTION audit_deny() CASCADE",
        "CREATE OR REPLACE FUNCTION audit_deny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match=r"must be owner|permission denied"), separated.engine.begin() as connection:
            connection.exec_driver_sql(statement)
