"""What an open job says of its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from app.kit.widgets import since
from worker.jobs.base import Work


def test_time_without_a_worker_is_no_part_of_what_remains():
    began = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    lay = SimpleNamespace(started_at=began, cancelled_by=None, note="fold 4", progress=0.75, worked=60.0, carried=0.5)
    assert since(None, lay, began + timedelta(hours=2.5)).replace("\u202f", " ") == "started 14:00:00 UTC · 2:30 h elapsed · about 1:00 min remaining"


def test_what_the_row_shows_of_an_earlier_attempt_is_no_pace_of_this_one():
    work = Work(None, None, SimpleNamespace(progress=0.7))
    assert work.take_updates()["carried"] == 0.7, "nothing was reported yet"
    work.progress(0.1)
    assert work.take_updates()["carried"] == 0.0
    work.carry(0.4)
    assert work.take_updates()["carried"] == 0.4
