"""The Scanner page in its states, on a workspace of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from app.scanner.result import verdict
from domain.scanner.tables import TRADES, VERDICTS
from tests.app.test_pages import dataset, draw, warnings

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
AT = "2024-01-02T00:00:00+00:00"
REASONS = dict(no_signal=1, warm_up=0, few_trades=0, grade=0, es95=0, correlation=1, limit=0, rank=0)


def row(strategy, reason, q, **more):
    return dict.fromkeys(VERDICTS, np.nan) | dict(
        instrument="EURUSD", strategy=strategy, timeframe="M15", reason=reason, detail="Because.", rank=0, grade="A+", q_star=q, side="long", order="market", entry=1.1, stop_loss=1.09, target=1.13, lots=0.25,
        at_risk=250.0, es95=4.2, correlated_with="", p=0.6, p_source="trades", trades=80, wins=48, stop_source="signal", bars=500, bars_needed=14, bar_closed=pd.Timestamp(AT), close=1.1, rate=1.0,
    ) | more  # fmt: skip


def scan(desk) -> str:
    """A stored scan with one proposal of three combinations."""
    store = desk.jobs._context.store
    table = pd.DataFrame([row("breakout", "proposal", 0.61, rank=1), row("simple_ma", "correlation", 0.4, correlation=0.9, correlated_with="EURUSD long (proposed)"), row("momentum", "no_signal", -0.2, side="", grade="D")])
    frames = dict(verdicts=store.frames.put(table), trades=store.frames.put(pd.DataFrame({name: pd.Series(dtype=str) for name in TRADES})), correlations=store.frames.put(pd.DataFrame(dict(a=["EURUSD"], b=["EURUSD"], correlation=[1.0]))))
    proposal = {name: None if isinstance(value, float) and value != value else value for name, value in table.iloc[0].to_dict().items()} | dict(bar_closed=AT)
    criteria = dict(history=250, fewest=40, es95=10.0, correlation=0.3, correlation_days=60, proposals=3)
    summary = dict(at=AT, combinations=3, reasons=REASONS, proposals=[proposal], equity=10_000.0, currency="USD", criteria=criteria, positions=0, instruments=["EURUSD"], strategies=["breakout", "simple_ma", "momentum"], timeframes=["M15"])
    start = desk.scanner.spec
    with store.unit() as unit:
        version = unit.datasets.all()[0].version
    spec = start(_request(desk)) | dict(datasets=[version])
    with store.unit() as unit:
        return unit.runs.add(kind="scan", job_id="j1", title="Scan: EURUSD", spec=spec, manifest={}, summary=summary, frames=frames, actor="ana", created_at=datetime(2024, 1, 3, tzinfo=UTC))


def _request(desk):
    from worker.desk.scanner import Choice, ScanRequest

    return ScanRequest([Choice("breakout"), Choice("simple_ma"), Choice("momentum")], [desk.data.catalogue()[0].id])


def text(test) -> str:
    return " ".join(element.value for element in (*test.header, *test.subheader, *test.markdown, *test.caption)).replace("\\", "")


def test_each_state_says_what_to_do(desk):
    empty = draw("scanner", desk)
    assert not empty.exception and "No data yet" in text(empty)
    dataset(desk, "EURUSD", 1)
    ready = draw("scanner", desk)
    assert not ready.exception and "No scans yet" in text(ready)
    assert [entry.instrument for entry in ready.multiselect[0].value] == ["EURUSD"] and ready.multiselect[1].value == ["M15"]
    assert {"breakout", "simple_ma"} <= set(ready.multiselect[2].value)
    assert f"{len(ready.multiselect[2].value)} combinations, each a backtest of its own" in text(ready)
    assert warnings(draw("scanner", desk, run="zzzz")) == ["There is no scan zzzz. It may have been deleted. Choose one below."]
    running = next(button for button in ready.button if button.label == "Run scan")
    clicked = running.click().run()
    assert not clicked.error and not clicked.exception, [error.value for error in clicked.error]
    assert len(desk.jobs.latest(("scan",))) == 1, "the button makes one job"
    assert "Cancel" in [button.label for button in draw("scanner", desk).button], "a scan that runs can be cancelled"
    job = desk.jobs.latest(("scan",))[0]
    desk.jobs.cancel(job.id)
    assert "was cancelled" in text(draw("scanner", desk))


def test_a_result_shows_its_proposals_its_reasons_and_its_downloads(desk):
    dataset(desk, "EURUSD", 1)
    run = scan(desk)
    shown = draw("scanner", desk, run=run)
    assert not shown.exception
    words = text(shown)
    assert "3 combinations at 2024-01-02 00:00 UTC: 1 proposal." in words and "EURUSD long" in words
    assert "Market 0.25 lots about 1.1, stop 1.09, target 1.13." in words.replace("\u202f", " ")
    assert [metric.value for metric in shown.metric] == ["+0.610 R"]
    assert list(shown.multiselect[2].value) == ["breakout", "simple_ma", "momentum"], "the form starts from what was scanned"
    newest = draw("scanner", desk)
    assert "1 proposal" in text(newest), "without an address the newest scan is shown"


def test_the_verdict_is_a_sentence(kind):
    summary = dict(combinations=12, proposals=[], reasons=REASONS | dict(no_signal=12), at=AT)
    assert verdict(summary) == "12 combinations at 2024-01-02 00:00 UTC: no proposal. Most often the reason is no signal."
