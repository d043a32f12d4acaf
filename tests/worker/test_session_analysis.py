"""Real sessions in a store: held against their backtests, compared, and capital allocated over them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from domain.errors import BadRequest
from domain.market.bars import frame
from worker import nightly
from worker.actors import run
from worker.consistency import check, fact_of, record
from worker.sessions import runner as running
from worker.sessions.accounts import LiveAccounts
from worker.store.session_asking import ask, start

HOUR = 3_600_000_000_000
BEGIN = pd.Timestamp("2024-01-01T22:00Z").value
PLAN = {"series": ["EURUSD H1"], "strategies": [{"name": "simple_ma"}], "rules": {"account": {"balance": 10_000.0}}}


@pytest.fixture
def kind() -> str:
    return "sqlite"


def bars(count: int = 260, seed: int = 7) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    price = 1.1 * np.exp(np.cumsum(draw.normal(0, 1e-3, count + 1)))
    opens, closes = price[:-1], price[1:]
    days = BEGIN + np.arange(count) * HOUR
    return frame(days, open=opens, high=np.maximum(opens, closes) + 2e-4, low=np.minimum(opens, closes) - 2e-4, close=closes, spread=np.full(count, 1e-4))


@pytest.fixture
def begin(store, monkeypatch):
    monkeypatch.setattr(running, "CLAIM", 0.0)
    monkeypatch.setattr(running, "LOOK", 0.0)
    frames = {"EURUSD H1": store.frames.put(bars())}

    def begin_(name: str, fast: int = 5, **source) -> None:
        plan = PLAN | {"strategies": [{"name": "simple_ma", "params": {"fast": fast, "slow": 2 * fast}}]}
        with store.unit() as unit:
            start(unit, name, plan, {"feed": "replay", "frames": frames, "speed": 0} | source, "ana")

    return begin_


def work(store, settings, name: str, until_bars: int | None = None) -> None:
    """To its end, or until its tape has so many bars."""
    runner = running.Runner(store, settings, LiveAccounts(), only=name)
    while True:
        runner.step()
        with store.read() as unit:
            session, state = unit.sessions.get(name), unit.sessions.progress(name)
        assert session.state != "error", session.note
        if session.ended or (until_bars and state.bars >= until_bars):
            return runner.leave()


def events(store, kind: str):
    with store.read() as unit:
        return [each for each in unit.trail.all() if each.kind == kind]


def messages(store, of: str = ":divergence:"):
    with store.read() as unit:
        return [each for each in unit.messages.after(0) if of in each.key]


def test_a_session_with_commands_is_its_backtest_while_it_runs_and_at_its_end(store, settings, begin, monkeypatch):
    begin("gold")
    with store.unit() as unit:
        ask(unit, "gold", "pause", {}, "ana", "lunch", key="p", ts=BEGIN + 60 * HOUR)
        ask(unit, "gold", "continue", {}, "ana", "", key="c", ts=BEGIN + 90 * HOUR)
        ask(unit, "gold", "close-all", {}, "ana", "", key="x", ts=BEGIN + 120 * HOUR)
    monkeypatch.setattr(running, "BATCH", 0.0)
    work(store, settings, "gold", 150)
    half = check(store, "gold")
    assert half.holds, half.sentence
    assert half.until is not None and half.rows["equity"] > 140 and half.rows["trades"] > 2
    monkeypatch.setattr(running, "BATCH", 0.25)
    work(store, settings, "gold")
    whole = check(store, "gold")
    assert whole.holds, whole.sentence
    assert whole.until is None and whole.rows["equity"] == 260
    with store.unit() as unit:
        record(unit, whole, "ana", "night 1")
    assert len(events(store, "session_consistent")) == 1 and not messages(store)


def booked(store, name: str) -> dict[str, list]:
    """What the session put out, without its own ids."""
    with store.read() as unit:
        return {kind: [(row.ts, {key: value for key, value in row.row.items() if "id" not in key}) for row in unit.session_tape.rows(name, kind)] for kind in ("fills", "trades", "equity")}


def test_an_instrument_edited_while_a_session_runs_changes_none_of_its_figures(store, settings, begin, desk, monkeypatch):
    begin("untouched")
    work(store, settings, "untouched")
    begin("gold")
    monkeypatch.setattr(running, "BATCH", 0.0)
    work(store, settings, "gold", 150)
    desk.instruments.edit("EURUSD", {"contract": 1_000, "swap_long": -6.5, "swap_short": 2.5}, "micro lots at this broker")
    monkeypatch.setattr(running, "BATCH", 0.25)
    work(store, settings, "gold")
    assert booked(store, "gold") == booked(store, "untouched") and len(booked(store, "gold")["trades"]) > 4
    assert check(store, "gold", settings=settings).holds
    begin("later")
    work(store, settings, "later")
    assert booked(store, "later")["fills"] != booked(store, "gold")["fills"], "one that starts after the edit trades the edited instrument"
    assert check(store, "later", settings=settings).holds


def test_a_stored_row_that_was_altered_is_critical_reported_once_and_audited(store, settings, begin, sent, system):
    begin("gold")
    work(store, settings, "gold")
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE session_rows SET row = json_set(row, '$.price', 1.5) WHERE session = 'gold' AND kind = 'fills' AND number = 2"))
    job = nightly.step(store, settings, sent)
    assert job and nightly.step(store, settings, sent) is None
    run(job)
    with store.read() as unit:
        result, fact = unit.jobs.get(job).result, unit.fact(fact_of("gold"))
    assert result["parted"] == ["gold"]
    assert fact["severity"] == "critical" and fact["alerts"][0]["sentence"].startswith("Row 2 of fills (2024-01-")
    assert "price is 1.5 in the session and 1." in fact["alerts"][0]["sentence"]
    (message,) = messages(store)
    assert (message.severity, message.session) == ("critical", "gold") and message.text.startswith("gold parts from its backtest. Row 2 of fills")
    assert len(events(store, "session_diverged")) == 1


def test_a_night_without_sessions_has_no_check_and_the_next_day_has_another(store, settings, begin, sent, monkeypatch):
    assert nightly.step(store, settings, sent) is None
    begin("gold")
    first = nightly.step(store, settings, sent)
    with store.unit() as unit:
        unit.remember(nightly.FACT, "2020-01-01")
        at = unit.now()
    monkeypatch.setattr("worker.store.unit.Unit.now", lambda unit: at.replace(year=at.year + 1))
    assert nightly.step(store, settings, sent) not in (None, first)


def test_a_session_before_its_first_bar_has_nothing_to_compare(store, begin):
    begin("gold")
    listing = check(store, "gold")
    assert listing.holds and listing.notes == ("It has no complete bar yet.",)
    assert listing.sentence == "gold has nothing to compare yet."
    with pytest.raises(BadRequest, match=r"no session named 'glod'; did you mean 'gold'\?"):
        check(store, "glod")


def test_two_sessions_on_one_feed_are_compared_and_others_refused(store, settings, begin, desk):
    begin("fast")
    begin("slow", 12)
    for name in ("fast", "slow"):
        work(store, settings, name)
    listing = desk.session_analysis.compare("fast", "slow")
    assert listing.days == 9 and listing.low is None and "share 9 days; an interval needs 20" in listing.sentence
    begin("other", frames={"EURUSD H1": "elsewhere"})
    begin("live", feed="oanda")
    with pytest.raises(BadRequest, match="fast and other cannot be compared: they replay different bars"):
        desk.session_analysis.compare("fast", "other")
    with pytest.raises(BadRequest, match="one is on the feed replay, the other on oanda"):
        desk.session_analysis.compare("fast", "live")
    with pytest.raises(BadRequest, match="fast is compared with itself"):
        desk.session_analysis.compare("fast", "fast")
    with pytest.raises(BadRequest, match="share 9 daily returns and 60 are needed"):
        desk.session_analysis.allocate(["fast", "slow"], "equal")


def test_an_allocation_is_taken_by_a_person_for_a_reason(store, begin, desk):
    from domain.live.allocation import allocation

    for name in ("a", "b", "c"):
        begin(name)
    days = pd.bdate_range("2026-01-05", periods=80)
    proposed = allocation({name: pd.Series(np.random.default_rng(k).normal(0, 0.01, 80), days) for k, name in enumerate("abc")}, "risk_parity")
    with pytest.raises(BadRequest, match="taken for a reason"):
        desk.session_analysis.take(proposed, " ")
    desk.session_analysis.take(proposed, "three months are over")
    (event,) = events(store, "allocation_taken")
    assert f'"a":"{proposed.weights["a"]:.6f}"' in event.body and "three months are over" in event.body


ORDERS = ("order_intent", "order_accepted", "order_rejected", "order_filled", "trade_closed")


def replayed(desk, seq: int):
    submitted = desk.trail.replay(str(seq))
    run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return job.result


def test_the_event_of_an_order_a_fill_or_a_trade_is_worked_again_from_the_tape(desk, store, settings, begin, system, monkeypatch):
    begin("gold")
    with store.unit() as unit:
        ask(unit, "gold", "close-all", {}, "ana", "", key="x", ts=BEGIN + 120 * HOUR)
    monkeypatch.setattr(running, "BATCH", 0.0)
    work(store, settings, "gold", 150)
    newest = {kind: events(store, kind)[-1] for kind in ORDERS if events(store, kind)}
    assert {"order_intent", "order_accepted", "order_filled", "trade_closed"} <= set(newest)
    for kind, event in newest.items():
        result = replayed(desk, event.seq)
        assert (kind, result["verdict"]) == (kind, "equal"), result["sentence"]
    compared = {check["what"] for check in replayed(desk, newest["order_filled"].seq)["checks"]}
    assert {"row of the event", "order", "side", "lots", "price", "reason"} <= compared and any(what.startswith("decision of order") for what in compared)
    monkeypatch.setattr(running, "BATCH", 0.25)
    work(store, settings, "gold")
    assert replayed(desk, newest["order_filled"].seq)["verdict"] == replayed(desk, events(store, "trade_closed")[-1].seq)["verdict"] == "equal"


def test_a_tape_that_was_altered_gives_another_order_and_one_that_is_gone_gives_none(desk, store, settings, begin, system):
    begin("gold")
    work(store, settings, "gold")
    fill = events(store, "order_filled")[4]
    with store.engine.begin() as connection:
        for trigger in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'session_tape'")).all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.execute(sa.text("UPDATE session_tape SET open = open + 0.0001, high = high + 0.0002 WHERE session = 'gold'"))
    result = replayed(desk, fill.seq)
    assert result["verdict"] == "differs" and "price" in [check["what"] for check in result["checks"] if not check["same"]]
    with store.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM session_tape WHERE session = 'gold'"))
    result = replayed(desk, fill.seq)
    assert result["verdict"] == "impossible" and "The tape of the session gold is not here" in result["sentence"]


def test_a_session_that_goes_on_is_judged_so_far_and_the_same_again_later(desk, store, settings, begin, system, monkeypatch):
    begin("gold")
    monkeypatch.setattr(running, "BATCH", 0.0)
    work(store, settings, "gold", 150)
    subject = desk.compliance.subject("session", "gold")
    assert subject in desk.compliance.subjects() and subject.title == "session gold, so far"
    about = dict(instrument="EURUSD", timeframe="H1", side="bid", clock="UTC", source="CSV", verdict="clean", quality={}, provenance={}, synthetic=False, example=False, version=f"{1:064x}")
    size = dict(first_ts=bars()["ts"].iloc[0].to_pydatetime(), last_ts=bars()["ts"].iloc[-1].to_pydatetime(), bars=260, gaps=0, spread=None, frame=store.frames.put(bars()), ledger=None, bytes=1)
    with store.unit() as unit:
        state = unit.sessions.progress("gold")
        unit.datasets.add(**about, **size, actor="ana", created_at=unit.now())
    runs = {}
    for submitted in (desk.compliance.submit(subject, "ftmo-2-step"), desk.chances.submit(subject, "ftmo-2-step", config=dict(paths=200)), desk.risks.submit(subject, pd.Timestamp(subject.reach.until).to_pydatetime())):
        run(submitted.job.id)
        job = desk.jobs.get(submitted.job.id)
        assert job.state == "done", job.error
        runs[job.kind] = desk.compliance.get(job.result["run"]).summary
    so_far = f"So far, until {pd.Timestamp(subject.reach.until):%Y-%m-%d %H:%M} UTC: the session goes on"
    assert all(summary["path"]["note"].startswith(so_far) for summary in runs.values()) and runs["pass_chance"]["notes"][-1].startswith(so_far)
    assert runs["judge"]["last"].startswith(subject.reach.until[:16]) and desk.compliance.judged(subject, "ftmo-2-step").stale == ""
    path, held = desk.compliance.session_path("gold").path(), state.view["positions"]
    assert (path.equity[-1], runs["risk_now"]["equity"], runs["risk_now"]["positions"]) == (state.view["equity"], state.view["equity"], len(held)) and held
    [open_now] = path.trades[path.trades["exit_ts"].isna()].to_dict("records")
    assert (open_now["side"], open_now["lots"], open_now["entry_price"]) == ({1: "long", -1: "short"}[held[0]["side"]], held[0]["lots"], held[0]["price"])
    assert len(path.trades) == state.rows["trades"] + 1
    monkeypatch.setattr(running, "BATCH", 0.25)
    work(store, settings, "gold")
    over = desk.compliance.subject("session", "gold")
    assert (over.reach.until, over.title) == ("", "session gold") and desk.compliance.judged(over, "ftmo-2-step").stale.startswith("Computed so far, until 2024-01-")
    for kind in ("run_judged", "chance_estimated", "risk_measured"):
        again = replayed(desk, events(store, kind)[-1].seq)
        assert (kind, again["verdict"]) == (kind, "equal"), again["sentence"]
