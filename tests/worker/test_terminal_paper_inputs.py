"""``tidemark paper start`` with what ``tidemark backtest`` reads beside bars: the same bytes, after a death in the middle too, and refused by name otherwise."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.worker.test_terminal_paper import FILES, STRATEGY, paper, refused
from tests.worker.test_terminal_paper import workspace as workspace
from tests.worker.test_terminal_tape import TIME, backtest, plain, same, walk


def session(folder, *more: object, name: str = "one") -> dict:
    return json.loads(paper("start", "--session", name, "--config", folder / "config.toml", "--out", folder / name, "--json", *more))


@pytest.fixture
def dying(monkeypatch):
    """The account is stored and restored after every commit, as if its process had died there."""
    from worker.sessions import work
    from worker.sessions.accounts import LiveAccounts

    return work, LiveAccounts


def signals_file(folder, frame, name="signals.csv", **columns):
    rows = np.random.default_rng(5).permutation(np.arange(45, len(frame) - 5, 6))
    table = pd.DataFrame(dict(ts=frame["ts"].iloc[rows].dt.strftime(TIME), side=np.where(rows % 4, "long", "short"), max_bars=4, tag=[f"t{row % 3}" for row in rows]))
    table.assign(**columns).to_csv(folder / name, index=False)
    return folder / name


def test_signals_give_the_backtest_of_the_files_and_of_the_tape(workspace):
    frame = walk(5, 160)
    bars, signals = plain(workspace, "m5.csv", frame), signals_file(workspace, frame)
    facts = session(workspace, "--replay", f"EURUSD M5={bars}", "--signals", signals)
    assert facts["trades"] == len(pd.read_csv(workspace / "one" / "trades.csv")) > 8
    signals.rename(workspace / "moved.csv")         # the session has its own
    same(workspace / "one", backtest(workspace, "files", "--bars", f"EURUSD M5={bars}", "--signals", workspace / "moved.csv"))
    same(workspace / "one", backtest(workspace, "tape", "--bars", workspace / "one" / "tape.csv", "--signals", workspace / "moved.csv"))
    assert "one is its backtest:" in paper("consistency", "one")
