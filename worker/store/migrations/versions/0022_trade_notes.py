"""Notes on trades, tags and favourites of runs."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "trade_notes",
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("trade", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("instrument", sa.String(length=64), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("opened", Instant(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("question", "trade", name=op.f("pk_trade_notes")),
    )
    op.create_table(
        "run_tags",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "tag", name=op.f("pk_run_tags")),
    )
    op.create_index("ix_run_tags_tag", "run_tags", ["tag"])
    op.create_table(
        "run_favourites",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "actor", name=op.f("pk_run_favourites")),
    )
