"""How a run is called in lists, and what its verdict is called."""

from __future__ import annotations

from typing import Any

WORDS = {"green": "Better than its baselines", "amber": "Not proven", "red": "Not to be believed", "open": "Not judged"}


def title_of(run: Any) -> str:
    """Its name, else what was trained.

    >>> from types import SimpleNamespace
    >>> title_of(SimpleNamespace(name="", title="Train linear on return · EURUSD H1"))
    'linear on return · EURUSD H1'
    """
    return str(run.name or run.title.removeprefix("Train "))


def word_of(run: Any) -> str:
    """The verdict of a run in a list."""
    if run.summary.get("partial"):
        return "partial"
    state = ((run.summary.get("report") or {}).get("verdict") or {}).get("state")
    return WORDS.get(str(state), WORDS["open"])
