"""A notary whose time stands still until a test moves it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.checkpoints.notary import Notary
from worker.settings import Settings
from worker.store import Store, Unit

START = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


class Time:
    """Both clocks of a notary: seconds that pass, and the time of day."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


class Bench:
    """A store with its settings, and notaries on it that share one time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings, self.time = store, settings, Time()

    def set(self, **audit: Any) -> None:
        self.settings = replace(self.settings, audit=replace(self.settings.audit, **audit))

    def notary(self, owner: str = "here:1:a") -> Notary:
        return Notary(self.store, self.settings, owner=owner, clock=self.time)

    def write(self, events: int, kind: str = "noted") -> None:
        """So many events at the present time."""
        with self.store.unit() as unit:
            for number in range(events):
                unit.trail.add("ana", kind, at=self.time.now(), number=number)

    def checkpoints(self) -> list[tuple[int, bool]]:
        """Size, and whether it is a heartbeat, of each checkpoint, oldest first."""
        with self.store.read() as unit:
            return [(row.size, row.heartbeat) for row in unit.checkpoints.all()]

    def kinds(self) -> list[str]:
        with self.store.read() as unit:
            return [record.kind for record in unit.trail.all()]

    def detail(self, kind: str) -> dict[str, Any]:
        """Of the newest event of this kind."""
        import json

        from worker.store import Filter

        with self.store.read() as unit:
            return json.loads(unit.trail.page(Filter(kinds=(kind,)), 1)[0].body)["detail"]

    @property
    def file_text(self) -> str:
        path = self.settings.checkpoints_file
        return path.read_text() if path.exists() else ""


@pytest.fixture
def bench(store, settings, monkeypatch) -> Bench:
    bench_ = Bench(store, settings)
    monkeypatch.setattr(Unit, "now", lambda unit: bench_.time.now())        # of events, too
    return bench_
