"""Fills from outside: a broker that fills as the execution model does leaves the account as the model leaves it."""

from __future__ import annotations

from random import Random

import numpy as np
import pandas as pd
import pytest

from domain.backtest import kernel
from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation
from domain.backtest.state import REASON
from domain.trading import Account, Costs, Rules
from domain.trading.task import Outcome, Task
from tests.reference.worked import bars_of, task_of

RULES = Rules(Account(balance=1e6), Costs(spread=0.0002, slippage=0.0001, commission_per_lot=3.0))
SAME = ("trade_id", "tag", "side", "lots", "entry_ts", "entry_price", "exit_price", "stop_loss", "pnl", "costs", "r", "exit_reason")


def walk(random: Random, count: int = 120) -> pd.DataFrame:
    rows, price = [], 1.1
    for _ in range(count):
        steps = [round(price + random.gauss(0, 0.0012), 5) for _ in range(3)]
        rows.append((price, max(price, *steps), min(price, *steps), steps[-1]))
        price = steps[-1]
    return bars_of(*rows)


def decided(random: Random, bars: pd.DataFrame) -> Task:
    signals = []
    for at in sorted(random.sample(range(len(bars) - 2), 25)):
        side, close = random.choice((("long", 1), ("short", -1))), float(bars["close"][at])
        order = random.choice(("market", "market", "limit", "stop"))
        away = {"market": 0.0, "limit": -0.001, "stop": 0.001}[order] * side[1]
        more = dict(order=order, valid_bars=6.0, **(dict(price=close + away) if away else {}))
        levels = dict(stop_loss=close - side[1] * 0.004, target_r_1=0.5, fraction_1=0.5, target_r_2=1.0, fraction_2=0.5, break_even_r=0.4, trail_kind="points", trail_value=0.003)
        signals.append(dict(at=at, side=side[0], tag=str(at % 3), lots=random.choice((0.1, 0.37, 1.0)), **more, **levels))
    return task_of(bars, *signals)


def by_the_model(task: Task) -> tuple[Outcome, np.ndarray]:
    """The outcome, and its fills as the kernel writes them."""
    run = Simulation(prepare([task], RULES), RULES.account, report_moves=True)
    run.to_end()
    return run.outcome([task]), np.concatenate(run.fills)


def by_a_broker(task: Task) -> Outcome:
    """Each fill of the model is booked from outside, while the bar is open in which the model has it."""
    fills = by_the_model(task)[1]
    prepared = prepare([task], RULES)
    prepared.inputs["tasks"]["outside"] = 1
    run, seen = Simulation(prepared, RULES.account, report_moves=True), 0
    while run.step(1):
        cursor = run.arrays["cursors"][0]
        while seen < len(fills) and (cursor["bar"] > fills[seen]["bar"] or (cursor["inside"] and cursor["bar"] == fills[seen]["bar"] and fills[seen]["reason"] != REASON["end"])):
            book(run, fills[seen])
            seen += 1
    run.finish()
    return run.outcome([task])


def book(run: Simulation, fill: np.void) -> None:
    what = (float(fill["lots"]), float(fill["price"]), np.nan, float(fill["commission"]), int(fill["ts"]), int(fill["reason"]))
    if fill["reason"] in (REASON["market"], REASON["stop"], REASON["limit"]):
        assert run.between(kernel.book_entry, 0, int(fill["order"]), *what) == fill["trade"]
    else:
        assert run.between(kernel.book_exit, int(fill["trade"]), *what)


@pytest.mark.parametrize("seed", range(3))
def test_a_broker_that_fills_as_the_model_leaves_the_account_as_the_model(seed):
    random = Random(seed)
    task = decided(random, walk(random))
    model, broker = by_the_model(task)[0], by_a_broker(task)
    assert len(model.trades) > 5 and len(broker.trades) == len(model.trades)
    for name in SAME:
        if model.trades[name].dtype.kind == "f":
            np.testing.assert_allclose(broker.trades[name], model.trades[name], rtol=1e-12, atol=1e-9, err_msg=name)
        else:
            assert broker.trades[name].astype(str).tolist() == model.trades[name].astype(str).tolist(), name
    for name in ("balance", "equity", "used_margin"):
        np.testing.assert_allclose(broker.equity[name][:-1], model.equity[name][:-1], rtol=1e-12, atol=1e-6, err_msg=name)
    assert moves(broker, model) == moves(model, model) and len(moves(model, model)) > 5


def moves(outcome: Outcome, model: Outcome) -> list[tuple]:
    """Of the stops, but for positions that a limit order opened: their bar may have been better before the fill, which the model knows at its open only."""
    limits = model.fills[model.fills["reason"].astype(str) == "limit"]["trade_id"]
    rows = outcome.moves[~outcome.moves["trade_id"].isin(limits)]
    return list(rows[["trade_id", "bar_ts", "stop_loss"]].itertuples(index=False, name=None))


def test_parts_of_an_order_are_one_position_at_their_average():
    task = task_of(bars_of(*[(1.1000, 1.1010, 1.0990, 1.1000)] * 4), dict(at=0, side="long", lots=0.3, stop_loss=1.0900))
    prepared = prepare([task], RULES)
    prepared.inputs["tasks"]["outside"] = 1
    run = Simulation(prepared, RULES.account)
    run.step(3)
    first = run.between(kernel.book_entry, 0, 0, 0.1, 1.1000, np.nan, 0.5, 0, REASON["market"])
    again = run.between(kernel.book_entry, 0, 0, 0.2, 1.1003, np.nan, 1.0, 0, REASON["market"])
    assert first == again == 1 and run.arrays["account"][0]["waiting"] == 0
    held = run.arrays["positions"][0]
    assert (held["lots"], held["costs"]) == (pytest.approx(0.3), 1.5) and held["price"] == pytest.approx(1.1002)
    run.between(kernel.book_financing, 1, -2.0)
    assert not run.between(kernel.book_exit, 7, 0.1, 1.1, np.nan, 0.0, 0, REASON["manual"]) and not run.between(kernel.book_financing, 7, 1.0)
    run.between(kernel.book_exit, 1, 0.3, 1.1012, np.nan, 1.5, 0, REASON["stop_loss"])
    run.to_end()
    trade = run.outcome([task]).trades.iloc[0]
    assert (trade["lots"], trade["costs"], trade["swap"]) == (pytest.approx(0.3), 3.0, -2.0) and trade["pnl"] == pytest.approx(0.3 * 100_000 * 0.0010 - 5.0)


def test_on_such_a_series_nothing_is_filled_by_the_kernel():
    rows = [(1.1000, 1.1010, 1.0990, 1.1000)] * 2 + [(1.1000, 1.2000, 1.0000, 1.1000)] * 4
    limit = dict(at=0, side="long", order="limit", price=1.0995, valid_bars=3.0, lots=0.1, tag="b")
    task = task_of(bars_of(*rows), dict(at=0, side="long", lots=0.3, stop_loss=1.0900, target_1=1.1050), limit)
    prepared = prepare([task], RULES)
    prepared.inputs["tasks"]["outside"] = 1
    run = Simulation(prepared, RULES.account)
    run.to_end()
    outcome = run.outcome([task])
    assert outcome.fills.empty and outcome.counts["expired"] == 1
