"""Trials, an append-only ledger of all that was tried; chunks, the parts of a job that several workers share."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0002"
down_revision = "0001"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "trials",
        sa.Column("seq", WHOLE, autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("data", sa.String(length=64), nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("params", sa.String(length=64), nullable=False),
        sa.Column("spec", sa.String(length=64), nullable=False),
        sa.Column("sharpe", sa.Float(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_trials")),
    )
    op.create_index("ix_trials_data_strategy", "trials", ["data", "strategy"], unique=False)
    op.create_table(
        "chunks",
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("frames", sa.JSON(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_chunks")),
    )
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


# No change and no deletion; on SQLite no INSERT OR REPLACE either, which would delete without a DELETE.
DENY = "BEGIN SELECT RAISE(ABORT, 'trials is append-only'); END"
SQLITE = [
    f"CREATE TRIGGER trials_no_update BEFORE UPDATE ON trials {DENY}",
    f"CREATE TRIGGER trials_no_delete BEFORE DELETE ON trials {DENY}",
    f"CREATE TRIGGER trials_new BEFORE INSERT ON trials WHEN EXISTS (SELECT 1 FROM trials WHERE seq = NEW.seq) {DENY}",
]
POSTGRESQL = [
    "CREATE TRIGGER trials_no_change BEFORE UPDATE OR DELETE ON trials FOR EACH ROW EXECUTE FUNCTION audit_deny()",
    "CREATE TRIGGER trials_no_truncate BEFORE TRUNCATE ON trials FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()",
    "ALTER TABLE trials ENABLE ALWAYS TRIGGER trials_no_change",
    "ALTER TABLE trials ENABLE ALWAYS TRIGGER trials_no_truncate",
    "REVOKE ALL ON trials FROM PUBLIC",
]
