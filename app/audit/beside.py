"""What stands beside the trail, where it is there: signed checkpoints, witnesses, and bundles."""

from __future__ import annotations

from typing import Any

from worker.desk import Desk


def checkpoints(desk: Desk) -> Any:
    return getattr(desk, "checkpoints", None)


def bundle(desk: Desk) -> Any:
    return getattr(desk, "bundle", None)
