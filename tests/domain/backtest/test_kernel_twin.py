"""The kernel against its slow twin, which was written from the page and not from the kernel."""

from __future__ import annotations

import os
from functools import partial
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation
from domain.trading.execution import INTRABAR
from domain.trading.task import Outcome
from tests.reference import compare
from tests.reference.cases import case
from tests.reference.compare import differences
from tests.reference.drawn import drawn_cases
from tests.reference.execution import lived

CASES = int(os.environ.get("TIDEMARK_CASES", "10000"))
DRAWN = max(2_000, CASES // 5)
PARTS = 16


@pytest.mark.parametrize("part", range(PARTS))
def test_kernel_and_twin_agree(part):
    for seed in range(part, CASES, PARTS):
        found = differences(case(seed))
        assert not found, f"case {seed}: {found[:3]}"


@pytest.mark.parametrize("intrabar", INTRABAR)
def test_kernel_and_twin_agree_on_what_hypothesis_draws(intrabar):
    @settings(max_examples=DRAWN // len(INTRABAR), derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(drawn_cases(intrabar))
    def agree(one):
        assert differences(one) == []

    agree()


@pytest.mark.parametrize("seed", range(0, 400, 4))
def test_kernel_and_twin_agree_on_a_kill_switch(seed, monkeypatch):
    after = Random(seed).randint(1, 60)
    monkeypatch.setattr(compare, "fast", partial(killed, after=after))
    monkeypatch.setattr(compare, "slow", partial(lived, killed_after=after))
    assert [line for line in differences(case(seed)) if not line.startswith("reviews.ts")] == []


def killed(tasks, account, costs, execution, sizing, rates, limits, after: int) -> Outcome:
    simulation = Simulation(prepare(tasks, account, costs, execution, sizing, rates, limits), account)
    if simulation.step(after):
        simulation.kill()
    simulation.to_end()
    return simulation.outcome(tasks)
