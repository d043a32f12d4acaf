"""A process that runs the session gold at OANDA's double, with its line's own thread; it kills itself at the moment MOMENT: ``python -m tests.worker.sessions.broker_child``."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from domain.live.quotes import Ended, FeedState, Instant, Opened
from domain.venues.oanda_broker import OandaBroker
from tests.conformance.rig import NOON
from tests.worker.sessions.broker_world import M5, SERIES, ns
from worker.sessions import feeds, writing
from worker.sessions.accounts import LiveAccounts
from worker.sessions.broker_line import BrokerLine
from worker.sessions.runner import Runner
from worker.settings import load
from worker.store import Store
from worker.store.order_intents import StoredIntents


class Script:
    """Two bars; then time stands still inside the second one."""

    def __init__(self) -> None:
        self.reports: list[tuple[Any, ...]] = []

    def history(self, request: Any) -> list[Any]:
        return []

    def open(self, request: Any) -> Script:
        first, second = (NOON + M5 * number for number in range(2))
        opened = [Opened(SERIES, ns(at), 1.1, 0.0001, ns(at + M5)) for at in (first, second)]
        steps = [(opened[0], Instant(ns(first))), (Ended(SERIES, 1.1, 1.1, 1.1, 1.0), opened[1], Instant(ns(second)))]
        self.reports = [step for step in steps if request.standing is None or step[-1].at > request.standing.worked]
        return self

    def next(self, timeout: float) -> tuple[Any, ...]:
        return self.reports.pop(0) if self.reports else ()

    def shown(self) -> tuple[Any, ...]:
        return ()

    def state(self) -> FeedState:
        return FeedState("", ns(NOON + M5) + 1_000_000_000, {"EURUSD": 0.0}, {}, ())

    def silent(self, instruments: Any) -> tuple[str, ...]:
        return ()

    def close(self) -> None: ...


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at(moment: str) -> None:
    """Before the intent is committed, after it and before the call, after the call, after its answer is noted, before what was filled is committed."""
    send, record = OandaBroker.send, writing._record
    if moment == "before_intent":
        StoredIntents.begin = die                       # type: ignore[assignment]
    if moment == "after_intent":
        OandaBroker.send = die                          # type: ignore[assignment]
    if moment == "after_call":
        OandaBroker.send = lambda broker, order: (send(broker, order), die())[0]      # type: ignore[method-assign]
    if moment == "after_answer":
        tell = BrokerLine._tell
        BrokerLine._tell = lambda line, step: die() if step.taken else tell(line, step)       # type: ignore[method-assign]
    if moment == "before_commit":
        writing._record = lambda unit, written: (die() if any(output.kind == "fills" for output in written.commit.outputs) else None, record(unit, written))[1]


if __name__ == "__main__":
    home, database = os.environ["HOME_FOLDER"], os.environ["DATABASE"]
    settings = load(environment={"TIDEMARK_STORAGE_HOME": home, "TIDEMARK_DATABASE_URL": database, **{name: value for name, value in os.environ.items() if name.startswith("TIDEMARK_OANDA")}})
    feeds.SOURCES["told"] = Script()
    dies_at(os.environ.get("MOMENT", ""))
    Runner(Store(database, f"{home}/frames"), settings, LiveAccounts(), only="gold").run(threading.Event())
