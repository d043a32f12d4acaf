"""Presets of the backtest form."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "form_presets",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_form_presets")),
    )
