"""Downloads from a page."""

from __future__ import annotations

from pathlib import Path

AT_REST = "() => document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'"


def download(page, name: str, exact: bool = False) -> Path:
    """The file that the button downloads, once the page is drawn: while it is drawn anew, the file that a button offers is
    withdrawn, and a click on it does nothing. A click while its part of the page is redrawn may be lost: a person clicks
    again, so this does, once."""
    from playwright.sync_api import TimeoutError

    button = page.get_by_role("button", name=name, exact=exact)
    page.wait_for_function(AT_REST)
    try:
        with page.expect_download(timeout=15_000) as taken:
            button.click()
    except TimeoutError:
        with page.expect_download() as taken:
            button.click()
    return taken.value.path()
