"""Models and their stages, append-only; the datasets that each trial touched; what a running job shows of itself."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import combinations

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0011"
down_revision = "0010"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOST = 500          # datasets among which pairs are looked for
WRITTEN = 1_000     # rows of one statement


def upgrade() -> None:
    op.add_column("jobs", sa.Column("live", sa.JSON(), nullable=True))
    op.create_table(
        "trial_datasets",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", "version", name=op.f("pk_trial_datasets")),
    )
    op.create_index("ix_trial_datasets_version", "trial_datasets", ["version"], unique=False)
    op.create_table(
        "models",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("learner", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("spec_hash", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("frames", sa.JSON(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_models_name")),
    )
    op.create_table(
        "model_stages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_stages")),
    )
    op.create_index("ix_model_stages_model_id", "model_stages", ["model_id"], unique=False)
    _carry_over(op.get_bind())
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def _carry_over(c: sa.Connection) -> None:
    """The datasets of the trials so far, which name them by the hash of their set: of a dataset alone, of those that a run or a job names, of pairs.
    A set that nothing names any more, for its datasets were deleted, stays countable by its hash."""
    trials = sa.table("trials", sa.column("seq"), sa.column("data"))
    touched = sa.table("trial_datasets", sa.column("seq"), sa.column("version"))
    known = {_hash(versions): versions for versions in _sets(c)} if c.scalar(sa.select(sa.func.count()).select_from(trials)) else {}
    rows = [dict(seq=seq, version=version) for seq, data in c.execute(sa.select(trials.c.seq, trials.c.data)) for version in known.get(data, ())]
    for first in range(0, len(rows), WRITTEN):
        c.execute(sa.insert(touched), rows[first : first + WRITTEN])


def _sets(c: sa.Connection) -> Iterator[tuple[str, ...]]:
    stored = list(c.scalars(sa.text("SELECT version FROM datasets")))
    yield from combinations(stored[:MOST], 2)
    for table in ("runs", "jobs"):
        for spec in c.scalars(sa.select(sa.column("spec", sa.JSON)).select_from(sa.table(table))):
            named = spec.get("datasets") if isinstance(spec, dict) else None
            if isinstance(named, list) and named and all(isinstance(version, str) and len(version) <= 64 for version in named):
                yield tuple(dict.fromkeys(named))
                yield from ((version,) for version in named)
    yield from ((version,) for version in stored)


def _hash(versions: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(set(versions))).encode()).hexdigest()


# No change and no deletion; on SQLite no INSERT OR REPLACE either, which would delete without a DELETE. And of all versions
# of a name at most one is in production, which is the last row of its stages.
TABLES = {"models": "id = NEW.id OR (name = NEW.name AND version = NEW.version)", "model_stages": "id = NEW.id", "trial_datasets": "seq = NEW.seq AND version = NEW.version"}
DENY = "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
OTHER = (
    "SELECT 1 FROM models other JOIN models mine ON mine.name = other.name AND mine.id <> other.id JOIN model_stages last ON last.model_id = other.id "
    "WHERE mine.id = NEW.model_id AND last.stage = 'production' AND last.number = (SELECT max(number) FROM model_stages WHERE model_id = other.id)"
)
SQLITE = [
    *(
        statement.format(table=table, same=same)
        for table, same in TABLES.items()
        for statement in (
            "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} " + DENY,
            "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} " + DENY,
            "CREATE TRIGGER {table}_new BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) " + DENY,
        )
    ),
    f"CREATE TRIGGER model_stages_one BEFORE INSERT ON model_stages WHEN NEW.stage = 'production' AND EXISTS ({OTHER}) BEGIN SELECT RAISE(ABORT, 'another version is in production'); END",
]
POSTGRESQL = [
    *(
        statement.format(table=table)
        for table in TABLES
        for statement in (
            "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_deny()",
            "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_deny()",
            "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change",
            "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate",
            "REVOKE ALL ON {table} FROM PUBLIC",
        )
    ),
    f"""CREATE FUNCTION audit_one_production() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.stage = 'production' AND EXISTS ({OTHER}) THEN RAISE EXCEPTION 'another version is in production'; END IF;
      RETURN NEW;
    END $$""",
    "CREATE TRIGGER model_stages_one BEFORE INSERT ON model_stages FOR EACH ROW EXECUTE FUNCTION audit_one_production()",
    "ALTER TABLE model_stages ENABLE ALWAYS TRIGGER model_stages_one",
]
