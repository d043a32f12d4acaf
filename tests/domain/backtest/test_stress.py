"""Each scenario is the run that a person would ask for by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.backtest import study
from domain.backtest.stress import SCENARIOS, stress
from domain.features import compute
from domain.strategies import STRATEGIES
from domain.trading.execution import Execution
from tests.domain.backtest.points import RULES, series

ONE = series()
STRATEGY = STRATEGIES["breakout"](lookback=20, quiet=0.0)
TABLE = stress([ONE], RULES, STRATEGY).table.set_index("scenario")
SPREAD = ONE.instrument.spread


def later(count: int):
    signals = STRATEGY.signals(compute(ONE.bars, STRATEGY.features()))
    return signals.assign(ts=signals["ts"].map(dict(zip(ONE.bars["ts"], ONE.bars["ts"].shift(-count), strict=True)))).dropna(subset="ts")


BY_HAND = {
    "base": lambda: study.run([ONE], RULES, STRATEGY),
    "spread_2": lambda: study.run([replace(ONE, bars=ONE.bars.assign(spread=2 * ONE.bars.get("spread", SPREAD)))], RULES, STRATEGY),
    "spread_3": lambda: study.run([replace(ONE, bars=ONE.bars.assign(spread=3 * ONE.bars.get("spread", SPREAD)))], RULES, STRATEGY),
    "slippage_1": lambda: study.run([ONE], replace(RULES, costs=replace(RULES.costs, slippage=RULES.costs.slippage + 0.0001)), STRATEGY),
    "commission_2": lambda: study.run([ONE], replace(RULES, costs=replace(RULES.costs, commission_per_lot=6.0)), STRATEGY),
    "late": lambda: study.run([ONE], RULES, signals=later(1)),
    **{name: lambda name=name: study.run([ONE], replace(RULES, execution=Execution(name)), STRATEGY) for name in ("pessimistic", "path", "optimistic")},
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_the_run_asked_by_hand(name):
    metrics = BY_HAND[name]().metrics
    assert TABLE.loc[name, "net_profit"] == pytest.approx(metrics["net_profit"], abs=1e-6) and TABLE.loc[name, "trades"] == metrics["trades"] > 20


def test_dearer_is_worse():
    net = TABLE["net_return"]
    assert net["base"] > net["spread_2"] > net["spread_3"] and net["base"] > net["slippage_1"] and net["base"] > net["commission_2"]
    assert net["pessimistic"] <= net["optimistic"] and TABLE.loc["base", "change"] == 0.0
