"""``up`` as a user starts it: one process tree that answers, restarts its children, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import migrated
from tests.worker.kinds import waiting
from worker.settings import ROOT

pytestmark = [pytest.mark.alone, pytest.mark.xdist_group("supervise")]       # its tests share one workspace and run in order
STOPPED_WITHIN = 10.0       # seconds; promised
SECOND_START = 7.0          # CPU of all its processes until a page answers, in imports of their largest libraries; seconds are benchmarked


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


SIGNS = {"worker": "worker.main", "scheduler": "worker.schedule", "sessions": "worker.sessions.main", "app": "streamlit", "queue": "-server "}


def as_a_person_has_it() -> dict[str, str]:
    """The environment without settings, and without the limits on threads that the tests run under."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TIDEMARK_") and not key.endswith("_NUM_THREADS")}


class Up:
    """One ``up`` in a workspace of its own."""

    def __init__(self, home: Path, *words: str, **settings: object) -> None:
        self.home, self.port, self.began = home, free_port(), time.monotonic()
        home.mkdir(exist_ok=True)
        ours = {"STORAGE_HOME": home, "APP_PORT": self.port, "WORK_PROCESSES": 1, "EXAMPLE": "false", **settings}
        environment = {**as_a_person_has_it(), "PYTHONPATH": str(ROOT), **{f"TIDEMARK_{key}": str(value) for key, value in ours.items()}}
        with (home / "up.log").open("ab") as sink:
            (home / "up.log").chmod(0o600)
            self.process = subprocess.Popen([sys.executable, "-m", "worker.cli", "up", *words], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, **({} if sys.platform == "win32" else {"umask": 0o022}))

    def output(self) -> str:
        logs = "\n".join(f"== {path.name}\n{path.read_text()[-1_000:]}" for path in sorted((self.home / "logs").glob("*.log")))
        return (self.home / "up.log").read_text() + logs

    def health(self) -> dict | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/health", timeout=2) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            return None

    def well(self, seconds: float) -> dict:
        return waiting(lambda: (health := self.health()) and health["status"] == "ok" and health, seconds, self.output())

    def tree(self) -> dict[str, psutil.Process]:
        """The children by what they are."""
        children = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):     # a zombie, which is about to be buried
                words = " ".join(child.cmdline()[:3])
                children |= {part: child for part, sign in SIGNS.items() if sign in words}
        return children

    def stop(self, number: int) -> tuple[int, float]:
        """Exit status, and the seconds until the last process of the tree was gone."""
        tree, started = self.tree(), time.monotonic()
        self.process.send_signal(number)
        _, left = psutil.wait_procs([*tree.values(), psutil.Process(self.process.pid)], STOPPED_WITHIN + 2)
        for process in left:
            process.kill()
        assert not left, f"{left}\n{self.output()}"
        return self.process.wait(1), time.monotonic() - started


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    tree_ = Up(tmp_path_factory.mktemp("up") / "workspace")
    tree_.well(60)
    yield tree_
    if tree_.process.poll() is None:
        tree_.stop(signal.SIGTERM)


def test_it_answers_with_every_part(up):
    assert up.well(10)["parts"] == {"database": "well", "queue": "well", "workers": "well", "scheduler": "well", "audit trail": "well", "checkpoints": "well", "feeds": "well", "broker": "well", "disk": up.health()["parts"]["disk"]}
    assert f"Tidemark is at http://127.0.0.1:{up.port}" in waiting(lambda: "Tidemark" in up.output() and up.output(), 10)
    assert "audit trail's key" in up.output(), "its fingerprint, for a person to note"
    assert set(up.tree()) == {"worker", "scheduler", "sessions", "app", "queue"}


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes")
def test_the_workspace_is_its_owners_alone(up):
    """The umask of whoever started it was an open one."""
    open_to_others = [path for path in (up.home, *up.home.rglob("*")) if path.lstat().st_mode & 0o077]
    assert {path.name for path in up.home.iterdir()} >= {"tidemark.db", "logs", "queue", "queue.sock", "up.lock", "audit.key", "checkpoints.txt"} and not open_to_others


def test_what_is_not_there_is_not_found_in_json(up):
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{up.port}/api/nothing", timeout=5)
    message = json.load(refused.value)
    assert message["status"] == 404 and message["detail"].startswith("there is nothing at /api/nothing")


def answer(port: int, path: str, *headers: str, method: str = "GET") -> tuple[int, str]:
    """Status and all of the answer to a request with just these headers."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.sendall("\r\n".join([f"{method} {path} HTTP/1.1", "Connection: close", *headers, "", ""]).encode())
        answered = b"".join(iter(lambda: plain.recv(65_536), b"")).decode(errors="replace")
    return int(answered.split()[1]), answered


SOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
WAYS_IN = {"a page": ("/", ()), "health": ("/api/health", ()), "nothing": ("/api/nothing", ()), "a file": ("/favicon.png", ()), "the socket": ("/_stcore/stream", SOCKET), "an upload": ("/_stcore/upload_file/a/b", ("Content-Length: 0",))}


@pytest.mark.parametrize("way", WAYS_IN)
def test_a_foreign_name_or_origin_is_refused_at_every_way_in(up, way):
    path, headers = WAYS_IN[way]
    here, method = f"127.0.0.1:{up.port}", "PUT" if way == "an upload" else "GET"
    for foreign in ([f"Host: evil.example:{up.port}"], [f"Host: {here}", "Origin: http://evil.example"], [f"Host: {here}", "Origin: null"]):
        status, answered = answer(up.port, path, *headers, *foreign, method=method)
        assert status == 403 and "[app] hosts" in answered and "content-security-policy" in answered.lower(), foreign


def test_every_answer_says_what_a_browser_may_do_with_it(up):
    for path, wanted in (("/", 200), ("/api/health", 200), ("/api/nothing", 404), ("/favicon.png", 200)):
        status, answered = answer(up.port, path, f"Host: localhost:{up.port}")
        head = answered.split("\r\n\r\n")[0].lower()
        assert status == wanted and all(head.count(name) == 1 for name in ("content-security-policy:", "x-frame-options: sameorigin", "x-content-type-options: nosniff", "referrer-policy: same-origin"))


@pytest.mark.parametrize("part", ["worker", "scheduler", "sessions", "queue", "app"])
def test_a_killed_child_is_started_again(up, part):
    old = up.tree()[part]
    old.kill()
    fresh = waiting(lambda: (child := up.tree().get(part)) and child.pid != old.pid and child, 15, up.output())
    up.well(30)
    assert fresh.is_running() and f"{part}{'-1' if part == 'worker' else ''} ended with -9; starting it again." in up.output()


def test_a_second_one_in_the_same_workspace_is_reported_where_the_first_is(up):
    second = Up(up.home, APP_PORT=free_port())
    assert second.process.wait(20) == 2
    assert f"tidemark: This workspace is in use already: http://127.0.0.1:{up.port}, process {up.process.pid}. Open that page, or name another folder in TIDEMARK_STORAGE_HOME" in second.output()
    assert up.health()


def test_its_port_is_taken_for_others(up, tmp_path):
    other = Up(tmp_path / "other", APP_PORT=up.port)
    assert other.process.wait(20) == 2
    assert f"tidemark: Port {up.port} on 127.0.0.1 is in use. Stop what uses it, or choose another: make run PORT={up.port + 1}" in other.output()


def test_sigterm_stops_all_of_it(up, record_property):
    status, seconds = up.stop(signal.SIGTERM)
    record_property("stopped_after_s", round(seconds, 2))
    assert status == 0 and seconds < STOPPED_WITHIN and "Traceback" not in (up.home / "up.log").read_text()


def importing(beside: int = 5) -> float:
    """CPU seconds of a process that does nothing but import what page and workers stand on; ``beside``: as many of them at once as a start has,
    for one alone on a quiet machine costs less than each of them."""
    before = psutil.Process().cpu_times()
    words = [sys.executable, "-c", "import streamlit, pandas, sqlalchemy, dramatiq"]
    for process in [subprocess.Popen(words, env=as_a_person_has_it()) for _ in range(beside)]:
        assert process.wait() == 0
    after = psutil.Process().cpu_times()
    return (after.children_user + after.children_system - before.children_user - before.children_system) / beside


def test_a_second_start_costs_little_more_than_its_imports_and_ctrl_c_stops_it(up, record_property):
    """In CPU and as a ratio of one run, for a slow or busy machine says nothing about the program."""
    again = Up(up.home)
    waiting(again.health, 30, again.output())
    seconds, tree = time.monotonic() - again.began, [psutil.Process(again.process.pid), *again.tree().values()]
    ratio = sum(sum(process.cpu_times()[:2]) for process in tree) / importing()
    record_property("second_start_s", round(seconds, 2))
    record_property("second_start_in_imports", round(ratio, 2))
    again.well(30)
    status, stopped = again.stop(signal.SIGINT)
    assert status == 0
    assert stopped < STOPPED_WITHIN
    assert ratio < SECOND_START, f"{ratio:.2f} imports, {seconds:.2f} s"


def test_ctrl_c_while_it_starts_stops_it_too(tmp_path):
    early = Up(tmp_path / "workspace")
    waiting(lambda: len(early.tree()) == 5, 30, early.output())
    assert early.stop(signal.SIGINT)[0] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_kill_9_of_the_supervisor_leaves_no_orphan_and_the_next_start_works(tmp_path):
    first = Up(tmp_path / "workspace")
    first.well(60)
    first.stop(signal.SIGKILL)
    again = Up(tmp_path / "workspace")
    again.well(60)
    assert again.stop(signal.SIGTERM)[0] == 0


def test_workers_alone_need_no_port(tmp_path):
    alone = Up(tmp_path / "workspace", "--workers-only")
    waiting(lambda: "Workers and scheduler are running. Ctrl-C stops them." in alone.output(), 30)
    assert set(alone.tree()) == {"worker", "scheduler", "sessions", "queue"} and alone.stop(signal.SIGTERM)[0] == 0


def spoilt_config(folder: Path, text: str) -> dict[str, object]:
    (folder / "config.toml").write_text(text)
    return dict(CONFIG=folder / "config.toml")


def a_file(folder: Path) -> dict[str, object]:
    (folder / "file").touch()
    return dict(STORAGE_HOME=folder / "file")


def taken(folder: Path) -> dict[str, object]:
    (folder / "tidemark.db").write_text("no database at all, but some text that is long enough to be looked at")
    return dict(STORAGE_HOME=folder)


def newer(folder: Path) -> dict[str, object]:
    migrated(f"sqlite:///{folder / 'tidemark.db'}")
    with sqlite3.connect(folder / "tidemark.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    return dict(STORAGE_HOME=folder)


REFUSED = {
    "the folder is a file": (a_file, r"The workspace .*/file cannot be written: .*\. Name another folder in config.toml, \[storage\] home, or in TIDEMARK_STORAGE_HOME"),
    "no folder can be made": (lambda folder: dict(STORAGE_HOME="/proc/nowhere"), r"The workspace /proc/nowhere cannot be written: .*"),
    "an unknown variable": (lambda folder: dict(APP_PROT="1"), r"no environment variable named 'TIDEMARK_APP_PROT'; did you mean 'TIDEMARK_APP_PORT'\?"),
    "an unknown key": (lambda folder: spoilt_config(folder, "[app]\nprot = 1\n"), r"no key in \[app\] named 'prot'; did you mean 'port'\?"),
    "no such file": (lambda folder: dict(CONFIG=folder / "nowhere.toml"), r".*nowhere.toml cannot be read: No such file or directory"),
    "no TOML": (lambda folder: spoilt_config(folder, "[app\n"), r".*config.toml is not TOML: .*"),
    "a value out of bounds": (lambda folder: dict(APP_PORT="99999"), r"\[app\] port is 99999; it must be between 1 and 65535"),
    "a value of another kind": (lambda folder: dict(WORK_LEASE="soon"), r"\[work\] lease is 'soon'; it must be a number"),
    "a host that is none": (lambda folder: dict(APP_HOST="nowhere.invalid", APP_BEHIND="reverse proxy"), r"Cannot listen on nowhere.invalid:\d+: .*"),
    "a wide host without a reason": (lambda folder: dict(APP_HOST="0.0.0.0"), r"0.0.0.0 lets other machines in, and nobody signs in\. Let people sign in: .*TIDEMARK_PEOPLE_SIGN_IN=local\. Or listen on 127.0.0.1, or state why it is safe: TIDEMARK_APP_BEHIND=.*"),
    "a database that is away": (lambda folder: dict(DATABASE_URL="postgresql://ana:canary@127.0.0.1:1/t"), r"The database postgresql://\*\*\*@127.0.0.1:1/t does not answer: .*"),
    "no database address": (lambda folder: dict(DATABASE_URL="canary"), r"database_url is not a database address; write sqlite:///path or postgresql://user:password@host/name"),
    "no database in the file": (taken, r"The database sqlite:///.*tidemark.db does not answer: file is not a database"),
    "a newer database": (newer, r"the database is at revision 9999, newer than this program's \d+: start the newer program, or restore a backup"),
    "a queue server that is away": (lambda folder: dict(REDIS_URL="redis://:canary@127.0.0.1:1/0"), r"No queue server answers at redis://\*\*\*@127.0.0.1:1/0: start it, or leave TIDEMARK_REDIS_URL empty for the embedded one"),
    "no queue address": (lambda folder: dict(REDIS_URL="canary"), r"redis_url is not the address of a queue server; write redis://host:6379/0, rediss://… or unix:///path"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_started_is_one_clear_sentence(tmp_path, how):
    prepare, sentence = REFUSED[how]
    refused = Up(tmp_path / "log", **{"STORAGE_HOME": tmp_path / "workspace", **prepare(tmp_path)})
    status, output = refused.process.wait(30), (refused.home / "up.log").read_text()
    assert re.fullmatch(rf"tidemark: {sentence}\n", output), output
    assert status == 2 and "canary" not in output
    left = [process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(process.info["cmdline"] or [])]
    assert not left
