"""Kinds of job for tests only, and a worker that registers them: ``python -m tests.worker.kinds``."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from domain.errors import BadBars, BadRequest, SourceUnavailable
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Unit


def trace(spec: Mapping[str, Any], what: object) -> None:
    """Append one line on work done, outside of the databases."""
    if spec.get("trace"):
        with open(spec["trace"], "a") as file:
            file.write(f"{what}\n")


def save_result(spec: Mapping[str, Any], work: Work, **result: Any) -> Commit:
    """The effect is a run's row: as many as there are, so often the job had an effect."""

    def keep(unit: Unit) -> JobResult:
        values = dict(kind=work.job.kind, job_id=work.job.id, title="", spec={}, manifest={}, summary={}, frames={}, actor="t", created_at=unit.now())
        return JobResult(dict(run=unit.runs.add(**values), **result), "tested", (), dict(steps=result.get("steps", 0)))

    return keep


@job("test_steps", limit=120)
def steps(spec: Mapping[str, Any], work: Work) -> Commit:
    """``steps`` of ``seconds`` each, a checkpoint after every one."""
    work.stage("Steps")
    for step in range((work.checkpoint or {}).get("done", 0), spec["steps"]):
        trace(spec, f"{work.job.epoch} {step}")
        time.sleep(spec["seconds"])
        work.save(dict(done=step + 1))
        work.progress((step + 1) / spec["steps"], f"step {step + 1}")
    return save_result(spec, work, steps=spec["steps"])


@job("test_bug")
def bug(spec: Mapping[str, Any], work: Work) -> Commit:
    return save_result(spec, work, share=1 / spec.get("zero", 0))


@job("test_bug_at_the_end")
def bug_at_the_end(spec: Mapping[str, Any], work: Work) -> Commit:
    def keep(unit: Unit) -> JobResult:
        save_result(spec, work)(unit)
        raise KeyError("lost")

    return keep


@job("test_unavailable", retries=2)
def unavailable(spec: Mapping[str, Any], work: Work) -> Commit:
    """The outside world fails ``times`` times."""
    trace(spec, work.job.attempts)
    if work.job.attempts < spec["times"]:
        work.save(dict(attempt=work.job.attempts))
        raise SourceUnavailable("the venue does not answer.")
    return save_result(spec, work, checkpoint=work.checkpoint)


@job("test_refused")
def refused(spec: Mapping[str, Any], work: Work) -> Commit:
    raise {"request": BadRequest, "data": BadBars}[spec["fault"]]("what was asked, what was found, what to do")


@job("test_slow", limit=0.4)
def slow(spec: Mapping[str, Any], work: Work) -> Commit:
    """Longer than its kind may take."""
    until_stopped(work, 0.02)
    return save_result(spec, work)


@job("test_stubborn")
def stubborn(spec: Mapping[str, Any], work: Work) -> Commit:
    """Looks up only every 0.3 s, as the contract allows at most."""
    until_stopped(work, 0.3)
    return save_result(spec, work)


@job("test_deaf")
def deaf(spec: Mapping[str, Any], work: Work) -> Commit:
    """Does not look up at all, as compiled code would not."""
    trace(spec, "began")
    time.sleep(spec["seconds"])
    return save_result(spec, work)


@job("test_deadly")
def deadly(spec: Mapping[str, Any], work: Work) -> Commit:
    """Takes its worker with it."""
    trace(spec, work.job.epoch)
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return save_result(spec, work)


def until_stopped(work: Work, every: float) -> None:
    for turn in range(10_000):
        time.sleep(every)
        work.progress(turn / 10_000)


def waiting(what: Callable[[], Any], seconds: float, message: str = "") -> Any:
    """``what()`` as soon as it is true."""
    until = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < until, f"not within {seconds} s: {message}"
        time.sleep(0.02)
    return value


if __name__ == "__main__":
    from worker.main import main

    sys.exit(main())
