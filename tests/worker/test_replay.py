"""Replay of audit events: the decision computed again is equal, or what differs is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from domain.errors import BadRequest
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest, FeatureRequest, Filter
from worker.following import job_of
from worker.store.schema import jobs, runs

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
RULES = {"sizing": {"kind": "fraction_at_risk", "value": 0.005}, "limits": {"daily_loss": 0.05, "max_leverage": 3.0}}
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def finished(desk, submitted) -> Mapping[str, Any]:
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return job.result


@pytest.fixture
def dataset(desk, system) -> str:
    return finished(desk, desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3))["dataset"]


@pytest.fixture
def run(desk, dataset) -> str:
    return finished(desk, desk.backtests.submit(BacktestRequest("breakout", {}, [dataset], "H1", START, END, RULES)))["run"]


def event(desk, kind: str, entity: str = "") -> Any:
    return desk.trail.rows(Filter(kinds=(kind,), entity=entity), 1)[0]


def replayed(desk, of: Any, order: int = 0, instrument: str = "") -> Mapping[str, Any]:
    return finished(desk, desk.trail.replay(str(of.seq), order, instrument))


def path_of(store, name: str) -> Path:
    return Path(store.frames._path(name))


def change(store, table: Any, name: str, **values: Any) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == name).values(**values))


def differing(result: Mapping[str, Any]) -> list[str]:
    return [check["what"] for check in result["checks"] if not check["same"]]


def test_a_run_and_every_order_in_it_come_out_equal(desk, run):
    recorded = event(desk, "run_finished")
    whole = replayed(desk, recorded)
    assert (whole["verdict"], differing(whole)) == ("equal", []) and {"row of the event", "fills", "trades", "equity", "code"} <= {check["what"] for check in whole["checks"]}
    fills = pd.read_parquet(path_of(desk.jobs._context.store, desk.backtests.get(run).frames["fills"]))
    first = fills.iloc[0]
    single = replayed(desk, recorded, int(first["order_id"]))
    assert single["verdict"] == "equal" and [check["what"] for check in single["checks"]] == ["row of the event", "fills", "protection", "size by the formula, lots"]
    decision = single["decision"]
    assert float(decision["fill"]["lots"]) == first["lots"] == float(decision["size"]["lots"])
    at_risk = 0.005 * float(decision["size"]["equity"])
    assert abs(float(decision["size"]["entry"]) - float(decision["size"]["stop"])) * 100_000 * float(decision["size"]["unrounded"]) == pytest.approx(at_risk)
    assert [limit["key"] for limit in decision["limits"]] == ["daily_loss", "max_leverage"] and all(limit["passes"] for limit in decision["limits"])
    answer = event(desk, "decision_replayed")
    assert (answer.detail["of"], answer.detail["hash"], answer.detail["verdict"], answer.detail["order"]) == (recorded.seq, recorded.hash, "equal", int(first["order_id"]))
    assert [each.detail["verdict"] for each in desk.trail.replays(recorded.seq)] == ["equal", "equal"]


def test_a_table_that_was_changed_is_named(desk, store, run):
    recorded, name = event(desk, "run_finished"), desk.backtests.get(run).frames["fills"]
    fills = pd.read_parquet(path_of(store, name))
    order = int(fills["order_id"].iloc[0])
    change(store, runs, run, frames={**desk.backtests.get(run).frames, "fills": store.frames.put(fills.assign(price=fills["price"] + 1e-5))})
    whole = replayed(desk, recorded)
    assert whole["verdict"] == "differs" and "row of the run" in differing(whole) and "is not the one" in desk.stories.of(f"run:{run}").altered + whole["sentence"]
    assert [fact.value for fact in desk.stories.of(f"run:{run}").facts if fact.differs] == ["fills"]
    single = replayed(desk, recorded, order)
    assert single["verdict"] == "differs" and differing(single) == ["fills"] and "Fills differs." in single["sentence"]


def test_a_forged_event_is_not_computed_from(desk, store, run):
    recorded = event(desk, "run_finished")
    with store.engine.begin() as connection:
        for trigger in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.execute(sa.text("UPDATE audit_events SET body = replace(body, 'breakout', 'breakin') WHERE seq = :seq"), dict(seq=recorded.seq))
    result = replayed(desk, recorded)
    assert result["verdict"] == "differs" and differing(result) == ["row of the event"] and "nothing was computed from it" in result["sentence"]


def test_a_run_that_is_gone_cannot_be_computed(desk, run):
    recorded = event(desk, "run_finished")
    desk.backtests.delete(run)
    result = replayed(desk, recorded)
    assert result["verdict"] == "impossible" and f"The run {run} is no longer here." in result["sentence"]


def test_bars_settings_and_verifications_are_hashed_again(desk, store, dataset):
    imported, submitted = event(desk, "dataset_imported"), event(desk, "job_submitted")
    bars = replayed(desk, imported)
    assert bars["verdict"] == "equal" and len(bars["checks"]) == 4, "the row, the catalogue, the stored bars, the bars generated again"
    assert replayed(desk, submitted)["verdict"] == "unchanged"
    desk.trail.verify_now()
    assert replayed(desk, event(desk, "audit_verified"))["verdict"] == "equal"
    job = submitted.entities[0].partition(":")[2]
    change(store, jobs, job, spec={**desk.jobs.get(job).spec, "seed": 4})
    assert differing(replayed(desk, submitted)) == ["hash of the settings"]
    name = desk.data.get(dataset).frame
    stored = pd.read_parquet(path_of(store, name))
    stored.loc[3, "close"] = stored.loc[3, "open"]
    stored.to_parquet(path_of(store, name), index=False)
    assert differing(replayed(desk, imported)) == ["version of the stored bars"]


def test_jobs_that_compute_alone_are_done_again_and_write_nothing(desk, store, dataset):
    request = FeatureRequest([dataset], "H1", START, END, ["rsi(14)", "atr(14)"])
    with job_of("", "page-1"):      # a click, which the events name
        submitted = desk.features.submit_gate(request), desk.features.submit_columns(request)
    for each in submitted:
        finished(desk, each)
    with store.read() as unit:
        before = len(unit.runs.latest(limit=100))
    checked, computed = replayed(desk, event(desk, "gate_passed")), replayed(desk, event(desk, "run_finished"))
    assert (checked["verdict"], computed["verdict"]) == ("equal", "equal"), (checked, computed)
    assert {"frames EURUSD", "stored EURUSD", "spec"} <= {check["what"] for check in computed["checks"]}
    with store.read() as unit:
        assert len(unit.runs.latest(limit=100)) == before
    name = event(desk, "run_finished").detail["frames"]["EURUSD"]
    path_of(store, name).unlink()
    again = replayed(desk, event(desk, "run_finished"))
    assert again["verdict"] == "equal", "computing it again stores the missing table again, by the same name"


def test_judgements_are_made_again(desk, store, run):
    subject = desk.compliance.subject("run", run)
    finished(desk, desk.compliance.submit(subject, "ftmo-2-step"))
    finished(desk, desk.compliance.submit_table(subject))
    judged, table = (replayed(desk, row) for row in desk.trail.rows(Filter(kinds=("run_judged",))))
    assert (judged["verdict"], table["verdict"]) == ("equal", "equal"), (judged, table)
    assert {"state", "frames breaches", "frames floors"} <= {check["what"] for result in (judged, table) for check in result["checks"]}


def test_what_cannot_be_replayed_is_refused_with_a_sentence(desk, dataset):
    with pytest.raises(BadRequest, match="there is no audit event 999"):
        desk.trail.replay("999")
    started = event(desk, "job_started")
    with pytest.raises(BadRequest, match=r"event \d+ \(job started\) records no decision"):
        desk.trail.replay(started.hash)
    with pytest.raises(BadRequest, match="has no orders"):
        desk.trail.replay(event(desk, "dataset_imported").event_id, order=1)


def test_the_terminal_says_equal_or_what_differs(desk, store, run, monkeypatch):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)
    recorded = event(desk, "run_finished")
    equal = CliRunner().invoke(app, ["audit", "replay", recorded.hash, "--order", "1", "--json"])
    assert equal.exit_code == 0 and json.loads(equal.stdout)["verdict"] == "equal", equal.output
    change(store, runs, run, spec={**desk.backtests.get(run).spec, "params": {"lookback": 11}})
    differs = CliRunner().invoke(app, ["audit", "replay", str(recorded.seq)])
    assert differs.exit_code == 1 and "differs: The decision computed again differs" in differs.stdout and "strategy.params.lookback was" in differs.stdout
    nothing = CliRunner().invoke(app, ["audit", "replay", "zzzz"])
    assert isinstance(nothing.exception, BadRequest) and "there is no audit event zzzz" in str(nothing.exception)
