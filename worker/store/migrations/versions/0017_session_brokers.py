"""What a session has at its broker, written with its state."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("session_states", sa.Column("broker", sa.JSON(), nullable=True))
