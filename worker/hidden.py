"""What this process must not repeat: sentences of the outside world may quote a token or a password, and are stored and shown without it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worker.trouble import without

TEXTS = ("sentence", "why", "error", "note", "problem", "reason")      # of an event's detail: whatever else stands there is ours, and in the hash of what it tells of
_SECRETS: set[str] = set()


def hide(secrets: Iterable[str]) -> None:
    """From now on these, too."""
    _SECRETS.update(secrets)


def reveal() -> None:
    """Forget them, after a test."""
    _SECRETS.clear()


def shown(text: str) -> str:
    """
    >>> hide({"s3cret"})
    >>> shown("token s3cret is refused"); reveal()
    'token *** is refused'
    """
    return without(text, _SECRETS) if _SECRETS else text


def shown_detail(detail: dict[str, Any]) -> dict[str, Any]:
    """The detail of an event, its sentences without secrets."""
    return {key: shown(value) if key in TEXTS and isinstance(value, str) else value for key, value in detail.items()} if _SECRETS else detail
