"""Stress tests: the same request with higher costs, delayed fills, and adverse or favourable intrabar order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import account_calendar, measure
from domain.backtest.bench import Bench, Signals, within
from domain.backtest.series import spread_of
from domain.backtest.simulator import Watch
from domain.backtest.study import Rules, Series
from domain.market.instrument import Instrument
from domain.strategies import Strategy
from domain.trading.costs import Costs
from domain.trading.task import Rate

FIGURES = ("trades", "net_return", "net_profit", "max_drawdown", "sharpe", "profit_factor", "expectancy_r")
CURVE = 200         # points of a scenario's equity that are stored for drawing


@dataclass(frozen=True)
class ScenarioInputs:
    """The inputs that a scenario may change."""

    series: Sequence[Series]
    rules: Rules
    signals: Sequence[Signals]


@dataclass(frozen=True)
class Scenario:
    title: str
    definition: str
    change: Callable[[ScenarioInputs], ScenarioInputs]


def spread_times(factor: float) -> Callable[[ScenarioInputs], ScenarioInputs]:
    def change(inputs: ScenarioInputs) -> ScenarioInputs:
        return replace(inputs, series=[_dearer(entry, factor, inputs.rules.costs) for entry in inputs.series])

    return change


def _dearer(market_series: Series, factor: float, costs: Costs) -> Series:
    finer = None if market_series.finer is None else market_series.finer.assign(spread=spread_of(market_series.finer, market_series.instrument, market_series.timeframe, costs) * factor)
    return replace(market_series, bars=market_series.bars.assign(spread=spread_of(market_series.bars, market_series.instrument, market_series.timeframe, costs) * factor), finer=finer)


def slippage_pips(pips: float) -> Callable[[ScenarioInputs], ScenarioInputs]:
    """That many pips of each instrument more. Slippage that is not fixed becomes three times as much."""

    def change(inputs: ScenarioInputs) -> ScenarioInputs:
        costs = inputs.rules.costs

        def more(slippage: float, instrument: Instrument) -> float:
            return slippage + pips * (1.0 if costs.unit == "pips" else instrument.pip) if costs.slippage_kind == "fixed" else 3.0 * slippage

        return _with_costs(inputs, costs.changed(_instruments(inputs), "slippage", more))

    return change


def commission_times(factor: float) -> Callable[[ScenarioInputs], ScenarioInputs]:
    def change(inputs: ScenarioInputs) -> ScenarioInputs:
        return _with_costs(inputs, inputs.rules.costs.changed(_instruments(inputs), "commission_per_lot", lambda commission, _: factor * commission))

    return change


def _with_costs(inputs: ScenarioInputs, costs: Costs) -> ScenarioInputs:
    return replace(inputs, rules=replace(inputs.rules, costs=costs))


def _instruments(inputs: ScenarioInputs) -> list[Instrument]:
    return [entry.instrument for entry in inputs.series]


def intrabar(kind: str) -> Callable[[ScenarioInputs], ScenarioInputs]:
    def change(inputs: ScenarioInputs) -> ScenarioInputs:
        return replace(inputs, rules=replace(inputs.rules, execution=replace(inputs.rules.execution, intrabar=kind)))

    return change


def bars_late(count: int) -> Callable[[ScenarioInputs], ScenarioInputs]:
    """Decided at the same prices, acted on later; signals that would fall behind the last bar are lost."""

    def change(inputs: ScenarioInputs) -> ScenarioInputs:
        return replace(inputs, signals=[_later(table, entry.bars["ts"], count) for table, entry in zip(inputs.signals, inputs.series, strict=True)])

    return change


def _later(signals: Signals, ts: pd.Series, count: int) -> Signals:
    columns, trail = signals
    at = ts.searchsorted(columns["ts"]) + count
    inside = at < len(ts)
    return {name: column[inside] for name, column in columns.items()} | dict(ts=ts.array[at[inside]]), trail


SCENARIOS: Mapping[str, Scenario] = {
    "base": Scenario("Base case", "The run itself.", lambda inputs: inputs),
    "spread_2": Scenario("Spread × 2", "Every bar's spread doubled.", spread_times(2.0)),
    "spread_3": Scenario("Spread × 3", "Every bar's spread three times as wide.", spread_times(3.0)),
    "slippage_1": Scenario("Slippage + 1 pip", "One pip of each instrument more at every market and stop fill; slippage by ATR or at random: three times as much.", slippage_pips(1.0)),
    "commission_2": Scenario("Commission × 2", "Commission doubled.", commission_times(2.0)),
    "late": Scenario("One bar late", "Every signal acted on one bar later, at the prices it named.", bars_late(1)),
    "pessimistic": Scenario("Stops first", "Where a bar reaches both, the stop comes first.", intrabar("pessimistic")),
    "path": Scenario("Along a path", "Where a bar reaches both, the nearer extreme comes first.", intrabar("path")),
    "optimistic": Scenario("Targets first", "Where a bar reaches both, the target comes first.", intrabar("optimistic")),
}


@dataclass(frozen=True)
class Stressed:
    """``table``: a row a scenario. ``curves``: ts, scenario, equity, thinned."""

    table: pd.DataFrame
    curves: pd.DataFrame


def stress(series: Sequence[Series], rules: Rules, strategy: Strategy, rates: Sequence[Rate] = (), names: Sequence[str] = tuple(SCENARIOS), watch: Watch = lambda share: None) -> Stressed:
    """Every scenario on the same signals."""
    inputs = ScenarioInputs(series, rules, Bench(series, rates).signals(strategy))
    rows, curves = [], []
    for k, name in enumerate(names):
        watch(k / len(names))
        metrics, equity = _replayed(SCENARIOS[name].change(inputs), strategy, rates, within(watch, k / len(names), (k + 1) / len(names)))
        rows.append(dict(scenario=name, title=SCENARIOS[name].title, **{key: np.nan if metrics[key] is None else float(metrics[key]) for key in FIGURES}))
        at = np.unique(np.linspace(0, len(equity) - 1, CURVE).astype(int))
        curves.append(equity.iloc[at][["ts", "equity"]].assign(scenario=name))
    table = pd.DataFrame(rows)
    return Stressed(table.assign(change=table["net_return"] - table["net_return"].iloc[0]), pd.concat(curves, ignore_index=True))


def _replayed(inputs: ScenarioInputs, strategy: Strategy, rates: Sequence[Rate], watch: Watch) -> tuple[Mapping[str, Any], pd.DataFrame]:
    run, tasks = Bench(inputs.series, rates).simulation(strategy, inputs.rules, signals=inputs.signals)
    run.to_end(watch)
    outcome = run.outcome(tasks)
    market = account_calendar(entry.instrument.calendar for entry in inputs.series)
    return measure(outcome.trades, outcome.fill_costs, outcome.equity, inputs.rules.account.balance, market=market), outcome.equity
