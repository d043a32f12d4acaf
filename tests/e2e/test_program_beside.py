"""What a program does over HTTP alone, a browser beside it shows: data, a backtest, a verdict and a session of ``examples/research.py``."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.expecting import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.long
def test_a_browser_shows_what_a_program_makes(page, system):
    page.goto(f"{system.url}/paper")
    expect(page.get_by_role("heading", name="Paper trading", level=1)).to_be_visible()
    done = subprocess.run([sys.executable, "examples/research.py", system.url], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    run, trades = re.search(r"backtest (\w+): (\d+) trades", done.stdout).groups()
    name, equity = re.search(r"session ([\w-]+): finished, equity ([\d,]+)", done.stdout).groups()
    page.goto(f"{system.url}/paper?session={name}")
    expect(page.get_by_text(name).filter(visible=True).first).to_be_visible()
    expect(page.get_by_text(re.compile(equity)).filter(visible=True).first).to_be_visible()
    page.goto(f"{system.url}/backtest?run={run}")
    expect(page.get_by_text(re.compile(rf"\b{trades}\b")).filter(visible=True).first).to_be_visible()
    page.goto(f"{system.url}/compliance?run={run}&rules=ftmo-1-step")
    expect(page.get_by_text(re.compile("^Headroom (at the end|when it passed)$")).first).to_be_visible()
    verdict = re.search(r"FTMO 1-step: (\w+)", done.stdout)[1]
    expect(page.get_by_text(re.compile(verdict, re.IGNORECASE)).filter(visible=True).first).to_be_visible()
    page.goto(f"{system.url}/data")
    expect(page.get_by_text("EURUSD").filter(visible=True).first).to_be_visible()
    events = system.terminal("audit", "verify")
    assert events["holds"], events
