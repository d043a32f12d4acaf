"""Dramatiq actors: claim a job, run it, commit its result. Thin and idempotent: the job's row is the state of record."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from typing import Any, ClassVar, NoReturn

import dramatiq
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from domain.errors import BadBars, BadRequest, SourceUnavailable
from worker.dispatch import enqueue
from worker.engine import wait_for
from worker.following import job_of
from worker.instrument_table import settings_of
from worker.jobs import JOBS
from worker.jobs.base import Cancelled, Commit, Fenced, Overdue, ShuttingDown, Work
from worker.leases import rescue_here
from worker.owner import OWNER
from worker.secret_settings import cleaned, secrets_of_settings
from worker.settings import Settings
from worker.store import Filter, Job, Store, Unit
from worker.store.append import TrailBroken
from worker.store.jobs import LONGEST_WAIT, MOST_DEATHS
from worker.store.migrate import other_version
from worker.trouble import addresses, sentence_of

log = logging.getLogger("worker")
FIRST_WAIT = 2.0        # seconds before the first retry of an external source; four times as long each time
LOCKED_FOR, LOOK_AGAIN = 10.0, 0.02         # seconds that a message waits for a row that another unit of work has locked, and between two looks
TROUBLED = 5.0          # seconds before a job is retried after a full disk or a read-only workspace


class WorkerContext:
    """State shared by the actors of one process; ``main`` sets it before the first message."""

    store: Store
    settings: Settings
    running: ClassVar[set[Work]] = set()
    leaving = False


def takes_events(handle: Callable[..., None]) -> Callable[..., None]:
    """A message that cannot be handled because the trail takes no more events: its job waits, and the log says why."""

    @wraps(handle)
    def handled(*arguments: str) -> None:
        try:
            handle(*arguments)
        except TrailBroken as error:
            log.error("no job can begin: %s", error)

    return handled


@takes_events
def run(job_id: str) -> None:
    """Run the job if it is free; a second delivery of its message does nothing."""
    with WorkerContext.store.unit() as unit:
        if of_another_version(unit):
            return
        named = unit.jobs.get(job_id)
        job = _started(unit, None if named is None or _waits(unit, named) else unit.jobs.claim(job_id, OWNER, unit.now()))
    if job is not None:
        execute(job)


@takes_events
def wake(queue: str, job_id: str) -> None:
    """Handle a message: run the first job of its queue. That may be a job whose worker died; ``job_id`` then gets a message of its own.

    A job whose row another unit of work writes at this moment (the scheduler notes when it was sent, say) is waited for: the message is its only one.
    """
    until = time.monotonic() + LOCKED_FOR
    while True:
        job, locked = _first(queue, job_id)
        if job is not None:
            return execute(job)
        if not locked or WorkerContext.leaving or time.monotonic() > until:
            return
        time.sleep(LOOK_AGAIN)


def _first(queue: str, job_id: str) -> tuple[Job | None, bool]:
    """The job to run now, claimed; and, where there is none, whether one waits whose row is locked."""
    with WorkerContext.store.unit() as unit:
        if of_another_version(unit):
            return None, False
        lost = rescue_here(unit)
        first = unit.jobs.first(queue, job_id, unit.now())
        while first is not None and _waits(unit, first):
            first = unit.jobs.first(queue, job_id, unit.now())
        job = _started(unit, None if first is None else unit.jobs.claim(first.id, OWNER, unit.now()))
        locked, at = job is None and unit.jobs.any_ready(queue, unit.now()), unit.now()
    sent = [rescued.id for rescued in lost if enqueue(WorkerContext.settings.redis_url, rescued.queue, rescued.id)]
    if sent:
        with WorkerContext.store.unit() as unit:
            unit.jobs.sent(sent, at)
    return job, locked


def of_another_version(unit: Unit) -> bool:
    """Whether the database was brought forward under this worker, or back: then it takes no job, the log says why, and a worker of that version does."""
    sentence = other_version(unit.connection)
    if sentence:
        log.error("no job is taken: %s", sentence)
    return bool(sentence)


def _waits(unit: Unit, job: Job) -> bool:
    """Whether the job waits while a worker compiles what it needs; its note then gives the reason."""
    return job.state == "queued" and job.kind in JOBS and wait_for(unit, job.id, JOBS[job.kind].after)


def _started(unit: Unit, job: Job | None) -> Job | None:
    if job is not None:
        unit.audit("worker", "job_started", f"job:{job.id}", job=job.kind, title=job.title, attempt=job.epoch)
    return job


def execute(job: Job) -> None:
    """Run a claimed job and record its outcome."""
    with job_of(job.id, _request_of(job)):
        log.info("job %s, %s, attempt %s: begins", job.id, job.kind, job.epoch)
        _execute(job)


def _request_of(job: Job) -> str:
    """The request that submitted the job, as its event in the trail has it; empty where none did."""
    with contextlib.suppress(SQLAlchemyError, ValueError, LookupError, AttributeError), WorkerContext.store.read() as unit:      # away, or a forged event
        event = next(iter(unit.trail.page(Filter(entity=f"job:{job.id}", kinds=("job_submitted",)), 1)), None)
        return str(json.loads(event.body)["detail"].get("request", "")) if event else ""
    return ""


def _execute(job: Job) -> None:
    system = WorkerContext
    work = Work(system.store, settings_of(system.store, system.settings, job), job)
    system.running.add(work)
    if system.leaving:       # the message came in while the lanes were closing
        work.stop(ShuttingDown())
    try:
        with Heartbeat(work):
            outcome = attempt(work)
        record_outcome(work, outcome)
        log.info("job %s, %s, attempt %s: %s", job.id, job.kind, job.epoch, _word_of(outcome))
    except Fenced:
        log.warning("job %s, attempt %s: another worker owns it by now", job.id, job.epoch)
    finally:
        system.running.discard(work)


def _word_of(outcome: Callable[[Work], None]) -> str:
    """How a job ended, for the log.

    >>> _word_of(partial(try_again, sentence="away")), _word_of(cancelled), _word_of(lambda work: None)
    ('try again', 'cancelled', 'failed')
    """
    name = getattr(outcome, "func", outcome).__name__
    return "failed" if name == "<lambda>" else str(name).replace("_", " ")      # an internal error


def record_outcome(work: Work, outcome: Callable[[Work], None]) -> None:
    """Record the outcome. If the database does not answer, nothing is recorded; the lease expires and another worker takes the job."""
    try:
        outcome(work)
    except (OperationalError, InterfaceError):
        log.exception("job %s: its end could not be written", work.job.id)
    except TrailBroken as error:
        unrecorded(work, str(error))
    except Exception:
        bug(work.job)(work)


def attempt(work: Work) -> Callable[[Work], None]:
    """Run the job; return the function that records its outcome."""
    job = work.job
    try:
        if job.cancelled_by:        # while it had no worker
            raise Cancelled
        if job.deaths >= MOST_DEATHS:
            raise BadRequest(f"the worker crashed {job.deaths} times while running this job; it is not retried automatically. See the worker's log and the memory it needs")
        return partial(done, commit=JOBS[job.kind].run(job.spec, work))
    except Cancelled:
        return cancelled
    except ShuttingDown:
        return yield_job
    except Overdue as stopped:
        return partial(failed, fault="limit", sentence=str(stopped))
    except Fenced:
        raise
    except SourceUnavailable as error:
        return partial(try_again, sentence=str(error))
    except (OSError, SQLAlchemyError) as error:
        trouble = sentence_of(error, *addresses(work.settings))
        return partial(postpone, sentence=trouble) if trouble else bug(job)
    except (BadRequest, BadBars) as error:
        return partial(failed, fault="data" if isinstance(error, BadBars) else "request", sentence=str(error))
    except Exception:
        return bug(job)


def done(work: Work, commit: Commit) -> None:
    job = work.job
    with WorkerContext.store.unit() as unit:
        result = commit(unit)
        seen = {key: value for key, value in work.take_updates().items() if key == "stages"}
        if not unit.jobs.end(job.id, job.epoch, "done", unit.now(), progress=1.0, note="", result=dict(result.result), checkpoint=None, **seen):
            raise Fenced
        unit.audit(job.actor, result.event, *result.entities, f"job:{job.id}", **result.detail)


def cancelled(work: Work) -> None:
    """Record the end, and what the kind of job keeps of an unfinished one."""
    job, partial = work.job, JOBS[work.job.kind].partial if work.job.kind in JOBS else None
    commit = partial(job.spec, work) if partial else None
    with WorkerContext.store.unit() as unit:
        row = unit.jobs.get(job.id)
        by = row.cancelled_by if row and row.cancelled_by else "worker"
        kept = commit(unit) if commit else None
        left = dict(result=dict(kept.result)) if kept else {}
        unit.jobs.end(job.id, job.epoch, "cancelled", unit.now(), **work.take_updates(), **left) or _fenced()
        if kept:
            unit.audit(by, kept.event, *kept.entities, f"job:{job.id}", **kept.detail)
        unit.audit(by, "job_cancelled", f"job:{job.id}", job=job.kind)


def failed(work: Work, fault: str, sentence: str, error_id: str = "") -> None:
    job, sentence = work.job, shown(sentence)
    with WorkerContext.store.unit() as unit:
        unit.jobs.end(job.id, job.epoch, "failed", unit.now(), error=dict(fault=fault, sentence=sentence, id=error_id), **work.take_updates()) or _fenced()
        unit.audit("worker", "job_failed", f"job:{job.id}", job=job.kind, fault=fault, sentence=sentence, error=error_id)


def unrecorded(work: Work, sentence: str) -> None:
    """The trail takes no more events: the job ends without one and without its result, for otherwise it would be tried for ever."""
    log.error("job %s: %s", work.job.id, sentence)
    with WorkerContext.store.unit() as unit:
        unit.jobs.end(work.job.id, work.job.epoch, "failed", unit.now(), error=dict(fault="trail", sentence=sentence, id=""))


def bug(job: Job) -> Callable[[Work], None]:
    """Record an internal error: an id for the page, and the traceback in the log under the same id."""
    error_id = secrets.token_hex(3)
    log.exception("error %s in job %s (%s), attempt %s, spec %s", error_id, job.id, job.kind, job.epoch, job.spec)
    return lambda work: failed(work, "bug", "Internal error. The details are in the log.", error_id)


def shown(sentence: str) -> str:
    """A sentence of the outside world without a secret of the settings, which it may repeat."""
    return str(cleaned(sentence, secrets_of_settings(WorkerContext.settings)))


def try_again(work: Work, sentence: str) -> None:
    job, kind, sentence = work.job, JOBS[work.job.kind], shown(sentence)
    if job.attempts >= kind.retries:
        tries = f" Tried {job.attempts + 1} times." if job.attempts else ""
        return failed(work, "source", f"{sentence.rstrip('.')}.{tries}")
    seconds = min(FIRST_WAIT * 4**job.attempts, LONGEST_WAIT.total_seconds())
    requeue(work, seconds, f"retry in {seconds:.0f} s: {sentence}", "job_postponed", failed=True, sentence=sentence, seconds=seconds)


def postpone(work: Work, sentence: str) -> None:
    """Requeue the job while the disk is full or the workspace is read-only; no attempt is counted."""
    log.warning("job %s: %s", work.job.id, sentence)
    requeue(work, TROUBLED, sentence, "job_postponed", sentence=sentence, seconds=TROUBLED)


def yield_job(work: Work) -> None:
    """The worker is shutting down: the job returns to the queue and another worker resumes it from its checkpoint."""
    requeue(work, 0.0, "its worker was stopped; it resumes when one is free", "job_put_back")


def requeue(work: Work, wait: float, note: str, event: str, failed: bool = False, **detail: Any) -> None:
    """Queue the job again with its checkpoint, unless it was cancelled meanwhile."""
    job = work.job
    with WorkerContext.store.unit() as unit:
        row = unit.jobs.beat(job.id, job.epoch, **work.take_updates()) or _fenced()
        if not row.cancelled_by:
            unit.jobs.requeue(job.id, job.epoch, unit.now() + timedelta(seconds=wait), note, failed)
            unit.audit("worker", event, f"job:{job.id}", job=job.kind, **detail)
    if row.cancelled_by:
        cancelled(work)


def _fenced() -> NoReturn:
    raise Fenced


class Heartbeat:
    """A thread beside a running job: renews its lease, writes its progress, and stops it when it is cancelled, overdue or fenced."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"beat-{work.job.id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _loop(self) -> None:
        settings = self._work.settings.work
        while not self._over.wait(settings.beat / 2):
            try:
                self._beat()
            except SQLAlchemyError as error:      # the lease decides: if the database stays away, another worker takes over
                log.warning("job %s: no sign of life could be written: %s", self._work.job.id, error)

    def _beat(self) -> None:
        work, job = self._work, self._work.job
        if time.monotonic() - work.began > JOBS[job.kind].limit:
            work.stop(Overdue(f"It ran longer than {JOBS[job.kind].limit:.0f} s, the limit for this kind of job. Ask for less at once."))
        with work.store.unit() as unit:
            row = unit.jobs.beat(job.id, job.epoch, **work.take_updates())
        if row is None:
            work.stop(Fenced())
        elif row.cancelled_by:
            work.stop(Cancelled())


def stop_running() -> None:
    """Stop every running job of this process at its next step, and every job that still arrives."""
    WorkerContext.leaving = True
    for work in list(WorkerContext.running):
        work.stop(ShuttingDown())


@dramatiq.actor(queue_name="interactive")
def run_interactive(job_id: str) -> None:
    wake("interactive", job_id)


@dramatiq.actor(queue_name="research")
def run_research(job_id: str) -> None:
    wake("research", job_id)
