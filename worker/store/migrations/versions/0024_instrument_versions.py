"""Instruments that a person edits, as append-only versions."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "instrument_versions",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_instrument_versions")),
    )
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


# No change and no deletion; on SQLite no INSERT OR REPLACE either, which would delete without a DELETE.
DENY = "BEGIN SELECT RAISE(ABORT, 'instrument_versions is append-only'); END"
THERE = "EXISTS (SELECT 1 FROM instrument_versions WHERE name = NEW.name AND version = NEW.version)"
SQLITE = [
    f"CREATE TRIGGER instrument_versions_no_update BEFORE UPDATE ON instrument_versions {DENY}",
    f"CREATE TRIGGER instrument_versions_no_delete BEFORE DELETE ON instrument_versions {DENY}",
    f"CREATE TRIGGER instrument_versions_new BEFORE INSERT ON instrument_versions WHEN {THERE} {DENY}",
]
POSTGRESQL = [
    "CREATE TRIGGER instrument_versions_no_change BEFORE UPDATE OR DELETE ON instrument_versions FOR EACH ROW EXECUTE FUNCTION audit_deny()",
    "CREATE TRIGGER instrument_versions_no_truncate BEFORE TRUNCATE ON instrument_versions FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()",
    "ALTER TABLE instrument_versions ENABLE ALWAYS TRIGGER instrument_versions_no_change",
    "ALTER TABLE instrument_versions ENABLE ALWAYS TRIGGER instrument_versions_no_truncate",
    "REVOKE ALL ON instrument_versions FROM PUBLIC",
]
