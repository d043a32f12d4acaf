"""The first schema: jobs, runs, datasets, facts, processes, and the append-only audit trail."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0001"
down_revision = None

GENESIS = "9a0a1c1dd3fccae8d9835ad3ee8684380a89736321c8ab2d933469fcc166a4f0"      # sha256 of audit-genesis/v1, as PostgreSQL computes it below
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    tables()
    guard = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]
    for statement in guard:
        op.execute(sa.text(statement.replace(":", "\\:")))


def tables() -> None:
    op.create_table(
        "audit_events",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("ts", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_events_event_id")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_events_hash")),
        sa.UniqueConstraint("prev_hash", name=op.f("uq_audit_events_prev_hash")),
    )
    op.create_index(op.f("ix_audit_events_actor"), "audit_events", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_events_kind"), "audit_events", ["kind"], unique=False)
    op.create_index(op.f("ix_audit_events_ts"), "audit_events", ["ts"], unique=False)
    op.create_table(
        "audit_nodes",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_audit_nodes")),
    )
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("instrument", sa.String(length=32), nullable=False),
        sa.Column("timeframe", sa.String(length=8), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("bars", sa.Integer(), nullable=False),
        sa.Column("first_ts", Instant(), nullable=False),
        sa.Column("last_ts", Instant(), nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("spread", sa.Float(), nullable=True),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("quality", sa.JSON(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("frame", sa.String(length=64), nullable=False),
        sa.Column("ledger", sa.String(length=64), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("example", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("version", name=op.f("uq_datasets_version")),
    )
    op.create_index(op.f("ix_datasets_instrument"), "datasets", ["instrument"], unique=False)
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cancelled_by", sa.String(length=128), nullable=True),
        sa.Column("checkpoint", sa.JSON(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("example", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("key", name=op.f("uq_jobs_key")),
    )
    op.create_index(op.f("ix_jobs_created_at"), "jobs", ["created_at"], unique=False)
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state"], unique=False)
    op.create_index("ix_jobs_state_lease", "jobs", ["state", "lease_until"], unique=False)
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(length=128), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("doing", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("frames", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("example", sa.Boolean(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_created_at"), "runs", ["created_at"], unique=False)
    op.create_index("ix_runs_kind_created", "runs", ["kind", "created_at"], unique=False)
    op.create_table(
        "audit_links",
        sa.Column("entity", sa.String(length=160), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["audit_events.seq"], name=op.f("fk_audit_links_seq")),
        sa.PrimaryKeyConstraint("entity", "seq", name=op.f("pk_audit_links")),
    )


def denied(table: str) -> list[str]:
    deny = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return [f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {deny}" for verb in ("UPDATE", "DELETE")]


# SQLite: no change, no deletion, no gap, no fork, and no INSERT OR REPLACE, which would delete history without a DELETE.
SQLITE = [
    *denied("audit_events"),
    *denied("audit_links"),
    *denied("audit_nodes"),
    f"""
    CREATE TRIGGER audit_events_link BEFORE INSERT ON audit_events BEGIN
      SELECT RAISE(ABORT, 'audit_events: seq is not the next')
        WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_events);
      SELECT RAISE(ABORT, 'audit_events: prev_hash is not the head')
        WHERE NEW.prev_hash IS NOT coalesce((SELECT hash FROM audit_events WHERE seq = NEW.seq - 1), '{GENESIS}');
      SELECT RAISE(ABORT, 'audit_events is append-only')
        WHERE EXISTS (SELECT 1 FROM audit_events WHERE event_id = NEW.event_id OR hash = NEW.hash OR prev_hash = NEW.prev_hash);
    END
    """,
    """
    CREATE TRIGGER audit_nodes_new BEFORE INSERT ON audit_nodes BEGIN
      SELECT RAISE(ABORT, 'audit_nodes is append-only')
        WHERE EXISTS (SELECT 1 FROM audit_nodes WHERE level = NEW.level AND position = NEW.position);
    END
    """,
    """
    CREATE TRIGGER audit_links_new BEFORE INSERT ON audit_links BEGIN
      SELECT RAISE(ABORT, 'audit_links is append-only')
        WHERE EXISTS (SELECT 1 FROM audit_links WHERE entity = NEW.entity AND seq = NEW.seq);
    END
    """,
]

# PostgreSQL: one function is the only way in. The lock is taken by a statement of its own before it, so that under
# READ COMMITTED the function reads what the last holder committed; in one statement with the read it would fork.
POSTGRESQL = [
    """
    CREATE FUNCTION audit_deny() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$
    """,
    *(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_deny()"
        for table in ("audit_events", "audit_links", "audit_nodes")
    ),
    *(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()"
        for table in ("audit_events", "audit_links", "audit_nodes")
    ),
    *(
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_{what}"
        for table in ("audit_events", "audit_links", "audit_nodes")
        for what in ("change", "truncate")
    ),
    """
    CREATE FUNCTION audit_chain(seq bigint, prev text, body text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT encode(sha256('\\x00'::bytea || convert_to(E'audit/v1\\n', 'UTF8') || int8send(seq) || decode(prev, 'hex') || convert_to(body, 'UTF8')), 'hex')
    $$
    """,
    """
    CREATE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE last record;
    BEGIN
      SELECT seq, hash INTO last FROM audit_events ORDER BY seq DESC LIMIT 1;
      IF NEW.seq <> coalesce(last.seq, 0) + 1 THEN RAISE EXCEPTION 'audit_events: seq is not the next'; END IF;
      IF NEW.prev_hash <> coalesce(last.hash, encode(sha256('audit-genesis/v1'::bytea), 'hex')) THEN RAISE EXCEPTION 'audit_events: prev_hash is not the head'; END IF;
      IF NEW.hash <> audit_chain(NEW.seq, NEW.prev_hash, NEW.body) THEN RAISE EXCEPTION 'audit_events: hash is not of this row'; END IF;
      RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER audit_events_link BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_link()",
    "ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_link",
    "CREATE FUNCTION audit_lock() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(4711, 1) $$",
    """
    CREATE FUNCTION audit_append(ids text[], bodies text[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
      s bigint; h text; made text; sibling text; body jsonb; idx bigint; lvl int; added bigint := 0;
    BEGIN
      IF current_setting('transaction_isolation') <> 'read committed' THEN RAISE EXCEPTION 'audit_append needs READ COMMITTED'; END IF;
      PERFORM pg_advisory_xact_lock(4711, 1);
      SELECT e.seq, e.hash INTO s, h FROM audit_events e ORDER BY e.seq DESC LIMIT 1;
      s := coalesce(s, 0);
      h := coalesce(h, encode(sha256('audit-genesis/v1'::bytea), 'hex'));
      FOR i IN 1 .. coalesce(array_length(ids, 1), 0) LOOP
        CONTINUE WHEN EXISTS (SELECT 1 FROM audit_events e WHERE e.event_id = ids[i]);
        s := s + 1;
        body := bodies[i]::jsonb;
        made := audit_chain(s, h, bodies[i]);
        INSERT INTO audit_events (seq, event_id, ts, actor, kind, body, prev_hash, hash)
          VALUES (s, ids[i], body ->> 'ts', body ->> 'actor', body ->> 'kind', bodies[i], h, made);
        INSERT INTO audit_links (entity, seq) SELECT DISTINCT value, s FROM jsonb_array_elements_text(body -> 'entities');
        h := made;
        idx := s - 1;
        lvl := 0;
        WHILE idx % 2 = 1 LOOP
          IF lvl = 0 THEN SELECT e.hash INTO sibling FROM audit_events e WHERE e.seq = idx;
          ELSE SELECT n.hash INTO sibling FROM audit_nodes n WHERE n.level = lvl AND n.position = idx - 1; END IF;
          made := encode(sha256('\\x01'::bytea || decode(sibling, 'hex') || decode(made, 'hex')), 'hex');
          idx := idx / 2;
          lvl := lvl + 1;
          INSERT INTO audit_nodes (level, position, hash) VALUES (lvl, idx, made);
        END LOOP;
        added := added + 1;
      END LOOP;
      RETURN added;
    END $$
    """,
    "REVOKE ALL ON FUNCTION audit_append(text[], text[]) FROM PUBLIC",
    "REVOKE ALL ON audit_events, audit_links, audit_nodes FROM PUBLIC",
]
