"""A scanner that trades: at every instant its proposals are those of a scan of the bars up to then, and a session of it is its backtest to the byte."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from domain.backtest.study import Series
from domain.errors import BadRequest
from domain.live.backtesting import backtest, series_in
from domain.live.command import command
from domain.live.inputs import Inputs
from domain.live.plan import Plan, StrategyPlan
from domain.live.replaying import replay
from domain.live.tape import TapeBar, bars_in
from domain.market.bars import ts_of
from domain.market.calendar import bar_ends
from domain.market.resample import resample
from domain.market.timeframe import Timeframe
from domain.scanner.criteria import Criteria
from domain.scanner.over_time import ScanSelection
from domain.scanner.scan import ScanRequest, scan
from domain.scanner.traded import proposals
from domain.trading.rules import rules_from
from tests.domain.live.test_inputs import restored_in_the_middle
from tests.domain.live.world import M15, files_of

SERIES = ("EURUSD M15", "GBPUSD M15", "EURUSD H1")
RULES = rules_from({"costs": {"slippage": 0.2, "unit": "pips"}, "sizing": {"kind": "fraction_at_risk", "value": 0.005}})
CRITERIA = Criteria(history=30, fewest=2, es95=500.0, correlation=0.9, correlation_days=5, proposals=2)
STRATEGIES = (
    StrategyPlan("breakout", {"lookback": 5, "quiet": 0.0}),
    StrategyPlan("written", {"name": "rise", "long": "close > sma(5)", "short": "close < sma(5)", "stop_atr": 1.0, "reward_to_risk": 1.0, "drawdown_tolerance": 0.0}),
    StrategyPlan("written", {"name": "turn", "long": "rsi(5) < 30", "short": "rsi(5) > 70", "exit_long": "rsi(5) > 50", "stop_atr": 3.0, "drawdown_tolerance": 0.0}),
)  # fmt: skip


@lru_cache
def tape() -> tuple[TapeBar, ...]:
    """Two instruments that swing, each in its own time, so that some strategies win; calm and wild by turns, so that they do not always."""
    random, bars = np.random.default_rng(11), []
    times = pd.date_range("2024-01-08", periods=320, freq="15min", tz="UTC")
    for name, period in (("EURUSD", 9.0), ("GBPUSD", 14.0)):
        k = np.arange(len(times))
        close = np.round(1.1 + 0.004 * np.sin(k / period) + np.cumsum(random.normal(0, 2e-4 * (1 + 2 * (k // 70 % 2)))), 5)
        opens = np.r_[close[0], close[:-1]]
        wick = np.abs(random.normal(0, 2e-4, (2, len(k))))
        frame = pd.DataFrame(dict(ts=times, open=opens, high=np.round(np.maximum(opens, close) + wick[0], 5), low=np.round(np.minimum(opens, close) - wick[1], 5), close=close, spread=np.round(random.uniform(5e-5, 2e-4, len(k)), 5)))
        for text in SERIES:
            if text.startswith(name):
                own = frame if text.endswith("M15") else resample(frame, M15, Timeframe.named("H1"), "fx")
                bars += bars_in(text, own, bar_ends(ts_of(own), Timeframe.named(text.split()[1]), "fx"))
    return tuple(bars)


def plan(criteria: Criteria = CRITERIA) -> Plan:
    selection = ScanSelection(criteria)
    return Plan(SERIES, STRATEGIES, RULES, "auto", tape()[210].ts, scan=dict(criteria={}), inputs=Inputs(selection=selection))


def test_a_session_of_a_scanner_is_its_backtest_and_goes_on_after_it_was_stored(tmp_path):
    requested, bars = plan(), tape()
    expected = backtest(requested, bars)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    worked = list(replay(requested, bars))
    assert files_of(worked, tmp_path / "a") == files_of(expected, tmp_path / "b") == files_of(list(restored_in_the_middle(requested, bars, every=70)), tmp_path / "c")
    decisions = [decision for each in worked for decision in each.decisions]
    assert len(expected.trades) > 10 and {"grade", "few_trades"} & {decision.reason for decision in decisions}


def test_its_proposals_are_those_of_a_scan_of_the_bars_up_to_then():
    requested = plan()
    series = series_in(requested, tape())
    traded = proposals(requested, series)
    by_instant: dict[int, set[tuple[str, str]]] = {}
    ends = {text: dict(zip(_ns(each.bars["ts"]), _ns(each.bars["end"]), strict=True)) for text, each in series.items()}
    for k, rows in enumerate(traded):
        text, number = requested.decided[k]
        for ts, row in rows:
            if row["order"] != "exit":
                by_instant.setdefault(ends[text][ts], set()).add((text, requested.names[number]))
    instants = sorted(by_instant)
    every = sorted({end for text in SERIES for end in ends[text].values()})
    chosen = [*np.random.default_rng(2).choice(instants, 4, replace=False).tolist(), *np.random.default_rng(3).choice(every, 2, replace=False).tolist()]
    for at in chosen:
        assert scanned(requested, series, at) == by_instant.get(at, set()), at


def scanned(requested: Plan, series, at: int) -> set[tuple[str, str]]:
    """The proposals of a scan at an instant, of the series that have a bar which ends then."""
    cut = [each for each in (_until(series[text], at) for text in SERIES) if _ns(each.bars["end"])[-1] == at]
    request = ScanRequest(cut, dict(zip(requested.names, (planned.built for planned in STRATEGIES), strict=True)), RULES, CRITERIA, at=at)
    result = scan(request)
    assert not result.verdicts.limits
    return {(f"{each.instrument} {each.timeframe}", each.strategy) for each in result.proposals}


def _until(series: Series, at: int) -> Series:
    bars = pd.concat([series.history, series.bars], ignore_index=True) if series.history is not None else series.bars
    return replace(series, bars=bars[_ns(bars["end"]) <= at].reset_index(drop=True), history=None)


def _ns(column: pd.Series) -> np.ndarray:
    return column.array.as_unit("ns").asi8


def test_what_a_scanner_cannot_judge_is_refused():
    requested, bars = plan(), tape()
    at = bars[-5].end
    with pytest.raises(BadRequest, match="the scanner judges a strategy by the trades of the parameters that it has"):
        list(replay(requested, bars, [command(at, "ana", "set", {"strategy": "breakout", "parameters": {"lookback": 7}})]))
    volatile = replace(requested, rules=rules_from({"sizing": {"kind": "volatility", "value": 0.1}}))
    with pytest.raises(BadRequest, match="sizing by volatility"):
        list(replay(volatile, bars))
    with pytest.raises(BadRequest, match="nothing here judges them"):
        list(replay(replace(requested, inputs=Inputs()), bars))
