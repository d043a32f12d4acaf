"""The workspace from the terminal: the same desk, and jobs run in this process, with or without a server."""

from __future__ import annotations

import atexit
import sys
import threading
import time

from domain.errors import BadRequest
from worker.desk import Desk
from worker.desk.context import Submitted
from worker.opened import open_store
from worker.private import close_off
from worker.settings import load
from worker.store import Job
from worker.store.migrate import upgrade

LOOK_EVERY = 0.3        # seconds


def desk() -> Desk:
    settings = load()
    close_off(settings.home)
    atexit.register(close_off, settings.home)       # files written for the user outside the workspace keep the user's umask
    store = open_store(settings)
    upgrade(store.engine)
    return Desk(store, settings, send=lambda url, queue, job_id: False)


def mirrored(at: Desk) -> None:
    """Mirror here to a server of models, where one is set; one that does not answer fails nothing."""
    for job in at.jobs.latest(("mlflow",), ("queued",)):
        finished(at, Submitted(job, True), quiet=True, refuse=False)


def finished(at: Desk, submitted: Submitted, quiet: bool, refuse: bool = True) -> Job:
    """Work on the job here unless someone else does; the job as it ended. One that did not end well is a refusal, unless ``refuse`` is False."""
    from worker import actors
    from worker.leases import Watch, rescue

    job = seen = submitted.job
    actors.WorkerContext.store, actors.WorkerContext.settings = at.jobs._context.store, at.settings
    worker, watch = threading.Thread(), Watch(at.settings.work.lease)
    try:
        while seen.open:
            if not worker.is_alive():       # the first time, and whenever the job waits for someone to go on with it
                worker = threading.Thread(target=actors.run, args=(job.id,))
                worker.start()
            if not quiet and sys.stderr.isatty():
                print(f"\r{seen.progress:4.0%} {seen.note:<60.60}", end="", file=sys.stderr)
            worker.join(LOOK_EVERY)
            seen = at.jobs.get(job.id) or seen
            if seen.open and not worker.is_alive():
                rescue(actors.WorkerContext.store, watch)       # where another worked on it, and there is no scheduler
                time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        at.jobs.cancel(job.id)
        raise
    if not quiet and sys.stderr.isatty():
        print(file=sys.stderr)
    if seen.state != "done" and refuse:
        error = seen.error or {}
        raise BadRequest(f"{error.get('sentence', seen.state)}{' Id ' + error['id'] if error.get('id') else ''}")
    return seen
