"""Rule sets that a person edits, as append-only versions."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "rule_sets",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_rule_sets")),
    )
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


# No change and no deletion; on SQLite no INSERT OR REPLACE either, which would delete without a DELETE.
DENY = "BEGIN SELECT RAISE(ABORT, 'rule_sets is append-only'); END"
THERE = "EXISTS (SELECT 1 FROM rule_sets WHERE name = NEW.name AND version = NEW.version)"
SQLITE = [
    f"CREATE TRIGGER rule_sets_no_update BEFORE UPDATE ON rule_sets {DENY}",
    f"CREATE TRIGGER rule_sets_no_delete BEFORE DELETE ON rule_sets {DENY}",
    f"CREATE TRIGGER rule_sets_new BEFORE INSERT ON rule_sets WHEN {THERE} {DENY}",
]
POSTGRESQL = [
    "CREATE TRIGGER rule_sets_no_change BEFORE UPDATE OR DELETE ON rule_sets FOR EACH ROW EXECUTE FUNCTION audit_deny()",
    "CREATE TRIGGER rule_sets_no_truncate BEFORE TRUNCATE ON rule_sets FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()",
    "ALTER TABLE rule_sets ENABLE ALWAYS TRIGGER rule_sets_no_change",
    "ALTER TABLE rule_sets ENABLE ALWAYS TRIGGER rule_sets_no_truncate",
    "REVOKE ALL ON rule_sets FROM PUBLIC",
]
