"""The frames and files that rows of the database name: all others may go, and a backup needs all of these."""

from __future__ import annotations

from datetime import timedelta

from worker.store.unit import Unit

BUNDLES_KEPT = timedelta(days=1)        # that were made for a download


def named_frames(unit: Unit) -> set[str]:
    return unit.runs.frames() | unit.datasets.frames() | unit.outside.frames() | unit.histories.frames() | unit.models.frames() | unit.chunks.frames() | unit.sessions.frames()


def named_files(unit: Unit) -> set[str]:
    return unit.models.files() | unit.runs.files() | unit.chunks.files() | unit.jobs.files("audit_bundle", unit.now() - BUNDLES_KEPT)
