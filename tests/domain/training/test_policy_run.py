"""Rewards of every action by the kernel, and policies judged by replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.errors import BadRequest, UnknownName
from domain.features import Context, parse
from domain.market.instrument import instruments
from domain.market.timeframe import Timeframe
from domain.models.base import Samples
from domain.params import build
from domain.risk import Limits, Sizing
from domain.strategies.base import make
from domain.trading.costs import Costs
from domain.trading.rules import Rules
from domain.training.actions import SKIP, Action, ActionGrid
from domain.training.asking import question_of
from domain.training.inputs import Inputs
from domain.training.pipeline import fit_fold
from domain.training.policy import growth, own_action, policy_from
from domain.training.policy_run import FILTER, PLAIN, Signals, judge_policies, replayed
from domain.training.rewards import rewards_of, volatility_of
from domain.training.samples import SampleSet
from domain.training.signals import decided_of
from domain.training.train import folds_of, samples_of
from domain.venues.synthetic import MODELS, generate

H1, EURUSD = Timeframe.named("H1"), instruments()["EURUSD"]
LOOKBACK = dict(lookback=6)
RULES = replace(Rules(), costs=Costs(spread=0.0001))
GRID = ActionGrid(sizes="0.5,1", stops="1,2", targets="0,2", risk=0.01)


@pytest.fixture(scope="module")
def world():
    bars = generate(build(MODELS["regimes"], {}), EURUSD, H1, datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 5, 20, tzinfo=UTC), 3)
    inputs = (Inputs(study.Series(EURUSD, H1, bars), Context(instrument=EURUSD, timeframe=H1), (parse("rsi(14)"), parse("atr(14)")), RULES),)
    question = question_of(inputs, "win", "prior", strategy="breakout", strategy_params=LOOKBACK, scheme_params=dict(train=30, validation=15, calibration=25, test=20))
    result = samples_of(question, inputs)
    folds = folds_of(question, result)
    decided = decided_of(inputs, make("breakout", LOOKBACK))
    results = [fit_fold(result, fold, question, baselines=False) for fold in folds]
    return SimpleNamespace(inputs=inputs, question=question, sampled=result, folds=folds, decided=decided, results=results)


@pytest.fixture(scope="module")
def rewards(world):
    return rewards_of(world.decided, world.sampled, GRID.actions())


@pytest.fixture(scope="module")
def judged(world):
    regime = ["calm" if k % 3 else None for k in range(len(world.sampled))]
    return judge_policies(world.sampled, world.decided, regime, world.folds, world.results, RULES, GRID, {"heuristic": {}, "learned": {"leaf": 20}})


def test_the_signal_as_it_is_earns_its_label(world, rewards):
    assert np.allclose(rewards[:, own_action(GRID.actions())], world.sampled.r) and len(world.sampled) > 100


def test_every_action_of_every_signal_has_a_reward_and_the_size_alone_changes_no_r(world, rewards):
    actions = GRID.actions()
    assert rewards.shape == (len(world.sampled), len(actions)) and (rewards[:, 0] == 0.0).all()
    for k, action in enumerate(actions[1:], 1):
        twin = next(number for number, other in enumerate(actions) if other.size and other.size != action.size and other.protection == action.protection)
        assert np.array_equal(rewards[:, k], rewards[:, twin], equal_nan=True)
    assert np.nanmin(np.abs(rewards[:, 1:]).max(axis=1)) > 0        # each opens under some action


def test_rewards_by_hand():
    """Long at 1.1000, no costs. Stop 1.0980, bars to 1.1030, then 1.0975. As it is: stopped, −1 R. Twice the stop: R is 0.0040, still open. Target 1 R: 1.1020, +1 R.
    Half at 1 R on the way to 2 R: +0.5 R, and the rest stopped: 0 in all."""
    rows = [(1.1, 1.1, 1.1, 1.1)] * 2 + [(1.1, 1.1030, 1.0995, 1.1), (1.1, 1.1, 1.0975, 1.1), (1.1, 1.1, 1.1, 1.1)]
    bars = pd.DataFrame(rows, columns=["open", "high", "low", "close"]).assign(ts=pd.date_range("2024-07-10T06:00Z", periods=5, freq="1h", unit="ns"))
    table = pd.DataFrame(dict(ts=bars["ts"][:1], side="long", stop_loss=1.0980))
    part = Inputs(study.Series(EURUSD, H1, bars), Context(instrument=EURUSD, timeframe=H1), (), replace(Rules(), costs=Costs(spread=0.0)), signals=table)
    decided = decided_of((part,), None)
    zero = np.zeros(1, np.int64)
    samples = Samples(np.zeros((1, 1), np.float32), ("a",), zero, zero * 1.0, zero, zero, zero + 1.0, zero, zero)
    result = SampleSet(samples, zero * 1.0, zero + 1.0, ("EURUSD",), {}, 0, "r", pd.DataFrame(dict(number=[0], side=[1])))
    r = rewards_of(decided, result, (SKIP, Action(1.0), Action(1.0, 2.0), Action(1.0, 1.0, 1.0), Action(0.5, 1.0, 2.0, True)))
    assert r[0, 0] == 0.0 and r[0, 1] == pytest.approx(-1.0) and np.isnan(r[0, 2]) and r[0, 3] == pytest.approx(1.0) and r[0, 4] == pytest.approx(0.0)


def test_a_replay_of_every_signal_as_it_is_is_the_plain_backtest(world, rewards):
    """From the first sample's bar on, with the same sizing: no trade differs."""
    samples = np.arange(len(world.sampled))
    signals = Signals(world.sampled, world.decided, GRID.actions(), rewards, volatility_of(world.decided, world.sampled), np.full(len(samples), "", object))
    rules = replace(RULES, sizing=Sizing("fraction_at_risk", 0.01))
    figures = replayed(signals, samples, [Action(1.0)] * len(samples), rules)
    series = world.inputs[0].series
    first = pd.Timestamp(int(world.sampled.samples.start.min()), tz="UTC") - pd.Timedelta("1h")
    last = series.bars["ts"].iloc[-1]
    whole = study.run([replace(series, bars=series.bars[series.bars["ts"] >= first].reset_index(drop=True), history=series.bars[series.bars["ts"] < first].reset_index(drop=True))], rules, make("breakout", LOOKBACK))
    assert last == whole.tasks[0].bars["ts"].iloc[-1] and figures["trades"] > 20
    unlabelled = whole.signals - len(samples)       # those still open at the end have no label, and are not traded by the replay
    assert abs(figures["trades"] - whole.metrics["trades"]) <= unlabelled
    if not unlabelled:
        assert figures["net_return"] == pytest.approx(whole.metrics["net_return"])


def test_the_table_compares_all_ways_on_the_tested_signals(world, judged):
    tested = np.concatenate([fold.parts["test"] for fold in world.folds])
    assert judged.table["policy"].tolist() == [PLAIN, FILTER, "heuristic", "learned"] and judged.table["signals"].eq(len(tested)).all()
    for name in ("heuristic", "learned"):
        own = judged.choices[judged.choices["policy"] == name]
        assert sorted(own["sample"]) == sorted(tested)
        row = judged.table.set_index("policy").loc[name]
        assert row["taken"] == (own["size"] > 0).sum() and row["trades"] <= row["taken"]
        assert row["reward"] == pytest.approx(np.nanmean(np.log(np.maximum(1 + 0.01 * own["size"] * own["r"], 0.001))))
        assert own["size"].max() <= 1.0


def test_what_a_fold_s_policy_does_follows_from_what_was_known_before_its_test(world, judged):
    """The last fold's heuristic, read back, acts on its test rows as the table says; its break-even chance is that of the fold's validation, calibration and earlier tests."""
    fold = world.folds[-1]
    own = judged.choices[(judged.choices["policy"] == "heuristic") & (judged.choices["fold"] == fold.number)]
    tested_before = np.concatenate([earlier.parts["test"] for earlier in world.folds[:-1]]) if len(world.folds) > 1 else np.zeros(0, np.int64)
    rows = np.concatenate([fold.parts["validation"], fold.parts["calibration"], np.intersect1d(fold.parts["train"], tested_before)])
    r = world.sampled.r[rows]
    p0 = -r[r <= 0].mean() / (r[r > 0].mean() - r[r <= 0].mean())
    assert judged.fitted["heuristic"]["p0"] == pytest.approx(p0, abs=0.02)
    again = policy_from(judged.fitted["heuristic"], GRID.actions())
    signals = Signals(world.sampled, world.decided, GRID.actions(), np.zeros((1, 1)), volatility_of(world.decided, world.sampled), np.array(["calm" if k % 3 else "" for k in range(len(world.sampled))], object))
    assert (again.act(signals.view(own["sample"].to_numpy(), own["p"].to_numpy())) == own["action"].to_numpy()).all()


def test_limits_apply_after_the_size(world, rewards):
    samples = world.folds[0].parts["test"]
    signals = Signals(world.sampled, world.decided, GRID.actions(), rewards, volatility_of(world.decided, world.sampled), np.full(len(world.sampled), "", object))
    free, held = (replayed(signals, samples, [Action(5.0)] * len(samples), replace(RULES, sizing=Sizing("fraction_at_risk", 0.01), limits=limits)) for limits in (Limits(), Limits(max_leverage=0.25)))
    assert held["trades"] >= free["trades"] > 0 and 0 < abs(held["net_return"]) < 0.02 * abs(free["net_return"])


def test_what_cannot_be_judged_is_refused(world):
    given = (world.sampled, world.decided, [None] * len(world.sampled))
    with pytest.raises(UnknownName, match="no policy named 'lerned'; did you mean 'learned'"):
        judge_policies(*given, world.folds, world.results, RULES, GRID, {"lerned": {}})
    with pytest.raises(BadRequest, match="more than once; use the scheme walk_forward"):
        judge_policies(*given, (*world.folds, world.folds[0]), world.results, RULES, GRID, {"learned": {}})
    with pytest.raises(BadRequest, match="policies act on the signals of a strategy"):
        judge_policies(replace(world.sampled, signals=None), world.decided, [], world.folds, world.results, RULES, GRID, {"learned": {}})


def test_growth_of_a_skipped_signal_is_nothing(rewards):
    assert (growth(rewards, GRID.actions(), 0.01)[:, 0] == 0).all()
