"""Instruments are edited as versions: refused in sentences, in the trail, and no run that was made before changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.worker.test_terminal_import import at as at
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 20, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def finished(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return job


def test_an_edit_is_a_version_that_later_jobs_use_and_earlier_runs_do_not(desk, system):
    dataset = finished(desk, desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3)).result["dataset"]
    request = BacktestRequest("breakout", dict(lookback=31), [dataset], "H1", START, END, dict(sizing=dict(kind="fixed_lots", value=1.0)))
    first = finished(desk, desk.backtests.submit(request))
    waiting = desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 4)
    assert desk.instruments.changes("EURUSD", {"contract": "1000"}) == {"contract": (100_000.0, 1_000.0)}
    desk.instruments.edit("EURUSD", {"contract": 1_000}, "micro lots at this broker")
    assert desk.instruments.version("EURUSD") == 1 and desk.data.instruments()["EURUSD"].contract == 1_000.0
    second = desk.backtests.submit(request)
    assert second.new, "the same request on another table is another question"
    second = finished(desk, second)
    of_run = [desk.backtests.get(job.result["run"]).manifest["spec"]["instruments"]["EURUSD"]["contract"] for job in (first, second)]
    assert [float(contract) for contract in of_run] == [100_000.0, 1_000.0]
    assert desk.backtests.submit(request).job.id == second.id
    again = finished(desk, desk.compare.reproduce(first.result["run"]))
    assert again.result["verdict"] == "identical" or not again.result.get("reasons"), again.result
    settings = actors.settings_of(desk.data._context.store, desk.settings, waiting.job)
    assert settings.instruments_file == desk.settings.instruments_file, "a job uses the table as of its submission"


def test_the_history_says_who_changed_what_and_why_and_so_does_the_trail(desk):
    desk.instruments.edit("USDJPY", {"swap_long": "12.5", "triple_day": "none"}, "price list of November")
    desk.instruments.edit("USDJPY", {"swap_long": "11"}, "price list of December")
    newest, oldest = desk.instruments.history("USDJPY")
    assert newest["changed"] == {"swap_long": (12.5, 11.0)} and set(oldest["changed"]) == {"swap_long", "triple_day"} and oldest["why"] == "price list of November"
    desk.instruments.add("DAX40", "US500", {"title": "DAX", "quote": "EUR", "source": "broker"}, "traded too")
    assert desk.instruments.get("DAX40").quote == "EUR" and desk.instruments.history("DAX40")[0]["new"]
    with desk.data._context.store.unit() as unit:
        kinds = list(unit.connection.scalars(sa.text("SELECT kind FROM audit_events WHERE kind LIKE 'instrument%' ORDER BY seq")))
        with pytest.raises(sa.exc.IntegrityError, match="append-only"):
            unit.connection.execute(sa.text("UPDATE instrument_versions SET why = ''"))
    assert kinds == ["instrument_edited", "instrument_edited", "instrument_added"]


WRONG = [
    (dict(pip=0), "the pip of EURUSD is 0; give a number above 0"), (dict(pip="x"), "the pip of EURUSD is 'x'; give a number"),
    (dict(pip=0.000015), "the pip of EURUSD is 1.5e-05, which is no whole multiple of its tick, 1e-05"), (dict(min_lot=0.015), "no whole multiple of its lot step"),
    (dict(max_lot=0.01, min_lot=0.02), "below its min. lot"), (dict(calendar="moon"), "no calendar of an instrument named 'moon'"), (dict(quote="euro"), "three capital letters"),
    (dict(source=" "), "EURUSD has no source"), (dict(colour=1), "no field of an instrument named 'colour'"), (dict(swap_long="nan"), "give a number up to"), (dict(pip=0.0001), "nothing of EURUSD would change"),
]  # fmt: skip


def test_numbers_that_no_venue_has_are_refused_with_a_sentence(desk):
    for values, sentence in WRONG:
        with pytest.raises(BadRequest, match=sentence):
            desk.instruments.edit("EURUSD", values, "try")
    with pytest.raises(BadRequest, match="an edit needs a reason"):
        desk.instruments.edit("EURUSD", dict(swap_long=1), " ")
    with pytest.raises(BadRequest, match="did you mean 'EURUSD'"):
        desk.instruments.edit("EURUDS", dict(swap_long=1), "try")
    assert desk.instruments.version("EURUSD") == 0


def test_the_terminal_lists_shows_edits_and_tells_the_history(at):
    def output_of(*words: str) -> str:
        result = CliRunner().invoke(app, ["instruments", *words])
        return result.stdout if result.exception is None else str(result.exception)

    assert json.loads(output_of("edit", "EURUSD", "--set", "swap_long=-6.5", "--set", "group=majors", "--why", "list", "--json"))["version"] == 1
    assert json.loads(output_of("show", "EURUSD", "--json"))["swap_long"] == -6.5 and "majors" in output_of("list")
    assert "swap_long 0.0 → -6.5" in output_of("history", "EURUSD") and "is no FIELD=VALUE" in output_of("edit", "EURUSD", "--set", "pip", "--why", "x")
    assert json.loads(output_of("add", "DAX40", "--like", "US500", "--set", "quote=EUR", "--why", "x", "--json"))["version"] == 1
