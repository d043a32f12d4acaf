"""A session's loop while the channel of its notifications hangs, against the same loop without a channel."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.doubles.channel import ChannelDouble
from worker.settings import ROOT
from worker.store.messages import Message

pytestmark = pytest.mark.faults
INSTANTS, EVERY = int(os.environ.get("TIDEMARK_INSTANTS", "1500")), 0.02        # commits of a loop, and seconds between two


@pytest.fixture
def kind() -> str:
    return "sqlite"


def p99(store, first: int) -> float:
    """Of the seconds that a commit with an audit event and a message takes, at an even pace."""
    took = []
    for number in range(first, first + INSTANTS):
        began = time.monotonic()
        with store.unit() as unit:
            unit.audit("tidemark", "order_filled", "session:gold", number=number)
            unit.messages.write([Message(f"gold:fill:{number}", "info", f"gold: fill {number}.", "gold")], unit.now())
        took.append(time.monotonic() - began)
        time.sleep(max(EVERY - took[-1], 0.0))
    return float(np.quantile(took, 0.99))


def test_a_channel_that_hangs_leaves_the_loop_as_it_is(store, tmp_path, record_property):
    alone = p99(store, 0)
    hung = ChannelDouble()
    hung.hang.set()
    with hung.serve() as url, (tmp_path / "log").open("wb") as log:
        ours = {"TIDEMARK_DATABASE_URL": store.engine.url.render_as_string(False), "TIDEMARK_STORAGE_HOME": str(tmp_path / "var"), "PYTHONPATH": str(ROOT)}
        urls = {"TIDEMARK_NOTIFY_URLS": url.replace("http://", "json://") + "/hook?rto=600"}
        process = subprocess.Popen([sys.executable, "-m", "worker.notifier"], cwd=ROOT, env={**os.environ, **ours, **urls}, stdout=log, stderr=log)
        try:
            assert hung.reached.wait(30)
            beside = p99(store, INSTANTS)
            assert not hung.letters
        finally:
            process.terminate()
            assert process.wait(10) == 0
            hung.go_on.set()
    record_property("p99_alone_ms", round(1_000 * alone, 2))
    record_property("p99_beside_ms", round(1_000 * beside, 2))
    print(f"\np99 of a commit: {1_000 * alone:.2f} ms alone, {1_000 * beside:.2f} ms while a channel hangs")
    assert beside < max(3 * alone, 0.1)
