"""Many writers for a minute, and five hundred kills: about six minutes for both databases."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from domain.audit import verify
from tests.faults.sizes import size
from tests.worker.store.racers import CONTEXT, eight_writers, write_until_killed
from worker.store import Store

pytestmark = pytest.mark.faults
SECONDS, KILLS, AT_ONCE = float(size("SECONDS", 60)), size("KILLS", 500), 4


def test_eight_processes_write_one_order_for_a_minute(database, tmp_path, record_property):
    units, took = eight_writers(database, str(tmp_path / "frames"), most=10**9, seconds=SECONDS)
    for name, value in dict(units_per_s=round(units / SECONDS), p50_ms=round(took[len(took) // 2] * 1e3, 1), p99_ms=round(took[int(len(took) * 0.99)] * 1e3, 1), worst_ms=round(took[-1] * 1e3)).items():
        record_property(name, value)
    assert units > 1_000 * SECONDS / 60


def test_five_hundred_kills_lose_nothing_that_was_acknowledged(database, tmp_path, record_property):
    """Writers side by side, each killed at a random moment after none to three of its units, so that a slow machine loses no kill to starting."""
    at, acknowledged = random.Random(7), tmp_path / "acknowledged"
    acknowledged.touch()
    for kill in range(0, KILLS, AT_ONCE):
        children = [CONTEXT.Process(target=write_until_killed, args=(kill + k, database, str(tmp_path / "frames"), str(acknowledged))) for k in range(AT_ONCE)]
        for child in children:
            child.start()
        for k in at.sample(range(AT_ONCE), AT_ONCE):
            wait_for(acknowledged, kill + k, at.randrange(4))
            children[k].join(at.uniform(0.0, 0.05))
            children[k].kill()
        for child in children:
            child.join(30)
    recorded = set(Path(acknowledged).read_text().split())
    store = Store(database, str(tmp_path / "frames"))
    with store.read() as unit:
        rows, jobs, root, size = list(unit.trail.all()), unit.jobs.latest(limit=10**7), unit.trail.root(), unit.trail.head()[0]
    store.close()
    record_property("acknowledged", len(recorded))
    assert verify(rows, root, size).holds and len(recorded) > KILLS
    assert {row.event_id for row in rows} == {job.title for job in jobs} >= recorded, "row and event are one, and nothing acknowledged is missing"
    assert len(jobs) - len(recorded) <= KILLS, "at most one unit a kill was committed and not yet acknowledged"


def wait_for(acknowledged: Path, writer: int, units: int) -> None:
    """Until a writer has so many units acknowledged."""
    until = time.monotonic() + 120
    while (b"\n" + acknowledged.read_bytes()).count(b"\n%d-" % writer) < units:
        assert time.monotonic() < until, "it writes nothing"
        time.sleep(0.02)
