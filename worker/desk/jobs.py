"""Jobs: list, status, cancel, retry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.manifest import code_hash
from worker import evidence
from worker.desk.context import DeskContext, Submitted, required
from worker.store import ALIVE, Job, JobFilter
from worker.store.jobs import OPEN as OPEN

PIECES = ("part",)      # kinds that are pieces of another job, which shows their progress


@dataclass(frozen=True)
class Pulse:
    """The state of workers, queue and audit trail, for the status footer."""

    now: datetime
    workers: int
    scheduler: bool
    queued: int
    running: int
    failed_today: int
    rows: int
    verified: dict | None


@dataclass(frozen=True)
class Left:
    """What a failed or cancelled job has saved: finished ``parts`` (of ``of``), a ``checkpoint`` to resume from, and ``trials`` that stay counted."""

    parts: int
    of: int
    checkpoint: bool
    trials: int

    @property
    def sentence(self) -> str:
        """
        >>> Left(3, 8, False, 120).sentence, Left(0, 0, False, 0).sentence
        ('3 of 8 parts are saved for a day and are not repeated; its 120 trials stay counted.', 'Nothing was stored.')
        """
        parts = f"{self.parts:,} of {self.of:,} parts are saved for a day and are not repeated" if self.parts else "The progress so far is saved" if self.checkpoint else ""
        counted = f"its {self.trials:,} trial{'s' if self.trials > 1 else ''} stay{'' if self.trials > 1 else 's'} counted" if self.trials else ""
        sentence_ = "; ".join(clause for clause in (parts, counted) if clause)
        return f"{sentence_[:1].upper()}{sentence_[1:]}." if sentence_ else "Nothing was stored."

    @property
    def resumes(self) -> bool:
        return bool(self.parts or self.checkpoint)


class JobList:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def get(self, job_id: str) -> Job | None:
        with self._context.store.read() as unit:
            return unit.jobs.get(job_id)

    def latest(self, kinds: tuple[str, ...] = (), states: tuple[str, ...] = (), limit: int = 50) -> list[Job]:
        """Newest first; pieces of other jobs only where ``kinds`` names them."""
        with self._context.store.read() as unit:
            return unit.jobs.latest(states, kinds, limit, () if kinds else PIECES)

    def matching(self, which: JobFilter, limit: int, before: Job | None = None) -> list[Job]:
        """Newest first, those after ``before``; pieces of other jobs only where ``kinds`` names them."""
        with self._context.store.read() as unit:
            which = which if which.kinds else replace(which, without=PIECES)
            return unit.jobs.part(which, limit, (before.created_at, before.id) if before else None)

    def options(self) -> tuple[list[str], list[str]]:
        """The kinds of jobs there are, and who submitted them."""
        with self._context.store.read() as unit:
            return [kind for kind in unit.jobs.kinds() if kind not in PIECES], unit.jobs.actors()

    def dismiss(self, job_ids: Sequence[str]) -> int:
        """Take failed and cancelled jobs off the Overview page; how many. They stay in the list of jobs."""
        with self._context.store.unit() as unit:
            dismissed = unit.jobs.dismiss(job_ids, self._context.user)
            for job_id in dismissed:
                unit.audit(self._context.user, "job_dismissed", f"job:{job_id}")
            return len(dismissed)

    def left(self, job: Job) -> Left:
        """The saved progress of a cancelled or failed job."""
        with self._context.store.read() as unit:
            parts, trials = unit.chunks.all(job.id), unit.trials.count_of_job(job.id)
        return Left(sum(part.done_at is not None for part in parts), len(parts), job.checkpoint is not None, trials)

    def submit_system(self, kind: str, title: str, key: str = "") -> str:
        """Submit a job of the system itself, one at a time, beside the jobs of users; returns its id."""
        return self._context.submit(kind, title, {}, queue="research", key=key or f"{kind}:{code_hash()}").job.id

    def cancel(self, job_id: str) -> bool:
        """Cancel a job; False if it had ended."""
        with self._context.store.unit() as unit:
            job = required(unit.jobs.get(job_id), "job", job_id)
            stopped = unit.jobs.cancel(job_id, self._context.user, unit.now())
            if stopped:
                ended = required(unit.jobs.get(job_id), "job", job_id).state == "cancelled"
                unit.audit(self._context.user, "job_cancelled" if ended else "job_cancel_requested", f"job:{job_id}", job=job.kind)
            return stopped

    def retry(self, job_id: str) -> Submitted:
        """Queue a failed or cancelled job again; it resumes from its checkpoint if it has one."""
        with self._context.store.unit() as unit:
            required(unit.jobs.get(job_id), "job", job_id)
            again = unit.jobs.retry(job_id)
            job = required(unit.jobs.get(job_id), "job", job_id)
            if again:
                unit.audit(self._context.user, "job_retried", f"job:{job_id}", job=job.kind)
        if again:
            self._context.wake(job)
        return Submitted(job, again)

    def seconds(self, job: Job, now: datetime | None = None) -> float | None:
        """How long it ran, or has been running; None before it began."""
        if job.started_at is None:
            return None
        return ((job.ended_at or now or self.now()) - job.started_at).total_seconds()

    def now(self) -> datetime:
        with self._context.store.read() as unit:
            return unit.now()

    def pulse(self) -> Pulse:
        with self._context.store.read() as unit:
            now, counts = unit.now(), unit.jobs.counts(PIECES)
            kinds = [process.kind for process in unit.processes(ALIVE)]
            failed = sum(1 for job in unit.jobs.latest(("failed",), without=PIECES) if job.ended_at and job.ended_at.date() == now.date())
            verified = evidence.last(unit.fact(evidence.FACT))
            return Pulse(now, kinds.count("worker"), "scheduler" in kinds, counts.get("queued", 0), counts.get("running", 0), failed, unit.trail.head()[0], verified)
