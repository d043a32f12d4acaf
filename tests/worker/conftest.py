from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture
def house(store, settings, monkeypatch):
    """A worker's process, but for the queue; its clockwork quick."""
    from worker.actors import House

    monkeypatch.setattr(House, "store", store, raising=False)
    monkeypatch.setattr(House, "settings", replace(settings, work=replace(settings.work, lease=2.0, beat=0.1)), raising=False)
    monkeypatch.setattr(House, "running", set())
    monkeypatch.setattr(House, "leaving", False)
    return House
