"""Clocks that are set while sessions run, and strategies that raise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.sessions.conftest import finish
from tests.worker.sessions.double import MINUTE, Double
from worker.store.clock import DatabaseClock


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.mark.parametrize("hours", [1, -1])
def test_a_machine_clock_that_is_set_takes_no_session_from_its_runner_and_changes_no_trade(store, begin, runner, outputs, monkeypatch, hours):
    begin("gold", "twin")
    first, second = runner(only="gold"), runner()
    for _ in range(4):
        first.step()
    before = first.held["gold"].epoch
    monkeypatch.setattr(DatabaseClock, "now", lambda self, connection: datetime.now(UTC) + timedelta(hours=hours))
    for _ in range(200):
        first.step()
        second.step()
        assert "gold" not in second.held and ("gold" not in first.held or first.held["gold"].epoch == before)
    assert outputs("gold") == outputs("twin") and outputs("gold")[2] == "finished"


OWN = """def decide(until):
    share = until - until

    return 1.0 / share
"""


def test_a_strategy_that_raises_stops_its_session_and_its_file_and_line_are_named(store, begin, runner, outputs, tmp_path):
    begin("bad")
    (tmp_path / "pullback.py").write_text(OWN)
    own: dict = {}
    exec(compile(OWN, str(tmp_path / "pullback.py"), "exec"), own)

    class Raising(Double):
        def work(self, until):
            if until >= 3 * MINUTE:
                own["decide"](until)
            return super().work(until)

    finish(runner(accounts=Raising))
    begin("gold")
    finish(runner())
    assert outputs("bad")[2] == "error" and outputs("gold")[2] == "finished"
    with store.read() as unit:
        assert unit.sessions.get("bad").note == "In pullback.py, line 4: ZeroDivisionError, float division by zero. The details are in the log."
