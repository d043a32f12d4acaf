"""Signed checkpoints of the audit trail, append-only, and who received each."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0008"
down_revision = "0007"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=8), nullable=False),
        sa.Column("heartbeat", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoints")),
    )
    op.create_index("ix_checkpoints_size", "checkpoints", ["size"], unique=False)
    op.create_table(
        "checkpoint_receipts",
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("receiver", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("heartbeat", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", "receiver", "state", name=op.f("pk_checkpoint_receipts")),
    )
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


# No change and no deletion, but of heartbeats, which repeat the size and root before them: they are kept for some days
# only. On SQLite no INSERT OR REPLACE either, which would delete without a DELETE.
TABLES = {"checkpoints": "number = NEW.number", "checkpoint_receipts": "number = NEW.number AND receiver = NEW.receiver AND state = NEW.state"}
DENY = "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
SQLITE = [
    statement.format(table=table, same=same)
    for table, same in TABLES.items()
    for statement in (
        "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} " + DENY,
        "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT OLD.heartbeat " + DENY,
        "CREATE TRIGGER {table}_new BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) " + DENY,
    )
]
POSTGRESQL = [
    statement.format(table=table)
    for table in TABLES
    for statement in (
        "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_deny()",
        "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW WHEN (NOT OLD.heartbeat) EXECUTE FUNCTION audit_deny()",
        "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()",
        "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_update",
        "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_delete",
        "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate",
        "REVOKE ALL ON {table} FROM PUBLIC",
    )
]
