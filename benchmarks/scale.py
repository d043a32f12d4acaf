"""What several worker processes do on PostgreSQL, what an open page costs, and pages on a large workspace. Some eight minutes; docs/scale.md holds the figures.

With `--write` the figures go there as they come. TIDEMARK_WORKERS names other numbers of processes ("1 2 4"), TIDEMARK_EVENTS another number of audit events (10,000,000 take 9.4 GB), TIDEMARK_PARTS some of the
parts ("jobs sweep page questions").
"""

from __future__ import annotations

import os
import secrets
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

import psutil
from sqlalchemy import text

from benchmarks.clients import CHROMIUM
from benchmarks.pages import seen, tab
from benchmarks.system import PORT, started
from benchmarks.timing import Row, median
from benchmarks.trail_filling import filled
from domain.backtest.warm import warm as warm_backtest
from domain.features.warm import warm as warm_features
from tests.databases import DURABLE, postgres
from worker import redis_server
from worker.desk import BacktestRequest, Desk
from worker.dispatch import enqueue
from worker.settings import ROOT, load
from worker.store import ALIVE, Store
from worker.store.engine import make_engine
from worker.store.migrate import upgrade
from worker.store.schema import runs

WORKERS = tuple(int(number) for number in os.environ.get("TIDEMARK_WORKERS", "1 2 4").split())
EVENTS = int(os.environ.get("TIDEMARK_EVENTS", "200000"))
PARTS = os.environ.get("TIDEMARK_PARTS", "jobs sweep page questions").split()
JOBS, RUNS = 400, 10_000
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
GRID: dict[str, list[Any]] = {"lookback": list(range(10, 90, 2)), "stop_atr": [1.0, 1.5, 2.0, 2.5, 3.0], "target_r": [1.0, 1.5, 2.0, 2.5, 3.0]}
RULES = {"sizing": {"kind": "fraction_at_risk", "value": 0.005}}
OPEN, WATCHED = 8, 30.0     # pages that are open at once, and seconds that they are watched
LONGEST = 240.0             # seconds that anything here may take
PAGE = 0.1                  # goal: seconds of a question of a page
TIMES = 5                   # of each page of a large workspace
DRAWN = "[data-testid=stApp][data-test-script-state=notRunning] h1"      # all of a page stands there
SHOWN = ("Audit", "Backtest", "Jobs")


def rows() -> Iterator[Row]:
    if "sweep" in PARTS:
        warm_backtest()     # else the workers would, while they are measured
        warm_features()
    if {"jobs", "sweep"} & set(PARTS):
        with postgres(DURABLE) as server:
            for count in WORKERS:
                yield from _rates(count, *_on(server, count))
    if "page" in PARTS:
        yield from _open_pages()
    if "questions" in PARTS:
        yield from _questions()


def _points() -> int:
    return len(GRID["lookback"]) * len(GRID["stop_atr"]) * len(GRID["target_r"])


def _rates(count: int, jobs: float, combinations: float, connections: float) -> Iterator[Row]:
    """Of so many worker processes; what was not measured is left out."""
    many, column = f"{count} worker process{'es' if count > 1 else ''}", f"{count} process{'es' if count > 1 else ''}"
    if jobs:
        yield Row(f"jobs that do nothing, PostgreSQL: {many}", None, figure=f"{jobs:,.0f}", place=("jobs a second that do nothing", column))
    if combinations:
        yield Row(f"combinations a second of a sweep of {_points():,} × half a year of M5, PostgreSQL: {many}", None, figure=f"{combinations:,.0f}", place=("sweep combinations a second", column))
        yield Row(f"connections to PostgreSQL that each keeps: {many}", None, figure=f"{connections:.1f}", place=("connections to PostgreSQL", column))


# -- workers on one database and one queue


def _on(server: Any, count: int) -> tuple[float, float, float]:
    """Jobs and combinations a second of so many worker processes, and the connections that one of them keeps."""
    with server.database(migrated=True) as url, tempfile.TemporaryDirectory() as folder, _workers(Path(folder), url, count) as (desk, store):
        jobs = _jobs_a_second(desk, store) if "jobs" in PARTS else 0.0
        combinations = _combinations_a_second(desk) if "sweep" in PARTS else 0.0
        return jobs, combinations, _connections(store, count)


def _connections(store: Store, count: int) -> float:
    """Of one worker process: those that there are, without the scheduler's, as many as a worker's, and this one's."""
    with store.read() as unit:
        every = unit.connection.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))
    return float(every or 0) / (count + 1)


@contextmanager
def _workers(home: Path, url: str, count: int) -> Iterator[tuple[Desk, Store]]:
    """Worker processes and a scheduler, with the desk of a page beside them."""
    variables = {"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_DATABASE_URL": url, "TIDEMARK_REDIS_URL": redis_server.url(home), "TIDEMARK_EXAMPLE": "false", "TIDEMARK_APP_USER": "ana"}
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")} | variables | single | {"PYTHONPATH": str(ROOT)}
    queue = subprocess.Popen(redis_server.command(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    store = Store(url, str(home / "frames"))
    processes = []
    try:
        if not redis_server.answers(variables["TIDEMARK_REDIS_URL"], within=10.0):
            raise RuntimeError("the queue server did not start")
        for module in ("worker.schedule", *["worker.main"] * count):
            processes.append(subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        _until(lambda: _alive(store) == count)
        yield Desk(store, load(environment=variables)), store
    finally:
        for process in (*processes, queue):
            process.terminate()
        for process in (*processes, queue):
            process.wait(30)
        store.close()


def _alive(store: Store) -> int:
    with store.read() as unit:
        return sum(process.kind == "worker" for process in unit.processes(ALIVE))


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError(f"it took more than {LONGEST:.0f} s")
        time.sleep(0.05)


def _jobs_a_second(desk: Desk, store: Store) -> float:
    """Helpers of a job that there is not: claimed, begun, ended, each with its audit events, and nothing between."""
    _run_empty(store, desk, 20)
    began = time.monotonic()
    _run_empty(store, desk, JOBS)
    return JOBS / (time.monotonic() - began)


def _run_empty(store: Store, desk: Desk, count: int) -> None:
    with store.unit() as unit:
        jobs = [unit.jobs.add("part", "research", "nothing", dict(job="none"), "ana", unit.now())[0].id for _ in range(count)]
    for job_id in jobs:
        enqueue(desk.settings.redis_url, "research", job_id)
    left = set(jobs)

    def over() -> bool:
        with store.read() as unit:
            left.intersection_update(job.id for job in unit.jobs.latest(("part",), ("queued", "running"), limit=10 * JOBS))
        return not left

    _until(over)


def _combinations_a_second(desk: Desk) -> float:
    """From the first part's begin to the last one's end; bars are loaded and results merged outside of it. The second sweep counts."""
    bars = _done(desk, desk.data.generate("regimes", {}, "EURUSD", "M5", START, END, 3).job.id)
    request = BacktestRequest("breakout", {}, [bars.result["dataset"]], "M5", START, END, RULES)
    seconds = 0.0
    for note in ("first", "second"):
        grid = GRID if note == "second" else GRID | {"lookback": [7, 8]}
        stages = dict(_done(desk, desk.sweeps.submit_sweep(request, grid).job.id).stages)
        seconds = stages["Merge"] - stages["Simulate"]
    return _points() / seconds


def _done(desk: Desk, job_id: str) -> Any:
    _until(lambda: not desk.jobs.get(job_id).open)      # type: ignore[union-attr]
    job = desk.jobs.get(job_id)
    if job is None or job.state != "done":
        raise RuntimeError(f"a job did not end well: {job and job.error}")
    return job


# -- the page


def _open_pages() -> Iterator[Row]:
    """Memory and CPU of the server process for each page that is open and idle."""
    if CHROMIUM is None:
        yield Row("cost of an open page: there is no browser here", None, figure="not measured")
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "home", TIDEMARK_EXAMPLE="false") as system, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        server = next(child for child in psutil.Process(system.pid).children(recursive=True) if "streamlit" in " ".join(child.cmdline()))
        _open(browser, 1)
        few = _watched(server)
        _open(browser, OPEN)
        many = _watched(server)
        drawn = _drawn(browser, server)
        browser.close()
    share = (many[1] - few[1]) / OPEN
    yield Row("an open page, idle: memory of the server", None, figure=f"{(many[0] - few[0]) / OPEN / 1e6:.1f} MB", place=("an open page, idle: memory of the server", "measured"))
    yield Row("an open page, idle: share of a core", None, figure=f"{share * 100:.2f} %", goal="≤ 0.5 %", holds=share <= 0.005, place=("an open page, idle: share of a core", "measured"))
    yield Row("a page opened and drawn: CPU of the server", drawn, place=("a page opened and drawn: CPU of the server", "measured"))


def _open(browser: Any, count: int) -> None:
    for _ in range(count):
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{PORT}/", timeout=60_000)
        page.wait_for_selector("h1", timeout=60_000)
    time.sleep(5)


def _drawn(browser: Any, server: psutil.Process) -> float:
    """CPU seconds of the server for each of some pages that one browser opens, of a workspace with little in it."""
    tab = browser.new_context().new_page()
    paths = ("", "data", "backtest", "sweeps", "audit")
    used = 0.0
    for turn in range(3):
        before = sum(server.cpu_times()[:2])
        for path in paths:
            tab.goto(f"http://127.0.0.1:{PORT}/{path}", timeout=60_000)
            tab.wait_for_selector("h1", timeout=60_000)
            time.sleep(1.0)
        used = sum(server.cpu_times()[:2]) - before if turn else 0.0        # the first turn fills caches
    return used / len(paths)


def _watched(server: psutil.Process) -> tuple[float, float]:
    """Bytes in memory, and CPU seconds a second."""
    before, began = sum(server.cpu_times()[:2]), time.monotonic()
    time.sleep(WATCHED)
    return float(server.memory_info().rss), (sum(server.cpu_times()[:2]) - before) / (time.monotonic() - began)


# -- questions of pages on a large workspace


def _questions() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = f"sqlite:///{home / 'tidemark.db'}"
        large_workspace(url, EVENTS, RUNS)
        settings = load(environment={"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_APP_USER": "ana"})
        store = Store(url, str(home / "frames"))
        desk = Desk(store, settings)
        newest = desk.backtests.latest(1)[0].id
        requested: dict[str, Callable[[], object]] = {
            "the newest hundred runs": lambda: desk.backtests.latest(100), "one run": lambda: desk.backtests.get(newest), "the newest page of the audit trail": lambda: desk.trail.rows(size=50),
            "the newest jobs": desk.jobs.latest, "status in the footer of every page": desk.jobs.pulse, "figures of Prometheus": desk.system.figures, "trials counted on a run's data": lambda: desk.sweeps.trials(newest),
        }  # fmt: skip
        for what, ask in requested.items():
            seconds = median(ask)
            yield Row(f"{EVENTS:,} audit events, {RUNS:,} runs: {what}", seconds, goal=f"≤ {PAGE * 1e3:.0f} ms", holds=seconds <= PAGE, place=(what, f"{EVENTS:,} events"))
        store.close()
        if CHROMIUM is not None:
            yield from _large_pages(home)


def _large_pages(home: Path) -> Iterator[Row]:
    """Pages of that workspace in a browser, from the start of the navigation until all of it stands there."""
    with started(home, TIDEMARK_EXAMPLE="false"), tab() as page:
        for name in SHOWN:
            took = []
            for _ in range(TIMES + 1):      # the first fills caches
                page.goto(f"http://127.0.0.1:{PORT}/{name.lower()}", wait_until="commit")
                took.append(seen(page, DRAWN))
            what = f"page {name}, opened and drawn in a browser"
            yield Row(f"{EVENTS:,} audit events, {RUNS:,} runs: {what}", statistics.median(took[1:]), place=(what, f"{EVENTS:,} events"))


def large_workspace(url: str, events: int, count: int) -> None:
    """A database of SQLite with so many events of a valid trail, and so many runs of the size of a backtest's."""
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    filled(url, events)
    engine = make_engine(url)
    summary = {"metrics": {f"metric_{number}": number / 7 for number in range(60)}, "curve": [round(1e5 + number * 1.25, 2) for number in range(400)]}
    with engine.begin() as connection:
        for first in range(0, count, 1_000):
            connection.execute(runs.insert(), [_run(number, summary) for number in range(first, min(first + 1_000, count))])
    engine.dispose()


def _run(number: int, summary: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(1_700_000_000 + number * 60, UTC)
    spec = {"strategy": "breakout", "params": {"lookback": number % 90}, "datasets": [f"{number % 12:064d}"], "timeframe": "M5"}
    return dict(id=secrets.token_hex(8), kind="backtest", job_id=f"{number:016d}", name="", note="", title=f"breakout {number}", spec=spec, manifest={"data": spec["datasets"], "code": "c" * 64}, summary=summary, frames={"equity": f"{number:064d}"}, actor="ana", created_at=at, example=False, synthetic=True)
