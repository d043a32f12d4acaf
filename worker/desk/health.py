"""The state of one part of the system."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """One part of the system: ``state`` is well, warning or failed, ``note`` says why."""

    part: str
    state: str
    note: str
