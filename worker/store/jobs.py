"""Job rows: the queue of record. A message only wakes a worker; the row is the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, and_, or_, select

from worker.store.engine import insert
from worker.store.ids import new_id
from worker.store.parts import part_of
from worker.store.schema import Instant, jobs
from worker.store.seals import Seals

OPEN = ("queued", "running")
MOST_DEATHS = 4                         # a job whose worker died this often is not tried again
UNSENT = timedelta(seconds=2)           # a committed job whose message never went out
FORGOTTEN = timedelta(seconds=60)       # a message that was sent and led to nothing
LONGEST_WAIT = timedelta(seconds=300)   # that a job is put off; a time farther ahead is of before the clock was set back
DIED = "its worker crashed; it resumes when one is free"


@dataclass(frozen=True)
class Job:
    """One row, as it was read."""

    id: str
    kind: str
    queue: str
    title: str
    spec: Mapping[str, Any]
    key: str | None
    state: str
    progress: float
    note: str
    stages: Sequence[Sequence[Any]]
    actor: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    not_before: datetime | None
    sent_at: datetime | None
    owner: str | None
    beats: int
    epoch: int
    deaths: int
    attempts: int
    cancelled_by: str | None
    dismissed_by: str | None
    checkpoint: Any
    result: Any             # a mapping once the job is done, or was stopped with a partial result; None before
    worked: float           # seconds that the present attempt has been at work, as of its last heartbeat
    carried: float          # share of the progress that is of earlier attempts
    live: Any               # what a running job shows of itself: ``Work.show``; None: nothing
    error: Mapping[str, Any] | None
    example: bool

    @property
    def open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True)
class JobFilter:
    """Which jobs: of these states and kinds (all where none is named) and of this user, with ``text`` in the title or id; ``dismissed`` ones only where requested."""

    states: Sequence[str] = ()
    kinds: Sequence[str] = ()
    actor: str = ""
    text: str = ""
    dismissed: bool = True
    without: Sequence[str] = ()

    def conditions(self) -> list[Any]:
        text = self.text.strip()
        given = {
            "states": jobs.c.state.in_(self.states), "kinds": jobs.c.kind.in_(self.kinds), "actor": jobs.c.actor == self.actor, "without": jobs.c.kind.not_in(self.without),
            "text": or_(jobs.c.title.icontains(text, autoescape=True), jobs.c.id == text),
        }  # fmt: skip
        return [condition for name, condition in given.items() if getattr(self, name)] + ([] if self.dismissed else [jobs.c.dismissed_by.is_(None)])


class RunningJob(NamedTuple):
    """A job that is being worked on: by whom, at which attempt, after how many heartbeats."""

    id: str
    queue: str
    owner: str | None
    epoch: int
    beats: int


class Jobs:
    """What can be done with job rows inside one unit of work."""

    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, kind: str, queue: str, title: str, spec: Mapping[str, Any], actor: str, at: datetime, key: str | None = None, example: bool = False) -> tuple[Job, bool]:
        """The new job and True; or the existing job of ``key`` and False."""
        fresh = dict(state="queued", progress=0.0, note="", stages=[], beats=0, epoch=0, deaths=0, attempts=0)
        values = dict(kind=kind, queue=queue, title=title, spec=dict(spec), key=key, actor=actor, created_at=at, example=example)
        while True:         # where another was quicker by a moment, the next look finds its job
            if key and (existing := self._first(jobs.c.key == key)):
                return existing, False
            adding = insert(self._c, jobs).values(id=new_id(), **values, **fresh).on_conflict_do_nothing().returning(jobs.c.id)
            if job_id := self._c.scalar(adding):
                return self.get(job_id), True      # type: ignore[return-value]

    def get(self, job_id: str) -> Job | None:
        return self._first(jobs.c.id == job_id)

    def of_key(self, key: str) -> Job | None:
        """The job of this key."""
        return self._first(jobs.c.key == key)

    def latest(self, states: Sequence[str] = (), kinds: Sequence[str] = (), limit: int = 100, without: Sequence[str] = ()) -> list[Job]:
        """Newest first; those of the kinds ``without`` are left out."""
        query = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
        if states:
            query = query.where(jobs.c.state.in_(states))
        if kinds:
            query = query.where(jobs.c.kind.in_(kinds))
        if without:
            query = query.where(jobs.c.kind.not_in(without))
        return [Job(**row) for row in self._c.execute(query).mappings()]

    def part(self, which: JobFilter, limit: int, before: tuple[datetime, str] | None = None, since: datetime | None = None, until: datetime | None = None) -> list[Job]:
        """Newest first, those after the job of that time and id."""
        query = part_of(select(jobs), jobs.c, limit, before, since, until).where(*which.conditions())
        return [Job(**row) for row in self._c.execute(query).mappings()]

    def kinds(self) -> list[str]:
        """The kinds of all jobs, in the order of the alphabet."""
        return list(self._c.scalars(select(jobs.c.kind).distinct().order_by(jobs.c.kind)))

    def actors(self) -> list[str]:
        """Who submitted jobs."""
        return list(self._c.scalars(select(jobs.c.actor).distinct().order_by(jobs.c.actor)))

    def dismiss(self, ids: Sequence[str], actor: str) -> list[str]:
        """Mark failed and cancelled jobs as seen; the ids of those that were not before."""
        stopped = and_(jobs.c.id.in_(ids), jobs.c.state.in_(("failed", "cancelled")), jobs.c.dismissed_by.is_(None))
        return list(self._c.scalars(sa.update(jobs).where(stopped).values(dismissed_by=actor).returning(jobs.c.id)))

    def counts(self, without: Sequence[str] = ()) -> dict[str, int]:
        """State -> how many jobs, those of the kinds ``without`` left out."""
        return {state: n for state, n in self._c.execute(select(jobs.c.state, sa.func.count()).where(jobs.c.kind.not_in(without)).group_by(jobs.c.state))}

    def depths(self) -> dict[str, int]:
        """Queue -> jobs that wait in it."""
        return {queue: n for queue, n in self._c.execute(select(jobs.c.queue, sa.func.count()).where(jobs.c.state == "queued").group_by(jobs.c.queue))}

    def made_since(self, at: datetime) -> list[tuple[str, str, datetime | None, datetime | None]]:
        """Kind, state, start and end of the jobs that were made since then."""
        return [tuple(row) for row in self._c.execute(select(jobs.c.kind, jobs.c.state, jobs.c.started_at, jobs.c.ended_at).where(jobs.c.created_at >= at))]

    def any_open(self) -> bool:
        """Whether a job is queued or running."""
        return self._c.scalar(select(jobs.c.id).where(jobs.c.state.in_(OPEN)).limit(1)) is not None

    # -- a worker's verbs: each names the epoch it was given, and does nothing once another holds the job

    def claim(self, job_id: str, owner: str, at: datetime) -> Job | None:
        """The job, if it is free to be worked on now; a second delivery gets None. It stays with ``owner`` until it ends or is rescued."""
        taken = dict(state="running", owner=owner, epoch=jobs.c.epoch + 1, beats=0, worked=0.0, carried=jobs.c.progress, started_at=sa.func.coalesce(jobs.c.started_at, sa.literal(at, Instant)))
        return self.get(job_id) if self._set(and_(jobs.c.id == job_id, _ready(at)), **taken) else None

    def first(self, queue: str, job_id: str, at: datetime) -> Job | None:
        """What comes first in ``queue``: a job whose worker died, then ``job_id``, then the oldest that waits. What another unit of work has locked is passed over."""
        order = (sa.case((jobs.c.deaths > 0, 0), else_=1), sa.case((jobs.c.id == job_id, 0), else_=1), jobs.c.created_at, jobs.c.id)
        first = select(jobs.c.id).where(jobs.c.queue == queue, _ready(at)).order_by(*order).limit(1)
        if self._c.dialect.name == "postgresql":
            first = first.with_for_update(skip_locked=True)
        chosen = self._c.scalar(first)
        return self.get(chosen) if chosen else None

    def any_ready(self, queue: str, at: datetime) -> bool:
        """Whether a job waits in ``queue``, be it one that another unit of work has locked for this moment, which ``first`` passes over."""
        return self._c.scalar(select(jobs.c.id).where(jobs.c.queue == queue, _ready(at)).limit(1)) is not None

    def beat(self, job_id: str, epoch: int, **seen: Any) -> Job | None:
        """A heartbeat with the ``seen`` updates; None if another worker owns the job now."""
        mine = self._set(self._owned_by(job_id, epoch), beats=jobs.c.beats + 1, **seen)
        return self.get(job_id) if mine else None

    def end(self, job_id: str, epoch: int, state: str, at: datetime, **values: Any) -> bool:
        freed = {} if state == "done" else dict(key=None)
        ended = self._set(self._owned_by(job_id, epoch), state=state, ended_at=at, owner=None, **freed, **values)
        if ended and state == "done":
            self._seals.put("job", job_id)
        return ended

    def requeue(self, job_id: str, epoch: int, not_before: datetime, note: str, failed: bool = False) -> bool:
        """Wait and try again; ``failed`` counts it as a failure of the outside world."""
        waits = dict(state="queued", not_before=not_before, note=note, attempts=jobs.c.attempts + int(failed), owner=None, sent_at=None)
        return self._set(self._owned_by(job_id, epoch), **waits)

    def hold(self, job_id: str, until: datetime, note: str) -> bool:
        """Postpone a queued job until then; it is sent to a worker again."""
        return self._set(and_(jobs.c.id == job_id, jobs.c.state == "queued"), not_before=until, sent_at=None, note=note)

    # -- operations of users

    def cancel(self, job_id: str, actor: str, at: datetime) -> bool:
        """Cancel a queued job now, request a running one to stop; False if it has ended."""
        if self._set(and_(jobs.c.id == job_id, jobs.c.state == "queued"), state="cancelled", ended_at=at, cancelled_by=actor, key=None):
            return True
        return self._set(and_(jobs.c.id == job_id, jobs.c.state == "running", jobs.c.cancelled_by.is_(None)), cancelled_by=actor)

    def retry(self, job_id: str) -> bool:
        """Queue a failed or cancelled job again; it resumes from its checkpoint."""
        fresh = dict(state="queued", error=None, ended_at=None, started_at=None, cancelled_by=None, dismissed_by=None, not_before=None, sent_at=None, attempts=0, deaths=0, epoch=jobs.c.epoch + 1, note="", live=None, result=None)
        return self._set(and_(jobs.c.id == job_id, jobs.c.state.in_(("failed", "cancelled"))), **fresh)

    def remove(self, *job_ids: str) -> int:
        removed = list(self._c.scalars(sa.delete(jobs).where(jobs.c.id.in_(job_ids), jobs.c.state.not_in(OPEN)).returning(jobs.c.id)))
        self._seals.lift("job", *removed)
        return len(removed)

    def forget_key(self, *job_ids: str) -> None:
        """Free the keys of jobs whose results were deleted, so that the same request runs again."""
        self._set(jobs.c.id.in_(job_ids), key=None)

    def forget_result(self, name: str, value: str) -> None:
        """The same for every finished job whose result names ``value``."""
        rows = self._c.execute(select(jobs.c.id, jobs.c.result).where(jobs.c.state == "done", jobs.c.key.is_not(None)))
        self.forget_key(*(job_id for job_id, result in rows if (result or {}).get(name) == value))

    def files(self, kind: str, since: datetime) -> set[str]:
        """Files that the results of jobs of a kind name, of those that ended at ``since`` or later."""
        rows = self._c.scalars(select(jobs.c.result).where(jobs.c.kind == kind, jobs.c.state == "done", jobs.c.ended_at >= since))
        return {result["file"] for result in rows if result and result.get("file")}

    # -- operations of the scheduler

    def running(self) -> list[RunningJob]:
        """Owner and heartbeat of each running job."""
        query = select(*(jobs.c[name] for name in RunningJob._fields)).where(jobs.c.state == "running")
        return [RunningJob(*row) for row in self._c.execute(query)]

    def rescue(self, job_id: str, epoch: int, beats: int) -> bool:
        """Requeue the job of a dead or silent worker, unless its heartbeat changed meanwhile; it comes before all newer jobs."""
        waits = dict(state="queued", deaths=jobs.c.deaths + 1, owner=None, not_before=None, sent_at=None, note=DIED)
        return self._set(and_(self._owned_by(job_id, epoch), jobs.c.beats == beats), **waits)

    def due(self, at: datetime, all_queued: bool = False) -> list[Job]:
        """Jobs to send to a worker (again), first those whose worker died. ``all_queued``: the queue server lost its messages.

        A time far ahead is of before the clock was set back, and long past."""
        untold = and_(jobs.c.sent_at.is_(None), or_(jobs.c.deaths > 0, jobs.c.created_at < at - UNSENT, jobs.c.created_at > at + UNSENT))
        forgotten = or_(jobs.c.sent_at < at - FORGOTTEN, jobs.c.sent_at > at + FORGOTTEN)
        wanted = _ready(at) if all_queued else and_(_ready(at), or_(untold, forgotten))
        query = select(jobs).where(wanted).order_by(sa.case((jobs.c.deaths > 0, 0), else_=1), jobs.c.created_at)
        return [Job(**row) for row in self._c.execute(query).mappings()]

    def sent(self, job_ids: Sequence[str], at: datetime) -> None:
        """Messages of these jobs went out after ``at``. One that a worker has postponed since was received already, and is to be sent again."""
        self._set(and_(jobs.c.id.in_(job_ids), _come(at)), sent_at=at)

    def _owned_by(self, job_id: str, epoch: int) -> Any:
        return and_(jobs.c.id == job_id, jobs.c.epoch == epoch, jobs.c.state == "running")

    def _set(self, which: Any, **values: Any) -> bool:
        return self._c.execute(sa.update(jobs).where(which).values(**values)).rowcount > 0

    def _first(self, which: Any) -> Job | None:
        row = self._c.execute(select(jobs).where(which)).mappings().one_or_none()
        return Job(**row) if row else None


def _ready(at: datetime) -> Any:
    """Waiting, and its time has come."""
    return and_(jobs.c.state == "queued", _come(at))


def _come(at: datetime) -> Any:
    """Its time has come. One far ahead is of before the clock was set back."""
    return or_(jobs.c.not_before.is_(None), jobs.c.not_before <= at, jobs.c.not_before > at + LONGEST_WAIT)
