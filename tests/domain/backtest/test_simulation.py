"""A run in parts is the run in one; many positions find room; who watches may stop it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation, simulate
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.signals import read_signals
from domain.trading.task import FILLS, MOVES, LaterFrame, Task
from tests.reference.cases import case


def test_a_run_in_small_steps_is_the_run_in_one():
    for seed in range(60):
        drawn, rng = case(seed), np.random.default_rng(seed)
        prepared = prepare(drawn.tasks, drawn.rules, drawn.rates)
        at_once, parts = Simulation(prepared, drawn.account), Simulation(prepared, drawn.account)
        at_once.to_end()
        while parts.step(int(rng.integers(1, 5))):
            pass
        parts.finish()
        for name in ("fills", "trades", "equity", "reviews"):
            pd.testing.assert_frame_equal(getattr(parts.outcome(drawn.tasks), name), getattr(at_once.outcome(drawn.tasks), name), check_exact=True)
        assert parts.outcome(drawn.tasks).counts == at_once.outcome(drawn.tasks).counts


def one_bar_apart(count: int) -> pd.DataFrame:
    ts = pd.date_range("2024-01-02", periods=count, freq="5min", tz="UTC", unit="ns")
    return pd.DataFrame(dict(ts=ts, open=1.1, high=1.1001, low=1.0999, close=1.1))


def test_a_thousand_positions_and_orders_find_space():
    bars = one_bar_apart(1_200)
    rows = [dict(ts=bars["ts"][0], side="long", order="market" if k % 2 else "limit", price=1.05, lots=0.01, tag=f"t{k}") for k in range(2_000)]
    task = Task(instrument("EURUSD"), Timeframe.named("M5"), bars, read_signals(pd.DataFrame(rows), ("EURUSD",)))
    out = simulate([task], Account(balance=1e7), Costs(), Execution(), Sizing())
    assert len(out.trades) == 1_000 and out.counts["end_of_data"] == 1_000


def test_who_watches_may_stop_it():
    bars = one_bar_apart(250_000)
    task = Task(instrument("EURUSD"), Timeframe.named("M5"), bars, read_signals(pd.DataFrame([dict(ts=bars["ts"][0], side="long")]), ("EURUSD",)))
    received = []

    def watch(share: float) -> None:
        received.append(share)
        if len(received) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate([task], Account(), Costs(), Execution(), Sizing(), watch=watch)
    assert 0 < received[0] < received[1] < 1


def test_the_frames_of_fills_and_moves_are_made_when_somebody_looks_at_them():
    drawn = case(3)
    out = simulate(drawn.tasks, drawn.account, drawn.costs, drawn.execution, drawn.sizing, drawn.rates)
    assert all(isinstance(vars(out)[name], LaterFrame) for name in ("_fills", "_moves"))
    spread = float(out.fill_costs["spread_cost"].sum())
    assert tuple(out.fills) == FILLS and tuple(out.moves) == MOVES and out.fills is out.fills
    assert spread == float(out.fill_costs["spread_cost"].sum()) == float(out.fills["spread_cost"].sum())
    assert replace(out, ambiguous=7).fills is out.fills
