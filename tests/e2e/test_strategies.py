"""A strategy of one's own in a real browser: written, previewed, saved, backtested, scanned, and traded on paper through a kill of its process."""

from __future__ import annotations

import re
import signal

import psutil
import pytest
from playwright.sync_api import Page

from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press, press_until

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
    choose(chosen, page.get_by_role("option", name=re.compile("^rising")))
    expect(page.get_by_text("Drawdown tolerance, %", exact=True).first).to_be_visible(timeout=SOON)      # the form is that of the strategy now
    press_until(page.get_by_role("button", name="Run backtest"), page.get_by_text("You can leave this page").or_(page.get_by_text("Robustness checks")).first)
    expect(page.get_by_text("Robustness checks")).to_be_visible(timeout=LONG)
    (run,) = [each for each in system.terminal("runs", "list") if each["title"].startswith("rising")]

    page.goto(f"{system.url}/scanner")
    press(page.get_by_role("button", name="Run scan"))
    expect(page.get_by_text("Q* of every combination")).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile(r"^\d+ combinations at "))).to_be_visible(timeout=SOON)
    shoot("scanner", 1300)
    assert run["synthetic"]


def test_it_is_started_on_paper_paused_killed_resumed_and_closed(page: Page, system, shoot):
    """After the test above, which wrote the strategy."""
    page.goto(f"{system.url}/paper?do=new")
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("rising-on-paper")
    name.press("Enter")
    chosen_in(page, "Strategy", "rising")
    expect(page.get_by_text("Drawdown tolerance, %", exact=True).first).to_be_visible(timeout=SOON)      # the form is that of the strategy now
    chosen_in(page, "Speed", "3,600 × real time")
    press_until(page.get_by_role("button", name="Start session"), page.get_by_text("Bars as traded"))
    expect(page).to_have_url(re.compile("session=rising-on-paper"), timeout=SOON)
    expect(page.get_by_text("Bars as traded")).to_be_visible(timeout=LONG)
    press_until(page.get_by_role("button", name="Pause", exact=True), page.get_by_text("Pause: requested", exact=False).first)
    system.wait_for(lambda: state(system)["state"] == "paused", 60)
    expect(page.get_by_text("Paused: no entries.", exact=False)).to_be_visible(timeout=SOON)
    (runner,) = [child for child in psutil.Process(system.process.pid).children(recursive=True) if "worker.sessions.main" in " ".join(child.cmdline())]
    runner.send_signal(signal.SIGKILL)
    bars = state(system)["bars"]
    system.wait_for(lambda: state(system)["bars"] > bars, 60)
    assert state(system)["state"] == "paused", "a pause outlives its process"
    press_until(page.get_by_role("button", name="Continue", exact=True), page.get_by_text("Continue: requested", exact=False).first)
    system.wait_for(lambda: state(system)["state"] == "running", 60)
    shoot("paper", 1300)
    press(page.get_by_role("button", name="Close", exact=False).first)
    press(page.get_by_role("button", name="Stop session"))
    system.wait_for(lambda: state(system)["state"] == "stopped", 60)
    expect(page.get_by_text("Stopped", exact=True).filter(visible=True).first).to_be_visible(timeout=SOON)
    assert not state(system)["positions"]


def chosen_in(page: Page, label: str, name: str) -> None:
    """Choose an option of a field."""
    field = page.get_by_role("combobox", name=label).first
    expect(field).to_be_visible(timeout=SOON)
    choose(field, page.get_by_role("option", name=re.compile(f"^{re.escape(name)}")).first)


def state(system) -> dict:
    return system.terminal("paper", "show", "rising-on-paper")
