"""How long the present attempt of a job has been at work, and what earlier attempts left done."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    for name in ("worked", "carried"):
        op.add_column("jobs", sa.Column(name, sa.Float(), nullable=False, server_default="0"))
