"""Compile jobs: kernels are compiled ahead of the first use, with progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.remaining import remaining
from worker.store import Unit

SURE = 2.0      # seconds after which the remaining time is shown
Watch = Callable[[int, int, str], None]


@job("compile", limit=900, retries=0)
def compile_kernel(spec: Mapping[str, Any], work: Work) -> Commit:
    """Run a small backtest, which compiles and caches everything that a large one needs."""
    from domain.backtest.warm import warm

    return _compiled(work, warm)


@job("compile_features", limit=900, retries=0)
def compile_features(spec: Mapping[str, Any], work: Work) -> Commit:
    """The same for the loops of features and regimes; what strategies use comes first, for backtests wait for nothing else."""
    from domain.features.warm import warm
    from domain.strategies import STRATEGIES

    first = list(dict.fromkeys(use.name for kind in STRATEGIES.values() for use in kind().features()))
    return _compiled(work, lambda watch: warm(watch, first))


def _compiled(work: Work, make: Callable[[Watch], int]) -> Commit:
    seconds = compile_with(work, make)

    def commit(unit: Unit) -> JobResult:
        return JobResult(dict(seconds=seconds), "kernel_compiled", (), dict(seconds=seconds, sentence=f"compiled in {seconds:.1f} s"))

    return commit


def compile_with(work: Work, make: Callable[[Watch], int]) -> float:
    """Compile in a separate thread, as a stage of its own with progress; the seconds it took."""
    work.stage("Compile")
    failed: list[BaseException] = []
    began, over, seen = time.monotonic(), threading.Event(), [(0, 1)]
    thread = threading.Thread(target=_compile, args=(lambda: make(lambda done, of, name: seen.append((done, of))), over, failed), daemon=True)
    thread.start()
    while not over.wait(0.2):
        work.progress(*progress_of(*seen[-1], time.monotonic() - began))
    if failed:
        raise failed[0]
    return round(time.monotonic() - began, 2)


def progress_of(done: int, of: int, passed: float) -> tuple[float, str]:
    """The fraction of functions compiled, and a note with the remaining time at the current pace.

    >>> progress_of(30, 120, 10.0)
    (0.25, 'Compiled 30 of 120 functions, about 30 s left')
    >>> progress_of(0, 1, 0.4)
    (0.0, 'Once after an installation; the result is cached')
    """
    if not done:
        return 0.0, "Once after an installation; the result is cached"
    left = remaining(passed * (of - done) / done) if passed > SURE else ""
    return min(done / of, 0.99), f"Compiled {done} of {of} functions{left}"


def _compile(make: Callable[[], int], over: threading.Event, failed: list[BaseException]) -> None:
    try:
        make()
    except BaseException as error:      # handed to the job's own thread
        failed.append(error)
    finally:
        over.set()
