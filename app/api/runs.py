"""What runs of every kind have in common: how they are listed and answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.api.paging import before_of, cursor_of, utc
from app.api.plain import plain
from worker.desk import Desk, Part
from worker.desk.export import with_former_keys

SHOWN = ("id", "kind", "name", "title", "note", "actor", "created_at", "synthetic", "summary")


def shown(run: Any, address: str, whole: bool = False) -> dict[str, Any]:
    """A run as it is answered; ``whole``: with what was requested and what it was made from."""
    more = dict(spec=plain(run.spec), manifest=plain(run.manifest), tables=sorted(run.frames)) if whole else {}
    return {**{name: plain(getattr(run, name)) for name in SHOWN}, "summary": plain(with_former_keys(run.summary)), **more, "job": run.job_id, "href": f"/api/v1/{address}/{run.id}"}


def part(desk: Desk, address: str, kinds: Sequence[str], limit: int, cursor: str, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """A part of the runs of some kinds."""
    runs = desk.listing.runs(kinds, Part(limit, before_of(cursor), utc(since), utc(until)))
    following = cursor_of(runs.last[0].isoformat(), runs.last[1]) if runs.last else None
    return dict(items=[shown(run, address) for run in runs.rows], next=following, altered=dict(runs.altered))
