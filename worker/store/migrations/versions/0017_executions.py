"""Reports of external executors, and drafts of strategies."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "executions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("executor", sa.String(length=128), nullable=False),
        sa.Column("ticket", sa.String(length=64), nullable=False),
        sa.Column("signal", sa.String(length=160), nullable=False),
        sa.Column("symbol", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("lots", sa.String(length=40), nullable=False),
        sa.Column("price", sa.String(length=40), nullable=False),
        sa.Column("profit", sa.String(length=40), nullable=False),
        sa.Column("ts", Instant(), nullable=False),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
        sa.UniqueConstraint("executor", "ticket", "action", name=op.f("uq_executions_executor")),
    )
    op.create_index(op.f("ix_executions_at"), "executions", ["at"])
    op.create_table(
        "strategy_drafts",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_strategy_drafts")),
    )
