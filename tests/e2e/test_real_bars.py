"""From a real file to a verified result, in the browser and in the terminal, with a worker killed on the way."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.downloads import download
from tests.e2e.expecting import expect
from tests.e2e.pressing import choose, press
from tests.e2e.test_browser import import_file, run_backtest

DATA = os.environ.get("TIDEMARK_DATA", "")
M5 = Path(DATA, "fx/histdata/EURUSD_M5_bid_utc_2019_2021.parquet")
M1 = Path(DATA, "fx/histdata/EURUSD_M1_bid_utc_2019_2021.parquet")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.data,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not DATA or not M5.exists(), reason="TIDEMARK_DATA names no folder with fx/histdata/EURUSD_M5_bid_utc_2019_2021.parquet"),
]


@pytest.mark.long
def test_three_years_of_m5_from_file_to_result_and_the_same_in_the_terminal(page, system, tmp_path):
    import_file(page, system, M5)
    page.goto(f"{system.url}/backtest")
    expect(page.get_by_text("EURUSD M5 · Parquet").filter(visible=True).first).to_be_visible()
    began = time.monotonic()
    run = system.terminal("runs", "show", run_backtest(page))
    assert time.monotonic() - began < 30 and run["summary"]["bars"] == 223_899
    page.goto(f"{system.url}/audit?entity=run:{run['id']}")
    expect(page.get_by_text("run finished").filter(visible=True).first).to_be_visible()
    assert system.terminal("audit", "verify")["holds"]
    page.goto(f"{system.url}/backtest?run={run['id']}")
    press(page.get_by_role("button", name="Export"))
    taken = download(page, "Trades, CSV")
    assert trades(taken) == trades(in_the_terminal(system, tmp_path, run) / "trades.csv")


def in_the_terminal(system, folder: Path, run: dict) -> Path:
    spec = run["spec"]
    sections = {name: {key: value for key, value in spec[name].items() if value is not None} for name in ("account", "costs", "execution", "sizing")}
    (folder / "rules.toml").write_text("\n".join(f"[{name}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items()) for name, values in sections.items()))
    words = ["backtest", "--bars", str(M5), "--instrument", "EURUSD", "--timeframe", "M5", "--strategy", spec["strategy"], "--params", json.dumps(spec["params"])]
    subprocess.run([sys.executable, "-m", "worker.cli", *words, "--config", str(folder / "rules.toml"), "--equity", "none", "--out", str(folder / "out")], env=system.environment, cwd=ROOT, check=True, capture_output=True)
    return folder / "out"


def trades(path: Path) -> list[dict]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.mark.long
def test_a_killed_worker_does_not_lose_the_run(page, system):
    system.terminal("data", "import", str(M1))
    page.goto(f"{system.url}/backtest")
    press(page.get_by_role("button", name="Clear all").first)
    choose(page.get_by_role("combobox", name="Data"), page.get_by_role("option", name="EURUSD M1").first)
    page.keyboard.press("Escape")
    press(page.get_by_role("button", name="Run backtest"))
    job = system.wait_for(lambda: running(system), 20)
    for process in workers(system):
        process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    expect(page.get_by_text("Break-even spread").filter(visible=True).first).to_be_visible(timeout=120_000)
    assert time.monotonic() - killed < 15 + 20, "its own time is a few seconds"
    done = next(entry for entry in system.terminal("jobs", "list") if entry["id"] == job)
    assert done["state"] == "done"
    starts = [event for event in events(system, job) if event["kind"] == "job_started"]
    assert len(starts) == 2 and len([event for event in events(system, job) if event["kind"] == "run_finished"]) == 1
    assert re.search(r"run=(\w+)", page.url)


def running(system) -> str:
    with sqlite3.connect(f"file:{system.home / 'tidemark.db'}?mode=ro", uri=True) as database:
        row = database.execute("SELECT id FROM jobs WHERE kind = 'backtest' AND state = 'running'").fetchone()
    return row[0] if row else ""


def workers(system) -> list[psutil.Process]:
    return [child for child in psutil.Process(system.process.pid).children() if "worker.main" in " ".join(child.cmdline())]


def events(system, job: str) -> list[dict]:
    with sqlite3.connect(f"file:{system.home / 'tidemark.db'}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT body FROM audit_events e JOIN audit_links l ON l.seq = e.seq WHERE l.entity = ?", (f"job:{job}",)).fetchall()
    return [json.loads(body) for (body,) in rows]
