"""A download from MetaTrader 5, through its package's double: stored in UTC with its evidence, or refused where there is no terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.conformance.source_metatrader import SECRET, MetaTraderFX, Served
from tests.conformance.source_rig import HOUR, NOON, Skipped, random_bars
from tests.doubles import metatrader
from worker import vendors
from worker.actors import run
from worker.cli import app
from worker.desk import Desk
from worker.jobs import download
from worker.store.clock import DatabaseClock
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
NOW = datetime(2024, 7, 10, 12, 30, tzinfo=UTC)
START, END = NOW - timedelta(days=30), NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def hours() -> pd.DataFrame:
    return random_bars(days=40, spread=0.00013)


@pytest.fixture
def desk(system, store, sent, hours, monkeypatch) -> Desk:
    began = datetime.now(UTC)
    monkeypatch.setattr(DatabaseClock, "now", lambda self, connection: NOW + (datetime.now(UTC) - began))
    monkeypatch.setattr(download, "connection_to", lambda *arguments: vendors.connection_to(*arguments, clock=Skipped().clock))
    system.settings = replace(system.settings, vendors=dict(MetaTraderFX.environment))
    here_ = Desk(store, system.settings, send=sent)
    monkeypatch.setattr(here, "desk", lambda: here_)
    return here_


def downloaded(desk: Desk, timeframe: str) -> tuple[Any, Any, pd.DataFrame]:
    job = desk.downloads.submit("metatrader", "EURUSD", timeframe, START, END).job
    run(job.id)
    job = desk.jobs.get(job.id)
    assert job.state == "done", job.error
    dataset = desk.data.get(job.result["dataset"])
    return job.result, dataset, desk.data._context.store.frames.get(dataset.frame)


def test_bars_are_stored_in_utc_with_the_evidence_of_the_servers_clock(desk, hours):
    with Served("EURUSD", "H1", hours, 0.00001, NOON + HOUR // 2).serve():
        result, dataset, bars = downloaded(desk, "H1")
    expected = hours.iloc[:-1]
    pd.testing.assert_frame_equal(bars, expected[expected["ts"] >= START].reset_index(drop=True), check_exact=True)
    assert (dataset.source, dataset.side, dataset.provenance["symbol"]) == ("MetaTrader 5 (local double)", "bid", "EURUSD")
    assert result["notes"][0].startswith("server clock: MetaTrader, New York + 7 h: weekly open at 17:00 New York") and not result["notes"][0].endswith(".")
    assert [each["reason"] for each in result["missing"]] == ["open"]


def test_without_a_terminal_it_is_refused_and_settings_say_why(desk):
    metatrader.remove()
    with pytest.raises(BadRequest, match="Windows only"):
        raise CliRunner().invoke(app, ["data", "download", "--source", "metatrader", "--instrument", "EURUSD", "--timeframe", "H1", "--from", "2024-06-01", "--to", "2024-06-05"]).exception
    (state,) = (state for state in desk.downloads.vendors() if state.name == "metatrader")
    assert not state.ready and "Windows only" in state.state and SECRET not in str(state) and len(state.needs) == 3
