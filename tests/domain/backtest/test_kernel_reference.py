"""The kernel against the reference implementation, which was written from the page and not from the kernel."""

from __future__ import annotations

import os
from functools import partial
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading import Account, Costs, Execution, Rules
from domain.trading.execution import INTRABAR
from domain.trading.signals import read_signals
from domain.trading.task import Outcome, Task
from tests.reference import compare
from tests.reference.cases import Case, case
from tests.reference.compare import differences, run
from tests.reference.drawn import drawn_cases
from tests.reference.execution import replayed

CASES = int(os.environ.get("TIDEMARK_CASES", "800"))         # make check-kernel: 200,000
DRAWN = max(400, CASES // 5)
PARTS = 16


@pytest.mark.parametrize("part", range(PARTS))
def test_kernel_and_reference_agree(part):
    for seed in range(part, CASES, PARTS):
        lines = differences(case(seed))
        assert not lines, f"case {seed}: {lines[:3]}"


@pytest.mark.parametrize("intrabar", INTRABAR)
def test_kernel_and_reference_agree_on_what_hypothesis_draws(intrabar):
    @settings(max_examples=DRAWN // len(INTRABAR), derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(drawn_cases(intrabar))
    def agree(drawn):
        assert differences(drawn) == []

    agree()


@pytest.mark.parametrize("seed", range(0, 400, 4))
def test_kernel_and_reference_agree_on_a_kill_switch(seed, monkeypatch):
    after = Random(seed).randint(1, 60)
    monkeypatch.setattr(compare, "fast", partial(killed, after=after))
    monkeypatch.setattr(compare, "slow", partial(replayed, killed_after=after))
    assert [line for line in differences(case(seed)) if not line.startswith("reviews.ts")] == []


@pytest.mark.parametrize("price", [1.1, 1.07, 0.97, 1.13577, 1.00001])
def test_an_order_that_takes_all_that_is_free_is_filled_whatever_the_last_bit_says(price):
    """The balance is what its margin comes to, and that less or more by the smallest step of a number."""
    needed = 0.3 * 100_000 * price
    for balance in (needed, np.nextafter(needed, 0.0), np.nextafter(needed, np.inf)):
        single = all_of_it(price, float(balance))
        assert differences(single) == [] and run(compare.fast, single).counts["no_margin"] == 0
    assert run(compare.fast, all_of_it(price, needed * (1 - 1e-8))).counts["no_margin"] == run(compare.slow, all_of_it(price, needed * (1 - 1e-8))).counts["no_margin"] == 1


def all_of_it(price: float, balance: float) -> Case:
    ts = pd.date_range("2024-07-10T10:00Z", periods=4, freq="5min", unit="ns")
    bars = pd.DataFrame(dict(ts=ts, open=price, high=price, low=price, close=price))
    signals = read_signals(pd.DataFrame([dict(ts=ts[0], side="long")]), ("EURUSD",))
    task = Task(instrument("EURUSD"), Timeframe.named("M5"), bars, signals)
    return Case((task,), Account(balance, leverage=1.0), Costs(spread=0.0), Execution(), Sizing("fixed_lots", 0.3), (), Limits())


def killed(tasks, account, costs, execution, sizing, rates, limits, gate, after: int) -> Outcome:
    simulation = Simulation(prepare(tasks, Rules(account, costs, execution, sizing, limits, gate), rates), account)
    if simulation.step(after):
        simulation.kill()
    simulation.to_end()
    return simulation.outcome(tasks)
