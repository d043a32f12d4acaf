"""A small model trained on the newest bars of the workspace, its verdict, its folds and its file, in a real browser."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press, turn_to

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG, TRAINED = 120_000, 300_000        # milliseconds; kernels may have to be compiled first


def test_a_model_is_trained_and_its_verdict_comes_first(page, system, shoot):
    data = system.wait_for(lambda: system.terminal("data", "list"), 120)[0]
    page.goto(f"{system.url}/training?data={data['id']}")
    press(page.get_by_text("On bars", exact=True))
    for label, option in (("Learner", "linear"), ("Feature set", "basic")):
        choose(page.get_by_role("combobox", name=re.compile(label)).first, page.get_by_role("option", name=re.compile(rf"^{option}\b")).first)
    expect(page.get_by_text(re.compile(r"about 4 folds · one trial"))).to_have_count(1, timeout=LONG)       # while the form is drawn again, its earlier sentence is there, too
    turn_to(page.get_by_role("tab", name="Target", exact=True))
    every = page.get_by_role("spinbutton", name=re.compile("Every"))
    every.fill("96")
    every.press("Enter")
    train = page.get_by_role("button", name=re.compile("^Train"))
    expect(train).to_have_count(1, timeout=LONG)        # while the form is drawn again, its earlier state is there, too
    press(train)
    expect(page.get_by_text("Leakage", exact=True)).to_be_visible(timeout=TRAINED)
    assert re.search(r"view=result&run=(\w+)", page.url)
    for drawn in ("Look-ahead gate", "Rank IC"):        # not all of the page is there at once
        expect(page.get_by_text(drawn).first).to_be_visible(timeout=LONG)
    words = page.locator("[data-testid=stMain]").inner_text()
    assert re.search(r"Not proven|Better than its baselines|Not judged", words) and words.index("Look-ahead gate") < words.index("Rank IC")
    assert ("synthetic" in words) == data["synthetic"]
    for text in ("Labels permuted", "Against baselines", "Trials counted", "Samples of each part"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=LONG)
    rows = list(csv.DictReader(io.StringIO(download(page, "Folds, CSV").read_text())))
    assert {row["part"] for row in rows} >= {"train", "test", "calibration"} and len({row["fold"] for row in rows}) == 4
    shoot("training", 1700)
