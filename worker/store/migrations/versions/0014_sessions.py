"""Trading sessions: what was asked for, how far they are, their tape, commands and outputs; halts; messages to send."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("broker", sa.String(length=16), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sessions")),
    )
    op.create_table(
        "session_states",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("commits", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("bars", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("opened", sa.JSON(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("view", sa.JSON(), nullable=False),
        sa.Column("feed", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_session_states")),
    )
    op.create_table(
        "session_tape",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("series", sa.String(length=48), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("close", sa.Float(), nullable=False),
        sa.Column("volume", sa.Float(), nullable=True),
        sa.Column("spread", sa.Float(), nullable=True),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("session", "number", name=op.f("pk_session_tape")),
    )
    op.create_table(
        "session_commands",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=True),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("command", sa.String(length=32), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("worked", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("session", "number", name=op.f("pk_session_commands")),
        sa.UniqueConstraint("session", "key", name="uq_session_commands_key"),
    )
    op.create_table(
        "session_rows",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("session", "kind", "number", name=op.f("pk_session_rows")),
    )
    op.create_table(
        "session_halts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("strategy", sa.String(length=64), nullable=False),
        sa.Column("flatten", sa.Boolean(), nullable=False),
        sa.Column("by_file", sa.Boolean(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("released_by", sa.String(length=128), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_halts")),
    )
    op.create_table(
        "messages",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
    )
    op.create_index("ix_session_commands_worked", "session_commands", ["worked"])
    op.create_index(op.f("ix_sessions_state"), "sessions", ["state"])
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


# The tape never changes. A command is written once, and how it was worked once more. On SQLite an INSERT OR REPLACE would delete without a DELETE.
WRITTEN = ("session", "number", "key", "at", "ts", "who", "command", "arguments", "reason")
SAME = " AND ".join(f"CAST(NEW.{column} AS TEXT) IS CAST(OLD.{column} AS TEXT)" for column in WRITTEN)
SAME_POSTGRES = " AND ".join(f"NEW.{column}::text IS NOT DISTINCT FROM OLD.{column}::text" for column in WRITTEN)


def deny(table: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"


def there(table: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE session = NEW.session AND number = NEW.number)"


SQLITE = [
    f"CREATE TRIGGER session_tape_no_update BEFORE UPDATE ON session_tape {deny('session_tape')}",
    f"CREATE TRIGGER session_commands_no_update BEFORE UPDATE ON session_commands WHEN NOT (OLD.worked IS NULL AND {SAME}) {deny('session_commands')}",
    *(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {deny(table)}" for table in ("session_tape", "session_commands")),
    *(f"CREATE TRIGGER {table}_new BEFORE INSERT ON {table} WHEN {there(table)} {deny(table)}" for table in ("session_tape", "session_commands")),
]
POSTGRESQL = [
    "CREATE TRIGGER session_tape_no_change BEFORE UPDATE OR DELETE ON session_tape FOR EACH ROW EXECUTE FUNCTION audit_deny()",
    # in a function, whose text the database keeps as it is; the condition of a trigger it writes anew
    f"""
    CREATE FUNCTION session_commands_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.worked IS NULL AND {SAME_POSTGRES} THEN RETURN NEW; END IF;
      RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    "CREATE TRIGGER session_commands_no_update BEFORE UPDATE ON session_commands FOR EACH ROW EXECUTE FUNCTION session_commands_once()",
    "CREATE TRIGGER session_commands_no_delete BEFORE DELETE ON session_commands FOR EACH ROW EXECUTE FUNCTION audit_deny()",
    *(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()" for table in ("session_tape", "session_commands")),
    *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate" for table in ("session_tape", "session_commands")),
    "ALTER TABLE session_tape ENABLE ALWAYS TRIGGER session_tape_no_change",
    *(f"ALTER TABLE session_commands ENABLE ALWAYS TRIGGER session_commands_{what}" for what in ("no_update", "no_delete")),
    *(f"REVOKE ALL ON {table} FROM PUBLIC" for table in ("session_tape", "session_commands")),
]
