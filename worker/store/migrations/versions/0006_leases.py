"""Leases count signs of life instead of comparing times of day, and what does not end has them too."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_index("ix_jobs_state_lease", "jobs")
    op.execute("ALTER TABLE jobs ADD COLUMN beats INTEGER NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE jobs DROP COLUMN lease_until")
    op.execute("ALTER TABLE chunks DROP COLUMN lease_until")
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
