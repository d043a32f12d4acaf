"""How far each message is on each channel that it is sent over."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "message_channels",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("recent", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_message_channels")),
    )
    op.create_table(
        "message_sends",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("call", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("channel", "number", name=op.f("pk_message_sends")),
    )
    op.create_index("ix_message_sends_next_at", "message_sends", ["channel", "state", "next_at"])
    op.create_index("ix_message_sends_call", "message_sends", ["channel", "call"])
