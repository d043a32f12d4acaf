"""The process of trading sessions: of ``make run`` one, of several machines one each, which share what is there."""

from __future__ import annotations

import contextlib
import sys
import threading

from sqlalchemy.exc import SQLAlchemyError

from worker.main import heartbeat, open_store, run_process, stop_event
from worker.memory import keep_freed, keep_objects
from worker.settings import Settings
from worker.store import Store
from worker.store.migrate import refuse_other_version

CLAIM = 2.0         # seconds between looks for a first session


def serve(settings: Settings) -> None:
    stopping, store = stop_event(), open_store(settings)
    refuse_other_version(store.engine)
    with heartbeat(store, "sessions"):
        if first_session(store, stopping):
            run(store, settings, stopping)
    store.close()


def first_session(store: Store, stopping: threading.Event) -> bool:
    """Wait, with nothing loaded, until there is something to work on; False where the process is stopped before."""
    while not stopping.wait(CLAIM):
        with contextlib.suppress(SQLAlchemyError), store.read() as unit:
            if unit.sessions.to_work():
                return True
    return False


def run(store: Store, settings: Settings, stopping: threading.Event) -> None:
    from worker.sessions.accounts import LiveAccounts
    from worker.sessions.runner import Runner
    from worker.sessions.waking import woken

    runner = Runner(store, settings, LiveAccounts(), stay=keep_objects)
    with woken(settings, runner.wake):
        runner.run(stopping)


def main() -> int:
    keep_freed()
    return run_process(serve)


if __name__ == "__main__":
    sys.exit(main())
