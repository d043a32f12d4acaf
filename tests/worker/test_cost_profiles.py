"""Costs under a name: saved, chosen, audited, and resolved into the run's own numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest, UnknownName
from domain.market.instrument import instrument
from worker.actors import run
from worker.cli import app
from worker.desk import BacktestRequest, Filter
from worker.jobs.backtests import rules_of

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 4, tzinfo=UTC)
COSTS = {"spread": 0.8, "slippage": 0.2, "commission_per_lot": 3.5, "USDJPY": {"slippage": 0.4, "swap_long": 1.5}}
NAME = "Raw account"
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def datasets(desk, system):
    jobs = [desk.data.generate("gbm", {}, name, "M15", START, END, 7).job for name in ("EURUSD", "USDJPY")]
    for job in jobs:
        run(job.id)
    return [desk.data.get(desk.jobs.get(job.id).result["dataset"]).id for job in jobs]


def question(datasets, **changes: object) -> BacktestRequest:
    return BacktestRequest(**{**dict(strategy="breakout", params={}, datasets=datasets, timeframe="M15", start=START, end=END, rules={}), **changes})


def test_a_profile_is_saved_replaced_and_deleted_and_each_leaves_an_event(desk):
    saved = desk.cost_profiles.save(NAME, COSTS, ["EURUSD", "USDJPY"], "Price list", "2024-02-29")
    assert desk.cost_profiles.list() == [saved] and desk.cost_profiles.get(NAME) == saved
    assert (saved.source, saved.dated, saved.actor, saved.instruments) == ("Price list", "2024-02-29", "ana", ("EURUSD", "USDJPY"))
    assert saved.costs == {"unit": "pips", "spread": 0.8, "slippage": 0.2, "commission_per_lot": 3.5, "instruments": {"USDJPY": {"slippage": 0.4, "swap_long": 1.5}}}
    again = desk.cost_profiles.save(NAME, dict(slippage=0.1))
    assert desk.cost_profiles.list() == [again] and again.instruments == () and len(again.dated) == 10
    desk.cost_profiles.delete(NAME)
    assert desk.cost_profiles.list() == []
    events = [event for event in desk.trail.page(Filter(), size=10)[0]][::-1]
    assert [event.kind for event in events] == ["cost_profile_saved", "cost_profile_replaced", "cost_profile_deleted"]
    assert events[1].detail["before"]["spread"] == "0.8" and events[0].entities == (f"cost_profile:{NAME}",)
    with pytest.raises(BadRequest, match="there is no cost profile Raw account"):
        desk.cost_profiles.delete(NAME)


@on_sqlite
@pytest.mark.parametrize(("change", "match"), [
    (dict(name=" "), "give it one of 1 to 64 letters"), (dict(costs=dict(slippage=-1)), "slippage is -1"), (dict(instruments=["EURUSDD"]), "did you mean 'EURUSD'"),
    (dict(dated="29.2.2024"), "write it like 2024-01-31"), (dict(costs=dict(unit="price", slippage=0.00002)), "give them in pips"),
    (dict(costs=dict(unit="price", slippage=0.00002), instruments=["EURUSD", "USDJPY"]), "pips differ"), (dict(costs=dict(USDJPY=dict(spread=1)), instruments=["EURUSD"]), "no instrument of"),
])  # fmt: skip
def test_a_bad_profile_is_a_sentence(desk, change, match):
    with pytest.raises((BadRequest, UnknownName), match=match):
        desk.cost_profiles.save(**{**dict(name=NAME, costs=COSTS), **change})
    assert desk.cost_profiles.list() == []


@on_sqlite
def test_a_run_holds_the_numbers_of_its_profile_and_its_name(desk, datasets):
    desk.cost_profiles.save(NAME, COSTS, ["EURUSD", "USDJPY"], "Price list", "2024-02-29")
    spec = desk.backtests.spec(question(datasets, cost_profile=NAME))
    assert spec["cost_profile"] == dict(name=NAME, source="Price list", date="2024-02-29")
    job = desk.backtests.submit(question(datasets, cost_profile=NAME)).job
    desk.cost_profiles.save(NAME, dict(slippage=50.0))
    costs = rules_of(json.loads(json.dumps(spec)), ["EURUSD", "USDJPY"]).costs
    assert (costs.of(instrument("EURUSD")).slippage, costs.of(instrument("USDJPY")).slippage, costs.of(instrument("USDJPY")).spread) == (0.00002, 0.004, 0.008)
    assert dict(desk.jobs.get(job.id).spec["costs"]) == json.loads(json.dumps(spec["costs"]))
    grid = desk.sweeps.submit_sweep(question(datasets, cost_profile=NAME), {"costs.USDJPY.slippage": [0.1, 0.2]}).job
    assert grid.spec["costs"]["slippage"] == 50.0 and grid.spec["cost_profile"]["name"] == NAME


@on_sqlite
def test_a_profile_for_other_instruments_is_refused(desk, datasets):
    desk.cost_profiles.save(NAME, dict(slippage=0.1), ["EURUSD"])
    with pytest.raises(BadRequest, match="is for EURUSD, and USDJPY is requested"):
        desk.backtests.spec(question(datasets, cost_profile=NAME))
    with pytest.raises(BadRequest, match="there is no cost profile Other"):
        desk.backtests.spec(question(datasets, cost_profile="Other"))


@on_sqlite
def test_one_number_of_price_units_for_both_is_refused_before_a_job_is_queued(desk, datasets, sent):
    before = len(sent)
    with pytest.raises(BadRequest, match=r"EURUSD \(0\.0001\), USDJPY \(0\.01\)"):
        desk.backtests.submit(question(datasets, rules=dict(costs=dict(slippage=0.00002))))
    assert len(sent) == before and desk.backtests.spec(question(datasets[:1], rules=dict(costs=dict(slippage=0.00002))))["costs"]["unit"] == "price"


def test_a_spec_from_before_costs_had_a_unit_keeps_its_meaning():
    spec = dict(account={}, costs=dict(slippage=0.0002, slippage_kind="fixed", spread=None), execution={}, sizing={})
    costs = rules_of(spec, ["EURUSD", "USDJPY"]).costs
    assert costs.of(instrument("EURUSD")).slippage == costs.of(instrument("USDJPY")).slippage == 0.0002


@on_sqlite
def test_the_terminal_saves_lists_and_deletes(desk, monkeypatch, tmp_path):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)
    result = CliRunner().invoke(app, ["costs", "save", NAME, "--instruments", "EURUSD, USDJPY", "--spread", "0.8", "--slippage", "0.2", "--commission", "3.5", "--source", "Price list", "--date", "2024-02-29", "--json"])
    assert result.exit_code == 0 and json.loads(result.stdout)["spread"] == 0.8, result.output
    (tmp_path / "costs.toml").write_text('[costs]\nunit = "pips"\nslippage = 0.3\n[costs.USDJPY]\nslippage = 0.5\n')
    assert CliRunner().invoke(app, ["costs", "save", "From a file", "--config", str(tmp_path / "costs.toml")]).exit_code == 0
    both = CliRunner().invoke(app, ["costs", "save", "Both", "--config", str(tmp_path / "costs.toml"), "--slippage", "0"])
    assert "--config has the costs, and --slippage is given beside it" in str(both.exception), "an option beside the file is not left out in silence"
    rows = json.loads(CliRunner().invoke(app, ["costs", "list", "--json"]).stdout)
    assert [(row["name"], row["instruments"], row["slippage"]) for row in rows] == [("From a file", "all", 0.3), (NAME, "EURUSD, USDJPY", 0.2)]
    assert CliRunner().invoke(app, ["costs", "delete", NAME]).exit_code == 0 and [profile.name for profile in desk.cost_profiles.list()] == ["From a file"]


@on_sqlite
def test_the_terminal_takes_a_saved_profile_for_a_run(desk, datasets, monkeypatch):
    from worker.terminal.sweep import request_of

    monkeypatch.setattr("worker.terminal.here.desk", lambda: desk)
    desk.cost_profiles.save(NAME, COSTS, ["EURUSD", "USDJPY"])
    at, request = request_of(datasets, "breakout", "{}", "", "", "", None, NAME)
    costs = rules_of(json.loads(json.dumps(at.backtests.spec(request))), ["EURUSD", "USDJPY"]).costs
    assert request.cost_profile == NAME and costs.of(instrument("USDJPY")).slippage == 0.004
    for verb in (["runs", "start"], ["sweep", "--vary", "lookback=5,10"], ["walk-forward", "--vary", "lookback=5,10", "--in-sample", "1", "--out-of-sample", "1"], ["stress"], ["optimise", "--space", '{"lookback": [5, 9]}']):
        words = [*verb, *(word for name in datasets for word in ("--data", name)), "--strategy", "breakout", "--costs", "Other"]
        assert "there is no cost profile Other" in str(CliRunner().invoke(app, words).exception), verb
