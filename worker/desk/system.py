"""The system itself: active settings and their source, health, versions, the example."""

from __future__ import annotations

import os
import platform
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from domain.audit.record import is_hash
from domain.manifest import code_hash
from domain.params import params_of
from worker import evidence, example
from worker.desk.checkpoints import CheckpointsView
from worker.desk.context import DeskContext
from worker.desk.figures import Figures, figures
from worker.desk.health import Health
from worker.desk.live_health import live_health
from worker.listening import sentence
from worker.settings import SECRETS, SECTIONS, Settings
from worker.store import ALIVE, Process, guards
from worker.store.engine import hidden
from worker.store.examine import unreadable
from worker.store.migrate import current, head, reachable

SECRET = {name.rpartition(".")[2] for name in SECRETS}
PACKAGES = ("tidemark", "streamlit", "pandas", "numpy", "numba", "sqlalchemy", "dramatiq", "redis", "pyarrow", "altair", "torch", "lightgbm")
LOW_DISK = 2_000_000_000    # bytes
FULL_DISK = 20_000_000      # bytes; with less nothing can be stored


@dataclass(frozen=True)
class Setting:
    section: str
    key: str
    value: Any
    unit: str
    help: str
    origin: str         # default, config.toml, or the environment variable
    changed: bool


class System:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def settings(self) -> list[Setting]:
        """Every setting, the changed ones first."""
        rows = [_row(self._context.settings, section, param) for section, cls in SECTIONS.items() for param in params_of(cls)]
        rows += [_row(self._context.settings, "", param) for param in params_of(Settings)]
        return sorted(rows, key=lambda row: not row.changed)

    def health(self) -> list[Health]:
        why = reachable(self._context.store.engine)
        states = [Health("Database", "failed", f"The database does not answer: {why}.")] if why else [self._database(), *self._processes(), self._trail(), CheckpointsView(self._context).health(), *self._live()]
        return [*states[:1], self._queue(), *self._bucket(), *states[1:], self._disk()]

    def figures(self) -> Figures:
        """Queues, jobs, trail and sessions in numbers."""
        return figures(self._context)

    def listening(self) -> str:
        """For whom the page is, and why that is safe."""
        return sentence(self._context.settings.app, self._context.settings.people)

    def processes(self) -> list[Process]:
        with self._context.store.read() as unit:
            return unit.processes(ALIVE)

    def versions(self) -> dict[str, str]:
        return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}, "engine": code_hash()[:12], "schema": head()}

    def has_example(self) -> bool:
        """Is anything of the synthetic example left?"""
        with self._context.store.read() as unit:
            return any(dataset.example for dataset in unit.datasets.all()) or any(job.example and job.open for job in unit.jobs.latest())

    def remove_example(self) -> None:
        example.remove(self._context.store, self._context.user)

    def example_runs(self) -> tuple[str, str]:
        """The run on the regime-switching bars and the one on driftless GBM; "" where it is not there yet."""
        with self._context.store.read() as unit:
            runs = [run for run in unit.runs.latest("backtest") if run.example]
            models = {dataset.version: dataset.provenance.get("model") for dataset in unit.datasets.all()}
        by_model = {models.get(run.spec["datasets"][0]): run.id for run in runs}
        return by_model.get("regimes", ""), by_model.get("gbm", "")

    def _database(self) -> Health:
        began = time.perf_counter()
        with self._context.store.read() as unit:
            unit.now()
            revision = current(unit.connection)
        dialect = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[self._context.store.engine.dialect.name]
        took = (time.perf_counter() - began) * 1000
        return Health("Database", "well" if revision == head() else "failed", f"{dialect}, schema {revision}, response {took:.0f} ms" if took >= 1 else f"{dialect}, schema {revision}, response < 1 ms")

    def _live(self) -> list[Health]:
        with self._context.store.read() as unit:
            return live_health(unit)

    def _trail(self) -> Health:
        """What can be seen at a glance, and what the last verification found."""
        try:
            with self._context.store.read() as unit:
                rows, head = unit.trail.head()
                faults, last = guards.faults(unit.connection), evidence.last(unit.fact(evidence.FACT))
        except DBAPIError as error:
            return Health("Audit trail", "failed", unreadable(error) or "The audit trail cannot be read.")
        if not is_hash(head):
            faults = [f"Row {rows:,}, the last, holds no hash: no event can follow it.", *faults]
        if last and not last["holds"]:
            faults = [last["why"], *faults]
        if faults:
            return Health("Audit trail", "failed", " ".join(dict.fromkeys(faults[:3])))
        return Health("Audit trail", "well", f"{rows:,} events, {last['rows']:,} verified" if last else f"{rows:,} events, not verified yet")

    def _queue(self) -> Health:
        import redis

        url = self._context.settings.redis_url
        if not url:
            return Health("Queue", "warning", "No queue server is configured. Start Tidemark with `make run`, or set TIDEMARK_REDIS_URL.")
        client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
        try:
            server = client.info("server")
            name = server.get("server_name", "redis")
            return Health("Queue", "well", f"{name} {server.get(f'{name}_version', server.get('redis_version', ''))}, connected")
        except (redis.RedisError, OSError):
            return Health("Queue", "failed", "The queue server does not answer. Jobs stay queued in the database until it is back.")
        finally:
            client.close()

    def _bucket(self) -> list[Health]:
        """Of frames; nothing where they are in a folder."""
        frames = self._context.store.frames
        if frames.free() is not None or "://" not in frames.url or frames.url.startswith("file://"):
            return []
        why = frames.silent()
        return [Health("Bucket", "failed", f"The bucket of bars and curves does not answer: {why}.") if why else Health("Bucket", "well", f"{hidden(frames.url)}, connected")]

    def _processes(self) -> list[Health]:
        kinds = [process.kind for process in self.processes()]
        workers, wanted = kinds.count("worker"), self._context.settings.work.processes
        state = "failed" if not workers else "warning" if wanted and workers < wanted else "well"
        note = f"{workers} running" if workers else "None running: jobs are queued."
        scheduler = "running" if "scheduler" in kinds else "Not running: jobs of a crashed worker are not taken over."
        return [Health("Workers", state, note), Health("Scheduler", "well" if "scheduler" in kinds else "failed", scheduler)]

    def _disk(self) -> Health:
        home = self._context.settings.home
        if home.exists() and not _writable(home):
            return Health("Disk", "failed", "the workspace cannot be written: it is read-only, or belongs to another user")
        free = shutil.disk_usage(home if home.exists() else self._context.settings.folder).free
        return Health("Disk", "well" if free > LOW_DISK else "warning" if free > FULL_DISK else "failed", f"{free / 1e9:,.1f} GB free for the workspace")


def _row(settings: Settings, section: str, param: Any) -> Setting:
    value = getattr(getattr(settings, section) if section else settings, param.name)
    dotted = f"{section}.{param.name}" if section else param.name
    changed = value != param.default
    from_where = settings.origin.get(dotted, "default")
    return Setting(section, param.name, _shown(param.name, value), param.unit, param.help, from_where if changed or "environment" in from_where else "default", changed)


def _shown(name: str, value: Any) -> Any:
    """Addresses without their passwords."""
    return hidden(str(value)) if name in SECRET else value


def _writable(home: Path) -> bool:
    """Neither mounted read-only nor closed to this user; nor its database, where that lies there."""
    mounted = not hasattr(os, "statvfs") or not os.statvfs(home).f_flag & getattr(os, "ST_RDONLY", 1)
    return mounted and all(os.access(path, os.W_OK) for path in (home, home / "tidemark.db") if path.exists())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
