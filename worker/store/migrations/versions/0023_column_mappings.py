"""Column mappings of files that no reader recognises."""

import sqlalchemy as sa
from alembic import op

from worker.store.schema import Instant

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "column_mappings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_column_mappings")),
    )
