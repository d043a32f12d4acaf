"""A runner that dies at any step of a commit, or is killed: the next one goes on, and nothing is lost, doubled or different."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.worker.sessions.conftest import finish

STEPS = ("session_commits._states", "session_commits._tape", "session_commits._outputs", "session_commits._worked", "messages.write", "trail.flush", "committed")


class Died(BaseException):
    """What a kill is to Python: nothing catches it."""


@pytest.mark.parametrize(("step", "eager"), [*((step, False) for step in STEPS), ("session_commits._outputs", True), ("committed", True)], indirect=["eager"])
def test_a_death_at_any_step_of_a_commit_leaves_the_same_as_none(store, begin, runner, monkeypatch, outputs, step, eager):
    begin("gold", "twin")
    with monkeypatch.context() as patched:
        first = runner(only="gold")
        for _ in range(1 if eager else 4):
            if not eager:
                first.step()
        die_at(patched, store, step)
        with pytest.raises(Died):
            for _ in range(10):
                first.step()
    free(store, "gold")
    finish(runner())
    assert outputs("gold") == outputs("twin")


def die_at(patched, store, step):
    from worker.store import messages, session_commits, trail, unit

    if step == "committed":
        whole = unit.Store.unit

        class Answerless:
            def __init__(self, store_):
                self._unit = whole(store_)

            def __enter__(self):
                return self._unit.__enter__()

            def __exit__(self, *error):
                self._unit.__exit__(*error)
                raise Died

        patched.setattr(unit.Store, "unit", lambda self: Answerless(self))
        return
    owner, name = step.split(".")
    cls = {"session_commits": session_commits.SessionCommits, "messages": messages.Messages, "trail": trail.Trail}[owner]
    if owner == "messages":
        patched.setattr(cls, name, lambda *_: (_ for _ in ()).throw(Died))
        return
    real = getattr(cls, name)

    def half(*args):
        real(*args)
        raise Died

    patched.setattr(cls, name, half)


def free(store, name):
    with store.unit() as unit:
        if lease := unit.leases.get(f"session:{name}"):
            unit.leases.free(lease.name, lease.epoch, lease.beats)


@pytest.mark.parametrize("minutes", [3_000], indirect=True)
def test_a_killed_process_is_followed_by_one_that_ends_the_same(store, settings, handed, begin, runner, outputs, kind, minutes):
    if kind != "sqlite":
        pytest.skip("a process is killed once; the faults kill it on both")
    begin("gold", "twin")
    killed = kill_once(settings, store, minutes)
    assert killed == -signal.SIGKILL
    began = time.monotonic()
    finish(runner(), 50_000)
    assert time.monotonic() - began < 60 and outputs("gold") == outputs("twin") and outputs("gold")[2] == "finished"


def kill_once(settings, store, minutes) -> int:
    """A process that works on the session gold, killed once it has written something."""
    environment = dict(os.environ, DATABASE=settings.database_url, HOME_FOLDER=str(settings.home), MINUTES=str(minutes), PYTHONPATH=os.getcwd())
    child = subprocess.Popen([sys.executable, "-m", "tests.worker.sessions.child"], env=environment)
    try:
        while not written(store) and child.poll() is None:
            time.sleep(0.01)
    finally:
        child.kill()
    return child.wait()


def written(store) -> int:
    with store.read() as unit:
        return unit.sessions.progress("gold").commits
