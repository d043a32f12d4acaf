"""What the networks share: layers, the loop that fits them, and what is left of a fit. Files here load torch, so they are imported inside functions only."""

from __future__ import annotations

from importlib import import_module

from domain.models.base import Watch
from domain.models.waiting import waited


def load_torch(watch: Watch) -> None:
    """Import torch and its optimisers, which takes seconds the first time, while ``watch`` may stop what waits for it."""
    waited(lambda: import_module("domain.models.network.learning").warm(), watch)
