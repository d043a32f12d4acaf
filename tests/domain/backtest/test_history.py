"""A period starts warm: features know the bars before it, nothing is decided on them, and the result says how many there were."""

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

WHOLE = series(days=60)
START, END = pd.Timestamp("2024-01-20T00:00Z"), pd.Timestamp("2024-02-20T00:00Z")
STRATEGIES = [("breakout", dict(lookback=24)), ("simple_ma", dict(fast=10, slow=40))]


def period(whole: Series, start: pd.Timestamp | None = START, end: pd.Timestamp | None = None) -> Series:
    history, bars = split(whole.bars, start, end)
    return replace(whole, history=history, bars=bars)


@pytest.mark.parametrize("name, params", STRATEGIES)
def test_signals_in_the_period_are_those_of_the_whole_from_there_on(name, params):
    strategy = make(name, params)
    whole, part = (study.decided(one, strategy, [one])[0] for one in (WHOLE, period(WHOLE)))
    late = whole["ts"] >= START
    assert late.any() and not late.all()
    for column in whole:
        pd.testing.assert_series_equal(pd.Series(whole[column][late]), pd.Series(part[column]), check_names=False)
    assert part["ts"].min() >= START


def test_equity_counts_and_trades_are_of_the_period_alone():
    one, strategy = period(WHOLE, START, END), make("breakout", dict(lookback=24))
    found = study.run([one], RULES, strategy)
    assert found.bars == len(found.outcome.equity) == len(one.bars) and one.bars["ts"].min() >= START and one.bars["ts"].max() < END
    assert found.outcome.equity["ts"].iloc[0] == one.bars["ts"].iloc[0] + pd.Timedelta(hours=1)
    assert found.outcome.trades["entry_ts"].min() >= START and found.outcome.trades["exit_ts"].max() <= END
    assert found.history.bars == {"EURUSD": len(one.history)} and found.history.needed == 113
    spec = study.spec_of([one], RULES, strategy)
    assert spec["data"][0]["history"] == len(one.history) and spec["data"][0]["bars"] == len(one.bars)
    assert "history" not in study.spec_of([WHOLE], RULES, strategy)["data"][0], "a run on whole data keeps its hash"


def test_the_bench_and_stress_tests_see_what_a_run_sees():
    one, strategy = period(WHOLE), make("breakout", dict(lookback=24))
    alone = study.run([one], RULES, strategy).metrics["net_profit"]
    part = evaluate(Bench([one]), SweepRequest("breakout", {}, RULES, [dict(lookback=24)]), [0])
    assert part.table["net_profit"].iloc[0] == alone == stress([one], RULES, strategy, names=["base"]).table["net_profit"].iloc[0]
    cold = study.run([replace(one, history=None)], RULES, strategy)
    assert cold.outcome.trades["entry_ts"].min() > study.run([one], RULES, strategy).outcome.trades["entry_ts"].min()


def test_other_instruments_are_known_before_the_period_too():
    one, other = period(WHOLE), period(series("GBPUSD", days=60, seed=2))
    known = study.context_of(one, [one, other]).others["GBPUSD"]
    assert len(known.times) == len(other.history) + len(other.bars)


@pytest.mark.parametrize(
    "bars, needed, sentence",
    [
        ({"EURUSD": 500}, 80, "Features used 500 bars of history before the period; the strategy needs 80."),
        ({"EURUSD": 30}, 80, "Features used 30 bars of history before the period; the strategy needs 80, so it cannot decide on the first 50 bars."),
        ({"EURUSD": 0}, 80, "Features used no bars of history before the period; the strategy needs 80, so it cannot decide on the first 80 bars."),
        ({"EURUSD": 90, "GBPUSD": 100}, 80, "Features used 90 of EURUSD, 100 of GBPUSD bars of history before the period; the strategy needs 80."),
    ],
)
def test_the_sentence_says_how_many_and_whether_they_are_enough(bars, needed, sentence):
    assert History(bars, needed).sentence == sentence


def test_a_period_without_bars_names_those_there_are():
    with pytest.raises(BadRequest, match=r"EURUSD H1 has no bar in the chosen period\. It has bars from 2024-01-01 .* Choose a period within the available data"):
        split(WHOLE.bars, pd.Timestamp("2025-01-01T00:00Z"), None, "EURUSD H1")
    assert split(WHOLE.bars, None, None)[0] is None
