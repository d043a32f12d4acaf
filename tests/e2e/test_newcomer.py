"""A newcomer's way from an empty workspace to a verified audit trail, on a desktop and on a phone, with its clicks counted."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.axe import grave
from tests.e2e.conftest import Installation, start, stop
from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.looking import picture, settled
from tests.e2e.pressing import press

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]
LONG = 300_000          # milliseconds: the engine may have to be compiled first
TO_THE_VERDICT = 12     # clicks at most


@dataclass
class Newcomer:
    """A person at a page, whose clicks are counted."""

    page: Any
    url: str
    clicks: int = 0

    def click(self, name: str | re.Pattern[str], role: str = "button") -> None:
        self.clicks += 1
        press(self.page.get_by_role(role, name=name, **({"exact": True} if isinstance(name, str) else {})))

    def choose_file(self, path: Path) -> None:
        self.clicks += 1
        self.page.locator("[data-testid=stFileUploaderDropzoneInput], [data-testid=stFileUploader] input[type=file]").first.set_input_files(path)

    def example_file(self, title: str, folder: Path) -> Path:
        """An example file, downloaded from the page."""
        self.click(re.compile("Example files$"))
        self.clicks += 1
        taken = download(self.page, title).rename(folder / "example_EURUSD_M5_bid.csv")
        self.page.keyboard.press("Escape")
        return taken

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=LONG)

    def looks(self, name: str) -> None:
        """A picture of what is seen, where pictures are taken."""
        if "TIDEMARK_PICTURES" in os.environ:
            width, height = (self.page.viewport_size[side] for side in ("width", "height"))
            settled(self.page)
            picture(self.page, f"newcomer-{name}-{width}")
            self.page.set_viewport_size(dict(width=width, height=height))

    def opens(self, title: str) -> None:
        """A page of the menu, which a phone hides behind a button."""
        closed = self.page.get_by_test_id("stExpandSidebarButton")
        if closed.count() and closed.is_visible():
            self.clicks += 1
            closed.click()
        self.clicks += 1
        self.page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
        expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=LONG)
        shown = self.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
        if self.page.viewport_size["width"] < 700 and shown.count() and shown.is_visible():
            shown.click()


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The program on a workspace in which there is nothing, the example neither."""
    running = start(tmp_path_factory.mktemp("newcomer") / "var", TIDEMARK_EXAMPLE="false")
    yield running
    stop(running)


@pytest.fixture(params=[1280, 390])
def newcomer(request, chromium, empty) -> Iterator[Newcomer]:
    width = request.param
    context = chromium.new_context(viewport=dict(width=width, height=900), has_touch=width < 700, is_mobile=width < 700, color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield Newcomer(page, empty.url)
    context.close()


def test_from_an_empty_workspace_to_a_verified_trail(newcomer, tmp_path):
    page, width = newcomer.page, newcomer.page.viewport_size["width"]
    page.goto(newcomer.url)
    newcomer.sees(re.compile("Step 1 of 3"))
    assert not grave(page)
    newcomer.looks("1-empty")
    newcomer.click("Import a file")
    newcomer.choose_file(newcomer.example_file("M5 bars, bid", tmp_path))
    newcomer.click("Validate")
    newcomer.sees(re.compile("Validation report"))
    newcomer.looks("2-report")
    newcomer.click(re.compile("^(Import|download_done Import)$"))
    newcomer.sees(re.compile("imported"))
    newcomer.looks("3-imported")
    newcomer.click(re.compile("Backtest$"))
    newcomer.looks("4-form")
    newcomer.click(re.compile("^Run backtest"))
    newcomer.sees("Break-even spread")
    newcomer.sees(re.compile(r"after costs"))
    newcomer.looks("5-verdict")
    assert newcomer.clicks <= TO_THE_VERDICT, f"{newcomer.clicks} clicks to the first verdict"
    first_verdict = newcomer.clicks

    newcomer.click("Statistics", "tab")
    expect(page.get_by_role("row", name=re.compile("^Sharpe"))).to_be_visible(timeout=LONG)
    trade = a_trade_on_the_chart(newcomer)
    page.get_by_role("textbox", name=f"Note on trade {trade}").fill("My first trade")
    newcomer.click("Save note")
    newcomer.sees(re.compile("^anna, "))
    newcomer.looks("6-note")

    newcomer.opens("Optimization")
    newcomer.looks("7-optimization")
    newcomer.click(re.compile("^Run grid search"))
    newcomer.sees(re.compile("combinations? of breakout"))
    newcomer.looks("8-sweep")
    newcomer.click(re.compile("Walk-forward around it"))
    newcomer.sees(re.compile("Out-of-sample net|In none of"))
    newcomer.looks("9-walk-forward")
    assert "/sweeps?run=" in page.url

    newcomer.opens("Audit")
    newcomer.click(re.compile("Verify now"))
    newcomer.sees(re.compile("^Verified|holds|intact", re.I))
    newcomer.looks("10-audit")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    print(f"{width} px: {first_verdict} clicks to the first verdict, {newcomer.clicks} to the verified trail")


def a_trade_on_the_chart(newcomer: Newcomer) -> int:
    """Choose a trade by its marker; its number."""
    page = newcomer.page
    newcomer.click("Trades", "tab")
    chart = page.locator(".chart[data-marks]")
    expect(chart).to_be_visible(timeout=LONG)
    settled(page)
    marks = json.loads(chart.get_attribute("data-marks") or "[]")
    shown = page.get_by_role("heading", name=re.compile(r"^Trade \d+$")).inner_text()
    mark = [each for each in marks if f"Trade {each['trade']}" != shown][-1]
    canvas = page.locator(".chart .canvas")
    canvas.scroll_into_view_if_needed()
    height = page.locator(".chart").evaluate("chart => chart.offsetHeight")
    canvas.hover(position=dict(x=mark["x"], y=mark["y"]))
    expect(page.locator(".chart .readout")).to_contain_text(f"trade {mark['trade']}: ")
    assert page.locator(".chart").evaluate("chart => chart.offsetHeight") == height, "the chart stays under the pointer that reads it"
    newcomer.clicks += 1
    press_on = canvas.tap if page.viewport_size["width"] < 700 else canvas.click       # a finger hovers over nothing
    press_on(position=dict(x=mark["x"], y=mark["y"]))
    expect(page).to_have_url(re.compile(rf"[?&]trade={mark['trade']}(&|$)"), timeout=LONG)
    newcomer.sees(f"Trade {mark['trade']}")
    return int(mark["trade"])
