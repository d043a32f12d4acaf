"""One job shared by many workers. The job writes its parts as rows and works on them itself; jobs of the kind ``part`` help on idle workers.

A part is held as long as the attempt that claimed it is running, and written once, with the trials it made; who dies over a part loses that part alone. The job puts
the parts together in the order of their numbers, so the result does not depend on who did what when.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from worker.dispatch import enqueue
from worker.jobs.base import Commit, JobResult, Stopped, Work, job
from worker.jobs.remaining import remaining
from worker.store import ALIVE, Job, Unit
from worker.store.chunks import Chunk

LOOK = 0.3              # seconds between reads of the shared job's row
NAP = 0.05              # seconds, while nothing is free
MOST_HELPERS = 64

Watch = Callable[[float], None]


@dataclass(frozen=True)
class PartResult:
    """Result of one part: frames and a small result to store, and the trials it counts as."""

    frames: Mapping[str, pd.DataFrame]
    trials: Sequence[Any]
    result: Any = None


Evaluate = Callable[[Chunk, Watch], PartResult]


@dataclass(frozen=True)
class Shared:
    """How the parts of a kind of job are done. ``trial``: their kind in the ledger. ``stays``: more parts come, so a helper waits for them.
    ``once``: the same trial of several parts is one row of the ledger."""

    ready: Callable[[Mapping[str, Any], Work], Evaluate]
    trial: str
    stays: bool
    once: bool


SHARED: dict[str, Shared] = {}


def shared(kind: str, *, trial: str, stays: bool = False, once: bool = False) -> Callable:
    """Register how the parts of jobs of this kind are evaluated: given the job's spec, a function from a part to its result."""

    def register(ready: Callable[[Mapping[str, Any], Work], Evaluate]) -> Callable[[Mapping[str, Any], Work], Evaluate]:
        SHARED[kind] = Shared(ready, trial, stays, once)
        return ready

    return register


class Over(Exception):
    """The shared job has ended, or is to end."""


class PartWorker:
    """One worker of a shared job: claims parts, computes and writes them."""

    def __init__(self, work: Work, owner: Job, evaluate: Evaluate, tick: Watch) -> None:
        self._work, self._owner, self._evaluate, self._tick = work, owner, evaluate, tick
        self._holder = f"{work.job.id}:{work.job.epoch}"

    def take(self) -> bool:
        """Do one part; False if none is free."""
        store, owner = self._work.store, self._owner.id
        with store.read() as unit:
            if not unit.chunks.free(owner):
                return False
        with store.unit() as unit:
            chunk = unit.chunks.claim(owner, self._holder)
        if chunk is None:
            return False
        try:
            result = self._evaluate(chunk, lambda share: self._tick(share * chunk.units))
        except (Stopped, Over):
            with store.unit() as unit:
                unit.chunks.release(self._holder)
            raise
        self._write(chunk, result)
        return True

    def _write(self, chunk: Chunk, result: PartResult) -> None:
        owner, store = self._owner, self._work.store
        frames = {name: store.frames.put(frame) for name, frame in result.frames.items()}
        rows = [trial._asdict() for trial in result.trials]
        with store.unit() as unit:
            if unit.chunks.finish(chunk.job_id, chunk.number, frames, result.result, unit.now()):
                if SHARED[owner.kind].once:
                    known = unit.trials.known(owner.id, (row["spec"] for row in rows))
                    rows = [row for row in rows if row["spec"] not in known]
                ledger = dict(kind=SHARED[owner.kind].trial, datasets=owner.spec["datasets"], job_id=owner.id, actor=owner.actor)
                unit.trials.add(rows, **ledger, at=unit.now())


class Owner:
    """The shared job's own side: writes its parts, works on them, reports the progress of all."""

    def __init__(self, work: Work, evaluate: Evaluate, low: float, high: float, units: int, noun: str) -> None:
        self._work, self._units, self._noun = work, units, noun
        self._tell, self._share = work.within(low, high), high - low
        self._part_worker = PartWorker(work, work.job, evaluate, self._tick)
        self._began, self._looked, self._done, self._at_first = time.monotonic(), 0.0, 0, -1

    def share(self, rows: Sequence[tuple[int, int, Any]]) -> list[Chunk]:
        """``rows``: number, units, spec of each part. All of them, done, in order; parts done by an earlier attempt are not done again."""
        store, owner = self._work.store, self._work.job.id
        with store.unit() as unit:
            unit.chunks.add(owner, rows)
        self._call_for_help(len(rows))
        while self._left():
            if not self._part_worker.take():
                time.sleep(NAP)
                self._tick(0.0)
        wanted = {number for number, _, _ in rows}
        with store.read() as unit:
            return [chunk for chunk in unit.chunks.all(owner) if chunk.number in wanted]

    def _left(self) -> int:
        with self._work.store.read() as unit:
            left, self._done, _ = unit.chunks.counts(self._work.job.id)
        if self._at_first < 0:
            self._at_first = self._done
            self._work.carry(self._share * self._done / self._units)
        self._looked = time.monotonic()
        return left

    def _tick(self, own: float) -> None:
        if time.monotonic() - self._looked > LOOK:
            self._left()
        done = min(self._done + own, self._units)
        self._tell(done / self._units, f"{done:,.0f} of {self._units:,} {self._noun}{self._time_left(done)}")

    def _time_left(self, done: float) -> str:
        """At the pace of this attempt, once it is known."""
        here, passed = done - max(self._at_first, 0), time.monotonic() - self._began
        if passed < 2.0 or here <= 0:
            return ""
        return remaining((self._units - done) * passed / here)

    def _call_for_help(self, parts: int) -> None:
        """Enqueue one helper for each other worker, at most one for each part."""
        job, settings = self._work.job, self._work.settings
        with self._work.store.read() as unit:
            others = [process for process in unit.processes(ALIVE) if process.kind == "worker" and process.id != job.owner]
        wanted = min(len(others), parts - 1, MOST_HELPERS)
        with self._work.store.unit() as unit:
            at, helpers = unit.now(), [_helper(unit, job, number) for number in range(wanted)]
        sent = [helper for helper in helpers if helper and settings.redis_url and enqueue(settings.redis_url, job.queue, helper)]
        if sent:
            with self._work.store.unit() as unit:
                unit.jobs.sent(sent, at)


def _helper(unit: Unit, owner: Job, number: int) -> str | None:
    """The id of a new helper; None where it exists already."""
    key = f"part {number} of {owner.id}"
    values: dict[str, Any] = dict(kind="part", queue=owner.queue, title=f"Help with {owner.title}", spec=dict(job=owner.id), actor="worker", at=unit.now(), key=key, example=owner.example)
    helper, new = unit.jobs.add(**values)
    if not new and not helper.open:
        unit.jobs.forget_key(helper.id)
        helper, new = unit.jobs.add(**values)
    return helper.id if new else None


@job("part", limit=86_400)
def help_with(spec: Mapping[str, Any], work: Work) -> Commit:
    """Work on another job's parts until none is free. ``spec``: job."""
    done = 0
    owner = _owner(work, spec["job"])
    if owner is not None:
        work.stage("Load bars")
        kind, look = SHARED[owner.kind], Look(work, owner.id)
        part_worker = PartWorker(work, owner, kind.ready(owner.spec, work), look)
        work.stage("Simulate")
        try:
            while (took := part_worker.take()) or (kind.stays and look.lives()):
                done += took
                if not took:
                    time.sleep(NAP)
                    look(0.0)
        except Over:
            pass
    return lambda unit: JobResult(dict(parts=done), "job_helped", (f"job:{spec['job']}",), dict(parts=done))


class Look:
    """Checks the job that a helper works for; also where the helper itself stops."""

    def __init__(self, work: Work, owner: str) -> None:
        self._work, self._owner, self._looked = work, owner, time.monotonic()

    def __call__(self, share: float) -> None:
        self._work.progress(0.5)
        if time.monotonic() - self._looked > LOOK:
            self._looked = time.monotonic()
            if _owner(self._work, self._owner) is None:
                raise Over

    def lives(self) -> bool:
        """Whether the owner is alive and may add parts."""
        with self._work.store.read() as unit:
            owner = unit.jobs.get(self._owner)
        return bool(owner and owner.state == "running" and not owner.cancelled_by)


def _owner(work: Work, job_id: str) -> Job | None:
    """The shared job, if it still wants its parts."""
    with work.store.read() as unit:
        owner = unit.jobs.get(job_id)
    return owner if owner and owner.open and not owner.cancelled_by else None
