"""What can be read out of a finished run, and how far it may be believed: through the desk, from what a real job left."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from domain.analytics import drawdown_table, group_table, stop_target_surface
from domain.errors import BadRequest
from worker.actors import run
from worker.desk import BacktestRequest, Desk, Filter

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
LIMITED = dict(limits=dict(max_leverage=1.0, daily_loss=0.02), sizing=dict(kind="fraction_at_risk", value=0.01))
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def dataset(desk, system):
    job = desk.data.generate("regimes", {}, "EURUSD", "M15", START, END, 7).job
    run(job.id)
    return desk.data.get(desk.jobs.get(job.id).result["dataset"])


RULES = dict(account=dict(balance=50_000.0), sizing=dict(kind="fraction_at_risk", value=0.005))


def finished(desk: Desk, dataset, **changes: object):
    values = dict(strategy="breakout", params=dict(lookback=24), datasets=[dataset.id], timeframe="M15", start=START, end=END, rules=RULES)
    job = desk.backtests.submit(BacktestRequest(**{**values, **changes})).job
    run(job.id)
    done = desk.jobs.get(job.id)
    assert done.state == "done", done.error
    return desk.backtests.get(done.result["run"])


@pytest.fixture
def backtest_run(desk, dataset):
    return finished(desk, dataset)


def frame(desk: Desk, backtest_run, name: str) -> pd.DataFrame:
    return desk.jobs._context.store.frames.get(backtest_run.frames[name])


def test_every_table_is_what_the_engine_says_of_the_stored_frames(desk, backtest_run):
    lab, trades, equity = desk.run_tables, frame(desk, backtest_run, "trades"), frame(desk, backtest_run, "equity")
    for curve in lab.curves():
        pd.testing.assert_frame_equal(lab.drawdowns(backtest_run.id, curve), drawdown_table(equity, 50_000.0, curve))
    for by in lab.groups():
        pd.testing.assert_frame_equal(lab.group(backtest_run.id, by), group_table(trades, by))
    pd.testing.assert_frame_equal(lab.surface(backtest_run.id), stop_target_surface(trades))
    assert lab.results(backtest_run.id)["trades"].sum() == len(trades) == backtest_run.summary["metrics"]["trades"]
    assert lab.costs(backtest_run.id)["after"].iloc[-1] == pytest.approx(backtest_run.summary["metrics"]["net_profit"])
    assert lab.break_even(backtest_run.id)["paid"].iloc[0] > 0.5, "in pips"
    assert {0, 1, 2} <= set(lab.months(backtest_run.id)["month"]) and lab.metrics(backtest_run.id).set_index("key")["value"]["trades"] == len(trades)


def test_a_drawn_curve_keeps_its_extremes_and_ends_and_is_bounded(desk, backtest_run):
    equity = frame(desk, backtest_run, "equity")
    for curve in ("balance", "equity", "equity_low"):
        drawn = desk.run_tables.curve(backtest_run.id, curve, budget=100)
        assert len(drawn) <= 200 and drawn["value"].min() == equity[curve].min() and drawn["value"].max() == equity[curve].max()
        assert (drawn["ts"].iloc[0], drawn["ts"].iloc[-1]) == (equity["ts"].iloc[0], equity["ts"].iloc[-1]) and drawn["ts"].is_monotonic_increasing
    shown = desk.backtests.equity(backtest_run.id, 100)
    assert len(shown) <= 200 and shown["drawdown"].min() == pytest.approx(backtest_run.summary["metrics"]["max_drawdown"])


def test_what_was_refused_or_shrunk_is_kept_counted_and_exported(desk, dataset):
    run = finished(desk, dataset, rules=LIMITED)
    reviews = frame(desk, run, "reviews")
    assert run.spec["limits"]["max_leverage"] == 1.0 and run.summary["counts"]["shrunk_leverage"] > 5
    by_reason, first = desk.run_tables.refusals(run.id, most=3)
    assert by_reason["orders"].sum() == len(reviews) and first["order_id"].tolist() == reviews["order_id"].tolist()[:3]
    assert by_reason.set_index("reason")["orders"]["shrunk_leverage"] == run.summary["counts"]["shrunk_leverage"]
    taken = pd.read_csv(io.BytesIO(desk.run_tables.download(run.id, "refused")))
    assert len(taken) == len(reviews) and taken["ts"].iloc[0].endswith("Z")
    listed = desk.listing.table(run, "reviews")      # stored under the name that its hash was recorded with
    assert "lots_asked" in reviews and all("lots_requested" in table and "lots_asked" not in table for table in (first, taken, listed))


def test_every_table_can_be_exported_and_leaves_an_event(desk, backtest_run):
    tables = [*desk.run_tables._tables]
    assert {"drawdowns", "months", "surface", "by_side", "refused", "metrics"} <= set(tables)
    for name in tables:
        assert isinstance(desk.run_tables.download(backtest_run.id, name), bytes), name
    events = [event for event in desk.trail.page(Filter(entity=f"run:{backtest_run.id}"), size=100)[0] if event.kind == "downloaded"]
    assert [event.detail["what"] for event in events][::-1] == tables
    with pytest.raises(BadRequest, match="no table of a run named 'drawdown'; did you mean 'drawdowns'"):
        desk.run_tables.download(backtest_run.id, "drawdown")


# -- trades


def test_trades_come_in_pages_and_the_median_is_in_the_middle(desk, backtest_run):
    trades = frame(desk, backtest_run, "trades")
    pages = [desk.trades.page(backtest_run.id, number, size=20) for number in range(1, -(-len(trades) // 20) + 1)]
    pd.testing.assert_frame_equal(pd.concat(pages, ignore_index=True), trades)
    middle = trades.set_index("trade_id")["pnl"][desk.trades.median(backtest_run.id)]
    assert abs((trades["pnl"] < middle).mean() - 0.5) < 0.1


def test_trades_are_read_with_pips_charges_and_the_sum_so_far(desk, backtest_run):
    trades = frame(desk, backtest_run, "trades")
    shown = pd.concat([desk.trade_list.find(backtest_run.id, number=number, size=25).page for number in range(1, 40)], ignore_index=True)
    moved = (trades["exit_price"] - trades["entry_price"]).where(trades["side"] == "long", trades["entry_price"] - trades["exit_price"])
    np.testing.assert_allclose(shown["pips"], moved / 0.0001)
    np.testing.assert_allclose(shown["pnl"], trades["pnl_gross"] + shown["charges"])
    last = shown.loc[shown["exit_ts"].idxmax()]
    assert last["cumulative"] == pytest.approx(backtest_run.summary["metrics"]["net_profit"]) and shown["cumulative"].iloc[0] == pytest.approx(trades["pnl"][trades["exit_ts"] <= trades["exit_ts"].iloc[0]].sum())


def levels_of(desk: Desk, run_id: str, trade: int, budget: int = 100_000):
    """The chart's view of one trade, and its levels by name."""
    name, first, last = desk.run_chart.place(run_id, trade)
    view = desk.run_chart.view(run_id, name, first, last + 1, budget, trade)
    return view, {level.name: level for level in view.levels}


def test_a_trade_is_drawn_with_its_stop_as_it_moved_and_its_targets(desk, backtest_run):
    trades = frame(desk, backtest_run, "trades")
    moved = 0
    for trade in trades.head(40).itertuples():
        view, levels = levels_of(desk, backtest_run.id, trade.trade_id)
        side, stops = 1 if trade.side == "long" else -1, np.array(levels["stop"].prices)
        assert levels["entry"].prices[0] == trade.entry_price and levels["initial stop"].prices[0] == trade.stop_loss == stops[0]
        assert levels["target 1"].prices[0] == pytest.approx(trade.entry_price + side * 3.0 * abs(trade.entry_price - trade.stop_loss))
        assert (np.diff(side * stops) >= 0).all() and view.candles["low"][levels["entry"].candles[0]] <= trade.entry_price + 0.001
        moved += stops[-1] == pytest.approx(trade.entry_price)
        assert trade.exit_reason != "break_even" or stops[-1] == pytest.approx(trade.entry_price)
    assert moved > 3
    with pytest.raises(BadRequest, match=f"run {backtest_run.id} has no trade 99999; its trades are 1 to {len(trades)}"):
        desk.trades.protection(backtest_run.id, 99_999)


def test_a_long_trade_is_drawn_on_merged_candles(desk, dataset):
    run = finished(desk, dataset, strategy="simple_ma", params=dict(fast=50, slow=400, stop_atr=30.0))
    trades = frame(desk, run, "trades")
    longest = trades.loc[trades["bars_held"].idxmax()]
    view, levels = levels_of(desk, run.id, int(longest["trade_id"]), 220)
    assert longest["bars_held"] > 220 and view.window.size > 1 and view.candles["bars"].sum() > longest["bars_held"]
    assert all(0 <= candle < len(view.candles["ts"]) for level in levels.values() for candle in level.candles)


# -- belief


def test_a_run_remembers_what_it_was_judged_by_in_plain_values(desk, backtest_run):
    summary = json.loads(json.dumps(backtest_run.summary))
    assert {"metrics", "remarks", "belief", "histories", "look_ahead"} <= set(summary) and len(json.dumps(summary)) < 40_000
    assert summary["belief"]["significance"]["trials"] == 1 and summary["belief"]["significance"]["psr"] is not None
    assert summary["look_ahead"]["first_leak"] == "" and summary["look_ahead"]["cuts"] > 1
    assert all(remark["level"] in ("note", "warning", "severe") and remark["sentence"].endswith(".") for remark in summary["remarks"])
    believed = desk.robustness.of(backtest_run.id)
    assert json.loads(json.dumps(asdict(believed.belief))) == summary["belief"], "asked at once, the desk says the same"


def test_every_trial_that_was_made_later_makes_a_run_less_believable(desk, dataset, backtest_run):
    before = desk.robustness.of(backtest_run.id)
    for lookback in (30, 40, 50):
        last = finished(desk, dataset, params=dict(lookback=lookback))
    finished(desk, dataset, strategy="simple_ma", params={})
    desk.backtests.delete(last.id)
    after = desk.robustness.of(backtest_run.id)
    assert (before.belief.significance.trials, after.belief.significance.trials, after.then) == (1, 4, 1), "deleted ones count, those of another strategy do not"
    assert after.belief.significance.dsr < before.belief.significance.dsr and after.belief.significance.psr == before.belief.significance.psr


def test_a_stress_test_and_a_sweep_on_the_same_bars_speak_about_the_run(desk, dataset, backtest_run):
    other = finished(desk, dataset, params=dict(lookback=60))
    before = desk.robustness.of(backtest_run.id)
    assert before.stress is None and before.sweep is None and {question.key: question.answer for question in before.belief.questions}["stress"] == "open"
    job = desk.robustness.submit_stress(backtest_run.id).job
    assert not desk.robustness.submit_stress(backtest_run.id).new
    run(job.id)
    assert desk.jobs.get(job.id).state == "done", desk.jobs.get(job.id).error
    sweep = desk.sweeps.submit_sweep(desk.backtests.request_of(backtest_run.id), {"lookback": [10, 20, 30, 40]}).job
    run(sweep.id)
    assert desk.jobs.get(sweep.id).state == "done", desk.jobs.get(sweep.id).error
    after = desk.robustness.of(backtest_run.id)
    assert after.stress.id == desk.jobs.get(job.id).result["run"] and {row["scenario"] for row in after.belief.stress} >= {"spread_2", "late", "optimistic"}
    stress = next(question for question in after.belief.questions if question.key == "stress")
    assert after.belief.net_return < 0 and (stress.answer, stress.sentence) == ("open", "Not evaluated: the run earns nothing after costs."), "no test praises a loss"
    assert (after.sweep is not None) == bool(desk.sweeps.get(desk.jobs.get(sweep.id).result["run"]).summary["overfitting"])
    assert desk.robustness.of(other.id).stress is None, "another question has a stress test of its own"


def test_a_run_of_an_older_version_is_shown_without_a_judgement(desk, backtest_run):
    old = {key: backtest_run.summary[key] for key in ("metrics", "counts", "ambiguous", "signals", "bars", "curve", "currency", "balance")} | {"remarks": ["A sentence."]}
    frames = {name: backtest_run.frames[name] for name in ("trades", "fills", "equity")}
    with desk.jobs._context.store.unit() as unit:
        row = asdict(replace(backtest_run, summary=old, frames=frames, spec={key: value for key, value in backtest_run.spec.items() if key != "limits"}))
        run_id = unit.runs.add(**{key: value for key, value in row.items() if key != "id"})
    believed = desk.robustness.of(run_id)
    assert not believed.evaluated and believed.remarks == () and desk.run_tables.refused(run_id).empty
    assert len(set(levels_of(desk, run_id, 1)[1]["stop"].prices)) == 1


# -- beside each other


def test_two_runs_are_compared_by_figures_and_by_settings(desk, dataset, backtest_run):
    other = finished(desk, dataset, rules=dict(costs=dict(slippage=0.0001), account=dict(balance=50_000.0), sizing=dict(kind="fraction_at_risk", value=0.005)))
    figures, settings = desk.run_tables.compare(backtest_run.id, other.id)
    net = figures.set_index("key").loc["net_return"]
    assert net["difference"] == pytest.approx(other.summary["metrics"]["net_return"] - backtest_run.summary["metrics"]["net_return"]) and net["difference"] < 0
    assert settings["path"].tolist() == ["costs.slippage"] and settings[["a", "b"]].to_numpy().tolist() == [["0.0", "0.0001"]]


def test_a_question_can_be_submitted_again_as_it_was(desk, backtest_run):
    assert desk.backtests.spec(desk.backtests.request_of(backtest_run.id)) == backtest_run.spec
    assert not desk.backtests.submit(desk.backtests.request_of(backtest_run.id)).new
