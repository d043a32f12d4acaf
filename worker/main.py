"""A worker process: settings, store, queue, and one lane for interactive and one for research jobs."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from domain.errors import TidemarkError, unknown
from worker import logs
from worker.dispatch import QUEUES, broker
from worker.memory import keep_freed
from worker.opened import open_store as open_store
from worker.private import keep_private
from worker.settings import Settings, load
from worker.store import SIGN_EVERY, Process, Store, Unit
from worker.store.append import TrailBroken
from worker.store.migrate import refuse_other_version
from worker.trouble import addresses, redacted, sentence_of

LOOK_MS = 500           # between two looks of an idle thread at whether it is to end; messages wake it
LEAVE_MS = 5_000        # time that running jobs have to reach their next step when the worker stops


@contextmanager
def heartbeat(store: Store, kind: str, every: float = SIGN_EVERY, also: Callable[[Unit], object] = lambda unit: None) -> Iterator[None]:
    """Register this process in the table of processes while the block runs, with a heartbeat ``every`` so many seconds, in whose transaction ``also`` is done.
    Its start and stop are audit events, as is the loss of one of its kind that ended here without a stop: so the trail itself says when nothing ran."""
    from worker.owner import OWNER

    over = threading.Event()
    host, pid = OWNER.split(":")[0], os.getpid()
    with store.read() as unit:
        began = unit.now()
    with contextlib.suppress(SQLAlchemyError, TrailBroken), store.unit() as unit:        # a trail that takes no event is reported by its verification
        for lost in unit.lost(kind):
            unit.gone(lost.id)
            unit.audit("tidemark", "process_lost", f"process:{lost.id}", process=kind, host=lost.host, pid=lost.pid, seen=lost.seen_at)
        unit.audit("tidemark", "process_started", f"process:{OWNER}", process=kind, host=host, pid=pid)

    def beat() -> None:
        while True:
            try:
                with store.unit() as unit:
                    doing = ", ".join(f"{work.job.kind} {work.job.id}" for work in running_jobs())
                    unit.alive(Process(OWNER, kind, host, pid, began, unit.now(), doing))
                    also(unit)
            except SQLAlchemyError as error:
                logging.getLogger("worker").warning("no sign of life could be written: %s", error)
            if over.wait(min(every, SIGN_EVERY)):
                return

    thread = threading.Thread(target=beat, name="sign-of-life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=5)
        with contextlib.suppress(SQLAlchemyError, TrailBroken), store.unit() as unit:        # the database does not answer: without heartbeats the process counts as gone
            unit.gone(OWNER)
            unit.audit("tidemark", "process_stopped", f"process:{OWNER}", process=kind, host=host, pid=pid)


def running_jobs() -> list[Any]:
    """What this process works on; nothing where it has loaded no actors."""
    actors = sys.modules.get("worker.actors")
    return list(actors.WorkerContext.running) if actors else []


def stop_event() -> threading.Event:
    """An event that SIGINT or SIGTERM sets."""
    event = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: event.set())
    return event


def wait_until_set(event: threading.Event) -> None:
    while not event.wait(0.5):
        pass


def run_process(serve: Callable[[Settings], None]) -> int:
    """What every process of the tree begins and ends with: private files, a log without secrets, settings; its exit status, and a sentence where it cannot go on."""
    keep_private()
    logs.set_up()
    try:
        settings = load()
        logs.follow(settings)
        serve(settings)
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        print(sentence_of(error, *addresses(settings)) or redacted(str(error), *addresses(settings)), file=sys.stderr)
        return 1
    return 0


def main() -> int:
    keep_freed()
    return run_process(serve)


def queues_of(settings: Settings) -> set[str]:
    """The queues that this worker takes jobs from; both where nothing is set."""
    names = {name.strip() for name in settings.work.queues.split(",") if name.strip()}
    for name in sorted(names - set(QUEUES)):
        raise unknown("queue in [work] queues", name, QUEUES)
    return names or set(QUEUES)


def serve(settings: Settings) -> None:
    stopping, queue = stop_event(), broker(settings.redis_url)
    from dramatiq import Worker

    from worker import actors

    actors.WorkerContext.store, actors.WorkerContext.settings = open_store(settings), settings
    refuse_other_version(actors.WorkerContext.store.engine)
    queues = queues_of(settings)
    lanes = Worker(queue, queues=queues, worker_threads=len(queues), worker_timeout=LOOK_MS)     # one message of each queue at a time
    lanes.start()
    with heartbeat(actors.WorkerContext.store, "worker"):
        wait_until_set(stopping)
        actors.stop_running()
        lanes.stop(timeout=LEAVE_MS)
    actors.WorkerContext.store.close()


if __name__ == "__main__":
    sys.exit(main())
