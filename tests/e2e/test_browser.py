"""What a person sees and does, in a real browser, on the running program."""

from __future__ import annotations

import csv
import os
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

from tests.e2e.bars import bars_csv
from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press, press_until, turn_to

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG = 120_000       # milliseconds; the kernel may have to be compiled first


def open_file(page: Page, system, path: Path) -> None:
    page.goto(f"{system.url}/data?do=import")
    page.get_by_role("textbox", name="or a file path on the server").fill(str(path))
    press(page.get_by_role("button", name="Load", exact=True))


def import_file(page: Page, system, path: Path, button: str = "Import") -> str:
    """Through all three steps; the id of the dataset."""
    open_file(page, system, path)
    press(page.get_by_role("button", name="Validate"))
    expect(page.get_by_text("Validation report", exact=False).filter(visible=True).first).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name=button, exact=True).last)
    expect(page.get_by_role("button", name="View dataset")).to_have_count(1, timeout=LONG)
    press(page.get_by_role("button", name="View dataset"))
    expect(page.get_by_text("candles drawn from")).to_be_visible()
    return re.search(r"dataset=(\w+)", page.url)[1]


def run_backtest(page: Page) -> str:
    """Submit the form as it stands; the id of the run."""
    press(page.get_by_role("button", name="Run backtest"))
    expect(page.get_by_text("Break-even spread").filter(visible=True).first).to_be_visible(timeout=LONG)
    return re.search(r"run=(\w+)", page.url)[1]


def test_a_first_start_shows_the_example_within_a_minute(page, system, shoot):
    page.goto(system.url)
    expect(page.get_by_text("No data of your own yet.")).to_be_visible()
    expect(page.get_by_text("Step 3 of 3")).to_be_visible()
    system.wait_for(lambda: len(system.terminal("runs", "list")) == 2, 60)
    page.reload()
    expect(page.get_by_text("driftless random walk")).to_be_visible()
    expect(page.get_by_text("synthetic").filter(visible=True).first).to_be_visible()
    assert all(run["synthetic"] for run in system.terminal("runs", "list"))
    shoot("overview-first-run", 1120)


@pytest.mark.parametrize("name", ["", "data", "backtest", "sweeps", "audit", "settings"])
def test_every_page_draws_at_both_widths_light_and_dark(page, system, name):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{system.url}/{name}")
    for width, scheme in ((1280, "dark"), (1920, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 1000})
        title = {"": "Overview", "sweeps": "Optimization"}.get(name, name.capitalize())
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        expect(page.get_by_text("workers ·")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_bars_are_imported_tested_verified_and_exported(page, system, tmp_path, shoot):
    dataset = import_file(page, system, bars_csv(tmp_path))
    expect(page.get_by_text("Weekly open at 17:00 New York")).to_be_visible()
    page.goto(f"{system.url}/backtest")
    expect(page.get_by_text("EURUSD M15 · CSV").filter(visible=True).first).to_be_visible()
    run = run_backtest(page)
    expect(page.get_by_text("Profit factor").filter(visible=True).first).to_be_visible()
    press(page.get_by_role("button", name="Export"))
    taken = download(page, "Trades, CSV")
    rows = list(csv.DictReader(taken.read_text().splitlines()))
    shown = system.terminal("runs", "show", run)
    assert len(rows) == shown["trades"] > 10

    page.goto(f"{system.url}/audit?entity=run:{run}")
    expect(page.get_by_text(f"run {run}").filter(visible=True).first).to_be_visible()
    press(page.get_by_role("button", name="Verify now"))
    expect(page.get_by_text(re.compile(r"^\d[\d,]* events$")).filter(visible=True).first).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name="Download", exact=True))
    taken = download(page, "CSV", exact=True)
    events = list(csv.DictReader(taken.read_text().splitlines()))
    assert {"run_finished", "downloaded"} <= {event["kind"] for event in events}
    assert system.terminal("audit", "verify")["holds"]
    assert same_trades_in_the_terminal(system, tmp_path, dataset, shown, rows)


def same_trades_in_the_terminal(system, folder: Path, dataset: str, run: dict, rows: list[dict]) -> bool:
    """Whether ``tidemark backtest`` gives the same trades with the same settings on the imported bars."""
    import subprocess
    import sys

    spec = run["spec"]
    sections = {name: {key: value for key, value in spec[name].items() if value is not None} for name in ("account", "costs", "execution", "sizing", "limits")}
    lines = [f"[{name}]\n" + "\n".join(f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in values.items()) for name, values in sections.items()]
    (folder / "rules.toml").write_text("\n".join(lines).replace("'", '"'))
    source = next(path for path in folder.glob("EURUSD_M15_*.csv"))
    import json

    words = ["backtest", "--bars", str(source), "--instrument", "EURUSD", "--timeframe", "M15", "--strategy", spec["strategy"], "--params", json.dumps(spec["params"]), "--config", str(folder / "rules.toml"), "--out", str(folder / "terminal")]
    subprocess.run([sys.executable, "-m", "worker.cli", *words], env=system.environment, cwd=Path(__file__).parents[2], check=True, capture_output=True)
    theirs = list(csv.DictReader((folder / "terminal" / "trades.csv").read_text().splitlines()))
    return [{**row, "regime": ""} for row in theirs] == [{**row, "regime": ""} for row in rows]


def test_a_dirty_file_is_discarded_or_repaired_as_the_person_chooses(page, system, tmp_path):
    path = bars_csv(tmp_path, dirty=True)
    before = len(system.terminal("data", "list"))
    open_file(page, system, path)
    press(page.get_by_role("button", name="Validate"))
    expect(page.get_by_text("Errors found.")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("1 bar with high below low")).to_be_visible()
    press(page.get_by_role("button", name="Discard"))
    expect(page.get_by_role("button", name="Import…")).to_be_enabled()
    assert len(system.terminal("data", "list")) == before
    dataset = import_file(page, system, path, "Repair and import")
    findings = {f["key"]: f for f in system.terminal("data", "quality", dataset)["quality"]["findings"]}
    assert (findings["inverted"]["did"], findings["duplicates"]["did"], findings["order"]["did"]) == ("dropped", "merged", "sorted")


NOT_BARS = {        # file -> what is in it, the sentence of its refusal
    "web.csv": (b"<!DOCTYPE html><title>Sign in</title>", "a web page (HTML), not data"),
    "noise.csv": (bytes(np.random.default_rng(1).integers(0, 256, 4_000, dtype=np.uint8)), "binary data"),
    "empty.csv": (b"", "is empty"),
}


def test_a_file_without_bars_is_refused_with_a_sentence_and_so_is_a_path_that_names_none(page, system, tmp_path):
    page.goto(f"{system.url}/data?do=import")
    path = page.get_by_role("textbox", name="or a file path on the server")
    for name, (content, sentence) in NOT_BARS.items():
        (tmp_path / name).write_bytes(content)
        path.fill(str(tmp_path / name))
        press(page.get_by_role("button", name="Load", exact=True))
        expect(page.get_by_text(sentence)).to_be_visible()
    path.fill("/nowhere/bars.csv")
    press(page.get_by_role("button", name="Load", exact=True))
    expect(page.get_by_text("There is no file '/nowhere/bars.csv'")).to_be_visible()
    for name, (_, sentence) in NOT_BARS.items():
        page.goto(f"{system.url}/data?do=import")
        page.locator("input[type=file]").set_input_files(tmp_path / name)
        expect(page.get_by_text(sentence)).to_be_visible()


def test_a_double_click_submits_one_job_and_an_identical_request_one_run(page, system):
    page.goto(f"{system.url}/backtest")
    page.get_by_role("spinbutton", name="Lookback, bars").fill("61")
    before = len(system.terminal("jobs", "list"))
    page.get_by_role("button", name="Run backtest").dblclick()
    expect(page.get_by_text("Break-even spread").filter(visible=True).first).to_be_visible(timeout=LONG)
    run = re.search(r"run=(\w+)", page.url)[1]
    assert len(system.terminal("jobs", "list")) == before + 1
    page.goto(f"{system.url}/backtest")
    page.get_by_role("spinbutton", name="Lookback, bars").fill("61")
    assert run_backtest(page) == run
    assert len(system.terminal("jobs", "list")) == before + 1


def test_a_field_is_one_stop_of_the_tab_key_and_f1_opens_its_help(page, system):
    system.wait_for(lambda: system.terminal("data", "list"), 120)
    page.goto(f"{system.url}/backtest")
    field, following = (page.get_by_role("spinbutton", name=name, exact=True) for name in ("Lookback, bars", "ATR length, bars"))
    expect(page.get_by_role("button", name="Help for ATR length, bars")).to_have_attribute("tabindex", "-1")
    field.focus()
    page.keyboard.press("Tab")
    expect(following).to_be_focused()
    page.keyboard.press("F1")
    expect(page.get_by_role("button", name="Help for ATR length, bars")).to_be_focused()
    expect(page.get_by_role("tooltip").first).to_be_visible()


def test_one_step_back_leads_to_the_page_of_the_click(page, system):
    page.goto(f"{system.url}/data")
    press_until(page.get_by_role("button", name="Backtest", exact=True), page.get_by_role("heading", name="Backtest", level=1))
    expect(page).to_have_url(re.compile(r"/backtest\?data="))
    page.go_back()
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
    assert page.url == f"{system.url}/data", "the query of the next page stood beside this page's path"


def test_a_value_out_of_bounds_is_reported_beside_the_form(page, system):
    page.goto(f"{system.url}/backtest")
    choose(page.get_by_role("combobox", name="Strategy"), page.get_by_role("option", name="simple_ma"))
    expect(page.get_by_role("button", name="Run backtest")).to_have_count(1)       # the form of the strategy before has gone
    page.get_by_role("spinbutton", name="Fast, bars").fill("200")
    press_until(page.get_by_role("button", name="Run backtest"), page.get_by_text("Fast must be the shorter one"))


def test_a_run_is_named_opened_and_deleted(page, system):
    page.goto(f"{system.url}/backtest")
    page.get_by_role("spinbutton", name="Lookback, bars").fill("33")
    run = run_backtest(page)
    press(page.get_by_role("button", name="Name…"))
    page.get_by_role("dialog").get_by_label("Name").fill("spring channel")
    press(page.get_by_role("dialog").get_by_role("button", name="Save"))
    expect(page.get_by_text("spring channel").filter(visible=True).first).to_be_visible()
    press(page.get_by_role("button", name="Delete…"))
    press(page.get_by_role("button", name="Delete run", exact=True))
    expect(page.get_by_role("button", name="Run backtest")).to_be_visible()
    assert run not in [entry["id"] for entry in system.terminal("runs", "list")]


VIEWS = {       # tab -> what stands there
    "Statistics": "Sortino", "Equity": "Largest drawdowns", "Monthly returns": "Worst month", "Distribution": "Stop/target grid (hindsight)", "Breakdown": "Group by", "Costs": "Cost attribution",
    "Robustness": "Max-drawdown distribution", "Rejected orders": "Order checks", "Reproducibility": "Inputs and hashes", "Audit trail": "Audit trail of this run",
}  # fmt: skip


def test_the_views_of_a_run_a_stress_test_and_a_comparison(page, system):
    """On the example: each opened view is drawn and in the address; the first screen needs no scrolling."""
    page.set_viewport_size({"width": 1280, "height": 900})
    def examples() -> list[str]:
        runs = [entry["id"] for entry in system.terminal("runs", "list") if entry["synthetic"]]
        return runs if len(runs) > 1 else []

    run, other = system.wait_for(examples, 180)[-2:]
    page.goto(f"{system.url}/backtest?run={run}")
    for seen in ("Loses after costs", "Break-even spread", "Robustness checks", "Equity and drawdown"):
        expect(page.get_by_text(seen).filter(visible=True).first).to_be_in_viewport()
    for tab, text in VIEWS.items():
        turn_to(page.get_by_role("tab", name=tab, exact=True))
        expect(page).to_have_url(re.compile(f"view={tab.split()[0]}"))
        expect(page.get_by_text(text).filter(visible=True).first).to_be_visible()
    turn_to(page.get_by_role("tab", name="Robustness"))
    press(page.get_by_role("button", name="Run the stress test"))
    expect(page.get_by_role("button", name="Show data: Net return under each scenario")).to_be_attached(timeout=LONG)
    expect(page.get_by_text("Not evaluated: the run earns nothing after costs.").filter(visible=True).first).to_be_visible()
    press(page.get_by_role("button", name="Compare…"))
    choose(page.get_by_role("combobox", name="Compare with"), page.get_by_role("option", name=re.compile(other)))
    expect(page.get_by_text("The bars differ")).to_be_visible()
    expect(page.get_by_text("Parameter differences")).to_be_visible()
    taken = download(page, "CSV", exact=True)
    rows = {row["key"]: row for row in csv.DictReader(taken.read_text().splitlines())}
    assert float(rows["trades"][f"{other} less {run}"]) == float(rows["trades"][other]) - float(rows["trades"][run]) != 0
    press(page.get_by_role("button", name="Close", exact=True))
    expect(page.get_by_text("Robustness checks")).to_be_visible()


def test_limits_and_kelly_are_entered_and_rejected_orders_are_shown(page, system):
    page.goto(f"{system.url}/backtest")
    choose(page.get_by_role("combobox", name="Position sizing"), page.get_by_role("option", name="Fractional Kelly"))
    press(page.get_by_text("Risk limits", exact=True))
    page.get_by_role("spinbutton", name="Max leverage").fill("1.5")
    page.get_by_role("spinbutton", name="Kelly first").fill("500")
    run = system.terminal("runs", "show", run_backtest(page))
    assert run["spec"]["sizing"]["kind"] == "kelly" and run["spec"]["sizing"]["kelly_first"] == 500 and run["spec"]["limits"]["max_leverage"] == 1.5
    expect(page.get_by_text("max leverage 1.5 × equity")).to_be_visible()
    turn_to(page.get_by_role("tab", name="Rejected orders"))
    expect(page.get_by_text(re.compile("Reduced to leverage limit"))).to_be_visible()


def choose_bars(page: Page, *datasets: dict) -> None:
    bars = page.locator("[data-testid=stMultiSelect]").first
    press(bars.get_by_role("button", name="Clear all"))
    for dataset in datasets:
        bars.locator("input").fill(dataset["version"][:4])
        page.get_by_role("option").first.click()
        expect(bars).to_contain_text(dataset["version"][:4])
    page.keyboard.press("Escape")       # closes the list, which hides the rest of the page from its reader


def imported(system, folder: Path, *seeds: int) -> list[dict]:
    """Datasets imported by the terminal."""
    return [system.terminal("data", "import", str(bars_csv(folder, seed=seed))) for seed in seeds]


@pytest.mark.long
def test_a_batch_on_separate_accounts_and_more_monte_carlo_paths(page, system, tmp_path):
    datasets = imported(system, tmp_path, 8, 9)
    page.goto(f"{system.url}/backtest")
    choose_bars(page, *datasets)
    press(page.get_by_text("Separate accounts", exact=True))
    press(page.get_by_role("button", name="Run backtest"))
    expect(page.get_by_text("2 of 2 backtests finished; select one to open it")).to_be_visible(timeout=LONG)
    rows = list(csv.DictReader(download(page, "CSV", exact=True).read_text().splitlines()))
    assert len({row["run"] for row in rows}) == 2 and all(int(row["trades"]) > 0 and row["state"] == "done" for row in rows)
    page.goto(f"{system.url}/backtest?run={rows[0]['run']}&view=Believe")
    press(page.get_by_role("button", name="Run more paths…"))
    page.get_by_role("spinbutton", name="Number of paths").fill("2000")
    press(page.get_by_role("button", name="Run paths"))
    expect(page.get_by_text(re.compile("^2,000 paths of the same trades"))).to_be_visible(timeout=LONG)
    assert len(pd.read_csv(download(page, "CSV", exact=True))) == 2_000


@pytest.mark.long
def test_other_bars_start_with_their_own_timeframe_and_span(page, system, tmp_path):
    """A form begins where the last run left off, but not with its timeframe and days on bars that are others."""
    old, other = imported(system, tmp_path, 10, 11)
    run = system.terminal("runs", "start", "--data", old["id"], "--strategy", "breakout", "--timeframe", "H1", "--start", "2024-02-01")
    page.goto(f"{system.url}/backtest?run={run['id']}")
    press(page.get_by_text("breakout · ", exact=False).filter(visible=True).first)
    frame = page.get_by_role("combobox", name="Timeframe")
    days = page.locator("[data-testid=stDateInput] input").filter(visible=True).first
    expect(frame).to_have_value("H1")
    expect(days).to_have_value(re.compile(r"^2024\W*02\W*01"))
    choose_bars(page, other)
    expect(frame).to_have_value("M15")
    expect(days).to_have_value(re.compile(r"^2024\W*01\W*08"))


def test_synthetic_bars_are_generated_and_deleted_with_their_runs(page, system):
    page.goto(f"{system.url}/data?do=generate")
    page.get_by_role("spinbutton", name="Seed").fill("77")
    press(page.get_by_role("button", name="Generate", exact=True))
    expect(page.get_by_text("candles drawn from")).to_be_visible(timeout=LONG)
    dataset = re.search(r"dataset=(\w+)", page.url)[1]
    assert next(entry for entry in system.terminal("data", "list") if entry["id"] == dataset)["synthetic"]
    press(page.get_by_role("button", name="Delete…"))
    press(page.get_by_role("button", name="Delete dataset", exact=False).last)
    expect(page.get_by_role("button", name="Delete dataset", exact=False)).to_have_count(0)
    assert dataset not in [entry["id"] for entry in system.terminal("data", "list")]


def test_an_address_of_a_deleted_run_gives_a_warning(page, system):
    page.goto(f"{system.url}/backtest?run=nosuch")
    expect(page.get_by_text("There is no run nosuch.")).to_be_visible()


def test_settings_show_the_source_of_each_value(page, system):
    page.goto(f"{system.url}/settings")
    expect(page.get_by_text("SQLite, schema")).to_be_visible()
    expect(page.get_by_text("User in the audit trail: anna.")).to_be_visible()


@pytest.mark.skipif("TIDEMARK_SHOTS" not in os.environ, reason="pictures are made where TIDEMARK_SHOTS is set; that every page draws is tested above")
def test_pictures_of_the_pages(page, system, shoot):
    """The screenshots of the README, on synthetic bars."""
    run = system.wait_for(lambda: [entry for entry in system.terminal("runs", "list") if entry["synthetic"]][1:], 180)[0]
    for name, address, height in (("overview", "", 1120), ("data", "data", 940), ("backtest", f"backtest?run={run['id']}", 1300), ("audit", "audit", 960)):
        page.goto(f"{system.url}/{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        shoot(name, height)


def test_the_example_is_removed_with_one_click(page, system):
    page.goto(system.url)
    press(page.get_by_role("button", name="Remove the example"))
    press(page.get_by_role("button", name="Remove", exact=True))
    expect(page.get_by_role("button", name="Remove the example")).to_have_count(0)
    assert not [entry for entry in system.terminal("data", "list") if entry["source"].startswith("Synthetic") and entry["timeframe"] == "M15" and entry["first"].startswith("2022")]
    time.sleep(2.5)     # the clock has come round: it does not come back
    assert not [run for run in system.terminal("runs", "list") if run["synthetic"]]
