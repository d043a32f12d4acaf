"""A hundred programs that ask the API once a second, while a browser has a page open: how long they wait, what is refused, and whether the page still answers at once.

TIDEMARK_SECONDS sets how long they ask, TIDEMARK_CLIENTS how many they are.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.system import PORT, environment_of, started
from benchmarks.timing import Row
from worker.desk import Desk, StartRequest
from worker.settings import load
from worker.store import Store

SECONDS, CLIENTS = float(os.environ.get("TIDEMARK_SECONDS", "60")), int(os.environ.get("TIDEMARK_CLIENTS", "100"))
P99 = 0.25              # seconds
TIMES = 12              # changes of the page before, and while they ask
PAGES = ("Data", "Audit")
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
FLUID = 2.0             # times what it takes while nobody asks


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with started(home, TIDEMARK_EXAMPLE="false") as system, _page() as change:
            tokens = _prepared(home)
            before = [change() for _ in range(TIMES)]
            used, began = _cpu(system.pid), time.monotonic()
            polling = subprocess.Popen([sys.executable, "-m", "benchmarks.polling"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert polling.stdin and polling.stdout
            polling.stdin.write(json.dumps(dict(port=PORT, tokens=tokens, seconds=SECONDS)))
            polling.stdin.close()
            time.sleep(SECONDS / 10)
            beside = [change() for _ in range(TIMES)]
            result = json.loads(polling.stdout.read())
            yield from _answers(result, _cpu(system.pid) - used, time.monotonic() - began)
            if before[0]:
                yield _fluid(before, beside)


def _answers(result: dict[str, Any], used: float, elapsed: float) -> Iterator[Row]:
    """``used``: seconds of CPU of the whole program in so many seconds."""
    waited = sorted(result["seconds"])
    p99 = waited[int(len(waited) * 0.99)]
    wrong = sum(count for status, count in result["statuses"].items() if status not in ("200", "304"))
    yield Row(f"{CLIENTS} clients of the API, {SECONDS:.0f} s, {len(waited):,} answers: median", statistics.median(waited), place=_place("the median answer came within"))
    yield Row("the same: 99 of 100 came within", p99, goal=f"≤ {P99 * 1000:.0f} ms", holds=p99 <= P99, place=_place("99 of 100 came within"))
    yield Row("the same: the slowest of each address", None, figure=", ".join(f"{path} {seconds * 1e3:.0f} ms" for path, seconds in sorted(result["slowest"].items(), key=lambda each: -each[1])))
    yield Row("the same: answers that were none", None, figure=f"{wrong} ({', '.join(f'{count:,} × {status}' for status, count in sorted(result['statuses'].items()))})", goal="0", holds=wrong == 0)
    yield Row("the same: answers", None, figure=f"{len(waited):,}; {wrong} failed", place=_place("answers"))
    yield Row("the same: share of a core of the whole program, of the clients", None, figure=f"{used / elapsed * 100:.0f} %, {result['own'] / elapsed * 100:.0f} %", place=_place("share of a core: the whole program, the clients"))


def _fluid(before: list[float], beside: list[float]) -> Row:
    alone, now = statistics.median(before), statistics.median(beside)
    return Row("a page, from a click to its drawing, while they ask", now, "while nobody asks", now / alone, f"≤ {FLUID:g} ×", now <= FLUID * alone, place=_place("a page beside them, from a click to its drawing"))


def _place(row: str) -> tuple[str, str]:
    return row, f"{CLIENTS} clients, {SECONDS:.0f} s"


def _prepared(home: Path) -> list[str]:
    """Bars, a session and some events, and the secrets of as many tokens as there are clients."""
    settings = load(environment=environment_of(home))
    store = Store(settings.database_url, settings.frames_url)
    desk = Desk(store, settings, send=lambda *_: False)      # the scheduler sends what was not sent
    job = desk.data.generate("gbm", {}, "EURUSD", "H1", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC), 7).job.id
    while desk.jobs.get(job).open:      # type: ignore[union-attr]
        time.sleep(0.1)
    desk.paper.start(StartRequest("polled", "breakout", {}, ("H1",), (desk.data.catalogue()[0].id,)))
    secrets = [desk.tokens.create(f"client {number}", "viewer")[1] for number in range(CLIENTS)]
    while not desk.paper.row("polled").over:
        time.sleep(0.1)
    store.close()
    return secrets


@contextmanager
def _page() -> Iterator[Callable[[], float]]:
    """Changes from one page to the other in a browser; seconds from the click to its heading. 0 where there is no browser."""
    if CHROMIUM is None:
        yield lambda: 0.0
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        tab = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]).new_page()
        tab.goto(f"http://127.0.0.1:{PORT}/{PAGES[-1].lower()}")
        turn = 0

        def change() -> float:
            nonlocal turn
            name, turn = PAGES[turn % len(PAGES)], turn + 1
            began = time.perf_counter()
            tab.get_by_role("link", name=name, exact=True).first.click()
            tab.get_by_role("heading", name=name, exact=True).first.wait_for(timeout=60_000)
            return time.perf_counter() - began

        for _ in PAGES:
            change()        # scripts are read and compiled once
        yield change


def _cpu(pid: int) -> float:
    import psutil

    root = psutil.Process(pid)
    return sum(sum(process.cpu_times()[:2]) for process in (root, *root.children(recursive=True)))
