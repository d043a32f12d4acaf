"""A CSV of signals from the page: checked row by row, traded by the kernel that the terminal uses, reproduced to the byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from domain.backtest import study
from domain.strategies.base import make
from worker import actors
from worker.desk import BacktestRequest, Refused
from worker.jobs import questions
from worker.jobs.base import Work
from worker.jobs.trial_rows import in_words
from worker.store.frames import content_hash

START, MIDDLE, END = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def dataset(desk, system) -> str:
    job = desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3).job
    actors.run(job.id)
    return desk.jobs.get(job.id).result["dataset"]


def request_for(dataset: str, **more) -> BacktestRequest:
    return BacktestRequest("signals", {}, [dataset], "H1", MIDDLE, END, dict(sizing=dict(kind="fixed_lots", value=1.0)), **more)


def decided(desk, dataset: str) -> pd.DataFrame:
    """The signals of a strategy on all bars, as a person writes them."""
    bars = desk.data._context.store.frames.get(desk.data.get(dataset).frame)
    series = study.Series(desk.data.instruments()["EURUSD"], study.Timeframe.named("H1"), bars.assign(ts=bars["ts"].dt.as_unit("ns")))
    table = pd.DataFrame(study.decided(series, make("breakout", dict(lookback=12)), [series])[0])
    return pd.DataFrame(dict(ts=table["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), side=["long" if side > 0 else "short" for side in table["side"]], stop_loss=table["stop_loss"]))


def run_of(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.backtests.get(job.result["run"])


def test_a_table_of_signals_is_traded_by_the_same_kernel_and_reproduced_to_the_byte(desk, dataset):
    table = decided(desk, dataset)
    staged = desk.signal_files.stage("breakout of mine.csv", table.to_csv(index=False).encode())
    request = request_for(dataset, signals=staged.plain)
    inside = int((pd.to_datetime(table["ts"]) >= pd.Timestamp(MIDDLE)).sum())
    assert staged.rows == len(table) > inside > 10 and desk.signal_files.counted(staged.plain, ["EURUSD"], MIDDLE, END) == (inside, len(table))
    run = run_of(desk, desk.backtests.submit(request))
    loaded = questions.read(run.spec, Work(desk.data._context.store, desk.settings, desk.jobs.get(run.job_id)))
    assert loaded.strategy() is None and loaded.signals is not None and len(loaded.signals) == inside
    direct = study.run(loaded.series, loaded.rules, signals=table[pd.to_datetime(table["ts"]) >= pd.Timestamp(MIDDLE)])
    for name in ("fills", "trades", "equity"):
        assert run.frames[name] == content_hash(in_words(getattr(direct.outcome, name))), name
    assert run.title.startswith("breakout of mine.csv · EURUSD H1") and run.frames["signals"] == staged.frame and run.summary["metrics"]["trades"] > 0
    assert not desk.backtests.submit(request).new, "the same file on the same data is the same question"
    assert desk.backtests.submit(replace(request, signals=desk.signal_files.stage("fewer.csv", table.iloc[:-3].to_csv(index=False).encode()).plain)).new
    job = desk.compare.reproduce(run.id).job
    actors.run(job.id)
    assert desk.jobs.get(job.id).result["verdict"] == "same", desk.jobs.get(job.id).result["sentence"]
    assert desk.robustness.of(run.id).belief is not None and not desk.run_chart.has_features(run.id)
    with pytest.raises(Refused, match="is a table of signals"):
        desk.robustness.submit_stress(run.id)


def test_a_row_that_cannot_be_traded_is_named_with_its_number(desk, dataset):
    for text, sentence in (
        ("ts,side\n2024-02-05T10:00Z,long\n2024-02-06T10:00Z,lng\n", "row 2"),
        ("ts,side\n2024-02-05T10:00Z,long,9\n", "beyond its last column|more cells"),
        ("ts,side\nlast Monday,long\n", "row 1"),
        ("ts,side,stop_los\n2024-02-05T10:00Z,long,1.0\n", "did you mean 'stop_loss'"),
        ("", "are empty"),
        ("ts,side\n", "no row"),
    ):
        with pytest.raises(Refused, match=sentence):
            staged = desk.signal_files.stage("mine.csv", text.encode())
            desk.backtests.submit(request_for(dataset, signals=staged.plain))
    with pytest.raises(Refused, match="CSV in UTF-8"):
        desk.signal_files.stage("picture.csv", b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(Refused, match="no signals are chosen"):
        desk.backtests.submit(request_for(dataset))
    early = desk.signal_files.stage("early.csv", b"ts,side\n2023-01-05T10:00Z,long\n")
    with pytest.raises(Refused, match="none of the 1 signals lies in the period"):
        desk.backtests.submit(request_for(dataset, signals=early.plain))
