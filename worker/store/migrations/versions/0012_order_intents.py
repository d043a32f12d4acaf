"""Intents to trade, written before an order is sent."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "order_intents",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("broker_id", sa.String(length=64), nullable=False),
        sa.Column("ticket", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("account", "client_id", name=op.f("pk_order_intents")),
    )
    op.create_index("ix_order_intents_broker_id", "order_intents", ["account", "broker_id"])
