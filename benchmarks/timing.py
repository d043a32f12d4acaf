"""Measurement of timings, and their report."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report: what was timed, how long it took (or another figure), and beside what; ``goal`` is a ratio or a time; ``place``: row and column of docs/scale.md that it belongs to."""

    what: str
    seconds: float | None
    beside: str = ""
    ratio: float | None = None
    goal: str = ""
    holds: bool | None = None
    figure: str = ""
    place: tuple[str, str] | None = None

    @property
    def shown(self) -> str:
        return self.figure if self.seconds is None else duration(self.seconds)


def median(act: Callable[[], object], times: int = 9, warm: int = 2) -> float:
    """Seconds of ``act``: the median of ``times`` after ``warm``."""
    for _ in range(warm):
        act()
    elapsed = []
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        act()
        elapsed.append(time.perf_counter() - start)
    return statistics.median(elapsed)


def steady(act: Callable[[], object], times: int) -> float:
    """The same for what takes a few milliseconds: one after another, as ``timeit`` does it, for collecting garbage in between empties the processor's caches."""
    act()
    elapsed = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(times):
            start = time.perf_counter()
            act()
            elapsed.append(time.perf_counter() - start)
    finally:
        gc.enable()
    return statistics.median(elapsed)


def duration(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def table(rows: list[Row]) -> str:
    """The report as Markdown."""
    lines = ["| what | time | beside | ratio | goal | |", "|---|---|---|---|---|---|"]
    for row in rows:
        verdict = "" if row.holds is None else "met" if row.holds else "not met"
        lines.append(f"| {row.what} | {row.shown} | {row.beside} | {'' if row.ratio is None else f'{row.ratio:,.1f} ×'} | {row.goal} | {verdict} |")
    return "\n".join(lines)
