"""Sessions to be timed: a store of their own, a feed that gives a bar on command, and a process that takes up what another one left."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from domain.live.quotes import Ended, FeedState, Instant, Opened
from worker.memory import keep_freed, keep_objects
from worker.owner import MACHINE
from worker.sessions import feeds
from worker.sessions.accounts import LiveAccounts
from worker.sessions.runner import Runner
from worker.settings import Settings, load
from worker.store import Store
from worker.store.engine import make_engine
from worker.store.migrate import upgrade
from worker.store.session_asking import start

MINUTE = 60_000_000_000
FIRST = 1_704_067_200_000_000_000       # a Monday
SERIES = "EURUSD M1"
PLAN = {"series": [SERIES], "strategies": [{"name": "momentum"}]}
DEAD = f"benchmark:999999999:{MACHINE}-0-dead"      # an owner that this machine knows to have ended


@contextmanager
def workspace() -> Iterator[tuple[Store, Settings]]:
    home = Path(tempfile.mkdtemp(prefix="tidemark-sessions-"))
    settings = settings_of(home)
    engine = make_engine(settings.database_url)
    upgrade(engine)
    engine.dispose()
    store = Store(settings.database_url, settings.frames_url)
    try:
        yield store, settings
    finally:
        store.close()
        shutil.rmtree(home, ignore_errors=True)


def settings_of(home: Path) -> Settings:
    return load(environment={"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_DATABASE_URL": f"sqlite:///{home / 'tidemark.db'}"})


def begin(store: Store, count: int, source: Mapping[str, object], prefix: str, apart: bool = False) -> None:
    """``apart``: each with a parameter of its own, so that none decides what another one does."""
    with store.unit() as unit:
        for number in range(count):
            start(unit, f"{prefix}{number}", plan_of(number) if apart else PLAN, dict(source), "benchmark")


def plan_of(number: int) -> dict[str, object]:
    return PLAN | {"strategies": [{"name": "momentum", "params": {"adx_least": 20.0 + number * 1e-9}}]}


def runner_of(store: Store, settings: Settings, **more: str) -> Runner:
    return Runner(store, settings, LiveAccounts(), stay=keep_objects, **more)       # type: ignore[arg-type]


class Ticks:
    """A feed that gives the next bar on command."""

    def __init__(self, at: int) -> None:
        self.at, self.inbox = at, list[int]()        # the bars that are due
        self._price = 1.1

    def next(self, timeout: float) -> list:
        if not self.inbox:
            return []
        self.at = self.inbox.pop()
        closed, self._price = self._price, 1.1 + 0.002 * math.sin(self.at / 9)
        ended = [Ended(SERIES, max(closed, self._price), min(closed, self._price), closed, 1.0)] if self.at > 1 else []
        now = FIRST + self.at * MINUTE
        return [*ended, Opened(SERIES, now, self._price, 1e-4, now + MINUTE), Instant(now)]

    def shown(self) -> tuple:
        return ()

    def state(self) -> FeedState:
        return FeedState("", None, {}, {})

    def silent(self, instruments: object) -> tuple:
        return ()

    def close(self) -> None: ...


class TickSource:
    """``sources``: the feeds of all sessions that were taken up with it."""

    def __init__(self) -> None:
        self.sources: list[Ticks] = []
        feeds.SOURCES["benchmark"] = self

    def history(self, request: feeds.FeedRequest) -> list:
        return []

    def open(self, request: feeds.FeedRequest) -> Ticks:
        self.sources.append(Ticks((request.standing.worked - FIRST) // MINUTE if request.standing else 0))
        return self.sources[-1]


def take_up(runner: Runner, count: int) -> None:
    while len(runner.held) < count:
        runner.step()


def heir(home: str, count: int) -> None:
    """A fresh process that holds all sessions of a workspace, then says so."""
    keep_freed()
    settings = settings_of(Path(home))
    store = Store(settings.database_url, settings.frames_url)
    TickSource()
    take_up(runner_of(store, settings), count)
    print("held", flush=True)


if __name__ == "__main__":
    heir(sys.argv[1], int(sys.argv[2]))
