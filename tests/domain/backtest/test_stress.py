"""Each scenario equals the run with the same settings made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.backtest import study
from domain.backtest.bench import Bench
from domain.backtest.stress import SCENARIOS, ScenarioInputs, stress
from domain.backtest.study import Rules, Series
from domain.backtest.sweep import SweepRequest, evaluate
from domain.features import compute
from domain.market.instrument import instrument
from domain.optimise import combinations
from domain.params import build
from domain.strategies import STRATEGIES
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from tests.domain.backtest.points import RULES, series

EURUSD = series()
STRATEGY = STRATEGIES["breakout"](lookback=20, quiet=0.0)
TABLE = stress([EURUSD], RULES, STRATEGY).table.set_index("scenario")
SPREAD = EURUSD.instrument.spread


def later(count: int):
    signals = STRATEGY.signals(compute(EURUSD.bars, STRATEGY.features()))
    return signals.assign(ts=signals["ts"].map(dict(zip(EURUSD.bars["ts"], EURUSD.bars["ts"].shift(-count), strict=True)))).dropna(subset="ts")


BY_HAND = {
    "base": lambda: study.run([EURUSD], RULES, STRATEGY),
    "spread_2": lambda: study.run([replace(EURUSD, bars=EURUSD.bars.assign(spread=2 * EURUSD.bars.get("spread", SPREAD)))], RULES, STRATEGY),
    "spread_3": lambda: study.run([replace(EURUSD, bars=EURUSD.bars.assign(spread=3 * EURUSD.bars.get("spread", SPREAD)))], RULES, STRATEGY),
    "slippage_1": lambda: study.run([EURUSD], replace(RULES, costs=replace(RULES.costs, slippage=RULES.costs.slippage + 0.0001)), STRATEGY),
    "commission_2": lambda: study.run([EURUSD], replace(RULES, costs=replace(RULES.costs, commission_per_lot=6.0)), STRATEGY),
    "late": lambda: study.run([EURUSD], RULES, signals=later(1)),
    **{name: lambda name=name: study.run([EURUSD], replace(RULES, execution=Execution(name)), STRATEGY) for name in ("pessimistic", "path", "optimistic")},
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_equals_the_run_made_by_hand(name):
    metrics = BY_HAND[name]().metrics
    assert TABLE.loc[name, "net_profit"] == pytest.approx(metrics["net_profit"], abs=1e-6) and TABLE.loc[name, "trades"] == metrics["trades"] > 20


def test_dearer_is_worse():
    net = TABLE["net_return"]
    assert net["base"] > net["spread_2"] > net["spread_3"] and net["base"] > net["slippage_1"] and net["base"] > net["commission_2"]
    assert net["pessimistic"] <= net["optimistic"] and TABLE.loc["base", "change"] == 0.0


@pytest.mark.parametrize(("costs", "slippage", "commission"), [
    (Costs(unit="pips", slippage=0.2, commission_per_lot=3.0), (0.00012, 0.012), (6.0, 6.0)),
    (build(Costs, {"EURUSD": {"slippage": 0.00002, "commission_per_lot": 1.0}, "USDJPY": {"slippage": 0.002}}), (0.00012, 0.012), (2.0, 0.0)),
    (Costs(slippage_kind="atr", slippage=0.1), (0.3, 0.3), (0.0, 0.0)),
], ids=["pips", "price units of each", "atr"])  # fmt: skip
def test_each_instrument_pays_a_pip_of_its_own_more_and_twice_its_own_commission(costs, slippage, commission):
    pair = EURUSD, Series(instrument("USDJPY"), EURUSD.timeframe, EURUSD.bars)
    inputs = ScenarioInputs(pair, Rules(costs=costs), [])
    dearer, doubled = (SCENARIOS[name].change(inputs).rules.costs for name in ("slippage_1", "commission_2"))
    assert tuple(dearer.of(traded.instrument).slippage for traded in pair) == pytest.approx(slippage)
    assert tuple(doubled.of(traded.instrument).commission_per_lot for traded in pair) == pytest.approx(commission)


def test_a_sweep_varies_the_slippage_of_one_instrument():
    few = SweepRequest("breakout", dict(lookback=20, quiet=0.0), replace(RULES, costs=Costs(unit="pips", slippage=0.2)), combinations("breakout", {"costs.EURUSD.slippage": [0.2, 5.0], "costs.slippage": [0.2]}))
    table = evaluate(Bench([EURUSD]), few, [0, 1]).table
    assert table["costs.EURUSD.slippage"].tolist() == [0.2, 5.0] and table["net_profit"][0] > table["net_profit"][1]
    by_hand = study.run([EURUSD], replace(RULES, costs=Costs(unit="pips", slippage=5.0)), STRATEGY)
    assert table["net_profit"][1] == pytest.approx(by_hand.metrics["net_profit"], abs=1e-6)
