from __future__ import annotations

from dataclasses import replace

import pytest

import tests.terminal  # noqa: F401  # the terminal's verbs are built once, not at each call


@pytest.fixture
def system(store, settings, monkeypatch):
    """A worker's process, but for the queue; its clockwork quick."""
    from worker.actors import WorkerContext

    monkeypatch.setattr(WorkerContext, "store", store, raising=False)
    monkeypatch.setattr(WorkerContext, "settings", replace(settings, work=replace(settings.work, lease=2.0, beat=0.1)), raising=False)
    monkeypatch.setattr(WorkerContext, "running", set())
    monkeypatch.setattr(WorkerContext, "leaving", False)
    return WorkerContext
