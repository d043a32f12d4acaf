"""``up``: queue server, workers, scheduler and app as one process tree, started, restarted and stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from domain.errors import BadRequest, unknown
from worker import listening, redis_server
from worker.checkpoints.witness_client import addresses_of
from worker.notifications.channels import channels_of
from worker.private import close_off, keep_private
from worker.settings import ROOT, Settings, load
from worker.store.root import Root

GRACE = {"app": 3.0, "worker": 7.0, "scheduler": 4.0, "sessions": 4.0, "notifier": 3.0, "queue": 2.0}     # seconds to exit before a kill; workers, then the queue: under ten
TOO_OFTEN = (5, 60.0)       # more deaths than this in so many seconds: pause between restarts
LARGEST_LOG = 10_000_000    # bytes
LATER = 5.0                 # seconds until a failed start is tried again
QUEUE_VARIABLES = ("TIDEMARK_REDIS_URL_FILE", "TIDEMARK_QUEUE_REDIS_URL", "TIDEMARK_QUEUE_REDIS_URL_FILE")       # say what children are given as TIDEMARK_REDIS_URL
PATIENCE = 60.0             # seconds until a page that does not answer is reported


@dataclass
class Child:
    """One process of the tree, started again whenever it dies."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen | None = None
    deaths: list[float] = field(default_factory=list)
    not_before: float = 0.0

    @property
    def kind(self) -> str:
        return self.name.split("-")[0]

    def start(self) -> None:
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, **_own_session())

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def clean_up(self) -> None:
        """End the process group of a dead child, and schedule its restart."""
        assert self.process is not None
        now = time.monotonic()
        _print(f"{self.name} ended with {self.process.returncode}; starting it again. Log: {self.log}")
        _kill_group(self.process)
        self.process = None
        self.deaths = [at for at in self.deaths if at > now - TOO_OFTEN[1]] + [now]
        self.not_before = now + (0.0 if len(self.deaths) <= TOO_OFTEN[0] else 10.0)

    def terminate(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def wait_for_exit(self) -> None:
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE[self.kind])
        _kill_group(self.process)
        self.process.wait()


def _print(sentence: str) -> None:
    """Print to standard output; ignored where that is a file on a full disk."""
    with contextlib.suppress(OSError):
        print(sentence, flush=True)


def _own_session() -> dict:
    if sys.platform == "win32":
        return dict(creationflags=subprocess.CREATE_NEW_PROCESS_GROUP)
    return dict(start_new_session=True, preexec_fn=partial(_die_with, os.getpid()) if sys.platform == "linux" else None)


def _die_with(parent: int) -> None:
    """If this supervisor is killed outright, the kernel ends its children: nothing is orphaned."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != parent:      # killed before the line above
        os._exit(1)


def _kill_group(process: subprocess.Popen) -> None:
    if os.name == "nt":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class ProcessTree:
    """The process tree of one workspace."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.logs = settings.home / "logs"
        self.embedded = not settings.redis_url
        self.redis_url = redis_server.checked(settings.redis_url) if settings.redis_url else redis_server.url(settings.home)
        self.children: list[Child] = []

    def environment(self) -> dict[str, str]:
        """Environment of the children. Jobs share the cores, so libraries use one thread each, unless the environment sets otherwise."""
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        ours = dict(PYTHONPATH=str(ROOT), TIDEMARK_REDIS_URL=self.redis_url, PYTHONUNBUFFERED="1")
        inherited = {name: value for name, value in os.environ.items() if name not in QUEUE_VARIABLES}
        return {**single, **inherited, **ours}

    def child(self, name: str, command: Sequence[str]) -> Child:
        log = self.logs / f"{name}.log"
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_suffix(".old.log"))
        child_ = Child(name, command, self.environment(), log)
        self.children.append(child_)
        child_.start()
        return child_

    def start_queue(self) -> None:
        if self.embedded:
            redis_server.socket_path(self.settings.home).unlink(missing_ok=True)
            self.child("queue", redis_server.command(self.settings.home))
        if self.embedded and not redis_server.answers(self.redis_url, within=10.0):
            raise BadRequest(f"The embedded queue server did not start. Its log: {self.logs / 'queue.log'}")
        self.refuse_silent_queue()

    def refuse_silent_queue(self) -> None:
        if not redis_server.answers(self.redis_url, within=2.0):
            raise BadRequest(f"No queue server answers at {shown(self.redis_url)}: start it, or leave TIDEMARK_REDIS_URL empty for the embedded one")

    def start_rest(self, app: bool) -> None:
        if app:
            self.child("app", app_command(self.settings))
        count = self.settings.work.processes or os.cpu_count() or 1
        for number in range(1, count + 1):
            self.child(f"worker-{number}", [sys.executable, "-m", "worker.main"])
        self.child("scheduler", [sys.executable, "-m", "worker.schedule"])
        self.child("sessions", [sys.executable, "-m", "worker.sessions.main"])
        if self.settings.notify_urls:
            self.child("notifier", [sys.executable, "-m", "worker.notifier"])

    def restart_dead(self) -> None:
        for child in self.children:
            if child.has_died():
                child.clean_up()
            if child.process is None and time.monotonic() >= child.not_before:
                try:
                    if child.kind == "queue":
                        redis_server.socket_path(self.settings.home).unlink(missing_ok=True)
                    child.start()
                except OSError as error:        # no disk space for its log, for example: retried later
                    _print(f"{child.name} cannot be started: {error.strerror or error}. Trying again in {LATER:.0f} s")
                    child.not_before = time.monotonic() + LATER

    def stop(self) -> None:
        """Everything that uses the queue first, the queue last."""
        for group in (("app", "scheduler", "sessions", "notifier", "worker"), ("queue",)):
            leaving = [child for child in self.children if child.kind in group]
            for child in leaving:
                child.terminate()
            for child in leaving:
                child.wait_for_exit()


def app_command(settings: Settings) -> list[str]:
    options = {
        "--server.address": settings.app.host,
        "--server.port": str(settings.app.port),
        "--server.maxUploadSize": str(settings.data.max_import_mb),
    }
    words = [word for pair in options.items() for word in pair]
    return [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "server.py"), *words, *listening.flags()]


def shown(url: str) -> str:
    from worker.store.engine import hidden

    return hidden(url)


def free_port(host: str, port: int) -> None:
    """Refuse with a sentence before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        if error.errno in (98, 48, 10048):
            raise BadRequest(f"Port {port} on {host} is in use. Stop what uses it, or choose another: make run PORT={port + 1}") from None
        raise BadRequest(f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another: make run HOST=127.0.0.1 PORT=8501") from None


def lock_workspace(home: Path) -> object:
    """Create and lock the workspace; a second process tree in the same folder is refused."""
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
        close_off(home)
        lock = (home / "up.lock").open("a+")
    except OSError as error:
        raise BadRequest(f"The workspace {home} cannot be written: {error.strerror}. Name another folder in config.toml, [storage] home, or in TIDEMARK_STORAGE_HOME") from None
    if not _locked(lock):
        lock.seek(0)
        raise BadRequest(f"This workspace is in use already: {lock.read().strip() or home}. Open that page, or name another folder in TIDEMARK_STORAGE_HOME")
    return lock


def _locked(lock: object) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)      # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)      # type: ignore[arg-type]
    except OSError:
        return False
    return True


def migrated(settings: Settings) -> None:
    from worker.store.engine import make_engine
    from worker.store.migrate import reachable, upgrade

    engine = make_engine(settings.database_url)
    if why := reachable(engine):
        raise BadRequest(f"The database {shown(settings.database_url)} does not answer: {why}")
    upgrade(engine)
    engine.dispose()


def serving(settings: Settings) -> bool:
    """Whether the page answers."""
    from http.client import HTTPConnection, HTTPException

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.app.host, settings.app.host)
    try:
        connection = HTTPConnection(host, settings.app.port, timeout=2)
        connection.request("GET", "/api/health")
        return connection.getresponse().status in (200, 503)
    except (OSError, HTTPException):
        return False


def address(settings: Settings) -> str:
    host = f"[{settings.app.host}]" if ":" in settings.app.host else settings.app.host
    return f"http://{host}:{settings.app.port}"


PARTS = {"worker": "worker.main", "scheduler": "worker.schedule", "sessions": "worker.sessions.main", "notifier": "worker.notifier"}


def only(part: str) -> None:
    """Become one process of the tree, for a container that holds no other: the database is brought forward, and what it logs goes to its output. Returns nothing."""
    if part != "page" and part not in PARTS:
        raise unknown("part", part, ("page", *PARTS))
    settings = load()
    keep_private()
    refuse_unsafe(settings, app=part == "page")
    if not settings.redis_url:
        raise BadRequest("a part alone needs a queue server that the others see, too: set TIDEMARK_REDIS_URL=redis://host:6379/0")
    settings.home.mkdir(parents=True, exist_ok=True)
    prepare(settings, app=part == "page")
    system = ProcessTree(settings)
    system.refuse_silent_queue()
    command = app_command(settings) if part == "page" else [sys.executable, "-m", PARTS[part]]
    os.chdir(ROOT)
    os.execve(command[0], command, system.environment())


def refuse_unsafe(settings: Settings, app: bool) -> None:
    if app:
        listening.checked(settings, os.environ, Path.home())
    addresses_of(settings.audit.witnesses)
    channels_of(settings.notify_urls)


def prepare(settings: Settings, app: bool) -> None:
    """Before anything starts: the database at this version, the bucket there, and, of a page that others reach, who may sign in and why it is safe."""
    migrated(settings)
    Root.of(settings.frames_url).make()
    if app and settings.people.required:
        listening.administered(settings)
    if app and not settings.app.loopback:
        listening.record(settings)


def up(app: bool = True) -> int:
    """Start everything, keep it alive until SIGINT or SIGTERM, stop everything. Returns the exit status."""
    settings = load()
    keep_private()
    stop: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ())):
        signal.signal(number, lambda n, _: stop.append(n))
    refuse_unsafe(settings, app)
    lock = lock_workspace(settings.home)
    if app:
        free_port(settings.app.host, settings.app.port)
    _say(lock, f"{address(settings)}, process {os.getpid()}" if app else f"workers, process {os.getpid()}")
    system = ProcessTree(settings)
    try:
        prepare(settings, app)
        system.start_queue()
        system.start_rest(app)
        watch(system, app, stop)
        print("Stopping", flush=True)
    finally:
        system.stop()
    return 0


def watch(system: ProcessTree, app: bool, stop: Sequence[int]) -> None:
    """Restart dead children until a signal arrives; print the page's address once, or that it does not answer."""
    silent_until: float | None = time.monotonic() + PATIENCE if app else 0.0
    while not stop:
        system.restart_dead()
        if silent_until is not None:
            answers = app and serving(system.settings)
            if answers or time.monotonic() > silent_until:
                announce(system.settings, app, answers)
                silent_until = None
        time.sleep(0.2 if silent_until is None else 0.05)


def announce(settings: Settings, app: bool, answers: bool) -> None:
    if not app:
        print("Workers and scheduler are running. Ctrl-C stops them.", flush=True)
    elif answers:
        if not settings.app.loopback:
            print(listening.sentence(settings.app, settings.people), flush=True)
            print(f"It answers to {', '.join(sorted(settings.app.names))}; add other names to [app] hosts.", flush=True)
        _print(fingerprint(settings))
        print(f"Tidemark is at {address(settings)}  (Ctrl-C stops everything; logs in {settings.home / 'logs'})", flush=True)
    else:
        print(f"The page does not answer yet; its log: {settings.home / 'logs' / 'app.log'}", flush=True)


def fingerprint(settings: Settings) -> str:
    """The line by which a person notes the key of the audit trail elsewhere, from the first start on."""
    from worker.checkpoints.key_file import KeyFile

    try:
        chain = KeyFile(settings.home).chain()
    except (BadRequest, OSError):       # the scheduler says what is wrong with it
        chain = None
    return f"Fingerprint of the audit trail's key: {chain.current.fingerprint}" if chain else "The audit trail's key is not made yet; its fingerprint: tidemark audit key"


def _say(lock: object, what: str) -> None:
    lock.seek(0)            # type: ignore[attr-defined]
    lock.truncate()         # type: ignore[attr-defined]
    lock.write(what)        # type: ignore[attr-defined]
    lock.flush()            # type: ignore[attr-defined]
