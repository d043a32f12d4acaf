"""Feature ranking and similar periods, in a real browser."""

from __future__ import annotations

import csv
import re

import pandas as pd
import pytest

from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press, turn_to

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SOON, LONG = 45_000, 150_000     # milliseconds


@pytest.fixture(scope="module")
def bars(system) -> None:
    """The example's bars are there."""
    system.wait_for(lambda: system.terminal("data", "list"), 120)


@pytest.mark.long
def test_features_are_ranked_and_saved_as_a_set_and_similar_bars_are_found(page, system, bars, shoot):
    page.goto(f"{system.url}/features?view=laboratory")
    expect(page.get_by_text(re.compile(r"^50 features · [\d,]+ bars · first analysis of this data$"))).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Run analysis"))
    verdict = page.get_by_text(re.compile(r"\d+ of 50 features significant for the return over 16 bars"))
    expect(verdict).to_be_visible(timeout=LONG)
    expect(verdict).to_contain_text("Multiple-testing correction over 50 tests on this data.")
    expect(page.get_by_text("By year, session and regime")).to_be_visible(timeout=SOON)
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(6, timeout=SOON)
    run = page.url.partition("run=")[2][:6]
    press(page.get_by_role("button", name="Export"))
    rows = list(csv.DictReader(download(page, "Ranking, CSV").read_text().splitlines()))
    assert len(rows) == 50 and {row["verdict"] for row in rows} <= {"keep", "reserve", "drop"} and all(row["reason"] for row in rows)
    page.keyboard.press("Escape")
    shoot("features-laboratory", 2100)

    turn_to(page.get_by_role("tab", name="Redundancy"))
    expect(page.get_by_text("are redundant, and the strongest of them is kept")).to_be_visible(timeout=SOON)
    turn_to(page.get_by_role("tab", name="Drift"))
    expect(page.get_by_text("PSI of each month against the reference, UTC")).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Save feature set"))
    expect(page.get_by_text(f"Saved as the feature set lab-{run}")).to_be_visible(timeout=SOON)
    proposed = [row["feature"] for row in rows if row["verdict"] != "drop"]

    page.goto(f"{system.url}/features?view=similar")
    choose(page.get_by_role("combobox", name="Feature set"), page.get_by_role("option", name=f"lab-{run} · {len(proposed)}"))
    expect(page.get_by_text(re.compile(rf"^{len(proposed)} features · [\d,]+ bars\."))).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Find similar bars"))
    expect(page.get_by_text("Matches come only from before the reference bar less the horizon of 16 bars")).to_be_visible(timeout=LONG)
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(3, timeout=SOON)
    press(page.get_by_role("button", name="Export"))
    matches = pd.read_parquet(download(page, "Matches, Parquet"))
    assert len(matches) == 50 and matches["distance"].is_monotonic_increasing
    page.keyboard.press("Escape")
    shoot("features-similar", 1500)
