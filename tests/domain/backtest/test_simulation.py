"""A run in parts is the run in one: whatever is stored between two instants is all there is to know."""

from __future__ import annotations

import copy

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
from domain.trading.task import DROPS, Task
from tests.reference.cases import case

SEEDS = range(0, 60)


def same(one, other) -> None:
    for name in ("fills", "trades", "equity"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert one.counts == other.counts


def prepared(seed: int):
    c = case(seed)
    return c, prepare(c.tasks, c.account, c.costs, c.execution, c.sizing, c.rates)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_in_small_steps_is_the_run_in_one(seed):
    c, p = prepared(seed)
    whole, parts = Simulation(p, c.account), Simulation(p, c.account)
    whole.to_end()
    rng = np.random.default_rng(seed)
    while parts.step(int(rng.integers(1, 5))):
        pass
    parts.finish()
    same(parts.outcome(c.tasks), whole.outcome(c.tasks))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_was_stored_goes_on_to_the_same_bytes(seed):
    c, p = prepared(seed)
    whole, first = Simulation(p, c.account), Simulation(p, c.account)
    whole.to_end()
    first.step(int(np.random.default_rng(seed).integers(1, 40)))
    again = Simulation(p, c.account)
    again.arrays, again.fills, again.trades = copy.deepcopy(first.arrays), list(first.fills), list(first.trades)
    again._tell(again.arrays)
    again.to_end()
    same(again.outcome(c.tasks), whole.outcome(c.tasks))


@pytest.mark.parametrize("seed", range(100, 250))
def test_nothing_is_made_and_nothing_lost(seed):
    c = case(seed)
    out = simulate(c.tasks, c.account, c.costs, c.execution, c.sizing, c.rates)
    final = out.equity["balance"].iloc[-1]
    assert c.account.balance + out.trades["pnl"].sum() == pytest.approx(final, abs=1e-6 * max(1.0, abs(final)))
    bought = out.fills.assign(signed=out.fills["lots"].where(out.fills["side"] == "buy", -out.fills["lots"])).groupby("trade_id")["signed"].sum()
    assert np.allclose(bought, 0.0, atol=1e-9)
    asked = sum(int((task.signals["order"] != "exit").sum()) for task in c.tasks)
    exits_at_the_end = sum(int(((task.signals["order"] == "exit") & (task.signals["ts"] == task.bars["ts"].iloc[-1])).sum()) for task in c.tasks)
    assert out.extra["entries"] + sum(out.counts[name] for name in DROPS) - exits_at_the_end == asked
    assert (out.equity["equity_low"] <= out.equity["equity"] + 1e-9).all()


def one_bar_apart(count: int) -> pd.DataFrame:
    ts = pd.date_range("2024-01-02", periods=count, freq="5min", tz="UTC", unit="ns")
    return pd.DataFrame(dict(ts=ts, open=1.1, high=1.1001, low=1.0999, close=1.1))


def test_a_thousand_positions_and_orders_find_room():
    bars = one_bar_apart(1_200)
    rows = [dict(ts=bars["ts"][0], side="long", order="market" if k % 2 else "limit", price=1.05, lots=0.01, tag=f"t{k}") for k in range(2_000)]
    task = Task(instrument("EURUSD"), Timeframe.named("M5"), bars, read_signals(pd.DataFrame(rows), ("EURUSD",)))
    out = simulate([task], Account(balance=1e7), Costs(), Execution(), Sizing())
    assert len(out.trades) == 1_000 and out.counts["end_of_data"] == 1_000


def test_who_watches_may_stop_it():
    bars = one_bar_apart(250_000)
    task = Task(instrument("EURUSD"), Timeframe.named("M5"), bars, read_signals(pd.DataFrame([dict(ts=bars["ts"][0], side="long")]), ("EURUSD",)))
    heard = []

    def watch(share: float) -> None:
        heard.append(share)
        if len(heard) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate([task], Account(), Costs(), Execution(), Sizing(), watch=watch)
    assert 0 < heard[0] < heard[1] < 1
