"""Pages in Chromium, the server warm: first paint, title and first chart of each, what a click costs, and how soon a large result stands on its page.

Needs playwright and Chromium, as the browser tests do. Times are the browser's own, from the start of the navigation.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import workload
from benchmarks.system import PORT, environment_of, started
from benchmarks.timing import Row
from domain.backtest.warm import warm
from worker.desk import BacktestRequest, Desk
from worker.settings import load
from worker.store import Store

TIMES, LONG = 10, 300_000               # of each page; milliseconds
TITLE, PAINT, DRAWN = 1.5, 1.0, 1.0     # seconds, the goals
NEAR = 0.96                             # of the workload's distances: at least 49,000 trades with the costs of the form
RULES: dict[str, dict[str, Any]] = {"account": dict(balance=1e7), "sizing": dict(kind="fixed_lots", value=0.01)}      # no loss ends it early
CHART = "[data-testid=stVegaLiteChart] svg, .chart canvas"
TABS = {"Statistics": "table.metrics", "Equity": CHART, "Costs": CHART, "Trades": "iframe"}


def rows() -> Iterator[Row]:
    warm()      # else the workers would, while pages are measured
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "home"), tab() as page:
        desk = _desk(Path(folder) / "home")
        _until(lambda: len(desk.backtests.latest()) == 2)
        run, dataset = desk.backtests.latest()[0].id, desk.data.catalogue()[0].id
        addresses = {"Overview": ("", True), "Data": (f"data?dataset={dataset}", True), "Backtest, form": ("backtest", False), "Backtest, a run": (f"backtest?run={run}", True), "Optimization, form": ("sweeps", False), "Audit": ("audit", True), "Jobs": ("jobs", False), "Settings": ("settings", False)}
        for name, (address, chart) in addresses.items():
            yield from _opened(page, name, address, chart)
        yield from _clicks(page, f"backtest?run={run}&view=Trades")
        yield _large(page, desk)


@contextmanager
def tab() -> Iterator[Any]:
    """One tab at 1280 pixels; its cache is warm after the first of each."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=dict(width=1280, height=1000))
        page.set_default_timeout(LONG)
        yield page
        browser.close()


def _opened(page: Any, name: str, address: str, chart: bool) -> Iterator[Row]:
    """First contentful paint, title, and first chart of one page."""
    painted, titled, charted = [], [], []
    for turn in range(TIMES + 1):
        page.goto(f"http://127.0.0.1:{PORT}/{address}", wait_until="commit")
        title, picture = seen(page, "h1"), seen(page, CHART) if chart else 0.0
        if turn:
            painted.append(_first_paint(page))
            titled.append(title)
            charted.append(picture)
    paint, title = statistics.median(painted), statistics.median(titled)
    yield Row(f"{name}: first contentful paint", paint, goal=f"≤ {PAINT:g} s", holds=paint <= PAINT)
    yield Row(f"{name}: title", title, goal=f"≤ {TITLE:g} s", holds=title <= TITLE)
    if chart:
        yield Row(f"{name}: first chart", statistics.median(charted))


def seen(page: Any, selector: str) -> float:
    """Seconds from the start of the navigation until there is such an element."""
    return float(page.wait_for_function("selector => document.querySelector(selector) && performance.now()", arg=selector, polling="raf").json_value()) / 1e3


def _first_paint(page: Any) -> float:
    """Seconds until the browser drew something; it says so some frames later."""
    return float(page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime", polling="raf").json_value()) / 1e3


def _clicks(page: Any, address: str) -> Iterator[Row]:
    """A tab of a run, from the click until what is in it is drawn."""
    page.goto(f"http://127.0.0.1:{PORT}/{address}")
    for name, selector in TABS.items():
        seconds = []
        for turn in range(TIMES + 1):
            other = "Costs" if name != "Costs" else "Equity"
            page.get_by_role("tab", name=other).click()
            page.locator(f"[role=tabpanel]:visible {TABS[other]}".replace(", ", ", [role=tabpanel]:visible ")).first.wait_for()
            began = time.perf_counter()
            page.get_by_role("tab", name=name).click()
            page.locator(f"[role=tabpanel]:visible {selector}".replace(", ", ", [role=tabpanel]:visible ")).first.wait_for()
            if turn:
                seconds.append(time.perf_counter() - began)
        yield Row(f"Backtest: tab {name}, click to drawn", statistics.median(seconds))


def _large(page: Any, desk: Desk) -> Row:
    """From the end of a backtest of the whole workload until its figures stand on the page that waited for it."""
    bars, signals = workload.bars(), workload.signals(near=NEAR)
    with tempfile.NamedTemporaryFile(suffix="_EURUSD_M5.parquet") as file:
        bars.to_parquet(file.name)
        job = desk.data.import_(desk.data.stage_path(file.name, own_rights=True), "EURUSD", "M5", "bid", "UTC", repair=True).job
        result = _ended(desk, job.id).result or {}
    staged = desk.signal_files.stage("workload.csv", signals.to_csv(index=False).encode())
    dataset = desk.data.get(result["dataset"])
    request = BacktestRequest("signals", {}, [dataset.id], "M5", dataset.first_ts, dataset.last_ts, RULES, signals=staged.plain)
    job = desk.backtests.submit(request).job
    page.goto(f"http://127.0.0.1:{PORT}/backtest?job={job.id}")
    page.get_by_text("Break-even spread").first.wait_for(timeout=LONG)
    seen, ended = time.time(), _ended(desk, job.id)
    seconds = seen - ended.ended_at.timestamp()
    trades = desk.backtests.get(ended.result["run"]).summary["metrics"]["trades"]
    return Row(f"result of {len(bars):,} bars and {trades:,.0f} trades: done to drawn", seconds, goal=f"≤ {DRAWN:g} s", holds=seconds <= DRAWN)


def _ended(desk: Desk, job_id: str) -> Any:
    """The job, once it has ended."""
    _until(lambda: (job := desk.jobs.get(job_id)) is not None and not job.open)
    return desk.jobs.get(job_id)


def _desk(home: Path) -> Desk:
    settings = load(environment=environment_of(home))
    return Desk(Store(settings.database_url, settings.frames_url), settings, "benchmark", send=lambda *_: False)      # the scheduler sends what was not sent


def _until(done: Any, seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise RuntimeError(f"not done within {seconds:g} s")
        time.sleep(0.2)
