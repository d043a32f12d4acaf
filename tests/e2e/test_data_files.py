"""A file that no reader recognises: its columns mapped, imported, and a newer one appended, each by the pages alone."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from tests.e2e.bars import bars_csv
from tests.e2e.expecting import expect
from tests.e2e.pressing import press

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]
LONG = 120_000       # milliseconds


def strange(folder: Path, name: str, rows: slice, more: float = 0.0) -> Path:
    """Bars in a layout of nobody: semicolons, decimal commas, foreign names; ``more`` on the first close."""
    bars = pd.read_csv(bars_csv(folder, seed=5)).iloc[rows].reset_index(drop=True)
    bars.loc[0, "close"] = round(bars.loc[0, "close"] + more, 5)
    bars.loc[0, "high"] = max(bars.loc[0, "high"], bars.loc[0, "close"])
    bars["ts"] = pd.to_datetime(bars["ts"]).dt.strftime("%d %b %y %H:%M")
    path = folder / name
    bars.rename(columns=dict(ts="Moment", open="Erster", high="Hoch", low="Tief", close="Letzter", spread="Abstand")).to_csv(path, sep=";", decimal=",", index=False)
    return path


def load(page: Page, path: Path) -> None:
    page.get_by_role("textbox", name="or a file path on the server").fill(str(path))
    press(page.get_by_role("button", name="Load", exact=True))


def pick(page: Page, field: str, option: str) -> None:
    box = page.get_by_role("combobox", name=field, exact=True)
    box.fill(option)
    page.get_by_role("option", name=option, exact=False).first.click()


def test_columns_are_mapped_imported_and_a_newer_file_is_appended(page, system, tmp_path):
    page.goto(f"{system.url}/data?do=import")
    load(page, strange(tmp_path, "EURUSD_first.txt", slice(0, 2_000)))
    expect(page.get_by_text("2 Map the columns")).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name="Apply mapping"))
    expect(page.get_by_text("no column is chosen for the time")).to_be_visible(timeout=LONG)
    for field, option in (("Time", "1 Moment"), ("Time format", "%d %b %y %H:%M"), ("Open", "2 Erster"), ("Close", "5 Letzter"), ("Time zone", "UTC")):
        pick(page, field, option)
    page.get_by_role("textbox", name="Save as").fill("Foreign")
    press(page.get_by_role("button", name="Apply mapping"))
    press(page.get_by_role("button", name="Validate"))
    expect(page.get_by_text("Validation report").filter(visible=True).first).to_be_visible(timeout=LONG)
    page.get_by_role("button", name=re.compile("^(Import|Repair and import)$")).click()
    page.get_by_role("button", name="View dataset").click(timeout=LONG)
    expect(page.get_by_text("candles drawn from")).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name="Append…"))
    load(page, strange(tmp_path, "EURUSD_newer.txt", slice(1_990, 2_200), 0.0007))
    press(page.get_by_role("button", name="Use Foreign"))
    press(page.get_by_role("button", name="Compare", exact=True))
    expect(page.get_by_text("10 bars are in both, and 1 of them differs, by at most 0.00070", exact=False)).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name=re.compile("keep stored bars$")))
    page.get_by_role("button", name="View dataset").click(timeout=LONG)
    expect(page.get_by_text("The stored bars were kept.", exact=False)).to_be_visible(timeout=LONG)
    bars = [dataset["bars"] for dataset in system.terminal("data", "list") if not dataset["synthetic"]]
    assert {2_000, 2_200} <= set(bars), "the old version stays"
