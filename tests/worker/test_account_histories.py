"""Account histories in the workspace: import, what is kept of them, and deletion."""

from __future__ import annotations

import hashlib
import time

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from domain.compliance import judge, preset
from domain.errors import BadRequest
from tests.domain.compliance.histories import statements
from worker import actors, evidence
from worker.schedule import clean

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def imported(desk, path, clock="mt5_us", **how):
    staged = desk.histories.stage_path(str(path), own_rights=True)
    job = desk.histories.import_(staged, clock if staged.needs_clock else "", **how).job
    actors.run(job.id)
    return desk.jobs.get(job.id)


def history_of(desk, job):
    assert job.state == "done", job.error
    return desk.histories.get(job.result["history"])


def test_a_statement_is_imported_with_its_event_and_read_back(system, desk, tmp_path):
    path = statements.write(tmp_path, "mt5_html")
    history = history_of(desk, imported(desk, path))
    assert (history.format, history.source, history.currency, history.clock, history.account) == (
        "mt5_html",
        path.name,
        "USD",
        "mt5_us",
        "7005678",
    )
    assert (history.initial, history.balance, history.trades, history.flows) == (10_000.0, 9783.0, 2, 1)
    assert history.file == hashlib.sha256(path.read_bytes()).hexdigest()
    [event] = desk.trail.history(f"history:{history.id}")
    assert (event.kind, event.detail["file"], event.detail["version"], event.detail["trades"]) == (
        "history_imported",
        history.file,
        history.version,
        2,
    )
    assert desk.histories.points(history.id)["balance"].tolist() == [
        9996.5,
        10393.0,
        10391.25,
        9886.0,
        9885.0,
        9785.0,
        9783.0,
    ]
    over = desk.histories.path(history.id)
    assert (
        not over.floating
        and over.initial == 10_000.0
        and over.flows["amount"].tolist() == [-100.0]
        and len(over.trades) == 2
    )
    assert desk.histories.all() == [history] and desk.histories.clock_name(history) == "MetaTrader, New York + 7 h"


@on_sqlite
def test_the_same_file_twice_is_one_history_and_another_clock_is_another(system, desk, tmp_path):
    path = statements.write(tmp_path, "mt4_html")
    first = history_of(desk, imported(desk, path))
    again = imported(desk, path, name="again")
    assert again.result == dict(history=first.id, new=False)
    other = history_of(desk, imported(desk, path, clock="UTC+2"))
    same_instants = desk.histories.points(first.id)["ts"].tolist() == desk.histories.points(other.id)["ts"].tolist()
    assert same_instants == (other.id == first.id), "a history is named by its instants, whatever the clock is called"
    assert history_of(desk, imported(desk, path, clock="UTC+3")).id != first.id


@on_sqlite
def test_a_file_that_cannot_be_a_history_says_why_and_leaves_nothing(system, desk, tmp_path):
    with pytest.raises(BadRequest, match="Known account histories"):
        desk.histories.stage_path(str(statements.written(tmp_path, "x.csv", "a,b\n1,2\n")), own_rights=True)
    with pytest.raises(BadRequest, match="does not say which clock"):
        desk.histories.import_(desk.histories.stage_path(str(statements.write(tmp_path, "mt4_html")), own_rights=True))
    job = imported(desk, statements.write(tmp_path, "mt4_csv"))
    assert (
        job.state == "failed"
        and "does not say the account's currency" in job.error["sentence"]
        and desk.histories.all() == []
    )
    with pytest.raises(BadRequest, match="above 0"):
        imported(desk, statements.write(tmp_path, "mt4_csv"), currency="USD", initial=-1.0)


@on_sqlite
def test_an_upload_is_recognised_like_a_file(system, desk):
    name, content = statements.FILES["myfxbook_csv"]
    staged = desk.histories.stage_upload(f"C:\\fakepath/{name}", content)
    assert (staged.recognised.format, staged.needs_clock, staged.name) == ("myfxbook_csv", True, name)
    job = desk.histories.import_(staged, "Europe/Prague", "usd", name="My account").job
    actors.run(job.id)
    assert history_of(desk, desk.jobs.get(job.id)).name == "My account"


@on_sqlite
def test_a_history_is_renamed_exported_and_deleted_with_events(system, desk, tmp_path):
    history = history_of(desk, imported(desk, statements.write(tmp_path, "mt4_html")))
    assert desk.histories.rename(history.id, "Challenge").name == "Challenge"
    lines = desk.histories.download(history.id, "trades").decode().split("\n")
    assert lines[0].startswith("trade_id,tag,instrument,side,lots,entry_ts") and len(lines) == 5
    with pytest.raises(BadRequest, match="has no table 'x'"):
        desk.histories.download(history.id, "x")
    desk.histories.delete(history.id)
    assert desk.histories.all() == []
    assert [event.kind for event in desk.trail.history(f"history:{history.id}")] == [
        "history_imported",
        "history_renamed",
        "downloaded",
        "history_deleted",
    ]
    with pytest.raises(BadRequest, match="there is no account history"):
        desk.histories.get(history.id)
    assert imported(desk, statements.write(tmp_path, "mt4_html")).result["new"]


@on_sqlite
def test_the_tables_of_a_history_outlive_the_sweep_until_it_is_deleted(system, desk, store, tmp_path, monkeypatch):
    history = history_of(desk, imported(desk, statements.write(tmp_path, "mt4_html")))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10 * 86_400)
    clean(store)
    assert len(desk.histories.trades(history.id)) == 3
    desk.histories.delete(history.id)
    clean(store)
    assert not any(store.frames.exists(frame) for frame in history.frames.values())


@on_sqlite
def test_what_a_cell_holds_is_no_formula_in_an_export(system, desk, tmp_path):
    evil = statements.MT4_HTML.replace('title="#9244 robot[tp]"', 'title="=HYPERLINK(1)"')
    history = history_of(desk, imported(desk, statements.written(tmp_path, "s.htm", evil)))
    assert ",=HYPERLINK" not in desk.histories.download(history.id, "trades").decode()


def bars_of(desk, folder, name, price, timeframe="M15"):
    """Bars of two weeks around a level, imported as a person would."""
    ts = pd.date_range("2024-02-26T00:00Z", "2024-03-15T20:00Z", freq="15min")
    open_ = ts[(ts.day_of_week < 5)]
    close = np.round(price * (1 + 0.001 * np.sin(np.arange(len(open_)) / 40)), 5)
    table = pd.DataFrame(
        dict(ts=open_.strftime("%Y-%m-%dT%H:%M:%SZ"), open=close, high=close * 1.0002, low=close * 0.9998, close=close)
    )
    path = folder / f"{name}.csv"
    table.to_csv(path, index=False)
    job = desk.data.import_(
        desk.data.stage_path(str(path), own_rights=True), name, timeframe, "bid", "UTC", repair=True
    ).job
    actors.run(job.id)
    assert desk.jobs.get(job.id).state == "done", desk.jobs.get(job.id).error
    return desk.data.get(desk.jobs.get(job.id).result["dataset"])


@on_sqlite
def test_an_import_can_be_cancelled_while_it_reads(system, desk, tmp_path, monkeypatch):
    from worker.jobs.base import Cancelled, Work

    monkeypatch.setattr(Work, "within", lambda self, low, high: self.stop(Cancelled()) or self.progress)
    job = imported(desk, statements.write(tmp_path, "mt4_html"))
    assert job.state == "cancelled" and desk.histories.all() == []


def page_verdict(desk, history_id):
    """Kind of rule -> state, as the Compliance page judges the history."""
    subject = desk.compliance.subject("history", history_id)
    actors.run(desk.compliance.submit(subject, "ftmo-2-step").job.id)
    return {rule["kind"]: rule["state"] for rule in desk.compliance.judged(subject, "ftmo-2-step").run.summary["rules"]}


@on_sqlite
def test_the_equity_is_rebuilt_from_the_workspaces_bars_and_judged(system, desk, tmp_path):
    history = history_of(desk, imported(desk, statements.write(tmp_path, "mt5_html")))
    with pytest.raises(BadRequest, match="no bars of M1 to H1 that cover the trades in EURUSD, XAUUSD"):
        desk.histories.rebuild(history.id)
    assert page_verdict(desk, history.id)["max_drawdown"] == "not judged"
    used = [bars_of(desk, tmp_path, "EURUSD", 1.082), bars_of(desk, tmp_path, "XAUUSD", 2115.0)]
    assert {name: dataset.id for name, dataset in desk.histories.bars_for(history.id).items()} == {
        dataset.instrument: dataset.id for dataset in used
    }
    job = desk.histories.rebuild(history.id).job
    actors.run(job.id)
    job = desk.jobs.get(job.id)
    assert job.state == "done", job.error
    again = desk.histories.get(history.id)
    assert "rebuilt" in again.frames and [finding["key"] for finding in again.findings][-1] == "rebuilt"
    event = desk.trail.history(f"history:{history.id}")[-1]
    assert event.kind == "history_rebuilt" and event.detail["datasets"] == {
        dataset.instrument: dataset.version for dataset in used
    }
    path = desk.histories.path(history.id, rebuilt=True)
    assert path.floating and path.equity_low is not None and path.balance[-1] == 9783.0 and len(path) > 100
    judgement = judge(path, preset("ftmo-2-step"))
    assert {verdict.kind: verdict.state for verdict in judgement.rules}["max_drawdown"] in ("passed", "failed"), (
        "with its equity the rule is judged"
    )
    assert page_verdict(desk, history.id)["max_drawdown"] in ("passed", "failed"), (
        "and a verdict on the balance alone is not shown in its place"
    )
    assert desk.histories.tables(history.id)["rebuilt"] == "Equity rebuilt from bars"


@on_sqlite
def test_a_forged_history_is_refused_when_it_is_read_and_found_by_verification(system, desk, tmp_path):
    history = history_of(desk, imported(desk, statements.write(tmp_path, "mt5_html")))
    store = desk.histories._context.store
    desk.histories.rename(history.id, "Mine")
    assert evidence.check(store)["holds"], "a name is not of its content"
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE account_histories SET balance = 1000000 WHERE id = :id"), dict(id=history.id))
    with pytest.raises(BadRequest, match=f"Account history {history.id} was altered since it was recorded"):
        desk.histories.get(history.id)
    verdict = evidence.check(store)
    assert not verdict["holds"] and f"Account history {history.id}" in verdict["why"]
    desk.histories.delete(history.id)
    assert evidence.check(store)["holds"]
