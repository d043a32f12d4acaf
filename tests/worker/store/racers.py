"""What several processes do at once to one database."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from domain.audit import verify
from worker.store import Store
from worker.store.engine import make_engine
from worker.store.migrate import upgrade

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


def race(work: Callable[..., Any], runners: int, *arguments: Any) -> list[Any]:
    """What ``work(number, *arguments)`` returned in each of so many processes that began at the same moment; of one that died, how it ended."""
    start, pipes = CONTEXT.Barrier(runners), [CONTEXT.Pipe(duplex=False) for _ in range(runners)]
    children = [CONTEXT.Process(target=_run, args=(start, pipe[1], work, number, *arguments)) for number, pipe in enumerate(pipes)]
    for child, (_, ours) in zip(children, pipes, strict=True):
        child.start()
        ours.close()
    return [_answer(child, reader) for child, (reader, _) in zip(children, pipes, strict=True)]


def _answer(child: Any, reader: Any) -> Any:
    try:
        answer = reader.recv()
    except EOFError:
        child.join(30)
        return f"ended without an answer, with {child.exitcode}"
    child.join(30)
    return answer


def _run(start: Any, answer: Any, work: Callable[..., Any], number: int, *arguments: Any) -> None:
    try:
        start.wait(60)
        answer.send(work(number, *arguments))
    except Exception as error:      # a process of its own: its error is its answer, which the test reads
        answer.send(f"{type(error).__name__}: {error}")


def first_to_upgrade(number: int, url: str) -> bool:
    return upgrade(make_engine(url))


def append(number: int, url: str, frames: str, most: int, seconds: float) -> list[float]:
    """Units of one to three events with a job row, until ``most`` units or ``seconds`` are over; how long each took, in seconds."""
    took: list[float] = []
    store, until = Store(url, frames), time.monotonic() + seconds
    while len(took) < most and time.monotonic() < until:
        began = time.monotonic()
        with store.unit() as unit:
            job, _ = unit.jobs.add("noted", "research", f"{number}", {}, f"writer {number}", unit.now())
            for part in range(1 + len(took) % 3):
                unit.audit(f"writer {number}", "noted", f"job:{job.id}", event_id=f"{number}-{len(took)}-{part}", part=part)
        took.append(time.monotonic() - began)
    store.close()
    return took


def append_paced(number: int, url: str, frames: str, rate: float, seconds: float) -> list[float]:
    """One event a unit, ``rate`` a second at times of its own, whatever the one before took; how long each took from the moment it was due, in seconds."""
    took: list[float] = []
    store, at = Store(url, frames), random.Random(number)
    with store.unit() as unit:      # the first of a process connects and compiles
        unit.audit(f"writer {number}", "process_started")
    began, due = time.monotonic(), 0.0
    while due < seconds:
        due += at.expovariate(rate)
        if (wait := began + due - time.monotonic()) > 0:
            time.sleep(wait)
        with store.unit() as unit:
            unit.audit(f"writer {number}", "order_filled", f"order:{number}-{len(took)}", f"run:{number}", event_id=f"{number}-{len(took)}", price="1.10325", units=1000, stop="1.09", target="1.12")
        took.append(time.monotonic() - began - due)
    store.close()
    return took


def add_same_key(number: int, url: str, frames: str, rounds: int) -> list[tuple[str, bool]]:
    """A double click, many times: the same key from every process at once."""
    store, jobs_ = Store(url, frames), []
    for turn in range(rounds):
        with store.unit() as unit:
            job, new = unit.jobs.add("noted", "interactive", "", {}, "ana", unit.now(), key=f"question {turn}")
            unit.remember(f"fact {turn}", number)
        jobs_.append((job.id, new))
    store.close()
    return jobs_


def eight_writers(database: str, frames: str, most: int, seconds: float) -> tuple[int, list[float]]:
    """Units written and how long each took, after proving one order without a fork and a job row for each unit's events."""
    took = race(append, 8, database, frames, most, seconds)
    assert all(isinstance(result, list) for result in took), took
    store = Store(database, frames)
    with store.read() as unit:
        rows = list(unit.trail.all())
        verdict = verify(rows, unit.trail.root(), unit.trail.head()[0])
        jobs = unit.jobs.latest(limit=1_000_000)
    store.close()
    assert verdict.holds, verdict.why
    written = {(number, turn, part) for number, waits in enumerate(took) for turn in range(len(waits)) for part in range(1 + turn % 3)}
    assert {tuple(map(int, row.event_id.split("-"))) for row in rows} == written and len(rows) == len(written)
    assert len(jobs) == sum(map(len, took))
    return len(jobs), sorted(second for waits in took for second in waits)


def write_until_killed(number: int, url: str, frames: str, acknowledged: str) -> None:
    """Units without end; each is noted outside of the database once it is acknowledged."""
    store, log = Store(url, frames), os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for turn in itertools.count():
        with store.unit() as unit:
            job, _ = unit.jobs.add("noted", "research", f"{number}-{turn}", {}, "ana", unit.now())
            unit.audit("ana", "noted", f"job:{job.id}", event_id=f"{number}-{turn}")
        os.write(log, f"{number}-{turn}\n".encode())


def die_at(number: int, url: str, frames: str, acknowledged: str) -> None:
    """One unit, killed at the ``number``-th moment before or after a statement or the commit; noted if it was acknowledged."""
    store, moments = Store(url, frames), itertools.count()

    def moment(*_: Any) -> None:
        if next(moments) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with store.engine.connect():        # the first connection's own statements are not the matter
        pass
    for what in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(store.engine, what, moment)
    with store.unit() as unit:
        job, _ = unit.jobs.add("noted", "research", f"{number}", {}, "ana", unit.now())
        unit.audit("ana", "noted", f"job:{job.id}", event_id=f"{number}-a")
        unit.audit("ana", "noted", f"job:{job.id}", event_id=f"{number}-b")
    moment()
    with open(acknowledged, "a") as log:
        log.write(f"{number}\n")


def killed(work: Callable[..., Any], number: int, *arguments: Any, after: float | None = None) -> bool:
    """Run ``work(number, *arguments)`` in a process and kill it ``after`` some seconds, or let it end; was it killed?"""
    child = CONTEXT.Process(target=work, args=(number, *arguments))
    child.start()
    child.join(after)
    child.kill()
    child.join(30)
    return child.exitcode == -signal.SIGKILL
