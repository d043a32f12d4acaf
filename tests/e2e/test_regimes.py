"""Regimes fitted, charted and exported, and a backtest split by them, in a real browser."""

from __future__ import annotations

import csv
import io
import json
import re

import pandas as pd
import pytest

from tests.e2e.bars import generated
from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SOON, LONG = 45_000, 120_000     # milliseconds; kernels may have to be compiled first


def choose_labelled(page, label: str, option: str) -> None:
    choose(page.locator("[data-testid=stSelectbox]").filter(has_text=label).filter(visible=True).locator("input").first, page.get_by_role("option", name=option, exact=True))


def choose_bars(page, version: str) -> None:
    bars = page.locator("[data-testid=stMultiSelect]").first
    expect(bars).to_be_visible(timeout=SOON)
    if version[:4] not in bars.inner_text():
        press(bars.get_by_role("button", name="Clear all"))
        bars.locator("input").fill(version[:4])
        page.get_by_role("option").first.click()
        page.keyboard.press("Escape")
    expect(bars).to_contain_text(version[:4], timeout=SOON)


@pytest.fixture(scope="module")
def run(watched, system) -> str:
    """A backtest on generated bars that switch between regimes."""
    dataset = generated(watched, system, 4712)
    return system.terminal("runs", "start", "--data", dataset, "--strategy", "breakout")["id"]


@pytest.mark.long
def test_regimes_are_fitted_drawn_and_exported_and_split_a_run(page, system, run, shoot):
    version = system.terminal("runs", "show", run)["spec"]["datasets"][0]
    page.goto(f"{system.url}/features?view=regimes")
    choose_bars(page, version)
    for name, value in (("Training window", "20000"), ("Refit interval", "20000"), ("EM restarts", "1")):
        field = page.get_by_role("spinbutton", name=name, exact=True)
        field.fill(value)
        field.press("Enter")
    expect(page.get_by_text(re.compile(r"^[\d,]+ bars · 2 models$"))).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Fit regimes"))
    expect(page.get_by_text("A hidden Markov model of 3 states")).to_be_visible(timeout=LONG)
    for text in ("Price and regimes", "Regime statistics", "States of the last model", "Transition matrix", "Number of states"):
        expect(page.get_by_text(text, exact=True)).to_be_visible(timeout=SOON)
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(2, timeout=SOON)
    press(page.get_by_text("All", exact=True))
    expect(page.get_by_text("each band shows the most frequent regime of")).to_be_visible(timeout=SOON)
    shoot("regimes", 1900)
    fitted = page.url.partition("run=")[2]
    press(page.get_by_test_id("stPopoverButton").filter(has_text="Download"))
    table = pd.read_parquet(io.BytesIO(download(page, "Labels, Parquet").read_bytes()))
    assert set(table["label"].dropna()) <= {"calm", "trend", "panic"} and table["label"].isna().sum() >= 20_000
    labelled = table.dropna()
    assert (labelled[["p_calm", "p_trend", "p_panic"]].sum(axis=1) - 1).abs().max() < 1e-9
    assert json.loads(download(page, "Last model, JSON").read_text())["what"] == "tidemark regimes 1"

    page.goto(f"{system.url}/backtest?run={run}&view=Groups")
    choose_labelled(page, "Group by", "Regime")
    expect(page.get_by_text("Sensitivity to detection lag", exact=True)).to_be_visible(timeout=LONG)      # by volatility, which a job applies first
    expect(page.get_by_text(re.compile(r"\b(calm|normal|volatile): net "))).to_be_visible(timeout=SOON)
    shoot("backtest-regimes", 1700)
    with page.expect_download() as taken:
        press(page.get_by_role("tabpanel").filter(visible=True).get_by_role("button", name="CSV", exact=True))
    rows = list(csv.DictReader(taken.value.path().read_text().splitlines()))
    shown = system.terminal("runs", "show", run)
    assert {row["regime"] for row in rows} <= {"calm", "normal", "volatile", "unknown"} and sum(int(row["trades"]) for row in rows) == shown["trades"]
    split = system.terminal("runs", "split", run, "--by", "volatility")
    assert [regime["regime"] for regime in split["regimes"]] == [row["regime"] for row in rows]
    choose_labelled(page, "Regimes", f"HMM, 3 states, run {fitted} on M15")
    expect(page.locator("[data-testid=stDataFrame]").filter(visible=True).first).to_be_visible(timeout=SOON)
    expect(page.get_by_text(re.compile(r"\b(calm|trend|panic): net "))).to_be_visible(timeout=SOON)
    page.goto(f"{system.url}/backtest?run={run}&view=Equity")
    choose_labelled(page, "Regimes", "Volatility")
    expect(page.get_by_text(re.compile("bands?: volatility of EURUSD, known at the close of each bar"))).to_be_visible(timeout=SOON)

    page.goto(f"{system.url}/features?view=laboratory")
    choose_bars(page, version)
    choose_labelled(page, "Feature set", "basic · 7")
    regimes = page.locator("[data-testid=stMultiSelect]").filter(has_text=re.compile(r"^Regimes"))
    regimes.locator("input").fill(fitted)
    page.get_by_role("option", name=f"EURUSD: HMM, 3 states, run {fitted}", exact=True).click()
    page.keyboard.press("Escape")
    press(page.get_by_role("button", name="Run analysis"))
    expect(page.get_by_text(f"Regimes: run {fitted} for EURUSD, as known at each bar's close.")).to_be_visible(timeout=LONG)
    shoot("features-laboratory-regimes", 2100)


def test_bars_are_labelled_by_rules_and_an_unknown_column_is_reported(page, system, run):
    page.goto(f"{system.url}/features?view=regimes")
    expect(page.get_by_role("button", name="Fit regimes")).to_be_enabled(timeout=SOON)
    inputs = page.locator("[data-testid=stMultiSelect]").filter(has_text="Input features")
    inputs.locator("input").fill("log_volatilty")
    inputs.locator("input").press("Enter")
    expect(page.get_by_text(re.compile("did you mean"))).to_be_visible(timeout=SOON)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Fit regimes")).to_be_disabled(timeout=SOON)
    press(page.get_by_text("Rule-based", exact=True).first)
    expect(page.get_by_role("button", name="Label bars")).to_be_enabled(timeout=SOON)
    press(page.get_by_role("button", name="Label bars"))
    expect(page.get_by_text("By rule:")).to_be_visible(timeout=LONG)
    page.goto(f"{system.url}/features?view=regimes&run=nosuch")
    expect(page.get_by_text("There is no run nosuch.")).to_be_visible(timeout=SOON)
