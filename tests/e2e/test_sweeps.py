"""A grid search and a walk-forward, in a real browser."""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest
from playwright.sync_api import Page

from tests.e2e.bars import generated
from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SOON, LONG = 45_000, 120_000     # milliseconds; the kernel may have to be compiled first


@pytest.fixture(scope="module")
def bars(watched, system) -> str:
    """Generated bars; their name in the list of datasets."""
    dataset = generated(watched, system, 4711)
    version = next(entry["version"] for entry in system.terminal("data", "list") if entry["id"] == dataset)
    return f"{version[:4]}…{version[-2:]}"


def opened(page: Page, system, bars: str, address: str = "") -> None:
    """The form, on these bars."""
    page.goto(f"{system.url}/sweeps{address}")
    chosen = page.locator("[data-testid=stMultiSelect]").first
    expect(chosen).to_be_visible(timeout=SOON)
    if bars not in chosen.inner_text():
        press(page.get_by_role("button", name="Clear all").first)
        chosen.locator("input").fill(bars)
        page.get_by_role("option").first.click()
        page.keyboard.press("Escape")       # closes the list, which hides the rest of the page from its reader
    expect(chosen).to_contain_text(bars, timeout=SOON)


def fill(page: Page, **values: object) -> None:
    """Numbers by their label; a rerun lies between them."""
    for name, value in values.items():
        parameter, _, word = name.rpartition("_")
        field = page.get_by_role("spinbutton", name=f"{parameter.replace('_', ' ')}, {word}", exact=True)
        field.fill(str(value))
        field.press("Enter")


def three_by_three(page: Page) -> None:
    expect(page.get_by_role("spinbutton", name="Lookback, min", exact=True)).to_be_visible(timeout=LONG)
    fill(page, Lookback_min=20, Lookback_max=60, Lookback_step=20, Stop_loss_min=1, Stop_loss_max=3, Stop_loss_step=1)
    expect(page.get_by_text(re.compile(r"^9 combinations · [\d,]+ bars"))).to_be_visible(timeout=SOON)


def test_a_sweep_goes_from_the_form_to_a_map_a_table_and_a_backtest(page, system, bars, shoot):
    opened(page, system, bars)
    three_by_three(page)
    press(page.get_by_role("button", name="Run grid search"))
    expect(page.get_by_text("9 combinations of breakout")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("on this data in total")).to_be_visible(timeout=SOON)
    expect(page.get_by_text(re.compile("^(Probability of overfitting|Overfitting was not evaluated)"))).to_be_visible(timeout=SOON)
    expect(page.get_by_text("mean less spread of a cell and its neighbours")).to_be_visible(timeout=SOON)
    maps = page.locator("[data-testid=stVegaLiteChart]")
    expect(maps).to_have_count(4, timeout=SOON)        # two maps, and a slice for each parameter
    expect(page.get_by_text("all 9", exact=True)).to_be_visible(timeout=SOON)
    run = re.search(r"run=(\w+)", page.url)[1]
    taken = download(page, "All 9, CSV")
    rows = list(csv.DictReader(taken.read_text().splitlines()))
    assert sorted({(float(row["lookback"]), float(row["stop_atr"])) for row in rows}) == [(a, b) for a in (20, 40, 60) for b in (1, 2, 3)]
    taken = download(page, "All 9, Parquet")
    assert len(pd.read_parquet(io.BytesIO(taken.read_bytes()))) == 9
    shoot("sweeps", 1360)

    axis = page.locator(".parallel .axis").first           # a range on an axis of the parallel coordinates narrows the table
    expect(axis).to_be_visible(timeout=SOON)
    axis.press("ArrowUp")
    expect(page.get_by_text("of 9 inside the ranges above")).to_be_visible(timeout=SOON)
    axis.press("Delete")
    expect(page.get_by_text("all 9", exact=True)).to_be_visible(timeout=SOON)

    maps.first.scroll_into_view_if_needed()
    box = maps.first.bounding_box()
    page.mouse.click(box["x"] + 58 + (box["width"] - 58) / 2, box["y"] + 120)
    expect(page.get_by_text("1 in the cell lookback 40 bars · stop loss 2 ATR")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("4 lookback 40 bars · stop loss 2 ATR")).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Backtest this"))
    expect(page.get_by_text("Equity and drawdown").filter(visible=True).first).to_be_visible(timeout=LONG)
    assert "/backtest?" in page.url
    shown = system.terminal("runs", "show", re.search(r"run=(\w+)", page.url)[1])
    assert (shown["spec"]["params"]["lookback"], shown["spec"]["params"]["stop_atr"]) == (40, 2.0)
    assert shown["trades"] == int(float(next(row for row in rows if row["number"] == "4")["trades"]))
    page.goto(f"{system.url}/sweeps?run={run}")
    expect(page.get_by_text("9 trials", exact=True)).to_be_visible(timeout=SOON)      # an identical backtest is the same trial


def test_a_walk_forward_shows_its_folds(page, system, bars, shoot):
    opened(page, system, bars, "?kind=Walk-forward")
    three_by_three(page)
    for name, value in {"In-sample (days)": 240, "Out-of-sample (days)": 120, "Min. trades": 5}.items():
        field = page.get_by_role("spinbutton", name=name, exact=True)
        field.fill(str(value))
        field.press("Enter")
    expect(page.get_by_text(re.compile("about 4 folds"))).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Run walk-forward"))
    expect(page.get_by_text("Out-of-sample net")).to_be_visible(timeout=LONG)
    for text in ("Out-of-sample equity", "In-sample vs out-of-sample", "grey: in sample, blue: out of sample; UTC", "Parameter stability"):
        expect(page.get_by_text(text)).to_be_visible(timeout=SOON)
    taken = download(page, "Folds, CSV")
    rows = list(csv.DictReader(taken.read_text().splitlines()))
    assert len(rows) == 4 and {float(row["lookback"]) for row in rows} <= {20, 40, 60}
    shoot("walk-forward", 1500)
    press(page.get_by_role("button", name="Delete…"))
    expect(page.get_by_text("Its trials stay counted")).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Delete run", exact=True))
    expect(page.get_by_role("button", name="Run", exact=False).first).to_be_visible(timeout=SOON)


def test_an_invalid_grid_is_reported_before_it_is_submitted(page, system, bars):
    opened(page, system, bars)
    fill(page, Lookback_min=200, Stop_loss_step=0)
    expect(page.get_by_text("Min is 200 and Max 100. Make Min the smaller one.")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Step is 0. Make it larger than 0.")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("button", name="Run grid search")).to_be_disabled(timeout=SOON)
    fill(page, Lookback_min=2, Lookback_max=2000, Lookback_step=1, Stop_loss_step=0.01)
    expect(page.get_by_text("The grid has 601,699 combinations; it must have between 1 and 100,000.")).to_be_visible(timeout=SOON)


def test_an_address_of_a_deleted_run_gives_a_warning(page, system):
    page.goto(f"{system.url}/sweeps?run=nosuch")
    expect(page.get_by_text("There is no optimization nosuch.")).to_be_visible(timeout=SOON)
