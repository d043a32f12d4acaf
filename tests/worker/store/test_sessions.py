"""Sessions in the database: one name, one holder, a tape that does not change, commands once, halts that latch."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from domain.live.tape import TapeBar
from worker.store.messages import Message
from worker.store.session_commits import Commit, WorkedCommand
from worker.store.session_halts import Halt
from worker.store.session_tape import Output
from worker.store.sessions import Held, TradingSession, lease_of

AT = datetime(2026, 1, 5, tzinfo=UTC)
GOLD = TradingSession("gold", {"series": ["XAUUSD H1"]}, {"feed": "replay"}, "paper", "auto", "ready", "", "ana", AT)
BAR = TapeBar("XAUUSD H1", 1, 2, 1.1, 1.2, 0.1 + 0.2, 1.15)
FIRST = Commit("gold", 1, 1, 2, 0, b"state", {"XAUUSD H1": [2, 1.15, 0.1, None]}, {"equity": 1}, {"equity": 10.0}, [BAR], [Output("equity", 1, 2, {"equity": 0.1})])


@pytest.fixture
def held(store):
    with store.unit() as unit:
        assert unit.sessions.create(GOLD)
        assert unit.leases.take(lease_of("gold"), "first").epoch == 1
    return store


def write(store, *commits):
    with store.unit() as unit:
        verdicts = unit.session_commits.judge(commits)
        unit.session_commits.write([commit for commit in commits if verdicts[commit.session] == "written"], AT)
    return [verdicts[commit.session] for commit in commits]


def test_a_name_is_taken_once(held):
    with held.unit() as unit:
        assert not unit.sessions.create(replace(GOLD, actor="bob"))
        assert unit.sessions.get("gold") == GOLD and unit.sessions.all() == [GOLD] and unit.sessions.get("silver") is None


def test_what_was_written_is_read_again_in_the_same_bits(held):
    assert write(held, FIRST) == ["written"]
    with held.read() as unit:
        progress = unit.sessions.progress("gold")
        (bar,) = unit.session_tape.bars("gold")
        assert (progress.commits, progress.ts, progress.bars, progress.state, progress.rows) == (1, 2, 1, b"state", {"equity": 1})
        assert bar.low == BAR.low and math.isnan(bar.spread) and bar.recovered is False
        assert [output.row for output in unit.session_tape.rows("gold", "equity")] == [{"equity": 0.1}]


def test_a_commit_whose_answer_was_lost_is_recognised(held):
    assert write(held, FIRST) == ["written"] and write(held, FIRST) == ["there"]
    with held.read() as unit:
        assert len(list(unit.session_tape.bars("gold"))) == 1


def test_who_lost_the_lease_writes_nothing(held):
    with held.unit() as unit:
        assert unit.leases.take(lease_of("gold"), "second") is None
        assert unit.leases.release(lease_of("gold"), 1) and unit.leases.take(lease_of("gold"), "second").epoch == 2
    assert write(held, FIRST) == ["fenced"] and write(held, replace(FIRST, epoch=2)) == ["written"]
    with held.unit() as unit:
        assert not unit.session_commits.hold("gold", 1) and unit.session_commits.hold("gold", 2)


def test_a_commit_out_of_its_turn_is_refused(held):
    assert write(held, replace(FIRST, number=4)) == ["fenced"]


@pytest.mark.parametrize("statement", ["UPDATE session_tape SET close = 2", "DELETE FROM session_tape", "UPDATE session_commands SET reason = 'x'", "DELETE FROM session_commands"])
def test_the_tape_does_not_change(held, statement):
    ask(held, "one")
    write(held, FIRST)
    with pytest.raises(DBAPIError), held.unit() as unit:
        unit.connection.execute(sa.text(statement))


def ask(store, key, command="pause"):
    with store.unit() as unit:
        unit.sessions.lock("gold")
        return unit.session_commands.ask("gold", command, {"share": 0.5}, "ana", "lunch", key, AT)


def test_a_command_is_requested_once_and_worked_once(held):
    assert ask(held, "one").number == 1 and ask(held, "one") is None and ask(held, "two").number == 2
    write(held, replace(FIRST, commands=[WorkedCommand(1, 2)]))
    with held.unit() as unit:
        assert [command.number for command in unit.session_commands.waiting()] == [2]
        assert [(command.worked, command.answer) for command in unit.session_commands.taped("gold")] == [(2, "")]
    with pytest.raises(DBAPIError), held.unit() as unit:
        unit.session_commits.write([replace(FIRST, tape=[], commands=[WorkedCommand(1, 3)])], AT)


def test_sessions_to_be_worked_on_are_reported_with_their_holder(held):
    with held.unit() as unit:
        assert unit.sessions.to_work() == [Held("gold", False, "first", 1, 0)]
        assert unit.sessions.enter("gold", "error", "it broke", AT) and not unit.sessions.enter("gold", "error", "it broke", AT)
        assert unit.sessions.to_work() == [] and unit.sessions.get("gold").ended


def test_a_halt_stays_latched_until_it_is_released(store):
    halt = Halt("abc", "", "", True, False, "ana", "news", AT)
    with store.unit() as unit:
        assert unit.session_halts.latch(halt) and not unit.session_halts.latch(halt)
        assert unit.session_halts.latched() == [halt] and halt.covers("gold")
        assert unit.session_halts.release(["abc"], "bob", "over", AT) == 1 and unit.session_halts.release(["abc"], "bob", "over", AT) == 0
        assert unit.session_halts.latched() == [] and unit.session_halts.get("abc").released_by == "bob"
        assert not unit.session_halts.latch(halt)


def test_a_message_is_written_once_by_its_key(store):
    with store.unit() as unit:
        for _ in range(2):
            unit.messages.write([Message("gold:1", "info", "bought", "gold")], AT)
        (message,) = unit.messages.after(0)
        assert message.text == "bought" and unit.messages.after(message.number) == []
