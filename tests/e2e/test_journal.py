"""A run: its statistics, trades by filter, a note on one, the parts of its equity, and the list of runs."""

from __future__ import annotations

import csv
import re

import pytest

from tests.e2e.bars import generated
from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import press

pytestmark = pytest.mark.browser
LONG = 240_000
PARTS = {"Rolling": "Rolling Sharpe and volatility", "Exposure": "Highest leverage", "Calendar": "Results by day", "Duration and hour": "Hour of entry", "Curve": "Largest drawdowns"}


@pytest.fixture(scope="module")
def runs(watched, system) -> list[str]:
    """Two backtests on generated bars, newest first."""
    dataset = generated(watched, system, 78)
    return [system.terminal("runs", "start", "--data", dataset, "--strategy", "breakout", "--params", params)["id"] for params in ('{"lookback": 30}', "{}")][::-1]


@pytest.mark.long
def test_statistics_have_a_column_for_each_side_and_for_buy_and_hold_and_leave_as_csv(page, system, runs):
    page.goto(f"{system.url}/backtest?run={runs[0]}&view=Statistics")
    row = page.get_by_role("row", name=re.compile("^Sharpe"))
    expect(row).to_be_visible()
    expect(row.get_by_role("rowheader")).to_have_attribute("title", re.compile("Mean over standard deviation of daily returns"))
    cells = row.get_by_role("cell").all_inner_texts()
    assert cells[1:3] == ["\u2014", "\u2014"] and re.fullmatch(r"\u2212?\d+\.\d\d", cells[3])
    rows = {line["key"]: line for line in csv.DictReader(download(page, "CSV", exact=True).read_text().splitlines())}
    assert int(float(rows["trades"]["all"])) == int(float(rows["trades"]["long"])) + int(float(rows["trades"]["short"])) and rows["sharpe"]["long"] == ""


@pytest.mark.long
def test_each_part_of_the_equity_is_drawn_and_a_log_scale_is_explained_where_there_is_none(page, system, runs):
    page.goto(f"{system.url}/backtest?run={runs[0]}&view=Equity")
    expect(page.get_by_text("Dashed: buy and hold").first).to_be_visible()
    for part, text in PARTS.items():
        press(page.get_by_role("radio", name=part, exact=True))
        expect(page.get_by_text(text).filter(visible=True).first).to_be_visible()


def test_trades_are_filtered_over_the_whole_table_and_a_note_is_kept_and_found(page, system, runs, shoot):
    page.goto(f"{system.url}/backtest?run={runs[0]}")
    expect(page.get_by_text(re.compile("^All [0-9,]+ trades")).first).to_be_visible()
    page.goto(f"{system.url}/backtest?run={runs[0]}&trade=40")
    note = page.get_by_role("textbox", name="Note on trade 40")
    note.fill("Gap at the open")
    press(page.get_by_role("button", name="Save note"))
    expect(page.get_by_text(re.compile("^anna, ")).first).to_be_visible()
    shoot("backtest-chart", 1100, page.get_by_role("heading", name="Trade 40"))
    press(page.get_by_role("button", name=re.compile("Filters")))
    page.get_by_role("textbox", name="Text").fill("gap at")
    page.get_by_role("textbox", name="Text").press("Enter")
    expect(page.get_by_text(re.compile("^1 of [0-9,]+ trades")).first).to_be_visible()
    page.keyboard.press("Escape")


@pytest.mark.long
def test_runs_are_marked_chosen_and_compared(page, system, runs):
    page.goto(f"{system.url}/backtest?run={runs[0]}")
    press(page.get_by_role("button", name="Favourite", exact=True))
    page.goto(f"{system.url}/backtest")
    expect(page.get_by_text(re.compile("backtests, newest first"))).to_be_visible()
    press(page.get_by_text("Favourites", exact=True))
    expect(page.locator("[data-testid=stDataFrame]").last).to_be_visible()
    page.goto(f"{system.url}/backtest?run={runs[0]}&with={runs[1]},nosuch")
    expect(page.get_by_text("There is no run nosuch")).to_be_visible()
    expect(page.get_by_text("Parameter differences")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Sharpe"))).to_be_visible()
