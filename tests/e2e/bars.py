"""Generated bars for tests that need their own."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.venues.synthetic import RegimeSwitching, generate
from tests.e2e.expecting import expect
from tests.e2e.pressing import press


def generated(watched, system, seed: int) -> str:
    """The id of a dataset generated on the Data page."""
    tab = watched.tab
    tab.goto(f"{system.url}/data?do=generate")
    tab.get_by_role("spinbutton", name="Seed").fill(str(seed))
    press(tab.get_by_role("button", name="Generate", exact=True))
    expect(tab.get_by_text("candles drawn from")).to_be_visible(timeout=120_000)
    match = re.search(r"dataset=(\w+)", tab.url)
    assert match
    return match[1]


def bars_csv(folder: Path, dirty: bool = False, seed: int = 3) -> Path:
    """Two months of EURUSD M15 as CSV in Tidemark's own format; dirty: with a repeated, an inverted and a misplaced
    row."""
    start, end = (pd.Timestamp(day, tz="UTC").to_pydatetime() for day in ("2024-01-08", "2024-03-08"))
    bars = generate(RegimeSwitching(), instrument("EURUSD"), Timeframe.named("M15"), start, end, seed).drop(columns=["volume"])
    if dirty:
        bars = pd.concat([bars.iloc[:100], bars.iloc[99:100], bars.iloc[100:]], ignore_index=True)
        bars.loc[50, "high"] = bars.loc[50, "low"] - 0.01
        bars.iloc[[200, 201]] = bars.iloc[[201, 200]].to_numpy()
    path = folder / f"EURUSD_M15_{'dirty' if dirty else seed}.csv"
    bars.assign(ts=pd.to_datetime(bars["ts"], utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(path, index=False)
    return path
