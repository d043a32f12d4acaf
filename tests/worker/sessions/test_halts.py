"""The kill switch: by command, by file, whatever is down, until a person releases it."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from domain.errors import BadRequest
from tests.worker.sessions.conftest import finish
from tests.worker.sessions.double import MINUTE
from worker.sessions.halts import HaltSwitch
from worker.store.session_asking import halt, release


def steps(runner, count=6):
    for _ in range(count):
        runner.step()
    return runner


def halted(runner, name="gold"):
    return runner.held[name].account.paused == "halt"


@pytest.mark.parametrize("minutes", [200], indirect=True)
def test_a_file_halts_at_the_next_order_and_is_on_the_tape(store, begin, runner, settings, minutes):
    begin("gold", "silver")
    first = steps(runner())
    (settings.home / "HALT").write_text("news at noon\nmore\n")
    ts = first.held["gold"].ts
    assert first.switch.refusal("gold") == "halted: news at noon"
    first.step()
    assert halted(first) and halted(first, "silver")
    with store.read() as unit:
        (command,) = unit.session_commands.all("gold")
        (switch,) = unit.session_halts.latched()
        assert (command.command, command.worked, command.reason, command.who) == ("halt", ts, "news at noon", "file HALT") and switch.by_file
        assert [message.severity for message in unit.messages.after(0) if message.key.startswith("halt:")] == ["critical"]


@pytest.mark.parametrize("minutes", [200], indirect=True)
def test_deleting_the_file_releases_nothing_and_a_restart_neither(store, begin, runner, settings, minutes):
    begin("gold")
    first = steps(runner())
    (settings.home / "HALT").write_text("news")
    steps(first, 2)
    (settings.home / "HALT").unlink()
    steps(first)
    assert halted(first)
    first.leave()
    second = steps(runner(), 3)
    assert halted(second) and second.switch.refusal("gold") == "halted: news"
    with store.unit() as unit:
        with pytest.raises(BadRequest, match="names the person and the reason"):
            release(unit, "ana", " ")
        release(unit, "ana", "news are out")
    steps(second, 2)
    assert not halted(second) and second.switch.refusal("gold") == ""
    with store.read() as unit:
        assert {"trading_halted", "trading_released"} <= set(unit.trail.kinds())


@pytest.mark.parametrize("minutes", [200], indirect=True)
def test_a_file_that_is_there_still_halts_again(store, begin, runner, settings, minutes):
    begin("gold")
    first = steps(runner())
    (settings.home / "HALT").write_text("news")
    steps(first, 2)
    with store.unit() as unit:
        release(unit, "ana", "too early")
    steps(first, 3)
    assert halted(first)


@pytest.mark.parametrize("minutes", [200], indirect=True)
def test_the_file_of_one_session_halts_that_one(begin, runner, settings, minutes):
    begin("gold", "silver")
    first = steps(runner())
    folder = settings.home / "sessions" / "gold"
    folder.mkdir(parents=True)
    (folder / "HALT").touch()
    steps(first, 2)
    assert halted(first) and not halted(first, "silver")


@pytest.mark.parametrize("minutes", [200], indirect=True)
def test_with_the_database_away_a_file_halts_though_it_is_deleted_and_the_process_dies(store, begin, runner, settings, monkeypatch, minutes):
    begin("gold")
    first = steps(runner())
    ts = first.held["gold"].ts
    with monkeypatch.context() as away:
        for name in ("unit", "read"):
            away.setattr(type(store), name, gone)
        (settings.home / "HALT").write_text("fire")
        steps(first, 3)
        first.switch.look()
        (settings.home / "HALT").unlink()
        assert HaltSwitch(settings.home).refusal("gold") == first.switch.refusal("gold") == "halted: fire"
        steps(first, 3)
        assert first.held["gold"].ts <= ts + MINUTE
    steps(first, 2)
    assert halted(first) and not (settings.home / "HALT.latched").exists()
    with store.read() as unit:
        assert [each.reason for each in unit.session_halts.latched()] == ["fire"]


def test_what_one_process_has_latched_another_does_not_forget(tmp_path):
    for name in ("gold", "silver"):
        (tmp_path / "sessions" / name).mkdir(parents=True)
    first, second = HaltSwitch(tmp_path), HaltSwitch(tmp_path)
    for name, switch in (("gold", first), ("silver", second)):
        (tmp_path / "sessions" / name / "HALT").write_text(f"{name} burns")
        switch.watch([name])
        switch.look()
        (tmp_path / "sessions" / name / "HALT").unlink()
    second.recorded([], second.unwritten)
    third = HaltSwitch(tmp_path)
    assert (third.refusal("gold"), third.refusal("silver")) == ("halted: gold burns", "")


def gone(self):
    raise OperationalError("SELECT 1", {}, Exception("connection refused"))


@pytest.mark.parametrize("minutes", [200], indirect=True)
def test_a_session_that_starts_under_a_halt_of_all_begins_halted(store, begin, runner, minutes):
    with store.unit() as unit:
        assert halt(unit, "ana", "holiday") and halt(unit, "bob", "again") is None
    begin("gold")
    assert halted(steps(runner(), 4))


@pytest.mark.parametrize("minutes", [200], indirect=True)
def test_a_release_of_all_leaves_the_halt_of_one(store, begin, runner, minutes):
    begin("gold", "silver")
    first = steps(runner())
    with store.unit() as unit:
        halt(unit, "ana", "all")
        halt(unit, "ana", "gold only", "gold", keep=True)
    steps(first, 2)
    with store.unit() as unit:
        release(unit, "ana", "calm")
    steps(first, 2)
    assert halted(first) and not halted(first, "silver")


def test_what_is_not_set_cannot_be_released(store):
    with pytest.raises(BadRequest, match="no kill switch is set for all sessions; set are: none"), store.unit() as unit:
        release(unit, "ana", "calm")


def test_a_halted_session_still_ends(begin, runner, settings, outputs):
    begin("gold")
    (settings.home / "HALT").touch()
    finish(runner())
    rows, _, state = outputs("gold")
    assert state == "finished" and rows["fills"] == []
