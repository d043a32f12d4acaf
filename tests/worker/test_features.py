"""Feature jobs through the desk: context of the bars, and the look-ahead check that names what has look-ahead bias."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features import FEATURES, Context, closes, compute, feature, parse, use
from domain.market import instrument, resample
from domain.market.timeframe import Timeframe
from domain.strategies import STRATEGIES
from domain.strategies.base import strategy
from tests.worker.test_sweeps import on_sqlite, question
from worker import actors
from worker.desk import BacktestRequest, FeatureRequest
from worker.jobs.base import Cancelled, Work
from worker.store import Filter

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
COLUMNS = ["atr(14)", "zscore(window=30)", "atr(14)@H4", "obv"]


def bars(desk, name: str = "EURUSD", seed: int = 3) -> str:
    job = desk.data.generate("regimes", {}, name, "H1", START, END, seed).job
    actors.run(job.id)
    return desk.jobs.get(job.id).result["dataset"]


def request_for(desk, columns=COLUMNS, timeframe: str = "H1", names=("EURUSD",)) -> FeatureRequest:
    return FeatureRequest([bars(desk, name, 3 + k) for k, name in enumerate(names)], timeframe, START, END, columns)


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.features.get(job.result["run"])


def stored(desk, dataset: str) -> pd.DataFrame:
    frame = desk.data._context.store.frames.get(desk.data.get(dataset).frame)
    return frame.assign(ts=frame["ts"].dt.as_unit("ns"))


@pytest.fixture
def forbidden():
    """A feature and a strategy that look ahead, taken off their registers afterwards."""

    @feature(unit="ratio", source="a whole-sample z-score")
    def whole_sample(close):
        return (close - close.mean()) / close.std()

    @strategy("peeking")
    @dataclass(frozen=True)
    class Peeking:
        """Buys before the close rises."""

        def features(self):
            return (use("sma", window=5),)

        def signals(self, frame):
            rises = np.append(frame["close"].to_numpy()[1:] > frame["close"].to_numpy()[:-1], False)
            at = np.flatnonzero(rises & frame["sma(5)"].notna().to_numpy())
            return pd.DataFrame(dict(ts=frame["ts"].array[at], side=1, stop_loss=frame["close"].to_numpy()[at] - 0.01))

    yield
    del FEATURES._things["whole_sample"], STRATEGIES._things["peeking"]


def test_columns_are_what_computing_the_stored_bars_gives(system, desk, store):
    ask = request_for(desk)
    submitted = desk.features.submit_columns(ask)
    run = done(desk, submitted)
    expected = compute(stored(desk, ask.datasets[0]), map(parse, COLUMNS), Context(instrument("EURUSD"), Timeframe.named("H1")))
    frame = desk.features.frame(run.id, "EURUSD")
    names = ["atr(14)", "zscore(30)", "atr(14)@H4", "obv"]
    assert list(frame) == ["ts", *names] and (frame["ts"] == expected["ts"]).all()
    for name in names:
        np.testing.assert_array_equal(frame[name], expected[name])
    assert (run.kind, run.synthetic, run.actor, run.manifest["data"]) == ("columns", True, "ana", run.spec["datasets"])
    (event,) = desk.trail.history(f"run:{run.id}")
    assert (event.kind, event.detail["run"], event.detail["frames"]["EURUSD"]) == ("run_finished", "columns", run.frames["EURUSD"])
    again = desk.features.submit_columns(replace(ask, columns=["atr", *COLUMNS[1:]]))
    assert not again.new and again.job.id == submitted.job.id, "atr is atr(14): the same question"
    assert [run.id for run in desk.features.latest("columns")] == [run.id] and desk.features.request_of(run.id).columns == names
    desk.features.delete(run.id)
    assert desk.features.latest("columns") == []


@on_sqlite
def test_a_summary_describes_each_column_and_how_much_history_it_needs(system, desk):
    run = done(desk, desk.features.submit_columns(request_for(desk, ["atr(14)", "ema(200)", "correlation"])))
    (member,) = run.summary["members"]
    atr, _, none = member["columns"]
    assert (atr["unit"], atr["warm_up"], atr["first"], none["coverage"], none["median"]) == ("price", 14, 14, 0.0, None)
    assert atr["low"] <= atr["quarter"] <= atr["median"] <= atr["three_quarters"] <= atr["high"]
    off = {(short["column"], short["history"]): short["off"] for short in member["sensitivity"]}
    assert [history for name, history in off if name == "ema(200)"] == [199, 399, 999] and off["ema(200)", 199] is None
    assert off["ema(200)", 399] > off["ema(200)", 999] > 0
    drawn, of = desk.features.drawn(run.id, "EURUSD", "ema(200)", 500, 100)
    table = desk.features.frame(run.id, "EURUSD", ["ema(200)"]).tail(500)["ema(200)"]
    assert of == 500 and len(drawn) <= 200 and drawn["value"].max() == table.max() and drawn["value"].min() == table.min() and drawn["row"].is_monotonic_increasing


@on_sqlite
def test_several_datasets_know_each_others_closes_in_the_timeframe_requested(system, desk):
    ask = request_for(desk, ["correlation(20, first)", "relative_strength(50)"], "H4", ("EURUSD", "GBPUSD"))
    run = done(desk, desk.features.submit_columns(ask))
    h1, h4 = Timeframe.named("H1"), Timeframe.named("H4")
    longer = {name: resample(stored(desk, dataset), h1, h4, "fx") for name, dataset in zip(("EURUSD", "GBPUSD"), ask.datasets, strict=True)}
    for name, other in (("EURUSD", "GBPUSD"), ("GBPUSD", "EURUSD")):
        context = Context(instrument(name), h4, {other: closes(longer[other], instrument(other), h4)})
        expected = compute(longer[name], map(parse, ask.columns), context)
        frame = desk.features.frame(run.id, name)
        for column in ask.columns:
            np.testing.assert_array_equal(frame[column], expected[column])
        assert frame["correlation(20, first)"].notna().any()
    assert [source["instrument"] for source in run.manifest["spec"]["data"]] == ["EURUSD", "GBPUSD"]


@on_sqlite
def test_what_was_made_once_is_read_from_this_machines_columns(system, desk, monkeypatch):
    ask = request_for(desk, ["zscore(30)", "bollinger_width(20, 2.0)"])
    first = done(desk, desk.features.submit_columns(ask))
    computed = []
    from domain.features import engine

    compute = engine.FeatureTable._computed
    monkeypatch.setattr(engine.FeatureTable, "_computed", lambda table, use: computed.append((use.column, len(table.bars))) or compute(table, use))
    desk.features.delete(first.id)
    second = done(desk, desk.features.submit_columns(ask))
    assert second.frames == first.frames and {length for _, length in computed} == {199, 399, 999}, "only the short histories were made again"
    assert (system.settings.home / "columns").is_dir()


@on_sqlite
def test_a_job_on_features_stops_when_it_is_cancelled(system, desk, store):
    from worker.jobs.columns import run
    from worker.jobs.gate import run as gate

    ask = request_for(desk)
    for submit, work_on in ((desk.features.submit_columns, run), (desk.features.submit_gate, gate)):
        job = submit(ask).job
        work = Work(store, system.settings, job)
        shares = []
        work.progress = lambda share, note=None, work=work, shares=shares: shares.append(share) or (len(shares) > 3 and work.stop(Cancelled())) or work._raise_if_stopped()
        with pytest.raises(Cancelled):
            work_on(job.spec, work)
        assert len(shares) == 4 and shares == sorted(shares)


@pytest.mark.usefixtures("forbidden")
def test_the_gate_names_column_bar_and_size_and_keeps_its_verdict(system, desk, store):
    ask = request_for(desk, ["sma(20)", "whole_sample"])
    run = done(desk, desk.features.submit_gate(ask))
    (leak,) = run.summary["leaks"]
    close = stored(desk, ask.datasets[0])["close"].to_numpy()
    z = [(seen[leak["bar"]] - seen.mean()) / seen.std() for seen in (close, close[: leak["cut"]])]
    assert not run.summary["green"] and (leak["instrument"], leak["column"]) == ("EURUSD", "whole_sample") and leak["size"] == pytest.approx(abs(z[0] - z[1]))
    assert "whole_sample has look-ahead bias: at bar" in leak["sentence"] and leak["ts"] in leak["sentence"]
    (event,) = desk.trail.history(f"run:{run.id}")
    assert event.kind == "gate_refused" and event.detail["leaks"] == [leak["sentence"]]
    good = done(desk, desk.features.submit_gate(replace(ask, columns=["sma(20)", "atr(14)@H4"])))
    assert good.summary["green"] and good.summary["members"][0]["checked"] == ["sma(20)", "atr(14)@H4"] and good.summary["members"][0]["cuts"] >= 8
    assert [event.kind for event in desk.trail.history(f"run:{good.id}")] == ["gate_passed"]


@on_sqlite
@pytest.mark.usefixtures("forbidden")
def test_the_gate_on_a_strategy_names_its_signals(system, desk):
    ask = request_for(desk, [])
    run = done(desk, desk.features.submit_gate(ask, "peeking"))
    assert not run.summary["green"] and run.summary["leaks"] and {"sma(5)"} <= set(run.summary["members"][0]["checked"])
    assert "sma(5)" not in {leak["column"] for leak in run.summary["leaks"]}
    good = done(desk, desk.features.submit_gate(ask, "breakout", {"lookback": 12}))
    assert good.summary["green"] and good.spec["params"]["lookback"] == 12
    with pytest.raises(BadRequest, match="lookback is 1 bars"):
        desk.features.submit_gate(ask, "breakout", {"lookback": 1})


@on_sqlite
@pytest.mark.usefixtures("forbidden")
def test_a_run_says_whether_it_passed_the_gate(system, desk, store):
    ask = question(desk)
    job = desk.backtests.submit(ask).job
    actors.run(job.id)
    run_id = desk.jobs.get(job.id).result["run"]
    assert desk.robustness.of(run_id).gate == desk.robustness.gate(run_id) == "green"
    peeking = desk.backtests.submit(BacktestRequest("peeking", {}, ask.datasets, ask.timeframe, ask.start, ask.end, ask.rules)).job
    actors.run(peeking.id)
    caught = desk.jobs.get(peeking.id).result["run"]
    believed = desk.robustness.of(caught)
    assert believed.gate == "red" and believed.look_ahead["leaks"] and all("has look-ahead bias" in leak for leak in believed.look_ahead["leaks"])
    with store.unit() as unit:
        run = unit.runs.get(run_id)
        fields = {key: value for key, value in run.__dict__.items() if key not in ("id", "summary")}
        older = unit.runs.add(**fields, summary={key: value for key, value in run.summary.items() if key != "look_ahead"})
        unit.runs.add(**{**fields, "kind": "gate", "summary": dict(green=False, leaks=[], members=[]), "spec": dict(run.spec, params={"lookback": 99})})
    assert desk.robustness.gate(older) == "unknown" and desk.robustness.gate(run_id) == "green", "a gate on other parameters says nothing"
    with store.unit() as unit:
        unit.runs.add(**{**fields, "kind": "gate", "summary": dict(green=False, leaks=[], members=[])})
    assert desk.robustness.gate(run_id) == "red"


@on_sqlite
def test_an_invalid_request_is_reported_before_it_is_sent(system, desk):
    ask = request_for(desk)
    assert desk.features.faults(["atr(14)", "atrr", "atr(14)@M5", "atr(0)"], "H1").keys() == {"atrr", "atr(14)@M5", "atr(0)"}
    assert "did you mean 'atr'" in desk.features.faults(["atrr"])["atrr"]
    for wrong, sentence in (
        (dict(columns=["atr(14)", "rsii"]), "no feature named 'rsii'; did you mean 'rsi'"),
        (dict(columns=["atr(14)@M15"]), "shorter than the H1 bars of the request"),
        (dict(columns=[]), "no feature is chosen"),
        (dict(datasets=[]), "no dataset is chosen"),
        (dict(datasets=["nosuch"]), "there is no dataset nosuch"),
        (dict(timeframe="M5"), "is stored in H1 bars, and M5 is requested"),
        (dict(start=datetime(2030, 1, 1, tzinfo=UTC), end=datetime(2031, 1, 1, tzinfo=UTC)), "Choose a range within the available data"),
    ):
        with pytest.raises(BadRequest, match=sentence):
            desk.features.submit_columns(replace(ask, **wrong))
    assert desk.jobs.latest(kinds=("columns",)) == []


def test_saved_recipes_are_listed_with_the_built_in_ones(desk, store):
    desk.features.save_recipe("  mine ", ["atr", "atr(14)", "macd(fast=5, slow=9)@H1"], "for trends")
    own = desk.features.recipes()[0]
    assert (own.name, own.columns, own.own, own.actor) == ("mine", ("atr(14)", "macd(5, 9)@H1"), True, "ana") == ("mine", tuple(desk.features.columns_of("mine")), True, "ana")
    assert len(desk.features.columns_of("vector50")) == 50 and {"basic", "full"} <= {recipe.name for recipe in desk.features.recipes() if not recipe.own}
    desk.features.save_recipe("mine", ["body"])
    for wrong, sentence in ((("", ["body"]), "give it one of"), (("full", ["body"]), "built-in feature set"), (("x", []), "no feature"), (("x", ["bodyy"]), "did you mean 'body'"), (("x" * 65, ["body"]), "give it one of")):
        with pytest.raises(BadRequest, match=sentence):
            desk.features.save_recipe(*wrong)
    desk.features.delete_recipe("mine")
    with pytest.raises(BadRequest, match="there is no feature set mine"):
        desk.features.delete_recipe("mine")
    assert [event.kind for event in desk.trail.history("recipe:mine")] == ["recipe_saved", "recipe_replaced", "recipe_deleted"]
    assert {event.subject for event in desk.trail.history("recipe:mine")} == {"data"}


@on_sqlite
def test_columns_are_exported_as_csv_and_parquet(system, desk, store):
    run = done(desk, desk.features.submit_columns(request_for(desk, ["atr(14)", "macd(12, 26)"])))
    parquet = pd.read_parquet(io.BytesIO(desk.features.download(run.id, "EURUSD", "parquet")))
    csv = pd.read_csv(io.BytesIO(desk.features.download(run.id, "EURUSD", "csv")))
    assert list(parquet) == list(csv) == ["ts", "atr(14)", "macd(12, 26)"] and csv["ts"].iloc[0] == f"{parquet['ts'].iloc[0]:%Y-%m-%dT%H:%M:%SZ}"
    np.testing.assert_array_equal(csv["macd(12, 26)"], parquet["macd(12, 26)"])
    with store.read() as unit:
        assert unit.trail.count(Filter(kinds=("downloaded",), entity=f"run:{run.id}")) == 2
    with pytest.raises(BadRequest, match=f"run {run.id} has no GBPUSD; it has EURUSD"):
        desk.features.download(run.id, "GBPUSD", "csv")


@on_sqlite
def test_the_catalogue_describes_each_feature(desk):
    every = {feature.name: feature for feature in desk.features.catalogue()}
    atr = every["atr"]
    assert set(every) == set(FEATURES) and (atr.family, atr.unit, atr.low, atr.warm_up, atr.written, dict(atr.parameters)) == ("volatility", "price", 0.0, 14, "atr(14)", {"window": 14})
    assert all(feature.help and feature.source and feature.unit and feature.written for feature in every.values()) and ">>>" not in "".join(feature.about for feature in every.values())


@on_sqlite
def test_columns_of_a_later_period_are_those_of_the_whole_from_there_on(system, desk, store):
    ask = request_for(desk, ["sma(50)", "atr(14)"])
    later = replace(ask, start=datetime(2024, 3, 1, tzinfo=UTC))
    complete, part = (done(desk, desk.features.submit_columns(request)) for request in (ask, later))
    every, frame = (store.frames.get(run.frames["EURUSD"]) for run in (complete, part))
    pd.testing.assert_frame_equal(frame, every[every["ts"] >= later.start].reset_index(drop=True))
    assert part.summary["members"][0]["history"] == len(every) - len(frame) > 0 and frame["sma(50)"].notna().all()
