"""A combination of a sweep is the run of the same parameters to the last bit, whichever way it is simulated."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.backtest.bench import Bench
from domain.backtest.lane.bars import lane_of
from domain.backtest.study import Rules, Series
from domain.backtest.sweep import evaluate
from domain.features import compute
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.optimise.objective import FIGURES
from domain.params import params_of, values_of
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.strategies import STRATEGIES
from domain.strategies.columns import OnColumns, Rows, columns_of
from domain.trading import Account, Costs, Execution
from tests.domain.backtest.points import RULES, request, series

CASES = int(os.environ.get("TIDEMARK_CASES", "64"))
PARTS = 4
START = pd.Timestamp("2024-06-26T00:00", tz="UTC")
TICK = 0.0001


@dataclass(frozen=True)
class Drawn:
    """Signals that were drawn."""

    table: pd.DataFrame = field(hash=False, compare=False)

    def features(self) -> tuple:
        return ()

    def signals(self, frame: pd.DataFrame) -> pd.DataFrame:
        return self.table.assign(ts=frame["ts"].array[self.table["ts"]])


def drawn_bars(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """Small whole numbers of ticks, so that levels are touched, gapped through and tied; with gaps, weekends and spreads that change."""
    gap = rng.integers(-3, 4, count) * (rng.random(count) < rng.choice([0.1, 0.5]))
    body = rng.integers(-6, 7, count)
    close = 11_000 + np.cumsum(gap + body)
    open_ = close - body
    high, low = np.maximum(open_, close) + rng.integers(0, 6, count), np.minimum(open_, close) - rng.integers(0, 6, count)
    ts = START + pd.to_timedelta(np.cumsum(np.where(rng.random(count) < 0.05, rng.integers(2, 30, count), 1)), "h")
    bars = pd.DataFrame(dict(ts=ts.as_unit("ns"), **{name: np.round(price * TICK, 5) for name, price in dict(open=open_, high=high, low=low, close=close).items()}))
    return bars.assign(spread=rng.choice([0.0, TICK, 2 * TICK, np.nan], count)) if rng.random() < 0.5 else bars


def drawn_signals(rng: np.random.Generator, bars: pd.DataFrame) -> pd.DataFrame:
    """Market orders of one protection, and in some cases exits."""
    at = np.sort(rng.choice(len(bars), rng.integers(0, len(bars)), replace=bool(rng.random() < 0.3)))
    side, price = rng.choice([-1, 1], len(at)), bars["close"].to_numpy()[at]
    far = rng.integers(1, rng.choice([6, 30]), (3, len(at))) * TICK
    columns: dict[str, Any] = dict(ts=at, side=side, stop_loss=price - side * far[0])
    kind = rng.choice(["one", "two", "in R", "two in R", "none"])
    if kind in ("one", "two"):
        columns |= dict(target_1=price + side * far[1])
    if kind == "two":
        shares = [(0.5, 0.5), (0.3, 0.7), (0.001, 0.4)][rng.integers(3)]
        columns |= dict(target_2=price + side * far[2], fraction_1=shares[0], fraction_2=shares[1])
    if kind in ("in R", "two in R"):
        columns |= dict(target_r_1=float(rng.choice([0.5, 1.0, 2.0])))
    if kind == "two in R":
        columns |= dict(target_r_2=float(rng.choice([1.0, 3.0])), fraction_1=0.5, fraction_2=0.5)
    if rng.random() < 0.4:
        columns |= dict(break_even_r=float(rng.choice([0.5, 1.0])), break_even_offset=float(rng.choice([0.0, TICK, -TICK])))
    if rng.random() < 0.4:
        columns |= dict(max_bars=float(rng.integers(1, 12)))
    if rng.random() < 0.2:
        columns["stop_loss"] = np.where(rng.random(len(at)) < 0.5, np.nan, columns["stop_loss"])
    if rng.random() < 0.2:
        columns |= dict(size=rng.choice([0.0, 0.5, 1.0, 2.0], len(at)))
    if rng.random() < 0.15:
        columns |= dict(lots=np.where(rng.random(len(at)) < 0.5, np.nan, 0.3))
    table = pd.DataFrame(columns)
    return table.assign(order=np.where(rng.random(len(at)) < 0.2, "exit", "market")) if rng.random() < 0.3 else table


def drawn_rules(rng: np.random.Generator) -> Rules:
    kind = str(rng.choice(["fixed", "fixed", "atr", "random"]))
    costs = Costs(
        spread=float(rng.choice([0.0, TICK])), slippage=dict(fixed=float(rng.choice([0.0, TICK / 2])), atr=0.1, random=TICK)[kind], slippage_kind=kind, slippage_window=5, seed=int(rng.integers(9)),
        commission_per_lot=float(rng.choice([0.0, 3.0])), commission_kind=str(rng.choice(["per_lot", "per_million", "bps"])),
        swap_long=float(rng.choice([0.0, -6.5])), swap_short=float(rng.choice([0.0, 1.5])),
    )  # fmt: skip
    sizing, value = [("fixed_lots", 0.337), ("fixed_lots", 500.0), ("notional", 3.0), ("fraction_at_risk", 0.01), ("fraction_at_risk", 0.2), ("volatility", 0.1)][rng.integers(6)]
    account = Account(float(rng.choice([300.0, 10_000.0, 1e6])), leverage=float(rng.choice([1.0, 30.0, 500.0])), stop_out=float(rng.choice([0.0, 0.5, 1.0])))
    execution = Execution(str(rng.choice(["pessimistic", "optimistic", "path"])), bool(rng.random() < 0.3))
    return Rules(account, costs, execution, Sizing(sizing, value, volatility_window=10))


def drawn(seed: int) -> tuple[Series, Drawn, Rules]:
    rng = np.random.default_rng(seed)
    bars = drawn_bars(rng, int(rng.integers(5, 400)))
    return Series(instrument("EURUSD"), Timeframe.named("H1"), bars, str(rng.choice(["bid", "bid", "mid"]))), Drawn(drawn_signals(rng, bars)), drawn_rules(rng)


def by_the_clock(bench: Bench, strategy: Any, rules: Rules, span: Any = None) -> Any:
    run, tasks = bench.simulation(strategy, rules, span)
    run.to_end()
    return bench.result_of(run, bench.prepared(rules, span), sum(task.count for task in tasks))


def same(first: Any, second: Any) -> bool:
    arrays = all(np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True) for name in ("days", "pnl", "day_ends"))
    return arrays and first.figures == second.figures and np.array_equal(first.sharpe, second.sharpe, equal_nan=True) and first.signals == second.signals


@pytest.mark.parametrize("part", range(PARTS))
def test_a_combination_is_the_report_of_its_run(part):
    skimmed, cases = 0, range(part, CASES, PARTS)
    for seed in cases:
        market, strategy, rules = drawn(seed)
        bench = Bench([market])
        evaluation = bench.skimmed(strategy, rules)
        if evaluation is None:
            continue
        skimmed += 1
        assert same(evaluation, by_the_clock(bench, strategy, rules)), seed
        if seed % 8 == 0:
            assert evaluation.figures == {name: study.run([market], rules, strategy).metrics[name] for name in FIGURES}, seed
    assert skimmed > 0.7 * len(cases)


@pytest.mark.parametrize("seed", range(0, CASES, 16))
def test_a_span_is_that_of_the_clock_too(seed):
    market, strategy, rules = drawn(seed)
    ts, bench = market.bars["ts"], Bench([market])
    span = (ts.iloc[len(ts) // 4], ts.iloc[-(len(ts) // 5) - 1])
    evaluation = bench.skimmed(strategy, rules, span)
    assert evaluation is None or same(evaluation, by_the_clock(bench, strategy, rules, span))


EURUSD = series(days=60)
ON_COLUMNS = [name for name, cls in STRATEGIES.items() if issubclass(cls, OnColumns)]


def drawn_parameters(rng: np.random.Generator, cls: type, names: tuple[str, ...]) -> dict[str, Any]:
    """Some of these at other values within their bounds."""
    bounds = {param.name: param for param in params_of(cls) if param.name in names and param.type in (int, float)}
    wide = {name: (param.low, min(param.high, 4 * max(abs(param.default), 1))) for name, param in bounds.items()}
    return {name: bounds[name].type(rng.uniform(low, high)) for name, (low, high) in wide.items() if rng.random() < 0.7}


@pytest.mark.parametrize("name", [name for name in ON_COLUMNS if STRATEGIES[name].protection])
def test_a_parameter_that_is_stated_to_protect_only_moves_no_decision(name):
    rng, cls = np.random.default_rng(1), STRATEGIES[name]
    assert set(cls.protection) < {param.name for param in params_of(cls)}
    columns = columns_of(compute(EURUSD.bars, cls().features()))
    bar, side = cls().entries(columns)
    assert len(bar)
    for _ in range(20):
        other = cls(**drawn_parameters(rng, cls, cls.protection))
        assert other.features() == cls().features()
        assert all(map(np.array_equal, other.entries(columns), (bar, side)))


@pytest.mark.parametrize("name", ["breakout", "momentum", "simple_ma"])
def test_decisions_on_columns_are_those_of_the_table_of_signals(name):
    rng, cls, bench = np.random.default_rng(2), STRATEGIES[name], Bench([EURUSD])
    for _ in range(6):
        strategy = cls(**drawn_parameters(rng, cls, ("stop_atr", "target_r", "break_even_r", "max_bars", "lookback", "roc_window")))
        evaluation = bench.skimmed(strategy, RULES)
        assert evaluation is not None and same(evaluation, by_the_clock(bench, strategy, RULES))
    assert evaluation.figures["trades"] > 5


def test_entries_are_decided_once_for_all_combinations_that_differ_in_protection(monkeypatch):
    from domain.strategies.breakout import Breakout

    decided, entries = [], Breakout.entries
    monkeypatch.setattr(Breakout, "entries", lambda self, columns: decided.append(values_of(self)["lookback"]) or entries(self, columns))
    points = request(grid={"lookback": [10, 20], "stop_atr": [1.0, 2.0, 3.0], "target_r": [1.0, 2.0]})
    table = evaluate(Bench([EURUSD]), points, range(12)).table
    assert decided == [10, 20] and table["net_profit"].nunique() == 12


def test_what_moves_no_decision_is_found_by_comparison_where_a_strategy_does_not_state_it():
    cls, bench = STRATEGIES["simple_ma"], Bench([EURUSD])
    assert not cls.protection
    prepared = bench.prepared(RULES)
    lane = lane_of(prepared.market, prepared.day_ends)
    results = [lane.skim(bench.orders(cls(**params))) for params in (dict(stop_atr=2.0), dict(stop_atr=3.0), dict(stop_atr=4.0))]
    assert len(lane.decisions) == 1 and len({result.pnl.tobytes() for result in results}) == 3
    lane.skim(bench.orders(cls(fast=10)))
    assert len(lane.decisions) == 2


class Overreaching(OnColumns):
    """Asks for what no table of signals may hold."""

    def decisions(self, columns: dict[str, np.ndarray]) -> Rows:
        return dict(bar=np.array([5]), side=np.array([1]), stop_loss=columns["close"][5:6] * 0.9, max_bars=0.5)

    def features(self) -> tuple:
        return ()


def test_what_a_table_of_signals_may_not_hold_is_refused_in_its_words():
    assert "max_bars" in Bench([EURUSD]).refusal(Overreaching())


@pytest.mark.parametrize("rules", [replace(RULES, limits=Limits(max_drawdown=0.1)), replace(RULES, execution=Execution("magnify")), replace(RULES, sizing=Sizing("kelly", 0.5))])
def test_what_the_lane_does_not_know_is_left_to_the_clock(rules):
    bench, strategy = Bench([EURUSD]), STRATEGIES["breakout"](lookback=20)
    assert bench.skimmed(strategy, rules) is None
    assert same(bench.evaluate(strategy, rules), by_the_clock(bench, strategy, rules))


def test_bars_that_open_outside_their_range_are_left_to_the_clock():
    bars = EURUSD.bars.copy()
    bars.loc[50, "open"] = bars.loc[50, "high"] + 0.001
    assert Bench([replace(EURUSD, bars=bars)]).skimmed(STRATEGIES["breakout"](lookback=20), RULES) is None
