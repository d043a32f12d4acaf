"""The risk of what a run had open at an instant, measured by a job from stored bars."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.worker.equity_runs import equity_of, stored_run, trades_of
from worker import actors

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
AT = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
START = "2026-02-02"        # a Monday


def bars_of(desk, instrument: str, price: float, seed: int) -> np.ndarray:
    """Store daily-moving hourly bars that end at a price; the closes."""
    ts = pd.date_range(START, "2026-06-01T12:00", freq="h", tz="UTC")
    ts = ts[(ts.day_of_week < 4) | ((ts.day_of_week == 4) & (ts.hour < 21))]
    steps = np.random.default_rng(seed).normal(0, 0.001, len(ts))
    close = price * np.exp(np.cumsum(steps) - steps.sum())
    close[-1] = 2 * price       # the bar of 12:00 has not closed at 12:30
    close[-2] = price
    frame = pd.DataFrame(dict(ts=ts.as_unit("ns"), open=close, high=close * 1.001, low=close * 0.999, close=close))
    store = desk.jobs._context.store
    name = store.frames.put(frame)
    about = dict(version=f"{seed:064x}", instrument=instrument, timeframe="H1", side="bid", clock="UTC", source="CSV", verdict="clean", quality={}, provenance={}, synthetic=False, example=False)
    size = dict(first_ts=ts[0].to_pydatetime(), last_ts=ts[-1].to_pydatetime(), bars=len(ts), gaps=0, spread=None, frame=name, ledger=None, bytes=1)
    with store.unit() as unit:
        unit.datasets.add(**about, **size, actor="ana", created_at=unit.now())
    return close


def still_open(desk) -> str:
    """One lot long of EURUSD at 1.10 and half a lot short of USDJPY at 150 are open at the instant; a third is closed."""
    equity = equity_of((f"{START}T10:00Z", 100_000.0, 100_000.0), ("2026-06-01T12:00Z", 100_000.0, 101_000.0), ("2026-06-01T13:00Z", 100_000.0, 90_000.0))
    still = dict(entry_ts="2026-06-01T09:00Z", exit_ts="2026-06-01T13:00Z")
    trades = trades_of(
        dict(still, entry_price=1.09, stop_loss=1.08), dict(still, instrument="USDJPY", side="short", lots=0.5, entry_price=151.0, stop_loss=152.0),
        dict(entry_ts="2026-06-01T08:00Z", exit_ts="2026-06-01T12:00Z"),
    )  # fmt: skip
    return stored_run(desk, equity, trades)


@pytest.fixture
def run(desk, system) -> str:
    return still_open(desk)


def measured(desk, run: str, at: datetime = AT, **stresses: float):
    subject = desk.compliance.subject("run", run)
    submitted = desk.risks.submit(subject, at, stresses)
    actors.run(submitted.job.id)
    return desk.risks.of(subject), desk.jobs.get(submitted.job.id)


def test_positions_exposure_and_loss_to_the_stops_at_an_instant(desk, run):
    bars_of(desk, "EURUSD", 1.10, 1)
    bars_of(desk, "USDJPY", 150.0, 2)
    judged, _ = measured(desk, run)
    summary = judged.run.summary
    assert (summary["positions"], summary["equity"], summary["without_stop"]) == (2, 101_000.0, 0)
    exposures = desk.risks.table(judged.run.id, "exposures").set_index("currency")
    assert exposures.loc["EUR", "net"] == pytest.approx(110_000.0) and exposures.loc["JPY", "net"] == pytest.approx(50_000.0)
    assert exposures.loc["USD", "net"] == pytest.approx(-160_000.0), "110,000 against the euro, 50,000 against the yen"
    assert summary["to_stops"] == pytest.approx((1.10 - 1.08) * 100_000 + (152 - 150) * 50_000 / 150)
    floating = desk.risks.table(judged.run.id, "contributions").set_index("instrument")["floating"]
    assert floating["EURUSD"] == pytest.approx(1_000.0) and floating["USDJPY"] == pytest.approx(50_000 / 150)


def test_value_at_risk_is_the_quantile_of_past_days(desk, run):
    bars_of(desk, "EURUSD", 1.10, 1)
    bars_of(desk, "USDJPY", 150.0, 2)
    judged, _ = measured(desk, run)
    summary = judged.run.summary
    assert summary["timeframe"] == "D1" and summary["bar"] == 86_400.0 and summary["scenarios"] >= 80
    frames = {}
    for name in ("EURUSD", "USDJPY"):
        stored = next(dataset for dataset in desk.data.catalogue() if dataset.instrument == name)
        frames[name] = desk.jobs._context.store.frames.get(stored.frame).set_index("ts")["close"]
    closes = pd.DataFrame(frames)[:"2026-05-31"]
    trading_day = (closes.index.tz_convert("America/New_York") + pd.Timedelta(hours=7)).date        # an FX day ends at 17:00 New York
    returns = closes.groupby(trading_day).last().pct_change().dropna()
    losses = np.sort(-(returns["EURUSD"] * 110_000 - returns["USDJPY"] * 50_000))
    assert summary["scenarios"] == len(losses) and summary["var_historical"] == pytest.approx(losses[int(np.ceil(0.95 * len(losses))) - 1])
    assert summary["es_historical"] > summary["var_historical"] > 0


def test_the_stresses_are_those_requested(desk, run):
    bars_of(desk, "EURUSD", 1.10, 1)
    bars_of(desk, "USDJPY", 150.0, 2)
    judged, _ = measured(desk, run, spread=1.0, gap=0.0, latency=0.0)
    table = desk.risks.table(judged.run.id, "stresses").set_index("stress")["loss"]
    assert table["spread × 1"] == 0.0 and table["latency of 0 s"] == 0.0
    assert table["gap of 0 ATR beyond the stop"] == pytest.approx(judged.run.summary["to_stops"]), "no gap: the stops fill at their price"


def test_an_instant_without_positions_has_no_risk(desk, run):
    judged, _ = measured(desk, run, datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert judged.run.summary["positions"] == 0 and judged.run.summary["es_filtered"] == 0.0


def test_what_is_missing_is_a_sentence(desk, run):
    bars_of(desk, "EURUSD", 1.10, 1)
    _, job = measured(desk, run)
    assert job.state == "failed" and "there are no bars of USDJPY up to 2026-06-01 12:30 UTC; import them" in job.error["sentence"]
    _, outside = measured(desk, run, datetime(2026, 7, 1, tzinfo=UTC))
    assert "the instant is 2026-07-01 00:00; choose one inside" in outside.error["sentence"]
    with pytest.raises(BadRequest, match="the instant has no time zone"):
        desk.risks.submit(desk.compliance.subject("run", run), datetime(2026, 6, 1))
    with pytest.raises(BadRequest, match="gap is -1"):
        desk.risks.submit(desk.compliance.subject("run", run), AT, dict(gap=-1))


def test_the_busiest_instant_is_offered(desk, run):
    assert desk.risks.busiest(desk.compliance.subject("run", run)) == datetime(2026, 6, 1, 9, tzinfo=UTC)
