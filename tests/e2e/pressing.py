"""Pressing a button of a page that may be drawn again at that moment."""

from __future__ import annotations

from typing import Any

from tests.e2e.expecting import expect


def press(button: Any) -> None:
    """Click it as soon as it is the only one: while a form is drawn again, its earlier state is there, too."""
    from playwright.sync_api import Error

    for last in (False, False, True):
        expect(button).to_have_count(1, timeout=45_000)
        try:
            return button.click()
        except Error as error:      # between the look and the click it was drawn a second time; nothing was clicked
            if last or "strict mode violation" not in error.message:
                raise


def press_until(button: Any, seen: Any) -> None:
    """The same where the page is drawn anew again and again: a click that falls into the drawing of the button is none, so again until ``seen`` is visible."""
    for last in (False, False, True):
        press(button)
        try:
            return expect(seen).to_be_visible(timeout=15_000)
        except AssertionError:
            if button.count() == 0:         # it worked, and what was said of it is gone
                return None
            if last:
                raise


def choose(field: Any, option: Any) -> None:
    """Open the list of a field and take one of it; a drawing that falls between closes the list, so again."""
    from playwright.sync_api import Error

    for last in (False, False, True):
        field.click()
        try:
            return option.click(timeout=15_000)
        except Error:
            if last:
                raise
            field.press("Escape")


def turn_to(tab: Any) -> None:
    """Choose a tab of a page that may be drawn anew: a click that falls into its drawing is none, so again until it is the chosen one. What it shows may take longer."""
    for last in (False, False, True):
        press(tab)
        try:
            return expect(tab).to_have_attribute("aria-selected", "true", timeout=10_000)
        except AssertionError:
            if last:
                raise
