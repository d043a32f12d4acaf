"""A scan as a job: the same verdicts as in this process, recorded, counted, downloaded, cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from domain.scanner.scan import scan
from domain.scanner.tables import VERDICTS, trade_table, verdict_table
from tests.worker.training_jobs import bars
from worker import actors
from worker.desk import Refused
from worker.desk.scanner import Choice, ScanRequest
from worker.jobs.base import Cancelled, Work
from worker.jobs.scan import request_of

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
RULES = dict(sizing=dict(kind="fraction_at_risk", value=0.005))
CHOICES = (Choice("breakout", dict(lookback=10)), Choice("breakout", dict(lookback=20), "slow breakout"), Choice("simple_ma"))


def scan_request(dataset: str, **changed) -> ScanRequest:
    return replace(ScanRequest(CHOICES, [dataset], ("H1", "H4"), rules=RULES, criteria=dict(correlation=0.2)), **changed)


def work_on(desk, store, settings, job) -> Work:
    return Work(store, settings, job)


def test_a_scan_is_a_run_with_its_tables_its_trials_and_its_event(system, desk, store, settings):
    dataset = bars(desk)
    request = scan_request(dataset)
    assert desk.scanner.combinations(request) == 6 and desk.scanner.timeframes([dataset]) == ["H1", "H4", "D1"]
    submitted = desk.scanner.submit(request)
    assert submitted.job.title == "Scan: EURUSD · 3 strategies · H1, H4" and desk.scanner.open_job().id == submitted.job.id
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    run = desk.scanner.get(job.result["run"])
    assert desk.scanner.open_job() is None and [each.id for each in desk.scanner.latest()] == [run.id]

    table, trades = desk.scanner.table(run.id), desk.scanner.table(run.id, "trades")
    here = scan(request_of(run.spec, work_on(desk, store, settings, job))[0])
    pd.testing.assert_frame_equal(table, verdict_table(here), check_dtype=False)
    pd.testing.assert_frame_equal(trades, trade_table(here), check_dtype=False)
    assert tuple(table) == VERDICTS and set(table["strategy"]) == {"breakout", "slow breakout", "simple_ma"} and run.summary["combinations"] == 6
    assert run.synthetic and run.summary["criteria"]["correlation"] == 0.2 and sum(run.summary["reasons"].values()) + len(run.summary["proposals"]) == 6

    with store.read() as unit:
        rows = unit.trials.rows(job_id=job.id)
    assert len(rows) == 6 and {row["kind"] for row in rows} == {"scan"} and len({row["spec"] for row in rows}) == 6, "each combination is one backtest that was tried"
    assert [event.kind for event in desk.trail.history(f"run:{run.id}")] == ["scan_finished"]
    assert not desk.scanner.submit(request).new, "the same question is the same job"
    assert desk.scanner.download(run.id, "verdicts").startswith(b"instrument,strategy,timeframe,reason,detail") and b'"proposals"' in desk.scanner.download(run.id, "scan")
    assert desk.scanner.download(run.id, "trades", "parquet")[:4] == b"PAR1"
    assert [event.kind for event in desk.trail.history(f"run:{run.id}")].count("downloaded") == 3
    desk.scanner.delete(run.id)
    assert desk.scanner.find(run.id) is None


def test_a_combination_is_the_trial_that_its_backtest_is(system, desk, store):
    """One backtest tried twice, by a scan and alone, counts once."""
    from worker.desk import BacktestRequest

    dataset = bars(desk)
    span = dict(start=datetime(2024, 1, 1, tzinfo=UTC), end=datetime(2024, 5, 1, tzinfo=UTC))
    actors.run(desk.scanner.submit(scan_request(dataset, strategies=CHOICES[:1], timeframes=("H1",), **span)).job.id)
    actors.run(desk.backtests.submit(BacktestRequest("breakout", dict(lookback=10), [dataset], "H1", span["start"], span["end"], RULES)).job.id)
    with store.read() as unit:
        rows = unit.trials.rows([desk.data.get(dataset).version])
    assert sorted(row["kind"] for row in rows) == ["run", "scan"] and len({row["spec"] for row in rows}) == 1
    assert rows[0]["sharpe"] == pytest.approx(rows[1]["sharpe"])


def test_a_cancelled_scan_stops_between_combinations_and_stores_nothing(system, desk, store, settings):
    job = desk.scanner.submit(scan_request(bars(desk))).job
    work, seen = work_on(desk, store, settings, job), []

    def progress(share, note=None):
        seen.append(share)
        if share > 0.3:
            raise Cancelled

    work.progress = progress
    from worker.jobs.scan import run

    with pytest.raises(Cancelled):
        run(job.spec, work)
    assert seen == sorted(seen) and seen[-1] < 0.6 and desk.scanner.latest() == []


def test_what_cannot_be_scanned_is_a_sentence(desk, system):
    dataset = bars(desk)
    for changed, sentence in (
        (dict(strategies=()), "no strategy is chosen"),
        (dict(strategies=(Choice("breakout"), Choice("breakout"))), "breakout is chosen twice; give one of them another label"),
        (dict(datasets=()), "no dataset is chosen"),
        (dict(timeframes=("M5",)), "no dataset has bars of M5 or shorter ones"),
        (dict(criteria=dict(proposals=9)), "it must be between 1 and 3"),
        (dict(positions=[dict(instrument="XAUUSD", side=1, lots=1, entry=2_000)]), "XAUUSD has an open position and is not scanned"),
        (dict(equity=0.0), "a scan needs an amount above 0"),
        (dict(model="nobody"), "no model named 'nobody'"),
    ):
        with pytest.raises(Refused, match=sentence):
            desk.scanner.submit(scan_request(dataset, **changed))
    assert {"breakout", "simple_ma"} <= set(desk.scanner.strategies()) and [stored.id for stored in desk.scanner.newest_datasets()] == [dataset]
