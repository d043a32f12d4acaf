"""Notes on trades, trades found by filters, tags and favourites of runs, and several deleted at once."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from domain.analytics.daily import USUAL, nanoseconds, trade_dates
from domain.backtest.buy_and_hold import daily_extremes
from domain.errors import BadRequest, UnknownName
from tests.worker.test_laboratory import RULES
from tests.worker.test_laboratory import finished as ended
from worker.actors import run
from worker.desk import Filter, TradeFilter

BAD = (
    (dict(trade=10_000, note="x"), "has no trade 10000; its trades are 1 to"), (dict(trade=1, note="x" * 2_001), "the note has 2,001 characters; write at most 2,000"),
    (dict(trade=1, note="", labels=[str(k) for k in range(11)]), "there are 11 labels; give at most 10"), (dict(trade=1, note="", labels=["x" * 41]), "has 41 characters; a label has at most 40"),
)  # fmt: skip
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def dataset(desk, system):
    job = desk.data.generate("regimes", {}, "EURUSD", "M15", START, END, 7).job
    run(job.id)
    return desk.data.get(desk.jobs.get(job.id).result["dataset"])


def finished(desk, dataset, lookback: int = 24, **rules):
    """A backtest of that lookback, ended; ``rules`` in place of the usual ones."""
    return ended(desk, dataset, params=dict(lookback=lookback), rules={**RULES, **rules})


@pytest.fixture
def backtest(desk, dataset):
    return finished(desk, dataset)


def events(desk, kind: str):
    return desk.trail.page(Filter(kinds=(kind,)), size=50)[0]


def test_a_note_is_kept_replaced_filtered_and_audited(desk, backtest):
    kept = desk.journal.save(backtest.id, 3, "  Entered late.  ", ["News ", "fomo", "News"])
    assert (kept.note, kept.labels, kept.actor) == ("Entered late.", ["News", "fomo"], "ana") and desk.journal.of(backtest.id).labels == ["News", "fomo"]
    assert desk.trade_list.find(backtest.id, TradeFilter(labels=["fomo"])).page["trade_id"].tolist() == [3] == desk.trade_list.find(backtest.id, TradeFilter(text="LATE")).page["trade_id"].tolist()
    desk.journal.save(backtest.id, 3, "Entered on time.")
    assert desk.journal.of(backtest.id).on[3].note == "Entered on time." and desk.journal.of(backtest.id).labels == []
    assert desk.journal.save(backtest.id, 3, " ", []) is None and not desk.journal.of(backtest.id).on
    first, second, third = events(desk, "trade_noted")[::-1]
    assert first.entities == (f"run:{backtest.id}",) and first.detail["trade"] == 3 and first.detail["before"] is None
    assert second.detail["before"]["note"] == "Entered late." and third.detail["note"] == ""
    for request, match in BAD:
        with pytest.raises(BadRequest, match=match):
            desk.journal.save(backtest.id, **request)


def test_notes_outlive_the_run_and_are_there_again_when_the_question_is_run_again(desk, dataset, backtest):
    desk.journal.save(backtest.id, 2, "Mine", ["a"])
    desk.backtests.delete(backtest.id)
    again = finished(desk, dataset)
    assert again.id != backtest.id and desk.journal.of(again.id).on[2].note == "Mine"
    other = finished(desk, dataset, lookback=30)
    assert not desk.journal.of(other.id).on and not desk.journal.of(other.id).elsewhere, "another question has other notes"


def test_a_note_stays_with_its_trade_whatever_its_number_is_and_is_never_shown_on_another(desk, backtest):
    desk.journal.save(backtest.id, 2, "Mine")
    with desk.jobs._context.store.unit() as unit:
        note = unit.trade_notes.get(backtest.manifest["spec_hash"], 2)
        unit.trade_notes.remove(note.question, 2)
        unit.trade_notes.put(replace(note, trade=9))
        unit.trade_notes.put(replace(note, trade=4, opened=START))
        unit.audit("ana", "trade_noted", f"run:{backtest.id}")
    notes = desk.journal.of(backtest.id)
    assert list(notes.on) == [2] and [each.trade for each in notes.elsewhere] == [4]


def test_filters_reach_over_all_trades_and_their_table_leaves_safe_and_with_every_cost(desk, dataset, backtest):
    desk.journal.save(backtest.id, 1, "=HYPERLINK(1)")
    every = desk.trade_list.find(backtest.id, size=10_000)
    won = desk.trade_list.find(backtest.id, TradeFilter(net_from=0.0), by="pnl", descending=True, size=5)
    assert (won.total, won.count, won.won) == (every.count, int((every.page["pnl"] >= 0).sum()), every.won) and won.page["pnl"].is_monotonic_decreasing and len(won.page) == 5
    assert won.net == pytest.approx(every.page.loc[every.page["pnl"] >= 0, "pnl"].sum()) and won.page["pnl"].iloc[0] == every.page["pnl"].max()
    place = desk.trade_list.place(backtest.id, int(won.page["trade_id"].iloc[3]), TradeFilter(net_from=0.0), "pnl", True)
    assert place == 3 and desk.trade_list.place(backtest.id, int(every.page.loc[every.page["pnl"].idxmin(), "trade_id"]), TradeFilter(net_from=0.0)) is None
    taken = pd.read_csv(io.BytesIO(desk.trade_list.download(backtest.id, TradeFilter(sides=["long"]))))
    assert len(taken) == (every.page["side"] == "long").sum() == int(events(desk, "downloaded")[0].detail["rows"])
    assert {"net", "spread", "slippage", "commission", "swap", "mae", "mfe", "hours", "labels", "note", "cumulative"} <= set(taken)
    texts = pd.read_csv(io.BytesIO(desk.trade_list.download(backtest.id)))["note"].dropna().tolist()
    assert texts == ["'=HYPERLINK(1)"]
    assert set(desk.trade_list.choices(backtest.id)) == {"side", "instrument", "exit_reason", "tag", "labels"}
    done = finished(desk, dataset, costs=dict(commission_per_lot=3.5, slippage=0.2, unit="pips"))
    table, metrics = desk.trade_list.find(done.id, size=10_000).page, done.summary["metrics"]
    for column, key, sign in (("spread", "spread_paid", -1), ("slippage", "slippage_paid", -1), ("commission", "commission_paid", -1), ("swap", "swap", 1)):
        assert table[column].sum() == pytest.approx(sign * metrics[key]), column


def test_buy_and_hold_stands_beside_the_run_at_its_costs(desk, dataset, backtest):
    held, metrics = desk.run_tables.benchmark(backtest.id), backtest.summary["benchmark"]["metrics"]
    assert held["value"].iloc[-1] == pytest.approx(50_000.0 * (1 + metrics["net_return"])) and held["share"].min() == pytest.approx(metrics["max_drawdown"])
    assert backtest.summary["benchmark"]["sentence"].endswith("lots EURUSD.") and metrics["trades"] == 1 and metrics["spread_paid"] > 0
    table = desk.run_tables.statistics(backtest.id).set_index("key")
    assert table.loc["sharpe", "hold"] == metrics["sharpe"] and table.loc["trades", "all"] == table.loc["trades", "long"] + table.loc["trades", "short"]
    dear = finished(desk, dataset, costs=dict(spread=30.0, unit="pips", commission_per_lot=500.0))
    assert dear.summary["benchmark"]["metrics"]["net_return"] < metrics["net_return"] - 0.005
    poor = finished(desk, dataset, account=dict(balance=500.0))
    assert poor.summary["benchmark"]["metrics"] is None and "below the smallest lot" in poor.summary["benchmark"]["sentence"]
    assert len(desk.run_tables.benchmark(poor.id)) == 0 and desk.run_tables.statistics(poor.id)["hold"].isna().all()


def test_figures_over_time_are_bounded_and_days_keep_their_extremes(desk, backtest):
    tables = desk.run_tables
    rolling, exposure, days = tables.rolling(backtest.id, 21), tables.exposure(backtest.id, 100), tables.days(backtest.id)
    assert rolling["sharpe"].notna().all() and 0 < len(rolling) <= len(days) - 20 and exposure["highest"].max() >= exposure["mean"].max() > 0 and len(exposure) <= 100 and exposure["bars"].sum() == backtest.summary["bars"]
    assert days["net"].sum() == pytest.approx(backtest.summary["metrics"]["net_profit"]) and tables.hours(backtest.id)["trades"].sum() == backtest.summary["metrics"]["trades"]
    with pytest.raises(BadRequest, match="the window has 20 trading days; choose one of 21, 63, 126, 252"):
        tables.rolling(backtest.id, 20)
    for name in ("statistics", "benchmark", "exposure", "days", "durations", "hours", "rolling_63"):
        assert len(tables.download(backtest.id, name)) > 10
    equity = desk.jobs._context.store.frames.get(backtest.frames["equity"])
    short = daily_extremes(equity, USUAL)
    days, own = trade_dates(nanoseconds(equity["ts"])), trade_dates(nanoseconds(short["ts"]))
    for name in ("min", "max", "last"):
        pd.testing.assert_series_equal(equity["equity"].groupby(days).agg(name), short["equity"].groupby(own).agg(name))
    assert len(short) <= 3 * len(np.unique(days)) + 1


@pytest.fixture
def runs(desk, store) -> list[str]:
    """Forty backtests that were never made."""
    common = dict(kind="backtest", job_id="j1", spec={}, manifest={}, summary={}, frames={}, actor="ana")
    with store.unit() as unit:
        names = [unit.runs.add(title=f"breakout {k:02d} 100%", created_at=datetime(2024, 1, 1 + k // 2, tzinfo=UTC), note="über" if k == 7 else "", **common) for k in range(40)]
        unit.audit("ana", "run_finished", *(f"run:{name}" for name in names))
    return names


def test_runs_are_found_by_words_tags_and_favourites_and_come_in_pages(desk, runs):
    seen, last = [], None
    while page := desk.run_list.find(limit=15, before=last):
        seen += [run.id for run in page.runs]
        if (last := page.last) is None:
            break
    assert sorted(seen) == sorted(runs) and len(set(seen)) == 40 == desk.run_list.count()
    assert [run.title for run in desk.run_list.find("BREAK 07").runs] == ["breakout 07 100%"] == [run.title for run in desk.run_list.find("über").runs] and desk.run_list.count("0_") == 0
    assert desk.run_list.set_tags(runs[3], ["  Good  one", "b", "B"]) == ["b", "good one"]
    desk.run_list.add_tag(runs[4:6], "b")
    desk.run_list.set_favourite(runs[5])
    assert {run.id for run in desk.run_list.find(tags=["b"]).runs} == set(runs[3:6]) and [run.id for run in desk.run_list.find(tags=["b", "good one"]).runs] == [runs[3]]
    assert [run.id for run in desk.run_list.find(favourites=True).runs] == [runs[5]] and desk.run_list.tags() == {"b": 3, "good one": 1}
    assert desk.run_list.find(tags=["b"]).favourites == {runs[5]} and desk.acting(desk.actor.__class__("bob", "analyst")).run_list.count(favourites=True) == 0, "favourites are one's own"
    desk.run_list.set_tags(runs[3], [])
    assert next((event.detail["tags"], event.detail["before"]) for event in events(desk, "run_tagged")) == ([], ["b", "good one"])
    with pytest.raises(BadRequest, match="a tag has at most 40"):
        desk.run_list.set_tags(runs[3], ["x" * 41])


def test_several_are_deleted_in_one_piece_with_their_tags_and_an_event_each(desk, runs):
    desk.run_list.set_tags(runs[0], ["gone"])
    with pytest.raises(UnknownName, match="there is no run nosuch"):
        desk.run_list.delete([runs[0], "nosuch"])
    assert desk.run_list.count() == 40 and desk.run_list.delete([*runs[:3], runs[0]]) == 3
    assert desk.run_list.count() == 37 and desk.run_list.tags() == {} and len(events(desk, "run_deleted")) == 3
    with pytest.raises(BadRequest, match="delete at most 500 at once"):
        desk.run_list.delete([str(k) for k in range(501)])
