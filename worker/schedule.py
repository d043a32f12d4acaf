"""The scheduler: resends lost jobs, verifies the audit trail and signs its checkpoints, builds the example, watches models, cleans up."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import redis
from sqlalchemy.exc import SQLAlchemyError

from domain.compiled_folder import remove_old
from domain.errors import TidemarkError
from worker.dispatch import broker, enqueue
from worker.leases import Watch, rescue
from worker.main import heartbeat, open_store, run_process, stop_event, wait_until_set
from worker.owner import OWNER
from worker.settings import Settings
from worker.store import Store
from worker.store.checkpoints import HEARTBEATS_KEPT
from worker.store.migrate import refuse_other_version
from worker.store.named import named_files, named_frames

if TYPE_CHECKING:
    from worker.checkpoints.notary import Notary

log = logging.getLogger("schedule")
SENTINEL = "tidemark:run"           # a key in the queue server that names its run; missing or of another run: messages may be lost
VERIFY_EVERY = 3_600.0
WHOLE_EVERY = 86_400.0      # the whole trail, with what stands beside it
CLEAN_EVERY = 86_400.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 60.0      # seconds that a clock sleeps
QUIET = 2                   # while nothing is open, one sweep in so many looks at the database: no longer apart than what a Watch counts
COMPILED_FOR = 30 * 86_400.0        # seconds that code compiled from earlier sources is kept


def sweep(store: Store, settings: Settings, watch: Watch | None = None) -> list[str]:
    """Send jobs that were never sent, whose message was lost or, by ``watch``, whose worker is gone; returns their ids."""
    if watch:
        rescue(store, watch)
    client = broker(settings.redis_url).client
    try:
        run, recorded = run_of(client), client.get(SENTINEL)
    except (redis.RedisError, OSError):
        return []           # what is due stays due until the queue server is back
    with store.read() as unit:
        at = unit.now()
        due = unit.jobs.due(at, all_queued=run != recorded)
    sent = [job.id for job in due if enqueue(settings.redis_url, job.queue, job.id)]
    if sent:
        with store.unit() as unit:
            unit.jobs.sent(sent, at)
    if run != recorded and len(sent) == len(due):
        client.set(SENTINEL, run)
    return sent


class Sweeper:
    """``step`` is called every sweep. While no job is open and nobody else holds a lease there is nothing to rescue, and it looks only now and then."""

    def __init__(self, store: Store, settings: Settings, watch: Watch) -> None:
        self._store, self._settings, self._watch = store, settings, watch
        self._rest = 0      # steps until it looks

    def step(self) -> list[str]:
        if self._rest:
            self._rest -= 1
            return []
        sent = sweep(self._store, self._settings, self._watch)
        self._rest = 0 if self._anything_open() else QUIET - 1
        return sent

    def _anything_open(self) -> bool:
        with self._store.read() as unit:
            return unit.jobs.any_open() or any(lease.owner != OWNER for lease in unit.leases.owned())


def run_of(client: redis.Redis) -> bytes:
    """What names this run of the queue server: a restart may have lost its last second, emptying it all."""
    try:
        return str(client.info("server")["run_id"]).encode()
    except redis.ResponseError:         # a hosted server that keeps this to itself
        return b"unnamed"


def verify(store: Store) -> None:
    """Verify the trail and save the verdict for the status footer: all of it once a day, in between what is new since the last check that held."""
    from worker.evidence import SEEN, check, trusted_since

    with store.read() as unit:
        since = trusted_since(unit.fact(SEEN), unit.now(), WHOLE_EVERY)
    check(store, actor="", since=since, tables=since is None)


def clean(store: Store) -> None:
    """Delete rows of dead processes, frames that no run, dataset, external import, account history, model or session uses, files of no model, and code compiled from sources of long ago."""
    with store.unit() as unit:
        unit.forget_dead(timedelta(days=1))
        unit.chunks.forget(unit.now() - timedelta(days=1))
        unit.checkpoints.forget_heartbeats(unit.now() - HEARTBEATS_KEPT)
        keep, files = named_frames(unit), named_files(unit)
    removed = store.frames.sweep(keep, older_than=time.time() - 3_600)
    log.info("%s frames that nothing names were removed", removed)
    log.info("%s files that nothing names were removed", store.blobs.sweep(files, older_than=time.time() - 3_600))
    for folder in remove_old(time.time() - COMPILED_FOR):
        log.info("%s, compiled from earlier sources, was removed", folder.name)


OVER = object()         # what a task returns that need not come round again


class Clock:
    """Calls each task when its time has come; a task that fails is logged and comes round again, one that returns ``OVER`` does not."""

    def __init__(self) -> None:
        self._tasks: list[list] = []

    def every(self, seconds: float, name: str, task: Callable[[], object], first: float = 0.0) -> None:
        self._tasks.append([time.monotonic() + first, seconds, name, task])

    def pause(self) -> float:
        """Seconds until the next task is due."""
        return max(min((entry[0] for entry in self._tasks), default=time.monotonic() + LONGEST_PAUSE) - time.monotonic(), SHORTEST_PAUSE)

    def run_due(self) -> None:
        for entry in tuple(self._tasks):
            at, seconds, name, task = entry
            if time.monotonic() >= at:
                entry[0] = time.monotonic() + seconds
                try:
                    if task() is OVER:
                        self._tasks.remove(entry)
                except (SQLAlchemyError, redis.RedisError, OSError, TidemarkError) as error:
                    log.warning("%s: %s", name, error)
                except Exception:       # one task's bug must not stop the others
                    log.exception("%s", name)


def once(act: Callable[[], object]) -> Callable[[], object]:
    """``act`` until it came to its end without an error, and not again."""

    def attempt() -> object:
        act()
        return OVER

    return attempt


def serve(settings: Settings) -> None:
    from worker import daily_watch, engine, example, nightly
    from worker.checkpoints.courier import Courier
    from worker.checkpoints.notary import Notary

    stopping, store, clock = stop_event(), open_store(settings), Clock()
    refuse_other_version(store.engine)
    clock.every(settings.work.sweep, "sweep", Sweeper(store, settings, Watch(settings.work.lease)).step)
    clock.every(5.0, "engine", once(lambda: engine.start_where_missing(store, settings)))
    clock.every(1.0, "example", lambda: OVER if example.step(store, settings) else None)
    clock.every(CLEAN_EVERY, "clean", lambda: clean(store), first=60.0)
    clock.every(daily_watch.LOOK_EVERY, "watch models", lambda: daily_watch.step(store, settings), first=30.0)
    clock.every(nightly.LOOK_EVERY, "compare sessions", lambda: nightly.step(store, settings), first=45.0)
    hourly, evidence, outside = Clock(), Clock(), Clock()
    hourly.every(VERIFY_EVERY, "verify", lambda: verify(store), first=2.0)
    notary = Notary(store, settings)
    sign_and_copy(evidence, notary, store, settings)
    outside.every(1.0, "witnesses", Courier(store, settings, notary).step)
    over = threading.Event()
    threads = [threading.Thread(target=tick, args=(periodic, over), daemon=True) for periodic in (clock, evidence, hourly, outside)]
    for thread in threads:
        thread.start()
    with heartbeat(store, "scheduler"):
        wait_until_set(stopping)
        over.set()
        for thread in threads[:2]:
            thread.join(timeout=1.5)
        with contextlib.suppress(SQLAlchemyError):      # the database does not answer: the lease is freed once this process is seen to be gone
            notary.release()
    store.close()


def sign_and_copy(clock: Clock, notary: Notary, store: Store, settings: Settings) -> None:
    """Checkpoints, as far as they are due, what people ask of the key, and the copy of every event, where a file is set for it."""
    from worker.checkpoints.event_copy import EventCopy
    from worker.checkpoints.requests import answer_all

    clock.every(2.0, "checkpoints", notary.step)
    clock.every(0.5, "requests of the key", lambda: notary.holds and answer_all(notary, settings.home))
    if settings.jsonl_file:
        copy = EventCopy(store, settings.jsonl_file)
        clock.every(0.5, "copy of events", lambda: notary.holds and copy.step())


def tick(clock: Clock, over: threading.Event) -> None:
    """Do what is due until ``over``, and sleep in between."""
    while not over.wait(clock.pause()):
        clock.run_due()


def main() -> int:
    return run_process(serve)


if __name__ == "__main__":
    sys.exit(main())
