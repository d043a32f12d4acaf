"""Who does not want to be reminded of a job that failed or was cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("dismissed_by", sa.String(128), nullable=True))
