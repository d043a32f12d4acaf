"""A command wakes the runner, which else looks a few times a second: with a queue server and without one."""

from __future__ import annotations

import subprocess
import threading

import pytest

from worker import redis_server
from worker.desk import Desk
from worker.dispatch import enqueue
from worker.sessions import waking
from worker.sessions.waking import woken
from worker.settings import load
from worker.store.session_asking import ask

LONG = 30.0     # seconds after which a test that waits has failed


@pytest.fixture
def server(tmp_path):
    """Starts the queue server of this test's workspace, any number of times; returns it."""
    started: list[subprocess.Popen] = []

    def server_() -> subprocess.Popen:
        started.append(subprocess.Popen(redis_server.command(tmp_path), stdout=subprocess.DEVNULL))
        assert redis_server.answers(redis_server.url(tmp_path), within=10)
        return started[-1]

    yield server_
    for each in started:
        each.kill()
        each.wait(10)


def test_a_runner_that_is_woken_works_a_command_before_its_next_look(store, begin, runner, outputs, monkeypatch):
    begin("gold")
    monkeypatch.setattr("worker.sessions.runner.LOOK", 1e9)
    one = runner()
    while not outputs("gold")[0]["equity"]:
        one.step()
    with store.unit() as unit:
        ask(unit, "gold", "pause", {}, "ana")
    one.step()
    with store.read() as unit:
        assert unit.session_commands.all("gold")[-1].worked is None        # the next look is far
    one.wake()
    one.step()
    with store.read() as unit:
        assert unit.session_commands.all("gold")[-1].worked is not None


def test_commands_and_kill_switches_wake_the_runners_once_they_are_written(store, settings, begin, runner):
    begin("gold")
    written = []

    def sent(url: str, queue: str, name: str) -> bool:
        with store.read() as unit:
            written.append((queue, name, len(unit.session_commands.all("gold"))))
        return False

    paper = Desk(store, settings, send=sent).paper
    paper.command("gold", "pause")
    paper.halt("smoke", "gold")
    paper.release("over", "gold")
    paper.halt("smoke")
    assert written == [("sessions", "gold", 1), ("sessions", "gold", 2), ("sessions", "gold", 3), ("sessions", "", 4)]


def test_a_message_through_the_queue_server_wakes_and_one_that_died_is_found_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(waking, "AGAIN", (0.01, 0.02))
    url, wakes = redis_server.url(tmp_path), threading.Semaphore(0)
    assert not enqueue(url, "sessions", "gold") and not enqueue("", "sessions", "gold")
    with woken(load(environment={"TIDEMARK_STORAGE_HOME": str(tmp_path)}), wakes.release):
        first = server()
        assert wakes.acquire(timeout=LONG)          # it stands: what was written before is looked at
        assert enqueue(url, "sessions", "gold") and wakes.acquire(timeout=LONG)
        first.kill()
        first.wait(10)
        assert not enqueue(url, "sessions", "gold")
        server()
        assert wakes.acquire(timeout=LONG)
        assert enqueue(url, "sessions", "") and wakes.acquire(timeout=LONG)
    thread = next((each for each in threading.enumerate() if each.name == "wakes"), None)
    assert thread is None or (thread.join(LONG) is None and not thread.is_alive())


def test_without_any_queue_server_nothing_waits(monkeypatch, tmp_path):
    settings = load(environment={"TIDEMARK_STORAGE_HOME": str(tmp_path)})
    monkeypatch.setattr(waking.sys, "platform", "win32")
    monkeypatch.setattr(waking, "Waiting", None)
    with woken(settings, lambda: None):
        pass
