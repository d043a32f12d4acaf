"""Compile kernels before anyone waits for them, and say how far that is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from worker.jobs.base import Keep, Kept, Work, job
from worker.store import Unit

USUAL = {"compile": 25.0, "compile_features": 30.0}        # seconds that it takes the first time, on an ordinary machine


@job("compile", limit=900, retries=0)
def compile_kernels(spec: Mapping[str, Any], work: Work) -> Keep:
    """Run a small backtest, which compiles and caches everything a large one needs."""
    from domain.backtest.warm import warm

    return _compiled(work, warm)


@job("compile_features", limit=900, retries=0)
def compile_features(spec: Mapping[str, Any], work: Work) -> Keep:
    """The same for the loops of features and regimes."""
    from domain.features.warm import warm

    return _compiled(work, warm)


def _compiled(work: Work, make: Callable[[], int]) -> Keep:
    """Compile in a thread of its own, and say about how far that is."""
    work.stage("Compile")
    failed: list[BaseException] = []
    began, over, usual = time.monotonic(), threading.Event(), USUAL[work.job.kind]
    thread = threading.Thread(target=_compile, args=(make, over, failed), daemon=True)
    thread.start()
    while not over.wait(0.2):
        passed = time.monotonic() - began
        work.progress(min(passed / (passed + usual / 3), 0.97), "once after an installation; later starts take what was made")
    if failed:
        raise failed[0]
    seconds = round(time.monotonic() - began, 2)

    def keep(unit: Unit) -> Kept:
        return Kept(dict(seconds=seconds), "kernel_compiled", (), dict(seconds=seconds, sentence=f"compiled in {seconds:.1f} s"))

    return keep


def _compile(make: Callable[[], int], over: threading.Event, failed: list[BaseException]) -> None:
    try:
        make()
    except BaseException as error:      # handed to the job's own thread
        failed.append(error)
    finally:
        over.set()
