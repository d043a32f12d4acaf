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
