"""A strategy of one's own in a real browser: written, previewed, saved, backtested, scanned."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pressing import press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SOON, LONG = 45_000, 120_000     # milliseconds; the kernel may have to be compiled first
CONDITION = "close > sma(20) and rsi(14) > 50"


def test_a_strategy_is_written_previewed_saved_backtested_and_scanned(page: Page, system, shoot):
    system.wait_for(lambda: system.terminal("data", "list"), 60)
    page.goto(f"{system.url}/strategies")
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("rising")
    name.press("Enter")
    long = page.get_by_role("textbox", name="Long when", exact=True)
    long.fill("clsoe > sma(20)")
    long.press("Control+Enter")
    expect(page.get_by_text("did you mean", exact=False).first).to_be_visible(timeout=SOON)
    long.fill(CONDITION)
    long.press("Control+Enter")
    expect(page.get_by_text("close is above sma (window 20), and rsi (window 14) is above 50", exact=False).first).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Preview", exact=True))
    expect(page.get_by_text("Long signals").first).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name="Save strategy"))
    expect(page.get_by_text("Versions", exact=True)).to_be_visible(timeout=SOON)
    shoot("strategies", 1300)

    page.goto(f"{system.url}/backtest")
    chosen = page.get_by_role("combobox", name="Strategy").first
    expect(chosen).to_be_visible(timeout=SOON)
    chosen.click()
    page.get_by_role("option", name=re.compile("^rising")).click()
    expect(page.get_by_text("Drawdown tolerance, %", exact=True).first).to_be_visible(timeout=SOON)      # the form is that of the strategy now
    press(page.get_by_role("button", name="Run backtest"))
    expect(page.get_by_text("Robustness checks")).to_be_visible(timeout=LONG)
    (run,) = [each for each in system.terminal("runs", "list") if each["title"].startswith("rising")]

    page.goto(f"{system.url}/scanner")
    press(page.get_by_role("button", name="Run scan"))
    expect(page.get_by_text("Q* of every combination")).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile(r"^\d+ combinations at "))).to_be_visible(timeout=SOON)
    shoot("scanner", 1300)
    assert run["synthetic"]
