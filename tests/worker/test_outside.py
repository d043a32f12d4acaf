"""External data through the desk and its jobs: imported, resolved on submission, named by the run, and known only from its publication."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features import Context, compute, parse
from domain.features.recipes import recipe
from domain.features.sentiment import read_headlines, scorer_name
from domain.market import instrument
from domain.market.timeframe import Timeframe
from domain.outside.headlines import headlines_of
from domain.outside.releases import concerning, read_releases
from domain.outside.series import read_series
from domain.strategies import STRATEGIES
from domain.strategies.base import strategy
from tests.worker import outside as files
from tests.worker.test_features import done, request_for, stored
from tests.worker.test_sweeps import on_sqlite
from worker import actors
from worker.desk import FeatureRequest
from worker.store import Filter

H1 = Timeframe.named("H1")
MACRO = ["vix_zscore(20)", "rate_differential", "rate_differential_zscore(20)@H4"]


@pytest.fixture
def everything(system, desk, tmp_path):
    """A VIX, two policy rates, headlines and a calendar."""
    datasets = {name: files.imported(desk, files.series(tmp_path / f"{name}.csv", k), name) for k, name in enumerate(("VIX", "EU_RATE", "US_RATE"))}
    datasets["headlines"] = files.imported(desk, files.headlines(tmp_path / "news.csv"))
    datasets["calendar"] = files.imported(desk, files.calendar(tmp_path / "calendar.csv"))
    return datasets


def columns(desk, ask: FeatureRequest):
    run = done(desk, desk.features.submit_columns(ask))
    return run, desk.features.frame(run.id, "EURUSD")


# -- what features get


def test_columns_of_every_kind_are_what_the_engine_gives_on_the_files(everything, desk, tmp_path):
    texts = [*MACRO, "sentiment(12.0)", "minutes_to_release", "minutes_since_release"]
    run, frame = columns(desk, ask := request_for(desk, texts))
    context = Context(
        instrument("EURUSD"), H1, macro={name: read_series(tmp_path / f"{name}.csv", name) for name in ("VIX", "EU_RATE", "US_RATE")},
        headlines=read_headlines(headlines_of(tmp_path / "news.csv").frame), releases=concerning(read_releases(tmp_path / "calendar.csv").frame, instrument("EURUSD")),
    )  # fmt: skip
    expected = compute(stored(desk, ask.datasets[0]), map(parse, texts), context)
    for text in texts:
        np.testing.assert_array_equal(frame[text], expected[text], err_msg=text)
        assert frame[text].notna().any(), text
    versions = dict(series={name: everything[name].version for name in ("EU_RATE", "US_RATE", "VIX")}, headlines=everything["headlines"].version, releases=everything["calendar"].version, impact="high")
    assert run.spec["outside"] == run.manifest["spec"]["outside"] == versions
    assert all(column["coverage"] for column in run.summary["members"][0]["columns"]) and desk.features.lacked(run.id) == {}


def test_a_spec_names_only_what_its_columns_need(everything, desk):
    ask = request_for(desk, ["atr(14)"])
    for texts, wanted in ((["atr(14)", "minute_of_day_sine"], None), (["vix_zscore"], {"series"}), (["sentiment"], {"headlines"}), (["minutes_to_release"], {"releases", "impact"})):
        spec = desk.features.spec(replace(ask, columns=texts))
        assert ("outside" in spec) == (wanted is not None) and set(spec.get("outside", {})) == (wanted or set())
    assert set(desk.features.spec(replace(ask, columns=["vix_zscore"]))["outside"]["series"]) == {"VIX"}


def test_nothing_is_named_where_nothing_is_there(system, desk):
    ask = request_for(desk, [*MACRO, "sentiment", "minutes_to_release"])
    assert "outside" not in desk.features.spec(ask)
    assert {(lack.kind, lack.name): lack.columns for lack in desk.features.lacks(ask)} == {
        ("series", "VIX"): ("vix_zscore(20)",), ("series", "EU_RATE"): tuple(MACRO[1:]), ("series", "US_RATE"): tuple(MACRO[1:]), ("headlines", "Headlines"): ("sentiment(24.0)",), ("releases", "A calendar of releases"): ("minutes_to_release",),
    }  # fmt: skip
    run, frame = columns(desk, ask)
    assert frame[[*MACRO, "sentiment(24.0)", "minutes_to_release"]].isna().all().all()
    assert desk.features.lacked(run.id)["vix_zscore(20)"] == ["VIX (Implied volatility of the S&P 500 (VIX))"] and desk.features.lacked(run.id)["minutes_to_release"] == ["A calendar of releases"]


def test_a_later_import_is_another_question_and_leaves_the_earlier_run_as_it_was(everything, desk, tmp_path):
    ask = request_for(desk, ["vix_zscore(20)"])
    before, values = columns(desk, ask)
    assert not desk.features.submit_columns(ask).new
    newer = files.imported(desk, files.series(tmp_path / "again.csv", 9), "VIX")
    after, others = columns(desk, ask)
    assert after.id != before.id and after.spec["outside"]["series"]["VIX"] == newer.version != before.spec["outside"]["series"]["VIX"]
    assert not np.allclose(values["vix_zscore(20)"].dropna(), others["vix_zscore(20)"].dropna())
    again = desk.features._context.submit("columns", "Once more", dict(before.spec), queue="research")
    assert done(desk, again).frames == before.frames, "what a spec names is what it gets, whatever came later"


@on_sqlite
def test_nothing_is_known_before_it_was_out(everything, desk):
    """Bars are cut; what later bars know changes nothing of what earlier ones said, and no value stands before the first publication."""
    texts = [use.column for family in ("macro", "sentiment") for use in recipe(family).uses] + ["minutes_to_release", "minutes_since_release"]
    ask = request_for(desk, texts)
    assert done(desk, desk.features.submit_gate(ask)).summary["green"]
    _, frame = columns(desk, ask)
    ends = Context(instrument("EURUSD"), H1).ends(frame)
    first = pd.Timestamp("2024-01-02T06:10Z").value
    assert frame["sentiment(24.0)"].isna()[ends < first].all() and frame["sentiment(24.0)"].notna()[ends >= first].all()


@on_sqlite
def test_a_value_stands_from_the_bar_that_ends_when_it_is_known(everything, desk):
    _, frame = columns(desk, request_for(desk, ["rate_differential"]))
    table = {name: desk.outside._frame(everything[name].id).set_index("published")["value"] for name in ("EU_RATE", "US_RATE")}
    ends = pd.to_datetime(Context(instrument("EURUSD"), H1).ends(frame), utc=True)
    for k in (0, 100, 777, len(frame) - 1):
        base, quote = (row[row.index <= ends[k]].iloc[-1] for row in table.values())
        assert frame["rate_differential"].iloc[k] == pytest.approx(base - quote)


@on_sqlite
def test_the_impact_of_the_settings_decides_which_releases_count(everything, desk, store, settings):
    from worker.desk import Desk

    low = Desk(store, replace(settings, outside=replace(settings.outside, release_impact="low")), send=lambda *_: False)
    ask = request_for(desk, ["minutes_since_release"])
    (high, _), (every, _) = columns(desk, ask), columns(low, ask)
    seen = {run.spec["outside"]["impact"]: desk.features.frame(run.id, "EURUSD")["minutes_since_release"].dropna().max() / 60 for run in (high, every)}
    assert seen["high"] > 13 * 24 and 6 * 24 < seen["low"] <= 7 * 24, "medium ones lie between the high ones"


@on_sqlite
def test_each_instrument_has_the_releases_of_its_own_currencies(everything, desk):
    ask = request_for(desk, ["minutes_since_release"], names=("EURUSD", "USDJPY"))
    run = done(desk, desk.features.submit_columns(ask))
    least = {name: desk.features.frame(run.id, name)["minutes_since_release"].dropna().max() / 60 for name in ("EURUSD", "USDJPY")}
    assert least["EURUSD"] > 13 * 24 > 7 * 24 >= least["USDJPY"]


@on_sqlite
def test_a_model_of_regimes_gets_what_it_looks_at(everything, desk):
    ask = request_for(desk, [])
    run = done(desk, desk.regimes.submit(ask, dict(kind="mixture", states="2", train=700, step=700, restarts=1, seed=5), ["log_volatility(24)", "vix_zscore(20)"]))
    assert set(run.spec["outside"]["series"]) == {"VIX"} and run.summary["labelled"] > 0
    assert "outside" not in desk.regimes.submit_rules(ask, ["volatility_regime"]).job.spec


@on_sqlite
def test_the_laboratory_and_like_moments_name_it_too(everything, desk):
    ask = request_for(desk, ["log_return(1)", "vix_zscore(20)", "sentiment(24.0)"])
    for submitted in (desk.examinations.submit_examination(ask, dict(horizon=4)), desk.examinations.submit_similar(ask)):
        run = done(desk, submitted)
        assert set(run.spec["outside"]) == {"series", "headlines"} and run.manifest["spec"]["outside"] == run.spec["outside"]


# -- bringing in, listing, taking away


def test_an_import_is_reported_by_its_row_and_its_events(system, desk, tmp_path):
    dataset = files.imported(desk, files.series(tmp_path / "fred_VIXCLS.csv"))
    assert (dataset.kind, dataset.name, dataset.source, dataset.actor, dataset.scorer) == ("series", "VIX", "fred_VIXCLS.csv", "ana", "")
    table = desk.outside._frame(dataset.id)
    assert dataset.rows == len(table) and list(table) == ["date", "value", "published"] and dataset.notes == [f"{len(files.DAYS) - dataset.rows} dates have no value."]
    assert (dataset.first_ts, dataset.last_ts) == (table["date"].iloc[0], table["date"].iloc[-1]) and desk.outside.is_used(dataset)
    (event,) = desk.trail.history(f"outside:{dataset.id}")
    assert (event.kind, event.subject, event.detail["version"], event.detail["name"]) == ("outside_imported", "data", dataset.version, "VIX")
    assert next(choice for choice in desk.outside.choices() if choice.about.name == "VIX").newest == dataset
    assert desk.outside.line(dataset.id, 60)["value"].max() == table["value"].max() and len(desk.outside.line(dataset.id, 60)) <= 60


def test_the_same_file_twice_is_one_import_and_an_older_one_comes_back(system, desk, tmp_path):
    first, second = files.series(tmp_path / "a.csv", 1), files.series(tmp_path / "b.csv", 2)
    dataset = files.imported(desk, first, "VIX")
    submitted = desk.outside.import_(desk.outside.stage_path(str(first)), name="VIX")
    assert desk.outside.import_(desk.outside.stage_path(str(first)), name="VIX").job.id == submitted.job.id, "a second click is the same job"
    assert files.imported(desk, first, "VIX") == dataset and [event.kind for event in desk.trail.history(f"outside:{dataset.id}")] == ["outside_imported", "outside_unchanged"]
    files.imported(desk, second, "VIX")
    back = files.imported(desk, first, "VIX")
    assert back.version == dataset.version and desk.outside.is_used(back) and not desk.outside.is_used(dataset)
    assert len(desk.outside.catalogue()) == 1 and len(desk.outside.versions(back)) == 3


@on_sqlite
def test_a_week_is_added_to_the_calendar_that_is_there(system, desk, tmp_path):
    calendar = files.imported(desk, files.calendar(tmp_path / "calendar.csv"))
    (tmp_path / "week.csv").write_text("datetime_utc,event,country,impact\n2024-03-20T13:30:00,Prices,United States,medium\n2024-04-03T13:30:00,Prices,United States,high\n")
    more = files.imported(desk, tmp_path / "week.csv", added=True)
    table = {(row.ts, row.title) for row in desk.outside._frame(more.id).itertuples()}
    assert table >= {(row.ts, row.title) for row in desk.outside._frame(calendar.id).itertuples()} and more.last_ts == pd.Timestamp("2024-04-03T13:30Z")
    assert more.notes[-1] == f"Added to the {calendar.rows} rows of calendar.csv." and more.rows == len(table)
    first = files.imported(desk, files.series(tmp_path / "a.csv", 1), "VIX")
    both = files.imported(desk, files.series(tmp_path / "b.csv", 2, files.DAYS[-20:] + pd.Timedelta("14D")), "VIX", added=True)
    dates = desk.outside._frame(both.id)["date"]
    assert dates.is_monotonic_increasing and dates.is_unique and both.rows > first.rows and both.first_ts == first.first_ts
    with pytest.raises(BadRequest, match=r"there is nothing called DXY that b\.csv could be added to"):
        files.imported(desk, tmp_path / "b.csv", "DXY", added=True)


@on_sqlite
def test_headlines_are_stored_with_their_scores_and_who_gave_them(system, desk, tmp_path):
    with pytest.raises(BadRequest, match="no kind of external data"):
        desk.outside.import_(desk.outside.stage_path(str(files.headlines(tmp_path / "news.csv"))), kind="news")
    dataset = files.imported(desk, files.headlines(tmp_path / "news.csv", zone=""), utc=True)
    table = desk.outside._frame(dataset.id)
    assert dataset.scorer == scorer_name() and dataset.name == "headlines" and list(table) == ["ts", "headline", "score"]
    assert desk.outside.latest(dataset.id, 3)["ts"].tolist() == table["ts"].tail(3).tolist()[::-1]


@on_sqlite
def test_a_file_that_cannot_be_stored_says_why_and_leaves_nothing(system, desk, tmp_path):
    path = files.headlines(tmp_path / "news.csv", zone="")
    staged = desk.outside.stage_path(str(path))
    assert staged.recognised.kind == "headlines" and not staged.recognised.zoned
    job = desk.outside.import_(staged).job
    actors.run(job.id)
    assert "which has no zone; say that the times are in UTC" in desk.jobs.get(job.id).error["sentence"] and desk.outside.every() == []
    for name, sentence in (("VIIX", "no series named 'VIIX'; did you mean 'VIX'"), ("", "does not say which series it is")):
        with pytest.raises(BadRequest, match=sentence):
            desk.outside.import_(desk.outside.stage_path(str(files.series(tmp_path / "x.csv"))), name=name)
    with pytest.raises(BadRequest, match="give it one of 1 to 64 letters"):
        desk.outside.import_(staged, name="x" * 65)
    with pytest.raises(BadRequest, match=r"empty\.csv is empty; choose a file that holds external data"):
        desk.outside.stage_upload("empty.csv", b"")


def test_what_a_run_names_stays_and_the_rest_can_be_taken_away(system, desk, store, tmp_path):
    path = files.series(tmp_path / "a.csv")
    dataset = files.imported(desk, path, "VIX")
    run = done(desk, desk.features.submit_columns(request_for(desk, ["vix_zscore(20)"])))
    assert desk.outside.used_by(dataset.id) == [run.id]
    with pytest.raises(BadRequest, match=rf"VIX of .* UTC is used by 1 run \({run.id}\); delete those first"):
        desk.outside.remove(dataset.id)
    desk.features.delete(run.id)
    assert desk.outside.remove(dataset.id) == dataset and desk.outside.every() == []
    assert [event.kind for event in desk.trail.history(f"outside:{dataset.id}")] == ["outside_imported", "outside_removed"]
    assert files.imported(desk, path, "VIX").version == dataset.version, "it can be imported again"


@on_sqlite
def test_what_is_exported_can_be_imported_again(everything, desk, store, tmp_path):
    for name, dataset in everything.items():
        taken = desk.outside.download(dataset.id)
        with store.read() as unit:
            assert unit.trail.count(Filter(kinds=("downloaded",), entity=f"outside:{dataset.id}")) == 1
        (tmp_path / "taken.csv").write_bytes(taken)
        recognised = desk.outside.stage_path(str(tmp_path / "taken.csv")).recognised
        assert recognised.kind == dataset.kind and len(pd.read_csv(io.BytesIO(taken))) == dataset.rows
        assert files.imported(desk, tmp_path / "taken.csv", dataset.name) == dataset, f"{name}: the same content"


@on_sqlite
def test_data_that_does_not_reach_over_the_span_is_reported(system, desk, tmp_path):
    files.imported(desk, files.series(tmp_path / "old.csv", 1, pd.bdate_range("2023-09-01", "2024-02-01")), "VIX")
    files.imported(desk, files.series(tmp_path / "late.csv", 1, pd.bdate_range("2024-02-01", "2024-04-10")), "DXY")
    ask = request_for(desk, ["vix_zscore", "dollar_zscore", "nosuch("])
    assert {lack.name: lack.why for lack in desk.features.lacks(ask)} == {"VIX": "there to 2024-02-01 only", "DXY": "there from 2024-02-01 only"}
    early = replace(ask, start=datetime(2024, 1, 1, tzinfo=UTC), end=datetime(2024, 1, 20, tzinfo=UTC))
    assert [lack.why for lack in desk.features.lacks(early)] == ["there from 2024-02-01 only"]


# -- strategies that look at it


@pytest.fixture
def fearful():
    @strategy("fearful")
    @dataclass(frozen=True)
    class Fearful:
        """Buys when fear is high."""

        def features(self):
            return (parse("vix_zscore(20)"),)

        def signals(self, frame):
            at = np.flatnonzero(frame["vix_zscore(20)"].to_numpy() > 1)
            return pd.DataFrame(dict(ts=frame["ts"].array[at], side=1, stop_loss=frame["close"].to_numpy()[at] - 0.01, target_r_1=0.5))

    yield
    del STRATEGIES._things["fearful"]


@on_sqlite
@pytest.mark.usefixtures("fearful")
def test_a_backtest_names_what_its_strategy_looks_at_and_is_reproduced_from_it(everything, desk, tmp_path):
    from worker.desk import BacktestRequest

    ask = request_for(desk, [])
    plain = desk.backtests.spec(BacktestRequest("breakout", {}, ask.datasets, "H1", ask.start, ask.end, {}))
    assert "outside" not in plain
    rules = dict(sizing=dict(kind="fraction_at_risk", value=0.005))
    run = done(desk, desk.backtests.submit(BacktestRequest("fearful", {}, ask.datasets, "H1", ask.start, ask.end, rules)))
    assert run.spec["outside"] == run.manifest["spec"]["outside"] == dict(series=dict(VIX=everything["VIX"].version)) and run.summary["metrics"]["trades"] > 5
    assert desk.outside.used_by(everything["VIX"].id) == [run.id]
    files.imported(desk, files.series(tmp_path / "again.csv", 9), "VIX")
    assert built_again(desk, run)["verdict"] == "same"
    with desk.outside._context.store.unit() as unit:
        unit.outside.remove(everything["VIX"].id)
    assert built_again(desk, run)["verdict"] == "impossible" and "The external data with version" in built_again(desk, run)["sentence"]
    gated = done(desk, desk.features.submit_gate(ask, "fearful"))
    assert gated.summary["green"] and set(gated.spec["outside"]["series"]) == {"VIX"} and gated.spec["columns"] == []


def built_again(desk, run) -> dict:
    job = desk.compare.reproduce(run.id).job
    actors.run(job.id)
    return desk.jobs.get(job.id).result


# -- what limits get


@on_sqlite
def test_a_limit_around_releases_brings_the_calendar_and_is_refused_without_one(system, desk, tmp_path):
    from worker.desk import BacktestRequest

    ask = request_for(desk, [])
    request = BacktestRequest("breakout", dict(lookback=10), ask.datasets, "H1", ask.start, ask.end, dict(limits=dict(news=120.0, drift="rsi(14)")))
    without = desk.backtests.submit(request)
    actors.run(without.job.id)
    assert "limits.news is 120 minutes, and no release of the currencies of EURUSD is known" in str(desk.jobs.get(without.job.id).error)
    calendar = files.imported(desk, files.calendar(tmp_path / "calendar.csv"))
    run = done(desk, desk.backtests.submit(request))
    assert run.spec["outside"] == dict(releases=calendar.version, impact="high")
    reviews = desk.backtests._context.store.frames.get(run.frames["reviews"])
    refused = reviews.loc[reviews["reason"] == "limit_news", "ts"]
    releases = concerning(read_releases(tmp_path / "calendar.csv").frame, instrument("EURUSD"))
    assert len(refused) and all(np.abs(releases - at.value).min() <= 120 * 60 * 10**9 for at in refused)
