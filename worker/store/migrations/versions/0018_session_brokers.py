"""What a session has at its broker, written with its state."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("session_states", sa.Column("broker", sa.JSON(), nullable=True))
