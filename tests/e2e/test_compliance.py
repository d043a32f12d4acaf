"""A run judged against the presets, its breach with its trades, its chance of passing, and a rule set of one's own, in a real browser."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.e2e.bars import generated
from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG = 120_000      # milliseconds; kernels may have to be compiled first
FORBIDDEN = re.compile(r"\b(compliant|certified|guaranteed|FTC)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def run(watched, system) -> str:
    """A backtest on generated bars that risks 5 % a trade, so that it breaks a daily loss of 5 %."""
    config = system.home / "risk.toml"
    config.write_text('[sizing]\nkind = "fraction_at_risk"\nvalue = 0.05\n')
    dataset = generated(watched, system, 4713)
    return system.terminal("runs", "start", "--data", dataset, "--strategy", "breakout", "--config", str(config))["id"]


def test_a_run_is_judged_and_the_trades_of_its_breach_are_seen(page, system, run, shoot):
    page.goto(f"{system.url}/compliance")
    expect(page.get_by_text("Nothing to judge yet")).to_be_visible()
    choose(page.get_by_role("combobox", name=re.compile("Judge")), page.get_by_role("option", name=re.compile(run)).first)
    expect(page.get_by_text(re.compile("failed by daily loss on"))).to_be_visible(timeout=LONG)
    assert f"run={run}" in page.url and "rules=ftmo-2-step" in page.url
    for text in ("Headroom at the end", "Equity against all floors", "Days", "Will it pass?", "Breaches", "Would it have passed?"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    expect(page.get_by_text("A gap can jump any floor.").first).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(3, timeout=LONG)
    press(page.get_by_role("button", name="Estimate", exact=True))
    expect(page.get_by_text("Daily loss ends it")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Risk per trade", exact=True)).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(download(page, "Floors CSV").read_text())))
    assert {"ts", "daily_loss", "max_drawdown", "target"} <= set(rows[0]) and float(rows[0]["max_drawdown"]) == 9_000.0
    assert not FORBIDDEN.search(page.locator("[data-testid=stMain]").inner_text())
    shoot("compliance", 2000)
    press(page.get_by_role("button", name=re.compile(r"Trade \d+")).first)
    expect(page).to_have_url(re.compile(rf"/backtest\?run={run}(&view=Trades)?&trade=\d+"))
    expect(page.get_by_text(re.compile(r"^Trade \d+$"))).to_be_visible(timeout=LONG)


def test_a_rule_set_is_edited_saved_and_compared(page, system, run):
    page.goto(f"{system.url}/compliance?run={run}&rules=ftmo-2-step&view=rules")
    page.get_by_role("textbox", name="Daily loss").fill("4 % of initial")
    page.get_by_role("textbox", name="Reason").first.fill("Stricter than the firm")
    press(page.get_by_role("button", name="Save version"))
    expect(page.get_by_text("Version 1, begun from ftmo-2-step.")).to_be_visible(timeout=LONG)
    saved = next(row for row in system.terminal("compliance", "rules", "list") if row["name"] == "my ftmo-2-step")
    assert (saved["version"], saved["overridden"]) == (1, "daily.amount")
