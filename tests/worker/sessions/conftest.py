"""A runner over small accounts, whose bars are handed in."""

from __future__ import annotations

import pytest

from tests.worker.sessions.double import PLAN, Double, bars
from worker.sessions import feeds
from worker.sessions.replay_feed import ReplayFeed
from worker.sessions.runner import Runner
from worker.store.session_asking import start


class Handed:
    """The feed of this test: ``bars`` of ``minutes``, ``eager`` or an instant at a time."""

    def __init__(self, minutes: int, eager: bool) -> None:
        self.bars, self.speed = bars(minutes), 0.0 if eager else 1e18

    def history(self, requested):
        return []

    def open(self, requested):
        return ReplayFeed(self.bars, requested.standing.worked if requested.standing else -1, self.speed)


@pytest.fixture
def minutes() -> int:
    return 30


@pytest.fixture(params=[False])
def eager(request) -> bool:
    return request.param


@pytest.fixture
def handed(monkeypatch, minutes, eager):
    monkeypatch.setattr("worker.sessions.runner.LOOK", 0.0)
    monkeypatch.setattr("worker.sessions.runner.CLAIM", 0.0)
    feed = Handed(minutes, eager)
    monkeypatch.setitem(feeds.SOURCES, "handed", feed)
    return feed


@pytest.fixture
def begin(store, handed):
    """Start sessions of these names."""

    def begin_(*names: str) -> None:
        with store.unit() as unit:
            for name in names:
                start(unit, name, PLAN, {"feed": "handed"}, "ana")

    return begin_


@pytest.fixture
def runner(store, settings, handed):
    """Make a runner; each is another process to the database."""
    created: list[Runner] = []

    def runner_(owner: str = "", accounts=Double, **options) -> Runner:
        created.append(Runner(store, settings, accounts, owner or f"runner {len(created)}", **options))
        return created[-1]

    return runner_


@pytest.fixture
def outputs(store):
    """All that a session has put out, as one value."""

    def outputs_(name: str):
        with store.read() as unit:
            rows = {kind: [(row.number, row.ts, tuple(map(str, row.row.items()))) for row in unit.session_tape.rows(name, kind)] for kind in ("fills", "trades", "equity", "decisions")}
            return rows, list(unit.session_tape.bars(name)), unit.sessions.get(name).state

    return outputs_


def finish(runner: Runner, rounds: int = 5_000) -> None:
    """Rounds until nothing is held any more."""
    for _ in range(rounds):
        runner.step()
        if not runner.held and not runner.away:
            with runner.store.read() as unit:
                if not unit.sessions.to_work():
                    return
    raise AssertionError(f"not finished: {runner.held}, {runner.away}")


@pytest.fixture
def world(vendor, store, settings, monkeypatch):
    """A session at the broker's double."""
    from tests.worker.sessions.broker_world import World

    created = World(vendor, store, settings, monkeypatch)
    yield created
    created.close()
