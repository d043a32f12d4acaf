"""Holds the promises and writes what came out: ``python -m tests.faults.report [--full] [P1 P5 …]``.

The table goes to the README, between its marks, and where only some promises are named to the screen alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.faults.promises import BEYOND, PROMISES, Check, Promise

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- promises: written by make check-faults -->", "<!-- end of promises -->"
HEAD = "| | promise | goal | held by | result |\n|---|---|---|---|---|\n"
FULL_CASES = {"tests/app/api/test_document.py": 25, "tests/app/api/test_hostile.py": 5_000}       # of tests that run every day, and have small sizes of their own


@dataclass(frozen=True)
class Outcome:
    """Of one check. ``counts``: passed, failed and skipped tests; ``figures``: name -> the largest that was recorded on each database, and the least of what is a second."""

    counts: Mapping[str, int]
    seconds: float
    figures: Mapping[str, Sequence[float]]


def main(words: Sequence[str]) -> int:
    full, named = "--full" in words, [word.upper() for word in words if word != "--full"]
    promises = [each for each in PROMISES if not named or each.name in named]
    began, rows, failed = time.monotonic(), list[str](), 0
    for promise in promises:
        outcomes = [outcome_of(check, full) for check in promise.checks]
        rows.append(row_of(promise, outcomes))
        failed += sum(each.counts.get("failed", 0) for each in outcomes)
        print(rows[-1], flush=True)
    if full and not named:
        beyond = outcome_of(Check(BEYOND), full)
        failed += beyond.counts.get("failed", 0)
        print(f"beyond the promises: {counted(beyond.counts)} in {beyond.seconds:.0f} s", flush=True)
    text = f"{HEAD}{chr(10).join(rows)}\n\n{'Full figures' if full else 'The short course'}, {(time.monotonic() - began) / 60:.0f} minutes on {os.cpu_count()} cores; load at its end {os.getloadavg()[0]:.0f}.\n"
    if not named and not write(ROOT / "README.md", text):
        print(f"the README has no place for the table; give it the lines {BEGIN} and {END}")
    return 1 if failed else 0


def outcome_of(check: Check, full: bool) -> Outcome:
    """Run its tests in a process of their own, one after another."""
    sizes = {"TIDEMARK_CASES": FULL_CASES[check.tests[0]]} if full and check.tests[0] in FULL_CASES else {} if full else check.short
    environment = {**os.environ, **{name: str(value) for name, value in sizes.items()}}
    with tempfile.TemporaryDirectory() as folder:
        file, began = Path(folder) / "out.xml", time.monotonic()
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "--junitxml", str(file), *check.tests], cwd=ROOT, env=environment, capture_output=True, text=True)
        seconds = time.monotonic() - began
        if done.returncode:
            print(done.stdout[-3_000:], done.stderr[-1_000:], sep="\n", file=sys.stderr)
        cases = list(ElementTree.parse(file).iter("testcase")) if file.exists() else []
    counts = Counter(map(state_of, cases)) if cases else Counter(failed=1)
    return Outcome(counts, seconds, {name: list(recorded(cases, name)) for name in check.figures})


def state_of(case: ElementTree.Element) -> str:
    names = {part.tag for part in case}
    return "failed" if names & {"failure", "error"} else "skipped" if "skipped" in names else "passed"


def recorded(cases: Iterable[ElementTree.Element], name: str) -> Iterator[float]:
    for case in cases:
        yield from (float(each.attrib["value"]) for each in case.iter("property") if each.attrib["name"] == name)


def row_of(promise: Promise, outcomes: Sequence[Outcome]) -> str:
    """
    >>> row_of(Promise("P2", "One order", "0 forks", (Check(("tests/faults/test_writers.py",), {}, {"p99_ms": "ms"}),)), [Outcome({"passed": 2}, 61.0, {"p99_ms": [8.04, 6.0]})])
    '| P2 | One order | 0 forks | `test_writers` | 2 passed in 61 s; 8.04, 6 ms |'
    """
    counts = sum((Counter(each.counts) for each in outcomes), Counter())
    figures = [f"{', '.join(f'{value:,g}' for value in values)} {check.figures[name]}" for check, each in zip(promise.checks, outcomes, strict=True) for name, values in each.figures.items() if values]
    came = f"{counted(counts)} in {sum(each.seconds for each in outcomes):.0f} s"
    files = dict.fromkeys(f"`{Path(test.partition('::')[0]).stem}`" for check in promise.checks for test in check.tests)
    return f"| {promise.name} | {promise.text} | {promise.goal} | {', '.join(files)} | {'; '.join([came, *figures, *([promise.lacks] if promise.lacks else [])])} |"


def counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[state]} {state}" for state in ("passed", "failed", "skipped") if counts.get(state))


def write(path: Path, table: str) -> bool:
    """Put the table between its marks; False where there are none."""
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        return False
    path.write_text(re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n{table}{END}", text, count=1, flags=re.DOTALL), encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
