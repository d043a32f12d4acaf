"""Costs in pips, and of single instruments."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from domain.backtest.prepare import prepare
from domain.errors import BadRequest, UnknownName
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.params import build, values_of
from domain.trading.account import Account
from domain.trading.cost_units import in_pips, overlaid, without_unit
from domain.trading.costs import Costs
from domain.trading.rules import Rules
from domain.trading.task import Rate
from tests.reference.worked import bars_of, task_of

EURO, YEN = instrument("EURUSD"), instrument("USDJPY")


def test_values_survive_json_and_are_hashable():
    costs = build(Costs, {"unit": "pip", "slippage": 0.2, "EURUSD": {"spread": 0.8}, "instruments": {"USDJPY": {"swap_long": -6.5}}})
    again = build(Costs, json.loads(json.dumps(values_of(costs))))
    assert again == costs and hash(again) == hash(costs)
    assert costs.instruments == {"EURUSD": {"spread": 0.8}, "USDJPY": {"swap_long": -6.5}}
    with pytest.raises(TypeError):
        costs.instruments["EURUSD"] = {}


def test_what_an_instrument_costs_is_its_own_then_that_of_all_then_its_default():
    costs = build(Costs, {"unit": "pips", "slippage": 0.3, "commission_per_lot": 3.0, "swap_long": -1.0, "USDJPY": {"slippage": 3, "commission_per_lot": 0.0, "swap_long": 2.0}})
    euro, yen = costs.of(EURO), costs.of(YEN)
    assert (euro.slippage, euro.commission_per_lot, euro.swap_long, euro.spread) == (0.00003, 3.0, -1.0, EURO.spread)
    assert (yen.slippage, yen.commission_per_lot, yen.swap_long, yen.spread) == (0.03, 0.0, 2.0, YEN.spread)
    assert replace(costs, slippage_kind="atr").of(YEN).slippage == 3.0


@pytest.mark.parametrize("values", [dict(slippage=0.00002), dict(spread=0.0001), dict(slippage=0.1, slippage_kind="random")])
def test_one_number_of_price_units_is_refused_where_pips_differ(values):
    with pytest.raises(BadRequest, match=r"EURUSD \(0\.0001\), USDJPY \(0\.01\)"):
        Costs(**values).check([EURO, YEN])


@pytest.mark.parametrize("values", [dict(slippage=0.5, slippage_kind="atr"), dict(), dict(slippage=0.2, spread=0.8, unit="pips"), dict(slippage=0.00002, USDJPY=dict(slippage=0.002))])
def test_what_each_instrument_has_in_its_own_measure_is_not_refused(values):
    build(Costs, values).check([EURO, YEN])


@pytest.mark.parametrize(("values", "match"), [
    (dict(EURUSD=dict(seed=3)), r"\[costs.EURUSD\] seed holds for all"), (dict(EURUSD=dict(spraed=3)), "did you mean 'spread'"), (dict(EURUSD=dict(spread=-1)), r"\[costs.EURUSD\] spread is -1"),
    (dict(unit="points"), "no unit named 'points'"),
])  # fmt: skip
def test_bad_costs_are_a_sentence(values, match):
    with pytest.raises(BadRequest, match=match):
        build(Costs, values)


def test_an_instrument_that_is_not_known_is_named():
    with pytest.raises(UnknownName, match="did you mean 'EURUSD'"):
        build(Costs, dict(EURSUD=dict(spread=1))).check_names(["EURUSD", "USDJPY"])


def test_costs_stored_before_they_had_a_unit_keep_their_price_units():
    costs = build(Costs, without_unit(dict(slippage=0.0002, spread=None), ["EURUSD", "USDJPY"]))
    costs.check([EURO, YEN])
    assert costs.of(EURO).slippage == costs.of(YEN).slippage == 0.0002


@pytest.mark.parametrize("values", [dict(slippage=0.00002, spread=0.0001), dict(slippage=0.002, USDJPY=dict(slippage=0.003, swap_long=1.0)), dict(slippage=0.3, slippage_kind="atr", spread=0.01), dict()])
def test_a_form_shows_in_pips_what_means_the_same(values):
    old = build(Costs, without_unit(Costs.arranged(values), ["USDJPY", "EURUSD"]))
    new = build(Costs, in_pips(values_of(old), [YEN, EURO]))
    assert new.unit == "pips" and (new.of(EURO), new.of(YEN)) == (old.of(EURO), old.of(YEN))


def test_overrides_in_another_unit_do_not_mix():
    merged = build(Costs, overlaid(values_of(Costs(spread=0.00013, slippage=0.0001, seed=4)), dict(unit="pips", commission_per_lot=3.0)))
    assert merged == Costs(unit="pips", commission_per_lot=3.0, seed=4)
    assert overlaid(values_of(Costs(spread=0.00013)), dict(slippage=0.1))["spread"] == 0.00013


def both(costs: Costs, run):
    """EURUSD and USDJPY on one account, each bought at the market and closed by an exit."""
    euro, yen = [(1.1, 1.1, 1.1, 1.1)] * 4, [(110.0, 110.0, 110.0, 110.0)] * 4
    orders = {"at": 0, "side": "long", "lots": 0.1}, {"at": 1, "side": "", "order": "exit"}
    return run([task_of(bars_of(*euro), *orders), task_of(bars_of(*yen), *orders, traded=YEN)], costs=costs)


def test_a_fifth_of_a_pip_is_each_instruments_own(run):
    fills = both(Costs(unit="pips", spread=0.0, slippage=0.2), run).fills.astype({"instrument": str})
    assert fills.loc[fills["instrument"] == "EURUSD", "price"].tolist() == pytest.approx([1.10002, 1.09998], abs=1e-12)
    assert fills.loc[fills["instrument"] == "USDJPY", "price"].tolist() == pytest.approx([110.002, 109.998], abs=1e-9)


def test_each_instrument_pays_its_own_spread_and_commission(run):
    costs = build(Costs, {"unit": "pips", "spread": 1.0, "commission_per_lot": 3.0, "USDJPY": {"spread": 2.0, "commission_per_lot": 7.0}})
    fills = both(costs, run).fills.astype({"instrument": str})
    euro, yen = (fills[fills["instrument"] == name] for name in ("EURUSD", "USDJPY"))
    assert (euro["price"].iloc[0], yen["price"].iloc[0]) == (1.1001, 110.02)
    assert (euro["commission"].iloc[0], yen["commission"].iloc[0]) == (pytest.approx(0.3), pytest.approx(0.7))
    assert euro["spread_cost"].sum() == pytest.approx(1.0)          # a pip of 0.1 lots is one dollar
    assert yen["spread_cost"].sum() == pytest.approx(2 * 100 / 110.0, rel=1e-3)


def test_both_are_refused_in_price_units(run):
    with pytest.raises(BadRequest):
        both(Costs(slippage=0.00002), run)


def test_a_pair_that_only_converts_money_does_not_take_a_spread_of_other_pips():
    """USD/JPY for an account in EUR: the 0.02 of the yen is no spread of EUR/USD."""
    yen = task_of(bars_of(*[(110.0,) * 4] * 3), {"at": 0, "side": "long"}, traded=YEN)
    euro = Rate(EURO, Timeframe.named("H1"), bars_of(*[(1.1,) * 4] * 3, start="2024-07-10T05:00Z"))
    rate = prepare([yen], Rules(Account(currency="EUR"), Costs(spread=0.02)), [euro]).inputs["rate"]
    assert rate[0, -1] == pytest.approx(1.0 / (110.01 * (1.1 + EURO.spread / 2)), rel=1e-9)
