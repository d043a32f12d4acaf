"""Models in production are watched: once a day, on the newest bars; an alarm is audited, and retraining makes a candidate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.worker.store.test_models import add, move
from tests.worker.training_jobs import bars, question, trained
from worker import actors, daily_watch
from worker.desk.drift import KIND
from worker.store.newest import newest_of

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
DAYS_ON = 40


def carried_on(desk, dataset: str, rise: float, days: int = DAYS_ON) -> str:
    """The same bars and hours after them that rise by ``rise`` standard steps each: the id of that dataset."""
    store = desk.jobs._context.store
    old = desk.data.get(dataset)
    frame = store.frames.get(old.frame)
    step = float(np.diff(np.log(frame["close"].to_numpy())).std())
    ts = pd.date_range(frame["ts"].iloc[-1] + pd.Timedelta(hours=1), periods=24 * days, freq="h")
    ts = ts[ts.day_of_week < 5]
    close = frame["close"].iloc[-1] * np.exp(np.cumsum(np.random.default_rng(1).normal(rise * step, step, len(ts))))
    more = pd.DataFrame(dict(ts=ts, open=close, high=close * (1 + step), low=close * (1 - step), close=close))
    for name in set(frame) - set(more):
        more[name] = frame[name].iloc[-1]
    longer = pd.concat([frame, more[list(frame)]], ignore_index=True).assign(ts=lambda both: both["ts"].astype(frame["ts"].dtype))
    about = {name: getattr(old, name) for name in ("instrument", "timeframe", "side", "clock", "source", "verdict", "quality", "provenance", "synthetic", "example", "first_ts", "ledger", "gaps", "spread", "bytes")}
    with store.unit() as unit:
        added, _ = unit.datasets.add(**about, version=f"{int(rise * 100) + 1:064x}", last_ts=ts[-1].to_pydatetime(), bars=len(longer), frame=store.frames.put(longer), actor="ana", created_at=unit.now())
    return added.id


def in_production(desk, store, **requested) -> tuple[str, str]:
    """A trained model in production, whatever its evidence, and the id of its dataset."""
    dataset = bars(desk)
    run = trained(desk, desk.training.submit(question(desk, dataset, columns=["rsi(14)", "log_return(1)"], register="wave", **requested)).job.id)
    with store.read() as unit:
        (model,) = unit.models.of_run(run.id)
    move(store, model, "production", "for the test")
    return model.title, dataset


def checked(desk, model: str = ""):
    job = desk.drift.submit(model).job
    actors.run(job.id)
    assert desk.jobs.get(job.id).state == "done", desk.jobs.get(job.id).error
    return desk.drift.checks(limit=1)


@on_sqlite
def test_bars_that_left_what_was_learnt_are_found_and_audited_and_retraining_makes_a_candidate(system, desk, store):
    model, dataset = in_production(desk, store)
    (before,) = checked(desk)
    assert before.model == model and before.state == "unknown" and before.sentence == "There is too little new data to judge drift by."
    carried_on(desk, dataset, rise=0.0, days=DAYS_ON - 5)
    (calm,) = checked(desk, "wave")
    assert calm.state == "calm" and calm.alarms == () and calm.facts["samples"] > 100 and 0 <= calm.facts["samples"] - calm.facts["labelled"] <= 1
    assert [event.kind for event in desk.trail.history(f"run:{calm.run}")] == ["models_watched"]
    later = carried_on(desk, dataset, rise=2.0)
    (check,) = checked(desk)
    assert check.state == "alarm" and "Column rsi(14) of EURUSD has PSI" in " ".join(check.alarms)
    ends = store.frames.get(desk.data.get(later).frame)["ts"] + pd.Timedelta(hours=1)
    assert check.facts["bars"] == {"EURUSD": int((ends > pd.Timestamp(check.facts["until"])).sum())}
    table = desk.drift.table(check.run, model).set_index("column")
    assert table.loc["rsi(14)", "state"] == "alarm" and table.loc["rsi(14)", "psi"] > 1 and set(table.index) == {"rsi(14)", "log_return(1)"}
    result = next(event for event in desk.trail.history(f"run:{check.run}") if event.kind == "drift_detected")
    assert result.actor == "ana" and desk.drift.latest(model) == check and len(desk.drift.checks(model)) == 3
    request = desk.drift.retraining(model)
    assert request.datasets == [later] and (request.register, request.learner, request.columns) == ("wave", "linear", ["rsi(14)", "log_return(1)"])
    again = desk.drift.retrain(model)
    assert {event.kind for event in desk.trail.history(f"job:{again.job.id}")} == {"job_submitted", "retraining_requested"}
    assert again.job.kind == "train" and again.job.spec["register"] == "wave", "a run that is registered becomes a candidate"
    assert desk.models.get("wave").title == model and desk.models.get("wave").stage.stage == "production", "nothing is swapped"
    desk.training.delete(desk.models.get(model).run)
    (without,) = checked(desk)
    assert (without.state, without.alarms, without.facts["coverage"]) == (check.state, check.alarms, check.facts["coverage"]), "the question is kept with the model"
    with pytest.raises(BadRequest, match="is not in the workspace"):
        desk.drift.retraining(model)


@on_sqlite
def test_a_model_that_cannot_be_watched_stops_no_other_and_says_why(system, desk, store):
    model = add(store, "files", run_id="", manifest={})
    move(store, model, "production")
    (check,) = checked(desk)
    assert check.state == "unknown" and "was trained on files" in check.sentence
    with pytest.raises(BadRequest, match="was trained on files"):
        desk.drift.submit("files")


def test_models_are_watched_once_a_day_by_however_many_schedulers(store, settings, sent):
    assert daily_watch.step(store, settings, sent) is None, "nothing is in production"
    move(store, add(store), "production")
    job = daily_watch.step(store, settings, sent)
    assert job and daily_watch.step(store, settings, sent) is None
    with store.unit() as unit:
        unit.remember(daily_watch.FACT, (unit.now() - timedelta(hours=23)).isoformat())
    assert daily_watch.step(store, settings, sent) is None
    with store.unit() as unit:
        unit.remember(daily_watch.FACT, (unit.now() - timedelta(hours=25)).isoformat())
    second = daily_watch.step(store, settings, sent)
    assert second not in (None, job)
    with store.read() as unit:
        assert sorted(result.id for result in unit.jobs.latest(("queued",), (KIND,))) == sorted([job, second]) and unit.jobs.get(job).actor == "tidemark"


def test_two_schedulers_that_find_it_due_at_once_submit_the_same_job(store, settings, sent, monkeypatch):
    """The second one reads before the first remembers."""
    from worker.desk.drift import Drift

    move(store, add(store), "production")
    submit, jobs = Drift.submit, []

    def submitted(self, *given, **named):
        if not jobs:
            jobs.append("")
            jobs.append(daily_watch.step(store, settings, sent))
        return submit(self, *given, **named)

    monkeypatch.setattr(Drift, "submit", submitted)
    assert daily_watch.step(store, settings, sent) is None and jobs[1]
    with store.read() as unit:
        assert [result.id for result in unit.jobs.latest(("queued",), (KIND,))] == [jobs[1]] and unit.fact(daily_watch.FACT)


class Stored:
    def __init__(self, version: str, first: int, last: int, instrument: str = "EURUSD", synthetic: bool = False) -> None:
        self.version, self.instrument, self.timeframe, self.side, self.synthetic = version, instrument, "H1", "bid", synthetic
        self.first_ts, self.last_ts = datetime(2024, 1, first, tzinfo=UTC), datetime(2024, 2, last, tzinfo=UTC)


def test_the_newest_bars_are_of_the_same_kind_and_the_latest():
    stored = [Stored("a", 2, 3), Stored("b", 5, 9), Stored("c", 1, 9), Stored("d", 1, 20, "GBPUSD"), Stored("e", 1, 20, synthetic=True)]
    described = dict(instrument="EURUSD", timeframe="H1", side="bid")
    assert newest_of(stored, "a", described).version == "c" and newest_of(stored, "gone", described).version == "c" and newest_of(stored, "e", described).version == "e"
    with pytest.raises(BadRequest, match="no bars of EURUSD H4"):
        newest_of(stored, "gone", described | dict(timeframe="H4"))


@on_sqlite
def test_the_terminal_says_what_it_found_and_ends_with_1_on_drift(system, desk, store, monkeypatch, capsys):
    import typer

    from worker.terminal import here, models_watch

    monkeypatch.setattr(here, "desk", lambda: desk)
    with pytest.raises(BadRequest, match="--retrain needs the model"):
        models_watch.watch("", retrain=True)
    move(store, add(store, "files", run_id="", manifest={}), "production")
    with pytest.raises(typer.Exit) as ended:
        models_watch.watch()
    assert ended.value.exit_code == 0 and capsys.readouterr().out.startswith("unknown: files@1: It could not be watched: files@1 was trained on files")
