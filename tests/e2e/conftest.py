"""The whole program, started as a person starts it, and a real browser in front of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.looking import settled
from tests.terminal import terminal

ROOT = Path(__file__).resolve().parents[2]
SHOTS = os.environ.get("TIDEMARK_SHOTS")        # pictures of the documentation are made: TIDEMARK_SHOTS=1 pytest -m browser tests/e2e
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable") if (path := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


@dataclass
class Installation:
    """The running program: its address, its workspace, and its terminal."""

    url: str
    home: Path
    process: subprocess.Popen
    environment: dict[str, str]

    def terminal(self, *words: str):
        return json.loads(terminal(self.environment, *words, "--json"))

    def wait_for(self, what, seconds: float = 60.0):
        """``what()`` until it is true; its value."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if value := what():
                return value
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s; log:\n{self.logs()}")

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-2_000:]}" for path in sorted((self.home / "logs").glob("*.log")))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(home: Path, **more: str) -> Installation:
    port = free_port()
    settings = {"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_APP_PORT": str(port), "TIDEMARK_APP_USER": "anna", "PYTHONPATH": str(ROOT), **more}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    environment = {**inherited, **settings}
    process = subprocess.Popen([sys.executable, "-m", "worker.cli", "up"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    system = Installation(f"http://127.0.0.1:{port}", home, process, environment)
    system.wait_for(lambda: answers(system), 180)
    return system


def answers(system: Installation) -> bool:
    try:
        return urllib.request.urlopen(f"{system.url}/api/health", timeout=2).status == 200
    except (urllib.error.URLError, OSError):
        return False


def stop(system: Installation) -> None:
    system.process.send_signal(signal.SIGTERM)
    system.process.wait(30)


@pytest.fixture(scope="session")
def system(tmp_path_factory) -> Iterator[Installation]:
    """With the example, as on a first start."""
    running = start(tmp_path_factory.mktemp("workspace") / "var")
    yield running
    stop(running)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; install it (apt install chromium) to run the browser tests")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=45_000)       # milliseconds: all cores may be busy with other tests
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A tab, and what was seen in it during the present test."""

    tab: object
    foreign: list[str]
    broken: list[str]


@pytest.fixture(scope="session")
def watched(chromium, system) -> Iterator[Watched]:
    """One tab for all tests: each opens its pages anew, with a session of its own, but a new tab would read and compile the program's scripts anew,
    which is most of what opening a page costs."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, color_scheme="light", reduced_motion="reduce", accept_downloads=True)
    seen = Watched(context.new_page(), [], [])
    seen.tab.on("request", lambda request: seen.foreign.append(request.url) if not request.url.startswith((system.url, "data:", "blob:", system.url.replace("http", "ws"))) else None)
    seen.tab.on("pageerror", lambda error: seen.broken.append(str(error)))
    seen.tab.on("console", lambda message: seen.broken.append(message.text) if "Content Security Policy" in message.text else None)
    yield seen
    context.close()


@pytest.fixture
def page(watched, system):
    """The tab at 1280 pixels, light, with nothing stored. A request to another host fails the test, as does an uncaught error of a script, or a
    resource that the content security policy blocks."""
    tab = watched.tab
    watched.foreign.clear()
    watched.broken.clear()
    tab.set_viewport_size({"width": 1280, "height": 1000})
    tab.emulate_media(color_scheme="light", reduced_motion="reduce")
    tab.set_default_timeout(45_000)
    tab.context.clear_cookies()
    if tab.url.startswith(system.url):
        tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    yield tab
    seen = tab.get_by_text("Internal error").count()
    tab.unroute_all()
    assert not watched.foreign, f"requests to another host: {watched.foreign[:3]}"
    assert not watched.broken, f"a script failed: {watched.broken[:2]}"
    assert not seen, system.logs()


def pytest_collection_modifyitems(config, items) -> None:
    """Where TIDEMARK_SHOTS is set only the tests that take pictures run, the long ones too."""
    if SHOTS:
        config.hook.pytest_deselected(items=[item for item in items if "shoot" not in item.fixturenames])
        items[:] = [item for item in items if "shoot" in item.fixturenames]


@pytest.fixture
def shoot(page):
    """Save a picture of the page from its top or from one of its elements down, once all of it is drawn, under docs/shots where TIDEMARK_SHOTS is set."""

    def save(name: str, height: int = 1000, first: Any = None) -> None:
        if not SHOTS:
            return
        page.mouse.move(0, 0)           # the tools of a chart are shown where the pointer is
        page.evaluate("() => document.activeElement.blur()")
        settled(page)
        whole = page.evaluate("() => document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight + 20")
        page.set_viewport_size({"width": page.viewport_size["width"], "height": min(height, whole)})
        page.wait_for_timeout(1_000)    # charts take the width they are given
        settled(page)
        page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
        if first is not None:
            first.evaluate("element => document.querySelector('[data-testid=stMain]').scrollBy(0, element.getBoundingClientRect().top - 80)")
            page.wait_for_timeout(500)
        page.screenshot(path=ROOT / "docs" / "shots" / f"{name}.png")
        page.set_viewport_size({"width": page.viewport_size["width"], "height": 1000})

    return save
