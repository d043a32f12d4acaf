"""Downloads from a page."""

from __future__ import annotations

from pathlib import Path


def download(page, name: str, exact: bool = False) -> Path:
    """The file that the button downloads. A click while its part of the page is redrawn may be lost: a person clicks
    again, so this does, once."""
    from playwright.sync_api import TimeoutError

    button = page.get_by_role("button", name=name, exact=exact)
    try:
        with page.expect_download(timeout=15_000) as taken:
            button.click()
    except TimeoutError:
        with page.expect_download() as taken:
            button.click()
    return taken.value.path()
