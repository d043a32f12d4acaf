"""Features as a person reads, computes and checks them, in a real browser."""

from __future__ import annotations

import csv
import re

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page

from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SOON, LONG = 45_000, 120_000     # milliseconds


@pytest.fixture(scope="module")
def bars(system) -> None:
    """The example's bars are there."""
    system.wait_for(lambda: system.terminal("data", "list"), 120)


def write(within: Page | Locator, page: Page, text: str) -> None:
    """Enter one more feature by its syntax."""
    field = within.get_by_role("combobox", name="Features")
    field.fill(text)
    expect(page.get_by_role("option", name=text)).to_be_visible(timeout=SOON)
    field.press("Enter")
    expect(within.locator("[data-tag]", has_text=text)).to_be_visible(timeout=SOON)
    page.keyboard.press("Escape")


def test_a_feature_is_found_read_and_drawn(page, system, bars):
    page.goto(f"{system.url}/features?feature=atr")
    expect(page.get_by_text("Average true range, Wilder's smoothing")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Wilder (1978), New Concepts in Technical Trading Systems")).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Draw"))
    expect(page.get_by_text(re.compile(r"^atr\(14\) of EURUSD M15 on [\d,]+ bars: between"))).to_be_visible(timeout=LONG)
    page.get_by_role("textbox", name="Search").fill("garman")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^1 of \d+, 1 family; select one"))).to_be_visible(timeout=SOON)


def test_columns_are_computed_charted_exported_and_pass_the_look_ahead_check(page, system, bars, shoot):
    page.goto(f"{system.url}/features?view=look")
    expect(page.get_by_text(re.compile(r"^7 features · [\d,]+ bars$"))).to_be_visible(timeout=SOON)
    write(page, page, "atrr(14)")
    expect(page.get_by_text("No feature named 'atrr'; did you mean 'atr'?")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("button", name="Compute")).to_be_disabled(timeout=SOON)
    press(page.get_by_role("button", name="Remove atrr(14)"))
    write(page, page, "atr(14)@H4")
    expect(page.get_by_text(re.compile(r"^8 features · [\d,]+ bars$"))).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Compute"))
    expect(page.get_by_text("Warm-up sensitivity")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("500 points drawn from 500 bars")).to_be_visible(timeout=SOON)
    run = re.search(r"run=(\w+)", page.url)[1]
    press(page.get_by_role("button", name="Export"))
    taken = list(csv.DictReader(download(page, "Columns of EURUSD, CSV").read_text().splitlines()))
    columns = pd.read_parquet(download(page, "Columns of EURUSD, Parquet"))
    assert list(columns) == list(taken[0]) and [*columns][:1] == ["ts"] and columns.columns[-1] == "atr(14)@H4" and len(columns) == len(taken)
    assert float(taken[-1]["atr(14)@H4"]) == columns["atr(14)@H4"].iloc[-1]
    page.keyboard.press("Escape")
    page.goto(f"{system.url}/features?view=look&run={run}&column=rsi(14)")
    expect(page.get_by_text("%, under the close in USD; the last bars, UTC")).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Check for look-ahead"))
    press(page.get_by_role("button", name="Run check"))
    expect(page.get_by_text("unchanged when future bars are removed")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("no look-ahead").first).to_be_visible(timeout=SOON)
    expect(page.locator(".stMarkdownBadge", has_text="atr(14)@H4")).to_be_visible(timeout=SOON)
    shoot("features-gate", 700)


def test_a_feature_set_is_saved_and_used(page, system, bars):
    page.goto(f"{system.url}/features")
    press(page.get_by_role("button", name="New feature set…"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("My trend")
    for text in ("adx(21)", "sma(9)@H4"):
        write(dialog, page, text)
    press(dialog.get_by_role("button", name="Save feature set"))
    expect(dialog).to_have_count(0, timeout=SOON)
    page.goto(f"{system.url}/features?view=look")
    choose(page.get_by_role("combobox", name="Feature set"), page.get_by_role("option", name="My trend · 2"))
    expect(page.get_by_text(re.compile(r"^2 features · [\d,]+ bars$"))).to_be_visible(timeout=SOON)


def test_an_address_of_a_deleted_run_gives_a_warning(page, system, bars):
    page.goto(f"{system.url}/features?view=gate&run=nosuch")
    expect(page.get_by_text("There is no run nosuch.")).to_be_visible(timeout=SOON)
