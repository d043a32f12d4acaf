"""Evidence from the page, checked by somebody who has nothing but Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.downloads import download
from tests.e2e.pressing import press

pytest.importorskip("playwright.sync_api")
from tests.e2e.expecting import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG = 180_000  # milliseconds
ROW = 5         # of the events, whose text is changed


def verify(folder: Path, *words: object) -> subprocess.CompletedProcess:
    """``python verify.py …`` in ``folder``, isolated from everything that is installed."""
    return subprocess.run([sys.executable, "-I", "-S", "verify.py", *map(str, words)], cwd=folder, capture_output=True, text=True)


def test_a_bundle_from_the_page_verifies_with_bare_python_and_a_changed_byte_is_named(page, system, tmp_path):
    system.wait_for(lambda: system.terminal("audit", "checkpoints"), 90)
    page.goto(f"{system.url}/audit")
    expect(page.get_by_text("Not a certification.")).to_be_visible()
    press(page.get_by_role("button", name="Download", exact=True))
    bundle, key, checkpoint = (download(page, name) for name in ("Bundle, ZIP", "Public key", "Checkpoint, signed note"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(bundle) as archive:
        (empty / "verify.py").write_bytes(archive.read("verify.py"))
        archive.extractall(tmp_path / "out")
    whole = verify(empty, bundle, "--key", key, "--checkpoint", checkpoint)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    alone = verify(empty, bundle)
    assert alone.returncode == 3 and "self-consistent only" in (alone.stdout + alone.stderr).lower()
    events = tmp_path / "out" / "events.jsonl"
    lines = events.read_bytes().split(b"\n")
    lines[ROW - 1] = re.sub(rb'"actor":"(.)', rb'"actor":"X', lines[ROW - 1])
    events.write_bytes(b"\n".join(lines))
    changed = verify(empty, tmp_path / "out", "--key", key, "--checkpoint", checkpoint)
    assert changed.returncode == 1 and re.search(rf"\brow {ROW}\b", changed.stdout + changed.stderr, re.IGNORECASE), changed.stdout + changed.stderr


def test_a_decision_is_replayed_from_the_page(page, system, tmp_path):
    run = system.wait_for(lambda: system.terminal("runs", "list"), 120)[-1]["id"]
    system.terminal("audit", "export", "--out", str(tmp_path / "events.jsonl"), "--entity", f"run:{run}")
    rows = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    seq = next(row["seq"] for row in rows if "body" in row and json.loads(row["body"])["kind"] == "run_finished")
    page.goto(f"{system.url}/audit?entity=run:{run}&event={seq}")
    expect(page.get_by_text("its history,")).to_be_visible()
    press(page.get_by_role("button", name="Replay decision"))
    expect(page.get_by_text("The decision computed again is equal to what was recorded.").locator("visible=true").first).to_be_visible(timeout=LONG)
