"""What an open job says of its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from app.kit.widgets import since


def test_time_without_a_worker_is_no_part_of_what_remains():
    began = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    lay = SimpleNamespace(started_at=began, cancelled_by=None, note="fold 4", progress=0.75, worked=60.0, carried=0.5)
    assert since(None, lay, began + timedelta(hours=2.5)).replace("\u202f", " ") == "started 14:00:00 UTC · 2:30 h elapsed · about 1:00 min remaining"
