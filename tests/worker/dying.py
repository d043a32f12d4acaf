"""A process that dies in the middle of a session, as a kill is to Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from worker.store.session_commits import SessionCommits
from worker.store.sessions import lease_of
from worker.terminal.here import desk


class Died(BaseException):
    """Nothing catches it."""


@contextmanager
def dying(monkeypatch, name: str, bars: int) -> Iterator[None]:
    """What is started in it dies before a commit, once so many bars are stored; its lease is free then."""
    whole, done = SessionCommits.write, []

    def write(self, commits, at):
        if commits and sum(done) >= bars:
            raise Died
        done.extend(len(each.tape) for each in commits)
        whole(self, commits, at)

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(SessionCommits, "write", write)
        yield
    with desk().paper.store.unit() as unit:
        if lease := unit.leases.get(lease_of(name)):
            unit.leases.free(lease.name, lease.epoch, lease.beats)
