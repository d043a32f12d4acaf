"""A period starts warm: features know the bars before it, nothing is decided on them, and the result reports their number."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from domain.backtest import study
from domain.backtest.bench import Bench
from domain.backtest.history import History, split
from domain.backtest.stress import stress
from domain.backtest.study import Series
from domain.backtest.sweep import SweepRequest, evaluate
from domain.errors import BadRequest
from domain.strategies.base import make
from tests.domain.backtest.points import RULES, series

FULL = series(days=60)
START, END = pd.Timestamp("2024-01-20T00:00Z"), pd.Timestamp("2024-02-20T00:00Z")
STRATEGIES = [("breakout", dict(lookback=24)), ("simple_ma", dict(fast=10, slow=40))]


def period(full: Series, start: pd.Timestamp | None = START, end: pd.Timestamp | None = None) -> Series:
    history, bars = split(full.bars, start, end)
    return replace(full, history=history, bars=bars)


@pytest.mark.parametrize("name, params", STRATEGIES)
def test_signals_in_the_period_equal_those_of_the_full_data(name, params):
    strategy = make(name, params)
    full, part = (study.decided(market, strategy, [market])[0] for market in (FULL, period(FULL)))
    late = full["ts"] >= START
    assert late.any() and not late.all()
    for column in full:
        pd.testing.assert_series_equal(pd.Series(full[column][late]), pd.Series(part[column]), check_names=False)
    assert part["ts"].min() >= START


def test_equity_counts_and_trades_are_of_the_period_alone():
    part, strategy = period(FULL, START, END), make("breakout", dict(lookback=24))
    result = study.run([part], RULES, strategy)
    assert result.bars == len(result.outcome.equity) == len(part.bars) and part.bars["ts"].min() >= START and part.bars["ts"].max() < END
    assert result.outcome.equity["ts"].iloc[0] == part.bars["ts"].iloc[0] + pd.Timedelta(hours=1)
    assert result.outcome.trades["entry_ts"].min() >= START and result.outcome.trades["exit_ts"].max() <= END
    assert result.history.bars == {"EURUSD": len(part.history)} and result.history.needed == 113
    spec = study.spec_of([part], RULES, strategy)
    assert spec["data"][0]["history"] == len(part.history) and spec["data"][0]["bars"] == len(part.bars)
    assert "history" not in study.spec_of([FULL], RULES, strategy)["data"][0], "a run on whole data keeps its hash"


def test_the_bench_and_stress_tests_see_what_a_run_sees():
    market, strategy = period(FULL), make("breakout", dict(lookback=24))
    alone = study.run([market], RULES, strategy).metrics["net_profit"]
    part = evaluate(Bench([market]), SweepRequest("breakout", {}, RULES, [dict(lookback=24)]), [0])
    assert part.table["net_profit"].iloc[0] == alone == stress([market], RULES, strategy, names=["base"]).table["net_profit"].iloc[0]
    cold = study.run([replace(market, history=None)], RULES, strategy)
    assert cold.outcome.trades["entry_ts"].min() > study.run([market], RULES, strategy).outcome.trades["entry_ts"].min()


def test_other_instruments_are_known_before_the_period_too():
    market, other = period(FULL), period(series("GBPUSD", days=60, seed=2))
    rates = study.context_of(market, [market, other]).others["GBPUSD"]
    assert len(rates.times) == len(other.history) + len(other.bars)


@pytest.mark.parametrize(
    "bars, needed, sentence",
    [
        ({"EURUSD": 500}, 80, "Features used 500 bars of history before the period; the strategy needs 80."),
        ({"EURUSD": 30}, 80, "Features used 30 bars of history before the period; the strategy needs 80, so it cannot decide on the first 50 bars."),
        ({"EURUSD": 0}, 80, "Features used no bars of history before the period; the strategy needs 80, so it cannot decide on the first 80 bars."),
        ({"EURUSD": 90, "GBPUSD": 100}, 80, "Features used 90 of EURUSD, 100 of GBPUSD bars of history before the period; the strategy needs 80."),
    ],
)
def test_the_sentence_gives_the_number_and_whether_it_suffices(bars, needed, sentence):
    assert History(bars, needed).sentence == sentence


def test_a_period_without_bars_names_those_there_are():
    with pytest.raises(BadRequest, match=r"EURUSD H1 has no bar in the chosen period\. It has bars from 2024-01-01 .* Choose a period within the available data"):
        split(FULL.bars, pd.Timestamp("2025-01-01T00:00Z"), None, "EURUSD H1")
    assert split(FULL.bars, None, None)[0] is None
