"""Each remark on a run built to have it, and on one without it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from domain.analytics import CHECKS, Evidence, Remark, lint
from domain.analytics.linter import LEVELS
from domain.trading.outcomes import COUNTS, KINDS
from tests.domain.analytics.makers import equity, fills, trades

RNG = np.random.default_rng(12)
SOUND = trades(np.where(RNG.random(600) < 0.5, 1.6, -1.0), start="2021-01-04T10:00Z", every="60h", costs=2.0, swap=-0.5)


def evidence(run: pd.DataFrame = SOUND, **more) -> Evidence:
    start = more.pop("start", 10_000.0)
    return Evidence(**{**dict(trades=run, fills=fills(run, slippage=0.00001), equity=equity(run, start), start=start, signals=len(run)), **more})


def remarks_of(evidence: Evidence) -> dict[str, Remark]:
    return {remark.key: remark for remark in lint(evidence)}


def test_a_sound_run_has_no_remark():
    assert lint(evidence()) == ()


def test_every_check_has_a_definition_and_remarks_are_sentences():
    bad = trades(np.array([9.0, -1.0]), swap=0.0)
    for remark in lint(evidence(bad, fills=fills(bad, spread=0.0), counts={key: 2 for key in COUNTS}, ambiguous=3, out_of_sample=False)):
        assert remark.level in LEVELS and (remark.sentence[0].isupper() or remark.sentence[0].isdigit())
        assert remark.sentence.endswith(".") and isinstance(remark.figure, float)
        json.dumps(dataclasses.asdict(remark), allow_nan=False)
    assert all(check.definition.endswith(".") for check in CHECKS.values())


def test_the_severest_come_first():
    levels = [LEVELS.index(remark.level) for remark in lint(evidence(trades(np.array([9.0, -1.0, -1.0])), counts=dict(no_size=1, no_margin=1)))]
    assert levels == sorted(levels, reverse=True) and len(set(levels)) == 3


@pytest.mark.parametrize(
    ("key", "change", "level", "words"),
    [
        ("few_trades", lambda: evidence(SOUND[:20]), "severe", "Only 20 trades: too few to tell an edge from luck."),
        ("few_trades", lambda: evidence(SOUND[:99]), "warning", "Only 99 trades"),
        ("short_span", lambda: evidence(SOUND[:120]), "warning", "The run covers 298 days"),
        ("no_out_of_sample", lambda: evidence(out_of_sample=False), "warning", "in-sample"),
        ("ambiguous_bars", lambda: evidence(ambiguous=4, rules=dict(execution=dict(intrabar="path"))), "note", "In 4 bars the order of stop and target is unknown; they were decided as path."),
        ("ambiguous_bars", lambda: evidence(ambiguous=40, band=(0.1, 0.3)), "warning", "net from +10.0 % to +30.0 %"),
        ("ambiguous_bars", lambda: evidence(ambiguous=1, band=(-0.031, 0.12)), "severe", "In 1 bar the order of stop and target is unknown, and they decide the result: net from -3.1 % (pessimistic) to +12.0 % (optimistic)."),
        ("optimistic", lambda: evidence(rules=dict(execution=dict(intrabar="optimistic"))), "note", "upper bound"),
        ("inside_one_bar", lambda: evidence(SOUND.assign(bars_held=np.where(np.arange(600) % 3, 4, 0))), "warning", "33 % of the trades end in the bar"),
        ("free_trading", lambda: evidence(fills=fills(SOUND, spread=0.0)), "severe", "No spread was paid"),
        ("thin_margin", lambda: evidence(fills=fills(SOUND, spread=0.001)), "warning", "Break-even at "),
        ("costly", lambda: evidence(fills=fills(SOUND, spread=0.001)), "warning", "of what the trades make at mid prices"),
        ("stop_near_spread", lambda: evidence(fills=fills(SOUND, spread=0.0006)), "warning", "On 100 % of the entries the stop is less than 2 spreads away"),
        ("stop_inside_spread", lambda: evidence(counts=dict(stop_through=18), signals=600), "warning", "on 3 % of the entries; these 18 were dropped."),
        ("below_min_lot", lambda: evidence(counts=dict(below_min_lot=57)), "warning", "Size fell below the minimum lot 57 times."),
        ("no_margin", lambda: evidence(counts=dict(no_margin=1)), "warning", "1 entry was rejected: insufficient margin."),
        ("refused_by_limits", lambda: evidence(counts=dict(limit_spread=50, blackout=40)), "warning", "Risk limits rejected 90 entries, 15 % of the signals (spread spike 50, blackout window 40)."),
        ("nothing_traded", lambda: evidence(SOUND[:0], equity=equity(SOUND), signals=9, counts=dict(no_stop=9)), "severe", "9 signals, but no trade: no_stop 9."),
        ("without_stop", lambda: evidence(SOUND.assign(r=np.where(np.arange(600) < 60, np.nan, SOUND["r"]))), "note", "10 % of the trades had no stop"),
        ("stopped_out", lambda: evidence(fills=fills(SOUND.assign(exit_reason=["stop_out"] * 2 + ["end"] * 598))), "severe", "The broker closed 2 positions for lack of margin."),
        ("stretched", lambda: evidence(equity=equity(SOUND).assign(used_margin=9_200.0)), "warning", "Peak margin usage is"),
        ("lost_account", lambda: evidence(equity=equity(SOUND).assign(equity_low=-1.0)), "severe", "The account was lost"),
        ("open_losses", lambda: evidence(equity=equity(SOUND).assign(equity_low=5_000.0)), "warning", "the balance hides the risk"),
        ("assumed_spread", lambda: evidence(bars=dict(EURUSD=pd.DataFrame(dict(close=[1.0])))), "note", "The bars of EURUSD carry no spread"),
        ("lopsided", lambda: evidence(SOUND.assign(side="long")), "note", "100 % of the trades are long"),
    ],
)
def test_each_remark_appears_where_it_applies(key, change, level, words):
    remark = remarks_of(change())[key]
    assert (remark.level, remark.key) == (level, key) and words in remark.sentence


def test_one_trade_that_carries_the_profit_is_named_with_its_share():
    r = np.concatenate(([42.0], np.tile([1.0, -0.42], 100)))
    remark = remarks_of(evidence(trades(r)))["one_trade"]
    assert remark.level == "warning" and remark.sentence == "42 % of profit comes from one trade." and remark.figure == pytest.approx(0.42)
    only = remarks_of(evidence(trades(np.concatenate(([42.0], np.tile([0.5, -0.6], 100))))))["one_trade"]
    assert only.level == "severe" and only.sentence.endswith("Without it the run loses.")
    assert "one_trade" not in remarks_of(evidence(trades(np.concatenate(([42.0], np.full(100, -1.0))))))       # nothing earned, nothing to carry


def test_the_best_hundredth_is_named_where_it_makes_more_than_the_rest():
    remark = remarks_of(evidence(trades(np.concatenate((np.full(4, 30.0), np.tile([1.0, -1.2], 198))))))["best_percent"]
    assert "from the best 1 % of the trades" in remark.sentence and remark.figure == pytest.approx(120 / (120 - 198 * 0.2))


def test_one_year_that_carries_the_profit_is_named():
    run = SOUND.assign(pnl=np.where(SOUND["entry_ts"].dt.year == 2022, 90.0, 1.0))
    remark = remarks_of(evidence(run))["one_year"]
    assert remark.sentence.startswith("2022 makes 9") and remark.level == "warning"
    losing = remarks_of(evidence(SOUND.assign(pnl=np.where(SOUND["entry_ts"].dt.year == 2022, 90.0, -1.0))))["one_year"]
    assert losing.level == "severe" and "lose together" in losing.sentence


def test_one_instrument_that_carries_the_profit_is_named():
    names = np.array(["EURUSD", "GBPUSD", "XAUUSD"])[np.arange(600) % 3]
    run = SOUND.assign(instrument=names, pnl=np.where(names == "XAUUSD", 100.0, 2.0))
    assert remarks_of(evidence(run))["one_instrument"].sentence == "XAUUSD makes 96 % of the profit of 3 instruments."


def test_sides_that_pull_apart_are_named():
    run = SOUND.assign(pnl=np.where(SOUND["side"] == "long", 30.0, -10.0))
    assert remarks_of(evidence(run))["lopsided"].sentence == "Only long trades earn; short ones lose 33 % of it."


def test_rare_big_losses_are_named():
    run = SOUND.assign(pnl=np.where(np.arange(600) % 10, 10.0, -80.0))
    assert remarks_of(evidence(run))["rare_big_losses"].sentence.startswith("90 % of the trades win, but one average loss takes 8 average wins")


def test_nights_without_swap_are_counted_and_weekends_named():
    run = trades(np.tile([1.5, -1.0], 100), start="2024-03-01T20:00Z", every="1D", swap=0.0)       # a Friday
    run["exit_ts"] = run["entry_ts"] + pd.Timedelta("12h")
    remark = remarks_of(evidence(run))["free_nights"]
    weekends = sum(trade.entry_ts.day_of_week == 4 for trade in run.itertuples())
    assert remark.sentence == f"200 trades were held past midnight UTC, {weekends} of them over a weekend, without swap (EURUSD)."
    assert remark.level == "warning" and remark.figure == 200
    assert "free_nights" not in remarks_of(evidence(run.assign(swap=np.where(np.arange(200) == 5, -1.0, 0.0))))     # swap is set; some nights are none


def test_trades_open_at_the_end_and_losses_beyond_the_stop_are_named():
    run = SOUND.assign(exit_reason=["target_1"] * 599 + ["end"], pnl=np.where(np.arange(600) == 599, 40_000.0, SOUND["pnl"]))
    assert "1 trade was still open at the end" in remarks_of(evidence(run))["open_at_the_end"].sentence
    r = SOUND["r"].to_numpy().copy()
    r[5] = -6.2
    assert remarks_of(evidence(SOUND.assign(r=r)))["beyond_the_stop"].sentence.startswith("1 trade lost more than 1.5 R, the worst -6.2 R")


def test_every_count_that_matters_to_a_reader_becomes_a_sentence():
    counted = [kind.key for kind in KINDS.values() if kind.remark]
    assert {"no_margin", "below_min_lot", "over_max_lot", "stale_rate", "not_magnified", "magnify_mismatch"} <= set(counted) <= set(COUNTS)
    for key in counted:
        assert "3" in remarks_of(evidence(counts={key: 3}))[key].sentence


def test_without_a_trade_and_without_a_row_nothing_breaks():
    none = SOUND[:0]
    assert lint(Evidence(none, fills(none), equity(SOUND)[:0], 10_000.0)) == ()
