"""Sessions in one process: whole instants, one holder, commands once, one session's error its own."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from tests.worker.sessions.conftest import finish
from tests.worker.sessions.double import MINUTE, Double
from worker.sessions.runner import MANY, PACE
from worker.sessions.work import SessionWork
from worker.store import Filter
from worker.store.session_asking import ask, resume
from worker.store.unit import Process


def test_a_session_is_worked_to_the_end_of_its_data(store, begin, runner, outputs):
    begin("gold")
    finish(runner())
    rows, tape, state = outputs("gold")
    assert state == "finished" and len(tape) == 30 + 6 and len(rows["equity"]) == 30 and len(rows["fills"]) > 3
    assert [number for number, *_ in rows["equity"]] == list(range(1, 31))
    with store.read() as unit:
        assert {"session_created", "session_started", "order_intent", "order_accepted", "order_filled", "session_finished"} <= {event.kind for event in unit.trail.all(Filter(entity="session:gold"))}
        assert unit.leases.get("session:gold").owner is None and unit.sessions.progress("gold").opened == {}
        assert [message.text for message in unit.messages.after(0)][-1] == "gold is finished"


@pytest.mark.parametrize("eager", [True, False], indirect=True)
def test_many_instants_at_once_put_out_the_same(begin, runner, outputs, eager):
    begin("gold")
    finish(runner())
    rows, tape, state = outputs("gold")
    assert (len(rows["equity"]), rows["equity"][-1][1] // MINUTE, len(tape), state) == (30, 30, 36, "finished")


@pytest.mark.parametrize("eager", [True], indirect=True)
def test_replays_as_fast_as_possible_take_turns_so_that_commands_wait_for_one_batch_only(store, begin, runner, outputs, monkeypatch):
    monkeypatch.setattr("worker.sessions.runner.BATCH", 0.0)
    names = ("gold", "silver", "euro")
    begin(*names)
    one = runner()
    moved = []
    for _ in range(6):
        before = {name: len(outputs(name)[0]["equity"]) for name in names}
        one.step()
        moved.append([name for name in names if len(outputs(name)[0]["equity"]) > before[name]])
    assert all(len(each) <= 1 for each in moved) and {name for each in moved for name in each} == set(names)
    finish(one)
    assert outputs("gold") == outputs("silver") == outputs("euro")


def test_the_rewritten_last_row_takes_the_place_of_the_first(begin, runner, outputs):
    begin("gold")
    finish(runner())
    rows = outputs("gold")[0]["equity"]
    account = Double()
    assert len({ts for _, ts, _ in rows}) == len(rows) and float(rows[-1][2][1].split(",")[1].strip(" )")) > account.equity * 0.9


def test_a_second_runner_is_refused(store, begin, runner):
    begin("gold")
    first, second = runner(), runner()
    first.step()
    second.step()
    assert set(first.held) == {"gold"} and not second.held


def test_a_session_whose_holder_falls_silent_is_taken(begin, runner):
    begin("gold")
    now = [0.0]
    first, second = runner(), runner(clock=lambda: now[0])
    first.step()
    for _ in range(12):
        assert not second.held
        now[0] += 1.0
        second.step()
        if second.held:
            break
    assert second.held and 5.0 <= now[0] <= 7.0        # so that with 50 of them all are back within 10 s


def test_what_a_silent_runner_held_is_nobodys_share(store, begin, runner):
    names = ("gold", "silver", "euro", "yen")
    begin(*names)
    now = [0.0]
    first, second = runner(), runner(clock=lambda: now[0])
    first.step()
    with store.unit() as unit:
        for each in (first, second):
            unit.alive(Process(each.owner, "sessions", "elsewhere", 1, unit.now(), unit.now(), ""))
    for _ in range(8):
        now[0] += 1.0
        second.claim()
    assert set(second.held) == set(names)


def test_who_lost_its_lease_writes_nothing_and_lets_go(store, begin, runner, outputs):
    begin("gold", "twin")
    zombie, heir = runner(only="gold"), runner()
    for _ in range(5):
        zombie.step()
    with store.unit() as unit:
        lease = unit.leases.get("session:gold")
        unit.leases.free("session:gold", lease.epoch, lease.beats)
    heir.step()
    assert "gold" in heir.held
    zombie.step()
    assert not zombie.held
    finish(heir)
    assert outputs("gold") == outputs("twin")


def test_commands_are_worked_once_and_outlive_a_restart(store, begin, runner, outputs):
    begin("gold")
    first = runner()
    for _ in range(4):
        first.step()
    with store.unit() as unit:
        ask(unit, "gold", "pause", {}, "ana", "lunch", key="one")
        assert ask(unit, "gold", "pause", {}, "ana", "lunch", key="one") is None
        ask(unit, "gold", "continue", {}, "ana", ts=20 * MINUTE)
    first.step()
    first.step()
    assert first.held["gold"].account.paused == "pause"
    first.leave()
    second = runner()
    second.step()
    assert second.held["gold"].account.paused == "pause"
    finish(second)
    with store.read() as unit:
        pause, go_on = unit.session_commands.taped("gold")
        fills = [output.ts // MINUTE for output in unit.session_tape.rows("gold", "fills")]
    assert pause.worked < go_on.worked == 20 * MINUTE and not [at for at in fills if pause.worked // MINUTE < at <= 20] and 21 in fills


@pytest.mark.parametrize("eager", [True], indirect=True)
def test_what_was_requested_before_a_session_is_taken_up_is_worked_at_its_time(store, begin, runner, eager):
    begin("gold")
    with store.unit() as unit:
        ask(unit, "gold", "pause", {}, "ana", ts=5 * MINUTE)
    finish(runner())
    with store.read() as unit:
        assert unit.session_commands.taped("gold")[0].worked == 5 * MINUTE and not list(unit.session_tape.rows("gold", "fills"))


def test_stop_ends_a_session(store, begin, runner, outputs):
    begin("gold")
    first = runner()
    for _ in range(4):
        first.step()
    with store.unit() as unit:
        ask(unit, "gold", "stop", {}, "ana")
    finish(first)
    assert outputs("gold")[2] == "stopped"
    with pytest.raises(Exception, match="is stopped, so it takes no pause"), store.unit() as unit:
        ask(unit, "gold", "pause", {}, "ana")


def test_an_error_stops_its_own_session_only(store, begin, runner, handed, outputs):
    begin("bad")
    broken = runner(accounts=Broken)
    broken.step()
    for _ in range(8):
        broken.step()
    begin("gold")
    finish(runner())
    assert outputs("bad")[2] == "error" and outputs("gold")[2] == "finished"
    with store.unit() as unit:
        assert unit.sessions.get("bad").note == "Internal error. The details are in the log."
        assert [message.severity for message in unit.messages.after(0) if message.session == "bad"] == ["critical"]
        resume(unit, "bad", "ana")
    finish(runner())
    assert outputs("bad") == outputs("gold")


class Broken(Double):
    """An account with a bug at its third minute."""

    def work(self, until):
        if until >= 3 * MINUTE:
            raise ZeroDivisionError("a bug")
        return super().work(until)


def test_what_the_database_refuses_of_one_session_stops_that_one(store, begin, runner, monkeypatch, outputs):
    begin("bad", "gold")
    written = SessionWork.written

    def spoilt(self):
        created = written(self)
        return created and (replace(created, commit=replace(created.commit, view={"a": object()})) if self.name == "bad" and self.ts > 3 * MINUTE else created)

    monkeypatch.setattr(SessionWork, "written", spoilt)
    finish(runner())
    assert outputs("bad")[2] == "error" and outputs("gold")[2] == "finished"


def test_while_the_database_is_away_nothing_is_decided_and_then_it_goes_on(store, begin, runner, monkeypatch, outputs):
    begin("gold", "twin")
    first = runner(only="gold")
    for _ in range(6):
        first.step()
    with monkeypatch.context() as away:
        for name in ("unit", "read"):
            away.setattr(type(store), name, gone)
        for _ in range(3):
            assert not first.step()
        assert "does not answer" in first.away
        ts = first.held["gold"].ts
        first.step()
        assert first.held["gold"].ts == ts
    finish_all(first, runner())
    assert not first.away and outputs("gold") == outputs("twin")


def gone(self):
    raise OperationalError("SELECT 1", {}, Exception("connection refused"))


def finish_all(first, second):
    for _ in range(200):
        first.step()
        second.step()


def test_a_session_that_was_taken_as_the_database_went_away_is_opened_later(store, begin, runner, monkeypatch, outputs):
    begin("gold")
    first = runner()
    with monkeypatch.context() as away:
        away.setattr("worker.sessions.claiming.open_session", gone_at_opening)
        first.step()
        assert first.away and not first.held
    finish(first)
    assert outputs("gold")[2] == "finished"


def gone_at_opening(*_):
    raise OperationalError("SELECT 1", {}, Exception("connection refused"))


def test_the_sessions_are_shared_by_the_runners_that_live(store, begin, runner):
    from datetime import UTC, datetime

    from worker.store import Process

    begin("a", "b", "c")
    with store.unit() as unit:
        for number in range(2):
            unit.alive(Process(f"elsewhere:{number}", "sessions", "elsewhere", number, datetime.now(UTC), unit.now(), ""))
    first, second = runner(), runner()
    first.step()
    second.step()
    assert len(first.held) == 2 and len(second.held) == 1


class Waits:
    """Told to stop after some rounds; keeps for how long it was waited. The clock moves with each round and each wait."""

    def __init__(self, rounds: int, round_takes: float) -> None:
        self.now, self.waited, self._left, self._takes = 0.0, [], rounds, round_takes

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0

    def wait(self, seconds: float) -> bool:
        self.waited.append(round(seconds, 6))
        self.now += seconds
        return True

    def round(self) -> bool:
        self.now += self._takes
        return True


@pytest.mark.parametrize(
    ("live", "replays", "takes", "waited"),
    [(MANY, 0, 0.01, PACE - 0.01), (MANY, 0, 2 * PACE, 0.0), (MANY - 1, 0, 0.01, None), (MANY, 1, 0.01, None)],
    ids=["many that have little to do", "many that are late", "few", "beside a replay, which gives one instant a round"],
)
def test_what_comes_to_many_sessions_within_a_moment_is_one_round(runner, monkeypatch, live, replays, takes, waited):
    rounds = Waits(3, takes)
    one = runner(clock=lambda: rounds.now)
    feeds = [SimpleNamespace()] * live + [SimpleNamespace(eager=False)] * replays
    one.held = {str(number): SimpleNamespace(name=str(number), next=None, feed=feed, broker=None) for number, feed in enumerate(feeds)}
    one._sort()
    monkeypatch.setattr(one, "step", rounds.round)
    monkeypatch.setattr(one, "leave", lambda: None)
    monkeypatch.setattr("threading.Thread.start", lambda self: None)
    one.run(rounds)
    assert rounds.waited == ([] if waited is None else [pytest.approx(waited)] * 3)
