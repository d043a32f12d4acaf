"""Approvals say who requested them and when, as pages and answers do."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.drop_index(op.f("ix_approvals_asked_at"), "approvals")
    for former, name in (("asked_by", "requested_by"), ("asked_at", "requested_at")):
        op.execute(sa.text(f"ALTER TABLE approvals RENAME COLUMN {former} TO {name}"))
    op.create_index(op.f("ix_approvals_requested_at"), "approvals", ["requested_at"])
