"""External data imported, charted, and used by features, in a real browser."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press
from tests.e2e.test_features import LONG, SOON, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def files(tmp_path) -> Path:
    """A VIX by date, headlines without a zone and a calendar, over the days of any bars that other tests may have left
    chosen."""
    days = pd.bdate_range("2021-12-01", "2024-12-31")
    values = 20 + np.cumsum(np.random.default_rng(4).normal(0, 0.3, len(days)))
    (tmp_path / "VIXCLS.csv").write_text("observation_date,VIXCLS\n" + "".join(f"{day:%Y-%m-%d},{value:.2f}\n" for day, value in zip(days, values, strict=True)))
    at = pd.date_range("2022-01-03T09:30", "2024-12-30", freq="37h")
    (tmp_path / "news.csv").write_text("time,headline\n" + "".join(f"{moment:%Y-%m-%d %H:%M},{('Stocks plunge', 'Dollar rallies')[k % 2]}\n" for k, moment in enumerate(at)))
    weeks = pd.date_range("2022-01-05T13:30", "2024-12-30", freq="7D")
    (tmp_path / "calendar.csv").write_text("datetime_utc,event,country,impact\n" + "".join(f"{week:%Y-%m-%dT%H:%M:%S},Prices,US,high\n" for week in weeks))
    return tmp_path


def opened(page: Page, system, path: Path) -> None:
    page.goto(f"{system.url}/data?view=external&do=import")
    page.get_by_role("textbox", name="or a file path on the server").fill(str(path))
    press(page.get_by_role("button", name="Load", exact=True))
    expect(page.get_by_text("2 Confirm the format")).to_be_visible(timeout=SOON)


def import_opened(page: Page) -> None:
    press(page.get_by_role("button", name="Import", exact=True))
    expect(page.get_by_role("button", name="View")).to_be_visible(timeout=LONG)


@pytest.mark.long
def test_external_data_is_imported_and_features_have_values(page, system, files, shoot):
    stored = system.wait_for(lambda: system.terminal("data", "list"), 120)
    example = next(entry["id"] for entry in stored if entry["synthetic"])        # beside it there may be what other tests imported
    page.goto(f"{system.url}/data?view=outside")
    expect(page.get_by_text("Macro series, news headlines and economic calendars")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("fredgraph.csv?id=VIXCLS")).to_be_visible(timeout=SOON)

    opened(page, system, files / "VIXCLS.csv")
    expect(page.get_by_role("combobox", name="Series")).to_have_value("VIX · Implied volatility of the S&P 500 (VIX)", timeout=SOON)
    import_opened(page)
    press(page.get_by_role("button", name="View"))
    expect(page.get_by_text(re.compile(r"^[\d,]+ points? drawn from [\d,]+ rows; extremes are kept"))).to_be_visible(timeout=SOON)
    shoot("data-outside", 900)
    rows = list(csv.DictReader(download(page, "Download, CSV").read_text().splitlines()))
    assert (rows[0]["date"], rows[0]["published"]) == ("2021-12-01", "2021-12-02T22:00:00Z") and len(rows) == len(pd.read_csv(files / "VIXCLS.csv"))

    opened(page, system, files / "calendar.csv")
    import_opened(page)
    opened(page, system, files / "news.csv")
    press(page.get_by_role("button", name="Import", exact=True))
    expect(page.get_by_text("has the time '2022-01-03 09:30', which has no zone")).to_be_visible(timeout=LONG)
    press(page.get_by_text("Treat naive timestamps as UTC"))
    import_opened(page)
    assert {entry["name"] for entry in system.terminal("data", "outside", "list")} == {"VIX", "calendar", "headlines"}

    page.goto(f"{system.url}/features?view=look&data={example}")
    choose(page.get_by_role("combobox", name="Feature set"), page.get_by_role("option", name="macro · 7"))
    expect(page.get_by_text("6 features will be empty: missing DXY, US_RATE, EU_RATE and US10Y.")).to_be_visible(timeout=SOON)
    for text in ("minutes_to_release()", "sentiment()"):
        write(page, page, text)
    press(page.get_by_role("button", name="Compute"))
    expect(page.get_by_text("Warm-up sensitivity")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("3 columns have values, 6 are empty.")).to_be_visible(timeout=SOON)
    expect(page.get_by_text(re.compile(r"are empty: computed without DXY, US_RATE, EU_RATE and US10Y"))).to_be_visible(timeout=SOON)
    press(page.get_by_role("button", name="Export"))
    taken = pd.read_csv(download(page, "Columns of EURUSD, CSV"))
    assert {name for name in taken.columns[1:] if taken[name].notna().mean() > 0.9} == {"vix_zscore(60)", "minutes_to_release", "sentiment(24.0)"}
    assert taken["minutes_to_release"].min() == 0 and taken["vix_zscore(60)"].nunique() > 30 and taken["sentiment(24.0)"].between(-1, 1).mean() > 0.9

    page.goto(f"{system.url}/data?view=outside")
    press(page.get_by_role("button", name="Delete…"))
    expect(page.get_by_text(re.compile(r"It is used by 1 run, which could not be reproduced without it"))).to_be_visible(timeout=SOON)
    expect(page.get_by_role("button", name="Delete import")).to_be_disabled(timeout=SOON)
