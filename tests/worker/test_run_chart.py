"""The chart of a run: its bars, fills, the levels of a trade, and the columns that its strategy decided on."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from domain.backtest import study
from domain.features import compute
from domain.strategies.base import make
from worker import actors
from worker.desk import BacktestRequest, Refused, run_chart
from worker.jobs import questions
from worker.jobs.base import Work

START, MIDDLE, END = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 4))
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return job.result


@pytest.fixture
def run(desk, system):
    """On H1 bars resampled from M30, from the second month on."""
    dataset = done(desk, desk.data.generate("regimes", {}, "EURUSD", "M30", START, END, 3))["dataset"]
    request = BacktestRequest("breakout", dict(lookback=12), [dataset], "H1", MIDDLE, END, dict(sizing=dict(kind="fraction_at_risk", value=0.005)))
    return desk.backtests.get(done(desk, desk.backtests.submit(request))["run"])


def traded(desk, run):
    """The series as the run's job loads it."""
    return questions.read(run.spec, Work(desk.data._context.store, desk.settings, desk.jobs.get(run.job_id)))


def test_the_chart_draws_the_bars_fills_levels_and_columns_of_the_run(desk, run):
    series = traded(desk, run).series[0]
    rows = desk.run_chart.rows(run.id, "EURUSD")
    assert rows == len(series.bars) and list(desk.run_chart.series(run.id)) == ["EURUSD"]
    whole = desk.run_chart.view(run.id, "EURUSD", 0, rows, rows)
    for name in ("open", "high", "low", "close"):
        assert whole.candles[name].tolist() == series.bars[name].tolist()
    assert (whole.candles["ts"] * 1_000_000_000).tolist() == series.bars["ts"].astype("int64").tolist()
    check_fills(desk, run, series, rows)
    check_levels(desk, run, series, rows)
    check_features(desk, run, series, rows)


def check_fills(desk, run, series, rows):
    fills = desk.jobs._context.store.frames.get(run.frames["fills"])
    near = desk.run_chart.view(run.id, "EURUSD", 100, 200, 400)
    rows_of = series.bars["ts"].searchsorted(fills["bar_ts"], side="right") - 1
    inside = [(row, trade, price) for row, trade, price in zip(rows_of, fills["trade_id"], fills["price"], strict=True) if near.window.first <= row < near.window.last]
    drawn = near.marks.single
    assert drawn is not None and inside and sorted(zip(drawn["row"], drawn["trade"], drawn["price"], strict=True)) == sorted(inside)
    assert (drawn["candle"] == (drawn["row"] - near.window.first) // near.window.size).all() and drawn["entry"].sum() == drawn["trade"].nunique() - (~drawn.groupby("trade")["entry"].any()).sum()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_chart, "MOST_MARKS", 5)
        dense = desk.run_chart.view(run.id, "EURUSD", 0, rows, 200)
    assert dense.marks.single is None and dense.marks.grouped["trades"].sum() == run.summary["metrics"]["trades"] and (dense.marks.grouped["candle"] < len(dense.candles["ts"])).all()


def check_levels(desk, run, series, rows):
    trades = desk.backtests.trades(run.id)
    trade = trades.iloc[len(trades) // 2]
    name, first, last = desk.run_chart.place(run.id, int(trade["trade_id"]))
    assert name == "EURUSD" and series.bars["ts"].iloc[first] <= trade["entry_ts"] <= trade["exit_ts"]
    shown = desk.run_chart.view(run.id, name, first - 5, last + 5, 500, int(trade["trade_id"]))
    levels = {level.name: level for level in shown.levels}
    assert levels["entry"].prices[0] == trade["entry_price"] and levels["initial stop"].prices[0] == levels["stop"].prices[0] == trade["stop_loss"]
    assert levels["stop"].candles == [row - shown.window.first for row in range(first, last + 1)]
    moves = desk.trades.protection(run.id, int(trade["trade_id"])).moves
    stops = [next((stop for ts, stop in reversed(list(zip(moves["bar_ts"], moves["stop_loss"], strict=True))) if ts < at), trade["stop_loss"]) for at in series.bars["ts"].iloc[first : last + 1]]
    assert levels["stop"].prices == stops, "in each bar the last move before it"
    assert not desk.run_chart.view(run.id, name, last + 200, last + 210, 10, int(trade["trade_id"])).levels, "none of it lies in this window"
    with pytest.raises(Refused, match="its trades are 1 to"):
        desk.run_chart.place(run.id, 10**6)


def check_features(desk, run, series, rows):
    assert desk.run_chart.has_features(run.id) and desk.run_chart.features_run(run.id) is None
    assert not desk.run_chart.view(run.id, "EURUSD", 0, rows, rows).features
    done(desk, desk.run_chart.submit_features(run.id))
    strategy = make("breakout", run.spec["params"])
    expected = compute(series.seen, strategy.features(), study.context_of(series, [series])).iloc[series.bars_of_history :]
    shown = desk.run_chart.view(run.id, "EURUSD", 0, rows, rows).features
    assert list(shown) == [use.column for use in strategy.features()] and series.bars_of_history > 100
    for column, drawn in shown.items():
        np.testing.assert_array_equal(drawn.values, expected[column].to_numpy())
        assert np.isfinite(drawn.values).all(), "warm from the first bar, by the history"
    overlays = {column: drawn.overlay for column, drawn in shown.items()}
    assert all(flag == (column.startswith(("high", "low", "channel", "donchian", "sma", "ema"))) for column, flag in overlays.items()), overlays
    desk.backtests.delete(run.id)
    assert desk.run_chart.features_run(run.id) is None, "they go with the run"
