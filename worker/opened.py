"""The store of the workspace that the settings name."""

from __future__ import annotations

from worker.hidden import hide
from worker.secret_settings import secrets_of_settings
from worker.settings import Settings
from worker.store import Store
from worker.store.copies import Copies


def open_store(settings: Settings) -> Store:
    """Its database, and its frames and files: where these are in a bucket, with copies on this machine. What the settings hold of secrets, this process repeats to nobody."""
    hide(secrets_of_settings(settings))
    return Store(settings.database_url, settings.frames_url, Copies(settings.home / "copies", settings.storage.copies_mb * 1_000_000))
