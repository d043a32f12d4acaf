"""The trail by key: pages and counts by kind, actor and time from an index alone, links in the order of the events."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for column in ("actor", "kind", "ts"):
        op.drop_index(f"ix_audit_events_{column}", "audit_events")
    op.create_index("ix_audit_events_actor_seq", "audit_events", ["actor", "seq"])
    op.create_index("ix_audit_events_kind_seq", "audit_events", ["kind", "seq"])
    op.create_index("ix_audit_events_ts_kind_seq", "audit_events", ["ts", "kind", "seq"])
    op.create_index("ix_audit_links_seq_entity", "audit_links", ["seq", "entity"])
