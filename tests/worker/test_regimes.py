"""Regimes of stored bars: submitted at the desk, fitted by a job, and a finished run split by them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from domain.analytics.regimes import PARTS, RARER, lag_sensitivity, pooled, split
from domain.errors import BadRequest
from domain.features import Context
from domain.features.regimes import RegimeModel, Regimes, by_rule, combined, observations, walk_forward
from domain.market import instrument
from domain.market.timeframe import Timeframe
from worker import actors
from worker.desk import BacktestRequest, FeatureRequest
from worker.jobs.base import Cancelled, Work

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
PLAN = dict(kind="hmm", states="3", train=700, step=400, restarts=1, seed=5)
INPUTS = ["log_volatility(24)", "straightness(24)"]
CONTEXT = Context(instrument("EURUSD"), Timeframe.named("H1"))
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def dataset(desk, name: str = "EURUSD", seed: int = 3) -> str:
    job = desk.data.generate("regimes", {}, name, "H1", START, END, seed).job
    actors.run(job.id)
    return desk.jobs.get(job.id).result["dataset"]


@pytest.fixture
def bars(desk, system) -> str:
    return dataset(desk)


def request_for(*datasets: str) -> FeatureRequest:
    return FeatureRequest(datasets, "H1", START, END)


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.backtests.get(job.result["run"])


def backtest(desk, *datasets: str):
    return done(desk, desk.backtests.submit(BacktestRequest("breakout", dict(lookback=12), datasets, "H1", START, END, dict(sizing=dict(kind="fraction_at_risk", value=0.005)))))


def stored(desk, name: str) -> pd.DataFrame:
    frame = desk.data._context.store.frames.get(desk.data.get(name).frame)
    return frame.assign(ts=frame["ts"].dt.as_unit("ns"))


def frame(desk, run, name: str) -> pd.DataFrame:
    return desk.data._context.store.frames.get(run.frames[name])


def labels(table: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(label) else label for label in table["label"]]


def test_a_fitted_run_keeps_what_walking_forward_gives(desk, bars, store):
    run = done(desk, desk.regimes.submit(request_for(bars), PLAN, INPUTS))
    read = stored(desk, bars)
    walked = walk_forward(observations(read, CONTEXT, INPUTS), 700, 400, "hmm", 3, 5, 1)
    table = pd.read_parquet(io.BytesIO(desk.regimes.download(run.id, "regimes", "parquet")))
    np.testing.assert_array_equal(table[["p_calm", "p_trend", "p_panic"]].to_numpy(), walked.probabilities)
    assert labels(table) == [None if pd.isna(label) else label for label in walked.labels] and table["ts"].tolist() == read["ts"].tolist()
    assert (table["end"] - table["ts"]).min() == pd.Timedelta("1h")
    fits = desk.regimes.fits(run.id)
    assert len(fits) == len(walked.refits) == run.summary["refits"] and fits["agreement"].iloc[1:].tolist() == [refit.agreement for refit in walked.refits[1:]]
    assert fits["used_from_ts"].iloc[0] == read["ts"].iloc[700] and fits["used_to_ts"].iloc[-1] == read["ts"].iloc[-1]
    assert run.summary["stability"] == pytest.approx(walked.stability) and run.summary["train"] == 700 and run.summary["labelled"] == len(read) - 700
    with store.read() as unit:
        assert unit.trials.rows() == [], "labelling bars is no trial of a strategy"
    assert desk.trail.history(f"run:{run.id}")[0].kind == "run_finished"


def test_the_model_is_exported_as_it_was_fitted(desk, bars):
    run = done(desk, desk.regimes.submit(request_for(bars), PLAN, INPUTS))
    text = desk.regimes.download(run.id, "model", "json").decode()
    model, last = RegimeModel.from_json(text), walk_forward(observations(stored(desk, bars), CONTEXT, INPUTS), 700, 400, "hmm", 3, 5, 1).refits[-1].model
    assert model == last == desk.regimes.model(run.id) and model.to_json() == text
    assert [fact["state"] for fact in run.summary["facts"]] == list(model.names) == run.summary["names"]
    with pytest.raises(BadRequest, match="table of regimes"):
        desk.regimes.download(run.id, "price", "csv")


def test_bic_chooses_and_days_count_as_bars(desk, bars):
    run = done(desk, desk.regimes.submit(request_for(bars), PLAN | dict(kind="mixture", states="by BIC", train=50, step=30, unit="days"), INPUTS))
    tried = run.summary["candidates"]
    least = min((candidate for candidate in tried if candidate["bic"] is not None), key=lambda candidate: candidate["bic"])
    assert [candidate["states"] for candidate in tried] == [2, 3, 4, 5, 6] and len(run.summary["names"]) == least["states"]
    read = stored(desk, bars)
    a_day = len(read) / ((read["ts"].iloc[-1] - read["ts"].iloc[0]) / pd.Timedelta("1D"))
    assert (run.summary["train"], run.summary["step"]) == (pytest.approx(50 * a_day, abs=1), pytest.approx(30 * a_day, abs=1))


def test_other_instruments_stand_beside_the_first(desk, system):
    run = done(desk, desk.regimes.submit(request_for(dataset(desk), dataset(desk, "GBPUSD", 4)), PLAN))
    assert run.summary["instrument"] == "EURUSD" and run.summary["observed"][-1] == "correlation_with_others(96)"


def test_the_same_question_is_the_job_that_answered_it_until_the_run_is_deleted(desk, bars):
    run = done(desk, desk.regimes.submit(request_for(bars), PLAN, INPUTS))
    assert not desk.regimes.submit(request_for(bars), PLAN, INPUTS).new and desk.regimes.submit(request_for(bars), PLAN | dict(seed=6), INPUTS).new
    desk.regimes.delete(run.id)
    assert desk.regimes.latest() == [] and desk.regimes.submit(request_for(bars), PLAN, INPUTS).new


def test_a_fit_that_is_cancelled_leaves_nothing(desk, bars, monkeypatch):
    notes = []

    def progress(self, share, note=None, _own=Work.progress):
        _own(self, share, note)
        notes.append(note)
        if note == "model 2 of 3":
            raise Cancelled

    job = desk.regimes.submit(request_for(bars), PLAN, INPUTS).job
    with monkeypatch.context() as patch:
        patch.setattr(Work, "progress", progress)
        actors.run(job.id)
    assert desk.jobs.get(job.id).state == "cancelled" and desk.regimes.latest() == [] and notes.count("model 1 of 3") > 3


@pytest.mark.parametrize(
    ("plan", "observed", "sentence"),
    [
        (dict(states="7"), [], "no states named .7."),
        (dict(restarts=0), [], "restarts is 0"),
        ({}, ["log_volatility(1)"], "uses 1 bars; it needs at least 2"),
        ({}, ["log_volatilty"], "did you mean"),
    ],
)
def test_what_cannot_be_fitted_is_refused_at_once(desk, bars, plan, observed, sentence):
    with pytest.raises(BadRequest, match=sentence):
        desk.regimes.submit(request_for(bars), PLAN | plan, observed)
    assert set(desk.regimes.faults(PLAN | plan, observed)) == {*plan, *observed}


def test_a_window_longer_than_the_bars_is_reported_by_the_job(desk, bars):
    job = desk.regimes.submit(request_for(bars), PLAN | dict(train=90_000)).job
    actors.run(job.id)
    assert desk.jobs.get(job.id).error["sentence"].startswith("a model is to be trained on 90,000 bars, and there are ") and desk.regimes.refits(PLAN | dict(train=90_000), request_for(bars)) == 0


def test_rules_label_as_the_engine_does(desk, bars):
    read = stored(desk, bars)
    run = done(desk, desk.regimes.submit_rules(request_for(bars), ["volatility_regime", "session_regime"]))
    expected = combined(by_rule(read, "volatility_regime", CONTEXT), by_rule(read, "session_regime", CONTEXT))
    assert labels(frame(desk, run, "regimes")) == [None if pd.isna(label) else label for label in expected]
    assert run.summary["names"] == list(expected.categories) and sum(spell["bars"] for spell in run.summary["lived"]) == run.summary["labelled"]
    with pytest.raises(BadRequest, match="fitted no model"):
        desk.regimes.model(run.id)
    for rules, sentence in (([], "choose one or more"), (["trend_regime"] * 2, "each once"), (["rsi"], "no rule of regimes")):
        with pytest.raises(BadRequest, match=sentence):
            desk.regimes.submit_rules(request_for(bars), rules)


def test_bands_are_one_a_spell_or_the_most_frequent_of_each_block(desk, bars):
    run = done(desk, desk.regimes.submit_rules(request_for(bars), ["session_regime"]))
    bands, size = desk.regimes.bands(run.id, most=10_000)
    table = frame(desk, run, "regimes")["label"]
    assert size == 1 and [table.iloc[row.first] for row in bands.itertuples()] == bands["regime"].tolist()
    assert (bands["first"].iloc[1:].to_numpy() == bands["last"].iloc[:-1].to_numpy() + 1).all() and bands["regime"].ne(bands["regime"].shift()).all()
    few, size = desk.regimes.bands(run.id, most=40)
    assert len(few) <= 40 and size == -(-len(table) // 40)
    last, _ = desk.regimes.bands(run.id, last=100)
    assert last["first"].iloc[0] == len(table) - 100 and last["last"].iloc[-1] == len(table) - 1
    drawn, count = desk.regimes.drawn(run.id, last=500, budget=120)
    assert count == 500 and len(drawn) <= 120 and drawn["close"].max() == frame(desk, run, "price")["close"].tail(500).max()


def test_a_run_is_taken_apart_as_the_engine_says(desk, bars):
    run = backtest(desk, bars)
    with pytest.raises(BadRequest, match="have not been labelled by volatility_regime yet"):
        desk.splits.split(run.id, "volatility_regime")
    done(desk, desk.splits.submit_for(run.id, "volatility_regime"))
    assert not desk.splits.submit_for(run.id, "volatility_regime").new
    assert desk.splits.finished(run.id, "volatility_regime") is None
    with pytest.raises(BadRequest, match="has not been split by volatility_regime yet"):
        desk.splits.split(run.id, "volatility_regime")
    done(desk, desk.splits.submit_split(run.id, "volatility_regime"))
    assert not desk.splits.submit_split(run.id, "volatility_regime").new
    read = stored(desk, bars)
    regimes = Regimes(CONTEXT.ends(read), by_rule(read, "volatility_regime", CONTEXT))
    trades, fills, equity = (frame(desk, run, name) for name in ("trades", "fills", "equity"))
    expected, divided = split(trades, fills, equity, run.summary["balance"], regimes), desk.splits.split(run.id, "volatility_regime")
    pd.testing.assert_frame_equal(divided.table[["regime", "share", "trades", "net", "equity"]], expected.table)
    assert divided.metrics == expected.metrics and divided.table["win_rate"].tolist() == pytest.approx([metric["win_rate"] for metric in expected.metrics.values()], nan_ok=True)
    late = lag_sensitivity(trades, regimes)
    pd.testing.assert_frame_equal(divided.late, late[late["regime"].isin(expected.table["regime"])].reset_index(drop=True))
    ends = divided.curves.groupby("regime")["value"].last()
    assert {name: ends[name] for name in ends.index} == pytest.approx(dict(zip(expected.table["regime"], expected.table["equity"], strict=True)))
    assert divided.table["net"].sum() == pytest.approx(run.summary["metrics"]["net_profit"]) and divided.pooled == 0
    assert pd.read_csv(io.BytesIO(desk.splits.download_split(run.id, "volatility_regime")))["regime"].tolist() == expected.table["regime"].tolist()
    desk.backtests.delete(run.id)
    with desk.jobs._context.store.read() as unit:
        assert unit.runs.latest("split") == [], "it goes with the run that it was made of"


def test_choices_are_the_rules_and_what_was_fitted_on_the_same_bars(desk, bars):
    other = dataset(desk, "GBPUSD", 4)
    run, fitted = backtest(desk, bars, other), done(desk, desk.regimes.submit(request_for(bars), PLAN, INPUTS))
    done(desk, desk.regimes.submit(request_for(dataset(desk, "EURUSD", 8)), PLAN, INPUTS))
    choices = desk.splits.choices(run.id)
    assert [choice.by for choice in choices if choice.fitted] == [fitted.id] and [choice.instrument for choice in choices if choice.by == "trend_regime"] == ["EURUSD", "GBPUSD"]
    done(desk, desk.splits.submit_split(run.id, fitted.id))
    divided = desk.splits.split(run.id, fitted.id)
    assert divided.table["regime"].iloc[-1] == "unknown", "before the first model nothing was known"
    done(desk, desk.splits.submit_for(run.id, "trend_regime", "GBPUSD"))
    assert desk.splits.labelled_by(run.id, "trend_regime", "GBPUSD").summary["instrument"] == "GBPUSD" and desk.splits.labelled_by(run.id, "trend_regime", "EURUSD") is None
    with pytest.raises(BadRequest, match="the bars of USDJPY are not here"):
        desk.splits.submit_for(run.id, "trend_regime", "USDJPY")
    with pytest.raises(BadRequest, match="is of the kind regimes, which has no trades"):
        desk.splits.split(fitted.id, "trend_regime")


def test_bands_behind_equity_cover_its_time(desk, bars):
    run = backtest(desk, bars)
    done(desk, desk.splits.submit_for(run.id, "session_regime"))
    equity = frame(desk, run, "equity")["ts"]
    bands, size = desk.splits.bands_of(run.id, "session_regime", most=5_000)
    assert size == 1 and bands["start"].iloc[0] >= equity.iloc[0] and bands["end"].iloc[-1] <= equity.iloc[-1]
    assert (bands["start"].iloc[1:].to_numpy() >= bands["end"].iloc[:-1].to_numpy()).all() and (bands["end"] > bands["start"]).mean() > 0.99
    assert len(desk.splits.bands_of(run.id, "session_regime", most=50)[0]) <= 50


def test_many_regimes_are_pooled_and_nothing_is_lost(kind):
    random = np.random.default_rng(3)
    codes = random.integers(0, 20, 4_000)
    regimes = Regimes(np.arange(4_000), pd.Categorical.from_codes(codes, categories=[f"r{k}" for k in range(20)]))
    trades = pd.DataFrame(dict(entry_ts=pd.to_datetime(random.integers(0, 4_000, 300), utc=True)))
    fewer, count = pooled(regimes, trades)
    assert len(fewer.names) == PARTS and fewer.names[-1] == RARER and count == 20 - (PARTS - 1)
    same = [str(new) == str(old) if new != RARER else str(old) not in fewer.names for new, old in zip(fewer.labels, regimes.labels, strict=True)]
    assert all(same)


def test_a_frame_of_labels_is_plain_to_read(desk, bars):
    run = done(desk, desk.regimes.submit_rules(request_for(bars), ["volatility_regime"]))
    table = pd.read_csv(io.BytesIO(desk.regimes.download(run.id, "regimes", "csv")))
    assert list(table) == ["ts", "end", "label"] and set(table["label"].dropna()) == {"calm", "normal", "volatile"}
    assert json.loads(json.dumps(run.summary)) == run.summary
