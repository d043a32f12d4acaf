"""Generated bars for tests that need their own."""

from __future__ import annotations

import re

from tests.e2e.expecting import expect
from tests.e2e.pressing import press


def generated(watched, system, seed: int) -> str:
    """The id of a dataset generated on the Data page."""
    tab = watched.tab
    tab.goto(f"{system.url}/data?do=generate")
    tab.get_by_role("spinbutton", name="Seed").fill(str(seed))
    press(tab.get_by_role("button", name="Generate", exact=True))
    expect(tab.get_by_text("candles drawn from")).to_be_visible(timeout=120_000)
    match = re.search(r"dataset=(\w+)", tab.url)
    assert match
    return match[1]
