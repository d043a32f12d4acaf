"""The rule set that a backtest keeps: with its phase in a preset, and on the run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.backtest.rules import rules_of
from tests.app.test_compliance import system  # noqa: F401  a worker's process
from tests.app.test_pages import START, dataset, draw
from worker import actors
from worker.desk import BacktestRequest

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def test_a_preset_keeps_the_rule_set_with_its_phase_and_the_run_shows_them(desk, system):  # noqa: F811
    phase = desk.rule_sets.row("ftmo-2-step").phases[-1]
    request = BacktestRequest("breakout", {}, [dataset(desk, "EURUSD", 1)], "M15", START, START + timedelta(days=1), {"account": {"balance": 100_000.0}}, rule_set="ftmo-2-step", phase=phase)
    desk.form_presets.save("kept", request)
    test = draw("backtest", desk, preset="kept")
    assert not test.exception and next(box for box in test.selectbox if box.label == "Rule set to keep").value == ("ftmo-2-step", phase)
    actors.run(desk.backtests.submit(request).job.id)
    (run,) = desk.backtests.latest()
    assert rules_of(desk, run)["Rule set kept"] == f"ftmo-2-step, {phase}"
