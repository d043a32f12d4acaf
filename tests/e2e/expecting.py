"""Assertions on a page that may be drawn again at that moment: the earlier state of an element stands beside the new one for an instant."""

from __future__ import annotations

from typing import Any


class Expected:
    """Playwright's assertions; to be visible means to be the only one, too, and both are waited for: by itself Playwright gives up at once where it finds two."""

    def __init__(self, actual: Any) -> None:
        from playwright.sync_api import expect as of

        self._of = of(actual)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def to_be_visible(self, **how: Any) -> None:
        self._of.to_have_count(1, **how)
        self._of.to_be_visible(**how)


def expect(actual: Any) -> Expected:
    """In place of Playwright's."""
    return Expected(actual)
