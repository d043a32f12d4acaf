"""A process killed at any point of a unit leaves all of it or nothing, and acknowledged commits stay."""

from __future__ import annotations

from pathlib import Path

from domain.audit import verify
from tests.worker.store.racers import die_at, killed
from worker.store import Store

MOST = 200      # moments in a unit; there are some forty


def test_a_kill_at_every_moment_between_begin_and_the_acknowledgement(database, tmp_path):
    acknowledged, moments = tmp_path / "acknowledged", 0
    while moments < MOST and killed(die_at, moments, database, str(tmp_path / "frames"), str(acknowledged)):
        moments += 1
    assert 10 < moments < MOST
    store = Store(database, str(tmp_path / "frames"))
    with store.read() as unit:
        rows, jobs, root, size = list(unit.trail.all()), unit.jobs.latest(limit=MOST), unit.trail.root(), unit.trail.head()[0]
    store.close()
    assert verify(rows, root, size).holds
    written = {job.title for job in jobs}
    assert {row.event_id for row in rows} == {f"{title}-{part}" for title in written for part in "ab"}, "row and events are one"
    assert set(lines(acknowledged)) <= written and str(moments) in written, "what was acknowledged is there"
    assert len(written) < 6, "and nothing that had not come to its commit"


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []
