"""Lists in parts, newest first: a part begins after the last item of the one before, whatever has come or gone since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa


def part_of(query: Any, columns: Any, limit: int, before: tuple[datetime, str] | None, since: datetime | None, until: datetime | None) -> Any:
    """``query`` for rows with ``created_at`` and ``id``: at most ``limit``, made from ``since`` on and before ``until``, after the row ``before``."""
    query = query.order_by(columns.created_at.desc(), columns.id).limit(limit)
    if before:
        at, name = before
        query = query.where(sa.or_(columns.created_at < at, sa.and_(columns.created_at == at, columns.id > name)))
    query = query.where(columns.created_at >= since) if since else query
    return query.where(columns.created_at < until) if until else query
