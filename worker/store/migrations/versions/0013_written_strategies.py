"""Strategies that users write, as append-only versions."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "written_strategies",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_written_strategies")),
    )
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


# No change and no deletion; on SQLite no INSERT OR REPLACE either, which would delete without a DELETE.
DENY = "BEGIN SELECT RAISE(ABORT, 'written_strategies is append-only'); END"
THERE = "EXISTS (SELECT 1 FROM written_strategies WHERE name = NEW.name AND version = NEW.version)"
SQLITE = [
    f"CREATE TRIGGER written_strategies_no_update BEFORE UPDATE ON written_strategies {DENY}",
    f"CREATE TRIGGER written_strategies_no_delete BEFORE DELETE ON written_strategies {DENY}",
    f"CREATE TRIGGER written_strategies_new BEFORE INSERT ON written_strategies WHEN {THERE} {DENY}",
]
POSTGRESQL = [
    "CREATE TRIGGER written_strategies_no_change BEFORE UPDATE OR DELETE ON written_strategies FOR EACH ROW EXECUTE FUNCTION audit_deny()",
    "CREATE TRIGGER written_strategies_no_truncate BEFORE TRUNCATE ON written_strategies FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()",
    "ALTER TABLE written_strategies ENABLE ALWAYS TRIGGER written_strategies_no_change",
    "ALTER TABLE written_strategies ENABLE ALWAYS TRIGGER written_strategies_no_truncate",
    "REVOKE ALL ON written_strategies FROM PUBLIC",
]
