"""The chart of a whole run: markers and rows choose one another, and a deeper view loads its bars."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page

from tests.e2e.bars import generated
from tests.e2e.expecting import expect
from tests.e2e.pressing import press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG = 120_000       # milliseconds
GRID = 'iframe[title="st_aggrid.AgGrid.agGrid"]'


@pytest.fixture(scope="module")
def run(watched, system) -> str:
    """A backtest of its own, on generated bars."""
    dataset = generated(watched, system, 77)
    return system.terminal("runs", "start", "--data", dataset, "--strategy", "breakout")["id"]


def opened(page: Page, system, run: str, trade: int) -> None:
    """The run at one of its trades, its chart at rest."""
    page.goto(f"{system.url}/backtest?run={run}&view=Trades&trade={trade}")
    expect(page.locator(".chart[data-marks]")).to_be_visible(timeout=LONG)


def marks(page: Page) -> list[dict]:
    return json.loads(page.locator(".chart").get_attribute("data-marks") or "[]")


def size(page: Page) -> int:
    return int(page.locator(".chart").get_attribute("data-size") or 0)


def selected(page: Page, trade: int) -> None:
    """The row of that trade is the selected one, and the chart is at it."""
    expect(page).to_have_url(re.compile(rf"[?&]trade={trade}(&|$)"), timeout=LONG)
    expect(page.get_by_text(f"Trade {trade}", exact=True)).to_be_visible(timeout=LONG)
    expect(page.locator(GRID).last.content_frame.locator(".ag-row-selected").first).to_contain_text(str(trade), timeout=LONG)      # the table is drawn anew after a choice on the chart
    expect(page.locator(GRID)).to_have_count(1, timeout=LONG)


def test_a_marker_chooses_its_row_and_a_row_its_marker(page, system, run):
    opened(page, system, run, 20)
    selected(page, 20)
    other = next(mark for mark in marks(page) if mark["trade"] != 20)
    canvas = page.locator(".chart .canvas")
    canvas.scroll_into_view_if_needed()
    canvas.click(position=dict(x=other["x"], y=other["y"]))
    selected(page, other["trade"])
    rows = page.frame_locator(GRID).locator(".ag-center-cols-container .ag-row:not(.ag-row-selected)")
    trade = int(page.frame_locator(GRID).locator(".ag-pinned-left-cols-container .ag-row:not(.ag-row-selected)").first.inner_text())
    press(rows.first)
    selected(page, trade)
    system.wait_for(lambda: any(mark["trade"] == trade for mark in marks(page)))


def test_the_marker_of_the_trade_that_is_shown_already_writes_it_into_the_address(page, system, run):
    page.goto(f"{system.url}/backtest?run={run}&view=Trades")
    expect(page.locator(".chart[data-marks]")).to_be_visible(timeout=LONG)
    shown = int(page.get_by_role("heading", name=re.compile(r"^Trade \d+$")).inner_text().removeprefix("Trade "))
    own = next(mark for mark in marks(page) if mark["trade"] == shown)
    canvas = page.locator(".chart .canvas")
    canvas.scroll_into_view_if_needed()
    canvas.click(position=dict(x=own["x"], y=own["y"]))
    selected(page, shown)


@pytest.mark.long
def test_a_deeper_view_loads_single_bars_and_the_keyboard_reaches_everything(page, system, run):
    opened(page, system, run, 20)
    press(page.get_by_role("button", name="Whole run"))
    system.wait_for(lambda: size(page) > 8)
    coarse = size(page)
    page.locator(".chart .canvas").focus()

    def closer() -> bool:
        page.keyboard.press("+")
        return size(page) == 1

    system.wait_for(closer)
    assert coarse > 8
    page.keyboard.press("ArrowRight")
    expect(page.locator(".chart .readout")).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC.*O.*H.*L.*C"))
    page.keyboard.press("n")
    selected(page, 21)


@pytest.mark.long
def test_an_address_that_names_no_trade_is_reported_so(page, system, run):
    opened(page, system, run, 999_999)
    expect(page.get_by_text("There is no trade 999999.")).to_be_visible()
