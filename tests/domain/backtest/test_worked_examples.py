"""The worked examples of docs/execution.md, each a test of the kernel and of the reference implementation."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from tests.reference.worked import BAR_1, BEFORE, COSTS, bars_of, bought_at_bar_0, only_trade, task_of


def test_example_1_a_long_reaches_its_target(run):
    outcome = run(bought_at_bar_0((1.1005, 1.1045, 1.1000, 1.1030)))
    trade = only_trade(outcome)
    assert outcome.fills["price"].tolist() == [1.1002, 1.1040]
    assert (trade.exit_reason, trade.bars_held) == ("target_1", 1)
    assert trade.pnl == pytest.approx(380.00)
    assert trade.r == pytest.approx(1.7273, abs=5e-5)


@pytest.mark.parametrize(("intrabar", "pnl", "r"), [("pessimistic", -220.0, -1.0), ("optimistic", 380.0, 1.7273), ("path", -220.0, -1.0)])
def test_example_2_stop_and_target_inside_one_bar(run, intrabar, pnl, r):
    outcome = run(bought_at_bar_0((1.1005, 1.1045, 1.0975, 1.1030)), execution=Execution(intrabar))
    trade = only_trade(outcome)
    assert trade.pnl == pytest.approx(pnl)
    assert trade.r == pytest.approx(r, abs=5e-5)
    assert outcome.equity["equity_low"].iloc[-1] == pytest.approx(9_780.00)
    assert outcome.ambiguous == 1


def test_example_3_the_stop_is_gapped_through(run):
    trade = only_trade(run(bought_at_bar_0((1.0970, 1.1045, 1.0965, 1.1030))))
    assert trade.exit_price == 1.0970
    assert trade.pnl == pytest.approx(-320.00)
    assert trade.r == pytest.approx(-1.4545, abs=5e-5)


def test_example_4_a_short_is_stopped_by_the_ask(run):
    bars = bars_of(BEFORE, BAR_1, (1.1005, 1.1018, 1.1000, 1.1010))
    trade = only_trade(run(task_of(bars, {"at": 0, "side": "short", "stop_loss": 1.1020})))
    assert (trade.entry_price, trade.exit_price, trade.exit_reason) == (1.1000, 1.1020, "stop_loss")
    assert trade.pnl == pytest.approx(-200.00)


def test_example_5_half_at_the_target_and_the_rest_at_break_even(run):
    bars = bars_of(BEFORE, BAR_1, (1.1005, 1.1025, 1.1000, 1.1015), (1.1015, 1.1016, 1.0995, 1.1000))
    protection = {"target_1": 1.1022, "fraction_1": 0.5, "target_2": 1.1042, "fraction_2": 0.5, "break_even_r": 1, "break_even_offset": 0}
    outcome = run(task_of(bars, {"at": 0, "side": "long", "stop_loss": 1.0982, **protection}))
    trade = only_trade(outcome)
    assert outcome.fills["reason"].tolist() == ["market", "target_1", "break_even"]
    assert outcome.fills["price"].tolist() == [1.1002, 1.1022, 1.1002]
    assert outcome.fills["lots"].tolist() == [1.0, 0.5, 0.5]
    assert trade.pnl == pytest.approx(100.00)
    assert trade.r == pytest.approx(0.5)


def test_example_6_fraction_at_risk(run):
    at_risk = Sizing("fraction_at_risk", 0.01)
    euro = run(task_of(bars_of(BEFORE, BAR_1, BAR_1), {"at": 0, "side": "long", "stop_loss": 1.0980}), sizing=at_risk)
    assert euro.fills["lots"].iloc[0] == 0.45
    flat = (109.99, 109.99, 109.99, 109.99)
    yen = task_of(bars_of(flat, flat, flat), {"at": 0, "side": "long", "stop_loss": 110.01 - 0.22}, traded=instrument("USDJPY"))
    assert run(yen, costs=Costs(spread=0.02), sizing=at_risk).fills["lots"].iloc[0] == 0.50


def test_example_7_a_target_below_the_lot_step(run):
    bars = bars_of(BEFORE, (1.1000, 1.1005, 1.0995, 1.1005), (1.1005, 1.1022, 1.1000, 1.1015))
    targets = {"target_1": 1.1010, "fraction_1": 0.5, "target_2": 1.1020, "fraction_2": 0.5, "lots": 0.01}
    outcome = run(task_of(bars, {"at": 0, "side": "long", **targets}))
    assert outcome.counts["target_below_step"] == 1
    assert outcome.fills[["reason", "lots"]].to_numpy().tolist() == [["market", 0.01], ["target_2", 0.01]]
    assert run(task_of(bars, {"at": 0, "side": "long", "lots": 0.29})).fills["lots"].iloc[0] == 0.29


def test_example_8_swap_over_the_triple_day(run):
    bars = bars_of(*[BEFORE] * 50, start="2024-07-09T15:00Z")  # 11:00 in New York: filled at 12:00, out on Thursday at 12:00
    task = task_of(bars, {"at": 0, "side": "long"}, {"at": 48, "side": "", "order": "exit"})
    trade = only_trade(run(task, costs=dataclasses.replace(COSTS, swap_long=-6.50)))
    assert trade.exit_ts - trade.entry_ts == pd.Timedelta(days=2)
    assert trade.swap == pytest.approx(-26.00)


def test_example_9_yen_at_the_last_mid_known_at_the_open(run):
    flat = (110.50, 110.50, 110.50, 110.50)
    bars = bars_of(flat, flat, (110.50, 110.50, 110.19, 110.19), (109.98, 120.0, 109.98, 120.0))
    task = task_of(bars, {"at": 0, "side": "short"}, {"at": 2, "side": "short", "order": "exit"}, traded=instrument("USDJPY"))
    trade = only_trade(run(task, costs=Costs(spread=0.02)))
    assert (trade.entry_price, trade.exit_price) == (110.50, 110.00)
    assert trade.pnl == pytest.approx(453.72, abs=5e-3)


def test_example_10_a_grid_is_one_trade(run):
    gold = instrument("XAUUSD")
    rows = [(1949.90, 1949.90, 1949.90, 1949.90)] * 2 + [(1948.0, 1948.5, 1944.0, 1946.0), (1946.0, 1950.0, 1945.5, 1949.0)]
    grid = {"grid_spacing": 5, "grid_max_adds": 1, "grid_lots_factor": 1.5, "grid_basket_target": 2, "lots": 0.10}
    outcome = run(task_of(bars_of(*rows), {"at": 0, "side": "buy", **grid}, traded=gold), costs=Costs(spread=0.10))
    trade = only_trade(outcome)
    assert outcome.fills[["reason", "lots", "price"]].to_numpy().tolist() == [
        ["market", 0.10, 1950.0],
        ["grid", 0.15, 1945.0],
        ["target_1", 0.25, 1949.0],
    ]
    assert (trade.entry_price, trade.lots) == (pytest.approx(1947.0), 0.25)
    assert trade.pnl == pytest.approx(50.00)


@pytest.mark.parametrize(("first", "adds"), [({"grid_first_factor": 2.0}, [0.20, 0.30]), ({}, [0.15, 0.22])], ids=["first", "empty"])
def test_example_15_the_first_add_has_a_factor_of_its_own(run, first, adds):
    rows = [(1949.90, 1949.90, 1949.90, 1949.90)] * 2 + [(1948.0, 1948.5, 1944.0, 1946.0), (1946.0, 1946.0, 1939.0, 1940.0), (1940.0, 1950.0, 1939.5, 1949.0)]
    grid = {"grid_spacing": 5, "grid_max_adds": 2, "grid_lots_factor": 1.5, "grid_basket_target": 2, "lots": 0.10} | first
    outcome = run(task_of(bars_of(*rows), {"at": 0, "side": "buy", **grid}, traded=instrument("XAUUSD")), costs=Costs(spread=0.10))
    lots = [0.10, *adds]
    average = sum(size * price for size, price in zip(lots, (1950.0, 1945.0, 1940.0), strict=True)) / sum(lots)
    assert outcome.fills["lots"].tolist() == pytest.approx([*lots, sum(lots)])
    assert outcome.fills["price"].tolist() == pytest.approx([1950.0, 1945.0, 1940.0, average + 2.0])
    assert only_trade(outcome).pnl == pytest.approx(2.00 * 100 * sum(lots))


def test_example_11_a_dropped_order_leaves_its_sibling_live(run):
    bars = bars_of(BEFORE, BEFORE, (1.1000, 1.1012, 1.0985, 1.1000), BEFORE)
    first = {"at": 0, "side": "long", "tag": "a", "lots": 0.1}
    buy = {"at": 0, "side": "buy", "order": "stop", "price": 1.1010, "tag": "a", "oco": "x", "lots": 0.1}
    sell = {"at": 0, "side": "sell", "order": "stop", "price": 1.0990, "tag": "b", "oco": "x", "lots": 0.1}
    outcome = run(task_of(bars, first, buy, sell))
    assert (outcome.counts["duplicate_tag"], outcome.counts["oco_cancelled"]) == (1, 0)
    assert outcome.fills["reason"].tolist()[:2] == ["market", "stop"]
    assert outcome.trades["tag"].tolist() == ["a", "b"]


MODES = ("pessimistic", "optimistic", "path", "magnify")


def entered_inside(run, intrabar: str, low: float = 1.0995, **signal):
    bars = bars_of(BEFORE, (1.1000, 1.1025, low, 1.1012), (1.1012, 1.1012, 1.1012, 1.1012))
    task = task_of(bars, {"at": 0, "side": "buy", "stop_loss": 1.0990, "target_1": 1.1020, **signal})
    if intrabar == "magnify":   # one finer bar, which is the bar itself
        task = dataclasses.replace(task, finer=bars, finer_timeframe=Timeframe.named("M30"))
    return run(task, costs=Costs(spread=0.0), execution=Execution(intrabar))


@pytest.mark.parametrize("intrabar", MODES)
def test_example_12_a_target_beyond_the_trigger_of_a_stop_entry_is_certain(run, intrabar):
    outcome = entered_inside(run, intrabar, order="stop", price=1.1010)
    trade = only_trade(outcome)
    assert outcome.fills[["reason", "price"]].to_numpy().tolist() == [["stop", 1.1010], ["target_1", 1.1020]]
    assert (trade.bars_held, outcome.ambiguous) == (0, 0)
    assert trade.pnl == pytest.approx(100.00)
    assert (trade.r, trade.mfe_r) == (pytest.approx(0.5), pytest.approx(0.5))
    assert trade.mae_r == pytest.approx(0.75)


@pytest.mark.parametrize(("intrabar", "reason", "pnl"), [(mode, "target_1" if mode == "optimistic" else "stop_loss", 100.0 if mode == "optimistic" else -200.0) for mode in MODES])
def test_example_12_the_stop_of_a_stop_entry_is_tested_first(run, intrabar, reason, pnl):
    outcome = entered_inside(run, intrabar, 1.0985, order="stop", price=1.1010)
    trade = only_trade(outcome)
    assert (trade.exit_reason, trade.bars_held, outcome.ambiguous) == (reason, 0, 1)
    assert trade.pnl == pytest.approx(pnl)


@pytest.mark.parametrize("intrabar", MODES)
def test_example_12_a_limit_entry_is_open_at_the_end_of_the_bar(run, intrabar):
    outcome = entered_inside(run, intrabar, order="limit", price=1.0998)
    trade = only_trade(outcome)
    assert (trade.exit_reason, trade.exit_price, trade.bars_held) == ("end", 1.1012, 1)
    assert trade.mfe_r == pytest.approx((1.1012 - 1.0998) / 0.0008)


@pytest.mark.parametrize(("intrabar", "order", "price"), [(mode, order, price) for mode in MODES for order, price in (("stop", 1.0995), ("limit", 1.1005), ("stop", 1.1000), ("limit", 1.1000))])
def test_an_entry_that_the_open_is_already_through_lives_through_the_whole_bar(run, intrabar, order, price):
    outcome = entered_inside(run, intrabar, order=order, price=price)
    trade = only_trade(outcome)
    assert (trade.entry_price, trade.exit_reason, trade.exit_price, trade.bars_held) == (1.1000, "target_1", 1.1020, 0)


@pytest.mark.parametrize("intrabar", MODES)
@pytest.mark.parametrize(("order", "price", "trigger_r", "moves"), [("stop", 1.1010, 0.7, True), ("limit", 1.0998, 3.0, False), ("limit", 1.1000, 2.0, True)])
def test_break_even_looks_at_the_whole_extreme_after_a_stop_entry_and_at_the_close_after_a_limit_entry(run, intrabar, order, price, trigger_r, moves):
    """The trigger is between close and high; the next bar falls through the entry."""
    bars = bars_of(BEFORE, (1.1000, 1.1025, 1.0995, 1.1012), (1.1012, 1.1012, 1.0996, 1.0996))
    task = task_of(bars, {"at": 0, "side": "buy", "stop_loss": 1.0990, "order": order, "price": price, "break_even_r": trigger_r})
    if intrabar == "magnify":
        task = dataclasses.replace(task, finer=bars, finer_timeframe=Timeframe.named("M30"))
    trade = only_trade(run(task, costs=Costs(spread=0.0), execution=Execution(intrabar)))
    assert trade.exit_reason == ("break_even" if moves else "end")


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_inside_means_inside_the_finer_bar(run, side):
    """The finer bar after the one of a limit entry counts whole, and so does one that opens through the limit."""
    sign, mirror = (1, 0.0) if side == "buy" else (-1, 2.2)
    finer = [(1.1000, 1.1030, 1.1000, 1.1002), (1.1002, 1.1004, 1.0997, 1.1000), (1.1000, 1.1021, 1.1000, 1.1001), (1.1001, 1.1001, 1.1001, 1.1001)]
    turned = [tuple(round(mirror + sign * row[k], 4) for k in ((0, 1, 2, 3) if sign > 0 else (0, 2, 1, 3))) for row in finer]
    coarse = (turned[0][0], max(row[1] for row in turned), min(row[2] for row in turned), turned[-1][3])
    before = (coarse[0],) * 4
    task = task_of(bars_of(before, coarse, (coarse[3],) * 4), {
        "at": 0, "side": side, "order": "limit", "price": round(mirror + sign * 1.0998, 4), "stop_loss": round(mirror + sign * 1.0990, 4), "target_1": round(mirror + sign * 1.1020, 4),
    })  # fmt: skip
    small = bars_of(*turned, start="2024-07-10T07:00Z", every="15min")
    task = dataclasses.replace(task, finer=small, finer_timeframe=Timeframe.named("M15"))
    trade = only_trade(run(task, costs=Costs(spread=0.0), execution=Execution("magnify")))
    assert (trade.exit_reason, trade.bars_held) == ("target_1", 0)
