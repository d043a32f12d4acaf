"""The feature laboratory as jobs: through the desk, counted, cancelled, and from the terminal."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from domain.features import Context, compute, parse, use
from domain.features.regimes import fit, observations
from domain.laboratory import StudyConfig, Thresholds, forward_return
from domain.laboratory import examine as examined
from domain.laboratory import similar as like
from domain.market import instrument
from domain.market.timeframe import Timeframe
from tests.worker.kinds import waiting
from tests.worker.test_features import END, START, request_for, stored
from tests.worker.test_sweeps import ledger, on_sqlite
from worker import actors
from worker.cli import app
from worker.desk import FeatureRequest
from worker.jobs.base import Work
from worker.jobs.feature_sets import Member
from worker.jobs.labels import as_known, by_model
from worker.supervise import ProcessTree as Tree

COLUMNS = ["zscore(20)", "rsi(14)", "log_return(1)", "atr(14)"]
PLAN = dict(resamples=100)
OFTEN = dict(lookback=3, stop_atr=1.0, target_r=1.0)      # a breakout that trades often


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.examinations.get(job.result["run"])


def examine(desk, ask: FeatureRequest, target=None, **more):
    return done(desk, desk.examinations.submit_examination(ask, dict(horizon=4) if target is None else target, plan=PLAN, **more))


def with_columns(desk, ask: FeatureRequest) -> pd.DataFrame:
    bars = stored(desk, ask.datasets[0])
    return compute(bars, map(parse, ask.columns), Context(instrument("EURUSD"), Timeframe.named("H1")))


def test_a_run_holds_what_the_laboratory_finds_on_the_stored_bars(system, desk, store):
    ask = request_for(desk, COLUMNS)
    run = examine(desk, ask)
    frame = with_columns(desk, ask)
    target = forward_return(frame, 4)
    bars = frame[list(stored(desk, ask.datasets[0]))]
    regimes = compute(bars, [use("volatility_regime"), use("trend_regime")], Context(instrument("EURUSD"), Timeframe.named("H1")))
    labels = {
        "volatility": regimes[use("volatility_regime").column].map({0: "calm", 1: "normal", 2: "volatile"}).fillna(""),
        "trend": regimes[use("trend_regime").column].map({-1: "down", 0: "no trend", 1: "up"}).fillna(""),
    }
    expected = examined(frame, COLUMNS, target, labels, StudyConfig(resamples=100, tried=4), Thresholds())
    for name, table in expected.frames().items():
        pd.testing.assert_frame_equal(desk.examinations.table(run.id, name), table, check_dtype=False)
    assert set(desk.examinations.table(run.id, "periods")["label"]) == {"year", "session", "volatility", "trend"}
    assert run.summary["tried"] == dict(all=4, here=4, before=0) and run.summary["target"]["values"] == len(frame) - 4
    assert run.summary["proposed"] and set(run.summary["proposed"]) == set(expected.summary.query("verdict != 'drop'")["feature"])
    (event,) = desk.trail.history(f"run:{run.id}")
    assert (event.kind, event.actor, event.detail["run"], event.detail["tried"]) == ("run_finished", "ana", "examine", 4)


@on_sqlite
def test_the_spread_of_each_quantile_is_that_of_its_own_bars(system, desk):
    ask = request_for(desk, ["zscore(20)"])
    run = examine(desk, ask)
    frame = with_columns(desk, ask)
    followed, outcomes = forward_return(frame, 4).values, desk.examinations.table(run.id, "outcomes", "zscore(20)")
    edges = desk.examinations.table(run.id, "quantiles", "zscore(20)")
    for row, edge in zip(outcomes.itertuples(), edges.itertuples(), strict=True):
        inside = np.isfinite(followed) & (frame["zscore(20)"] >= edge.low) & (frame["zscore(20)"] <= edge.high)
        assert row.count == edge.count == inside.sum()
        assert row.median == np.quantile(followed[inside], 0.5, method="lower") and row.q05 == np.quantile(followed[inside], 0.05, method="lower")


@on_sqlite
def test_every_look_at_the_same_bars_counts_against_the_next_one(system, desk):
    ask = request_for(desk, COLUMNS)
    first = examine(desk, ask)
    assert desk.examinations.tried(ask.datasets) == 4
    second = examine(desk, replace(ask, columns=["zscore(20)", "sma(20)"]))
    assert second.summary["tried"] == dict(all=5, here=2, before=3), "zscore against the same target was tried before"
    third = examine(desk, ask, dict(horizon=8))
    assert third.summary["tried"] == dict(all=9, here=4, before=5), "another horizon is another look"
    again = desk.examinations.submit_examination(ask, dict(horizon=4), plan=PLAN)
    assert again.new and done(desk, again).summary["tried"] == dict(all=9, here=4, before=5), "after more looks it is another question"
    assert not desk.examinations.submit_examination(ask, dict(horizon=4), plan=PLAN).new
    feature = first.summary["best"]["feature"]
    alone = examine(desk, replace(ask, columns=[feature]), dict(horizon=16))
    assert alone.summary["tried"]["all"] == 10 and alone.summary["best"]["q"] == pytest.approx(min(desk.examinations.table(alone.id, "summary")["p"].iloc[0] * 10, 1.0))
    desk.examinations.delete(alone.id)
    assert desk.examinations.tried(ask.datasets) == 10, "deleted runs stay counted"


@on_sqlite
def test_the_same_question_is_the_same_job_and_a_missing_one_is_refused(system, desk):
    ask = request_for(desk, COLUMNS)
    first = desk.examinations.submit_examination(ask, dict(horizon=4))
    again = desk.examinations.submit_examination(replace(ask, columns=["zscore", *COLUMNS[1:]]), dict(horizon=4, target="forward"))
    assert not again.new and again.job.id == first.job.id
    for what, sentence in ((dict(horizon=0), "horizon is 0 bars"), (dict(target="trades"), "no strategy is chosen"), (dict(target="luck"), "no target named 'luck'")):
        with pytest.raises(BadRequest, match=sentence):
            desk.examinations.submit_examination(ask, what)
    job = desk.examinations.submit_examination(ask, dict(horizon=3_000)).job
    actors.run(job.id)
    assert "at least 100 are needed" in desk.jobs.get(job.id).error["sentence"] and desk.examinations.tried(ask.datasets) == 0, "a look that showed nothing is none"


@on_sqlite
def test_trades_of_a_strategy_are_a_target_and_a_trial(system, desk, store):
    ask = request_for(desk, COLUMNS)
    run = examine(desk, ask, dict(target="trades"), strategy="breakout", params=OFTEN)
    assert run.spec["target"]["sizing"]["kind"] == "fraction_at_risk" and run.summary["target"]["unit"] == "R" and run.spec["target"]["strategy"] == "breakout"
    assert [(row["strategy"], row["kind"]) for row in ledger(store)] == [("breakout", "run")]
    from worker.desk import BacktestRequest

    job = desk.backtests.submit(BacktestRequest("breakout", OFTEN, ask.datasets, "H1", START, END, {name: run.spec["target"][name] for name in ("account", "costs", "sizing")})).job
    actors.run(job.id)
    r = desk.backtests.trades(desk.jobs.get(job.id).result["run"])["r"].dropna()
    count = desk.examinations.table(run.id, "quantiles", "log_return(1)")
    assert run.summary["target"]["note"].startswith(f"{len(r)} of ") and (count["count"] * count["mean"]).sum() == pytest.approx(run.summary["target"]["mean"] * count["count"].sum())
    assert len({row["spec"] for row in ledger(store)}) == 1, "the same simulation is the same trial"
    assert desk.examinations.decay(run.id, "log_return(1)").empty and len(desk.examinations.periods(run.id, "log_return(1)").dropna(subset=["low", "high"]))


@on_sqlite
def test_several_instruments_are_examined_together(system, desk):
    ask = request_for(desk, ["zscore(20)", "rsi(14)"], names=("EURUSD", "GBPUSD"))
    run = examine(desk, ask)
    assert [member["instrument"] for member in run.summary["members"]] == ["EURUSD", "GBPUSD"] and any("2 instruments" in note for note in run.summary["notes"])
    near = done(desk, desk.examinations.submit_similar(ask, None, "GBPUSD", dict(horizon=4, count=10)))
    assert near.summary["instrument"] == "GBPUSD" and set(desk.examinations.table(near.id, "matches")["instrument"]) <= {"EURUSD", "GBPUSD"}


@on_sqlite
def test_a_proposal_becomes_a_recipe(system, desk):
    run = examine(desk, request_for(desk, COLUMNS))
    recipe = desk.examinations.save_proposal(run.id, "from the laboratory")
    assert list(recipe.columns) == run.summary["proposed"] and desk.features.columns_of("from the laboratory") == run.summary["proposed"]


@on_sqlite
def test_tables_leave_with_an_audit_event_and_pictures_are_bounded(system, desk):
    run = examine(desk, request_for(desk, COLUMNS))
    for name in desk.examinations.tables():
        table = pd.read_csv(io.BytesIO(desk.examinations.download(run.id, name)))
        assert len(table) == len(desk.examinations.table(run.id, name)), name
    assert len(pd.read_parquet(io.BytesIO(desk.examinations.download(run.id, "summary", "parquet")))) == 4
    taken = [event.detail["what"] for event in desk.trail.history(f"run:{run.id}") if event.kind == "downloaded"]
    assert sorted(taken) == sorted([*desk.examinations.tables(), "summary"])
    assert len(desk.examinations.alike(run.id, 3)) == 9 and desk.examinations.ranking(run.id)["feature"].iloc[0] in COLUMNS
    with pytest.raises(BadRequest, match="has no table nothing"):
        desk.examinations.table(run.id, "nothing")


def test_neighbours_are_those_the_laboratory_finds_before_the_chosen_bar(system, desk, store):
    ask = request_for(desk, COLUMNS)
    at = datetime(2024, 3, 5, 12, 20, tzinfo=UTC)
    submitted = desk.examinations.submit_similar(ask, at, likeness=dict(horizon=6, count=20, before=8))
    run = done(desk, submitted)
    frame = with_columns(desk, ask)
    row = int(np.flatnonzero(frame["ts"] <= pd.Timestamp(at))[-1])
    expected = like(frame, COLUMNS, 6, row, 20, before=8)
    pd.testing.assert_frame_equal(desk.examinations.table(run.id, "matches"), expected.matches.drop(columns="row"), check_dtype=False)
    pd.testing.assert_frame_equal(desk.examinations.paths(run.id), expected.paths, check_dtype=False)
    assert run.summary["ts"] == "2024-03-05T12:00:00+00:00" and desk.examinations.table(run.id, "matches")["ts"].max() <= frame["ts"][row - 6]
    assert run.summary["share_low"] < run.summary["figures"]["matches"]["share_up"] < run.summary["share_high"]
    fan = desk.examinations.fan(run.id)
    assert fan["now"].notna().sum() == 9 and fan.loc[fan["step"] > 0, "now"].isna().all() and (fan["q05"] <= fan["q95"]).all()
    assert not desk.examinations.submit_similar(ask, at, likeness=dict(horizon=6, count=20, before=8)).new


@on_sqlite
def test_the_last_bar_is_chosen_by_itself_and_one_before_all_is_refused(system, desk):
    ask = request_for(desk, COLUMNS)
    run = done(desk, desk.examinations.submit_similar(ask, likeness=dict(horizon=4, count=10)))
    assert run.summary["ts"] == stored(desk, ask.datasets[0])["ts"].iloc[-1].isoformat() and run.spec["at"] == ""
    job = desk.examinations.submit_similar(ask, datetime(2020, 1, 1, tzinfo=UTC)).job
    actors.run(job.id)
    assert "EURUSD has no bar by 2020-01-01" in desk.jobs.get(job.id).error["sentence"]


@on_sqlite
def test_cancel_stops_an_examination_and_counts_nothing(system, desk, monkeypatch):
    ask = request_for(desk, COLUMNS)
    job = desk.examinations.submit_examination(ask, dict(horizon=4), plan=PLAN).job
    original = Work.progress
    at: list[float] = []

    def progress(self, share, note=None):
        if share > 0.3 and not at:
            at.append(time.monotonic())
            desk.jobs.cancel(job.id)
            waiting(lambda: self._stop, 5, "the heartbeat reads that it is cancelled")
        original(self, share, note)

    with monkeypatch.context() as patch:
        patch.setattr(Work, "progress", progress)
        actors.run(job.id)
    assert desk.jobs.get(job.id).state == "cancelled" and at and desk.jobs.get(job.id).progress < 0.5
    assert desk.examinations.tried(ask.datasets) == 0 and not desk.examinations.latest()


# -- by regimes of a finished run, or of a model

FITTED = dict(kind="hmm", states="2", train=500, step=400, restarts=1, seed=5)
SEEN = ["log_volatility(24)", "straightness(24)"]


def regimes(desk, ask: FeatureRequest, plan=None):
    """A finished run of regimes on the first of these bars."""
    job = desk.regimes.submit(replace(ask, columns=[]), FITTED if plan is None else plan, SEEN).job
    actors.run(job.id)
    assert desk.jobs.get(job.id).state == "done", desk.jobs.get(job.id).error
    return desk.regimes.get(desk.jobs.get(job.id).result["run"])


def stored_labels(desk, run) -> pd.DataFrame:
    return desk.regimes._frame(run, "regimes", ["ts", "end", "label"])


@on_sqlite
def test_a_feature_is_analysed_within_the_regimes_of_a_finished_run(system, desk):
    ask = request_for(desk, COLUMNS)
    fitted = regimes(desk, ask)
    assert list(desk.examinations.regimes(ask)) == [fitted.id]
    run = examine(desk, ask, regimes=[fitted.id])
    words = stored_labels(desk, fitted)["label"]
    periods = desk.examinations.periods(run.id, "zscore(20)").query("label == 'regime'").set_index("group")
    frame = with_columns(desk, ask)
    followed = forward_return(frame, 4).values
    both = frame["zscore(20)"].notna() & np.isfinite(followed)
    assert set(periods.index) == set(fitted.summary["names"]) and words.isna().sum() == 500
    for name, row in periods.iterrows():
        inside = both & (words == name)
        assert row["count"] == inside.sum() and row["ic"] == pytest.approx(frame.loc[inside, "zscore(20)"].rank().corr(pd.Series(followed[inside]).rank().set_axis(frame.index[inside])), abs=1e-9)
    expected = [dict(instrument="EURUSD", run=fitted.id, frame=fitted.frames["regimes"])]
    assert run.spec["regimes"] == expected == run.manifest["spec"]["regimes"] and run.frames["regimes_EURUSD"] == fitted.frames["regimes"]
    assert any(fitted.id in note and f"{len(words) - 500:,} of {len(words):,} bars" in note for note in run.summary["notes"])
    assert "regime" not in set(desk.examinations.periods(examine(desk, ask).id, "zscore(20)")["label"]), "without a run it is another question"


@on_sqlite
def test_labels_come_from_no_later_bar(system, desk):
    """A run on bars up to a cut labels them as the run on all bars does; both are joined by the ends of bars, and none is carried on behind the last."""
    ask = request_for(desk, COLUMNS)
    short = replace(ask, end=datetime(2024, 3, 4, tzinfo=UTC))
    complete, part = (stored_labels(desk, regimes(desk, request)) for request in (ask, short))
    ends = complete["end"].astype("int64").to_numpy()
    all_words, cut_words = as_known(complete, ends), as_known(part, ends)
    cut = len(part)
    assert 500 < cut < len(complete) and (all_words[:cut] == cut_words[:cut]).all() and (cut_words[cut:] == "").all() and len(set(all_words[500:])) == 2
    assert all_words.tolist() == ["" if pd.isna(word) else word for word in complete["label"]]
    between = as_known(complete, ends[:-1] + (ends[1:] - ends[:-1]) // 2)
    assert (between == all_words[:-1]).all(), "between two ends the earlier bar is what is known"


@on_sqlite
def test_states_of_a_model_are_filtered_and_begin_with_the_first_known_bar(system, desk):
    ask = request_for(desk, COLUMNS)
    bars, context = stored(desk, ask.datasets[0]), Context(instrument("EURUSD"), Timeframe.named("H1"))
    model = fit(observations(bars, context, SEEN), "hmm", 2, 5, 1)
    run = examine(desk, ask, model=model)
    complete, part = (by_model(model, Member(desk.data.get(ask.datasets[0]), bars[:cut].reset_index(drop=True), context)) for cut in (len(bars), 700))
    assert (complete[:700] == part).all() and (complete[:24] == "").all() and set(complete[24:]) == set(model.names)
    groups = desk.examinations.table(run.id, "periods", "log_return(1)").query("label == 'regime'").set_index("group")["count"]
    assert groups.to_dict() == pd.Series(complete[24:-4]).value_counts().to_dict()
    assert run.spec["regime_model"] == json.loads(model.to_json()) and any(model.trained[1] in note for note in run.summary["notes"])
    with pytest.raises(BadRequest, match="runs of regimes or a regime model"):
        desk.examinations.submit_examination(ask, regimes=["some"], model=model)
    other = replace(model, columns=("correlation_with_others(96)", "straightness(24)"))
    job = desk.examinations.submit_examination(ask, dict(horizon=4), model=other).job
    actors.run(job.id)
    assert "never have a value together on these bars of EURUSD" in desk.jobs.get(job.id).error["sentence"]


@on_sqlite
def test_each_instrument_has_the_labels_of_its_own_run_and_others_have_none(system, desk):
    ask = request_for(desk, ["zscore(20)"], names=("EURUSD", "GBPUSD"))
    second = regimes(desk, replace(ask, datasets=ask.datasets[1:]))
    run = examine(desk, ask, regimes=[second.id])
    groups = desk.examinations.table(run.id, "periods", "zscore(20)").query("label == 'regime'")
    words = stored_labels(desk, second)["label"]
    assert groups["count"].sum() == words.notna().sum() - 4, "all of its labels but the four bars that nothing follows"
    assert [row["instrument"] for row in run.spec["regimes"]] == ["GBPUSD"] and any("EURUSD, so its bars have none" in note for note in run.summary["notes"])
    first = regimes(desk, ask)
    both = examine(desk, ask, regimes=[second.id, first.id])
    assert [row["run"] for row in both.spec["regimes"]] == [first.id, second.id] and set(both.frames) > {"regimes_EURUSD", "regimes_GBPUSD"}
    assert set(desk.examinations.regimes(ask)) == {first.id, second.id}


@on_sqlite
def test_regimes_of_other_bars_are_neither_offered_nor_taken(system, desk):
    ask = request_for(desk, COLUMNS)
    first, second = regimes(desk, ask), regimes(desk, ask, FITTED | dict(seed=6))
    longer = replace(ask, timeframe="H4")
    late = replace(ask, start=datetime(2024, 3, 20, tzinfo=UTC))
    early = regimes(desk, replace(ask, end=datetime(2024, 3, 4, tzinfo=UTC)))
    other = request_for(desk, COLUMNS, names=("GBPUSD",))
    assert list(desk.examinations.regimes(ask)) == [early.id, second.id, first.id] and desk.examinations.regimes(longer) == {} == desk.examinations.regimes(other)
    assert list(desk.examinations.regimes(late)) == [second.id, first.id]
    refused = [(longer, [first.id], "labels H1 bars, and H4"), (other, [first.id], "labels other bars of EURUSD"), (late, [early.id], "to 2024-03-0[13], and 2024-03-20"), (ask, [first.id, second.id], "choose one for each"), (ask, ["nosuch"], "no run nosuch")]
    for question, chosen, sentence in refused:
        with pytest.raises(BadRequest, match=sentence):
            desk.examinations.submit_examination(question, dict(horizon=4), regimes=chosen)


@on_sqlite
def test_labels_outlive_the_run_they_come_from(system, desk, store):
    ask = request_for(desk, COLUMNS)
    fitted = regimes(desk, ask)
    run = examine(desk, ask, regimes=[fitted.id])
    desk.regimes.delete(fitted.id)
    with store.read() as unit:
        assert fitted.frames["regimes"] in unit.runs.frames()
    assert desk.examinations.regimes(ask) == {} and len(desk.examinations.table(run.id, "regimes_EURUSD"))
    job = desk.examinations.submit_examination(ask, dict(horizon=6), regimes=[regimes(desk, ask, FITTED | dict(seed=7)).id]).job
    store.frames._fs.rm(store.frames._path(job.spec["regimes"][0]["frame"]))
    actors.run(job.id)
    assert "is no longer in the workspace" in desk.jobs.get(job.id).error["sentence"]


# -- from the terminal


@pytest.fixture
def say(system, desk, database, tmp_path, monkeypatch):
    """Runs a verb of ``tidemark features`` on this test's workspace; the JSON it prints."""
    for name, value in dict(STORAGE_HOME=tmp_path, DATABASE_URL=database, APP_USER="ana", EXAMPLE="false").items():
        monkeypatch.setenv(f"TIDEMARK_{name}", str(value))
    dataset = request_for(desk).datasets[0]

    def run(verb: str, *rest: str) -> dict:
        result = CliRunner().invoke(app, ["features", verb, "--data", dataset, *rest, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


@on_sqlite
def test_examining_from_the_terminal_ranks_and_writes_the_tables(say, desk, tmp_path):
    output = say("examine", "--columns", "zscore(20)", "rsi(14)", "--horizon", "4", "--out", str(tmp_path / "out"))
    assert (output["features"], output["tried_on_this_data"], len(output["ranking"])) == (2, 2, 2) and output["ranking"][0]["reason"]
    assert {path.stem for path in (tmp_path / "out").glob("*.csv")} == set(desk.examinations.tables())
    assert len(pd.read_csv(tmp_path / "out" / "summary.csv")) == 2
    traded = say("examine", "--recipe", "basic", "--target", "trades", "--strategy", "breakout", "--params", json.dumps(OFTEN))
    assert traded["target"] == "outcome of trades" and traded["features"] == 7 and traded["tried_on_this_data"] == 9


@on_sqlite
def test_like_moments_from_the_terminal(say, desk, tmp_path):
    output = say("similar", "--at", "2024-03-05T12:00", "--horizon", "4", "--count", "10", "--out", str(tmp_path / "out"))
    assert (output["bar"], output["matches"], len(output["table"])) == ("2024-03-05T12:00:00+00:00", 10, 10)
    assert desk.examinations.get(output["run"]).spec["columns"] == desk.features.columns_of("vector50")
    assert {path.stem for path in (tmp_path / "out").glob("*.csv")} == {"matches", "paths", "followed", "distribution"}
    with pytest.raises(BadRequest, match="either --recipe or --columns"):
        say("similar", "--recipe", "basic", "--columns", "atr(14)")


@on_sqlite
def test_regimes_from_the_terminal_are_a_run_or_a_model(say, desk, tmp_path):
    ask = request_for(desk, ["zscore(20)"])
    fitted = regimes(desk, ask)
    path = tmp_path / "model.json"
    path.write_text(desk.regimes.model(fitted.id).to_json())
    for given in (fitted.id, str(path)):
        output = say("examine", "--columns", "zscore(20)", "--horizon", "4", "--regimes", given, "--out", str(tmp_path / "out"))
        periods = pd.read_csv(tmp_path / "out" / "periods.csv")
        assert set(periods.query("label == 'regime'")["group"]) == set(fitted.summary["names"]) and any("egimes" in note for note in output["notes"])
    assert len(pd.read_csv(tmp_path / "out" / "regimes_EURUSD.csv")) == fitted.summary["bars"]
    with pytest.raises(BadRequest, match="one regime model, or runs of regimes alone"):
        say("examine", "--columns", "zscore(20)", "--regimes", str(path), "--regimes", fitted.id)
    with pytest.raises(BadRequest, match=r"nosuch\.json cannot be read"):
        say("examine", "--columns", "zscore(20)", "--regimes", "nosuch.json")


def test_libraries_take_one_core_each_unless_set_otherwise(settings, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    environment = Tree(settings).environment()
    assert (environment["OMP_NUM_THREADS"], environment["OPENBLAS_NUM_THREADS"]) == ("1", "3")
