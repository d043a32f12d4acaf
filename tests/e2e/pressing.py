"""Pressing a button of a page that may be drawn again at that moment."""

from __future__ import annotations

from typing import Any


def press(button: Any) -> None:
    """Click it as soon as it is the only one: while a form is drawn again, its earlier state is there, too."""
    from playwright.sync_api import expect

    expect(button).to_have_count(1, timeout=45_000)
    button.click()
