"""Every verdict that the job of a reproduction may give has a badge on the page."""

from __future__ import annotations

from app.backtest import reproduce as page
from worker.jobs import reproduce as job


def test_every_verdict_has_a_badge():
    assert set(page.VERDICTS) == set(job.VERDICTS)
