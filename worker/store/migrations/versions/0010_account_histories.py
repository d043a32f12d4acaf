"""Histories of accounts elsewhere, imported to be judged by compliance rules."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "account_histories",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("initial", sa.Float(), nullable=False),
        sa.Column("balance", sa.Float(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("flows", sa.Integer(), nullable=False),
        sa.Column("first_ts", Instant(), nullable=False),
        sa.Column("last_ts", Instant(), nullable=False),
        sa.Column("knows", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("frames", sa.JSON(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("example", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_histories")),
        sa.UniqueConstraint("version", name=op.f("uq_account_histories_version")),
    )
