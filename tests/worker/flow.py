"""Queue server, scheduler and workers of one workspace, as real processes that a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.worker.kinds import waiting
from worker import redis_server
from worker.desk import Desk
from worker.settings import ROOT, load
from worker.store import Filter, Job, Store


class Flow:
    def __init__(self, home: Path, database_url: str, workers: int = 2, **work: object) -> None:
        self.workers, self.home, self.redis_url = workers, home, redis_server.url(home)
        ours = {"STORAGE_HOME": home, "DATABASE_URL": database_url, "REDIS_URL": self.redis_url, "EXAMPLE": "false", "APP_USER": "ana", **{f"WORK_{key.upper()}": value for key, value in work.items()}}
        self.settings_of = {f"TIDEMARK_{key}": str(value) for key, value in ours.items()}
        self.store = Store(database_url, str(home / "frames"))
        self.desk = Desk(self.store, load(environment=self.settings_of))
        self.processes: dict[str, subprocess.Popen] = {}

    # -- processes

    def start(self, name: str, *command: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TIDEMARK_")}
        with (self.home / f"{name}.log").open("ab") as sink:
            self.processes[name] = subprocess.Popen(command, cwd=ROOT, env={**environment, **self.settings_of, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)

    def start_queue(self) -> None:
        redis_server.socket_path(self.home).unlink(missing_ok=True)
        self.start("queue", *redis_server.command(self.home))
        assert redis_server.answers(self.redis_url, within=10), self.log("queue")

    def mend(self) -> None:
        """Every process that should be there, is."""
        if self.gone("queue"):
            self.start_queue()
        if self.gone("scheduler"):
            self.start("scheduler", sys.executable, "-m", "worker.schedule")
        for name in (f"worker-{number}" for number in range(self.workers)):
            if self.gone(name):
                self.start(name, sys.executable, "-m", "tests.worker.kinds")
        waiting(lambda: self.alive() >= {process.pid for name, process in self.processes.items() if name != "queue"}, 90, "a sign of life of everyone")

    def alive(self) -> set[int]:
        with self.store.read() as unit:
            return {process.pid for process in unit.processes(timedelta(seconds=8))}

    def gone(self, name: str) -> bool:
        return name not in self.processes or self.processes[name].poll() is not None

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait(10)

    def worker_of(self, job_id: str) -> str:
        """The worker that runs the job."""
        pid = int(self.row(job_id).owner.split(":")[1])
        return next(name for name, process in self.processes.items() if process.pid == pid)

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        _, left = psutil.wait_procs([psutil.Process(process.pid) for process in self.processes.values() if process.poll() is None], 30)
        for process in self.processes.values():
            process.kill()
            process.wait(10)
        self.store.close()
        assert not left, left

    # -- jobs

    def submit(self, kind: str, queue: str = "research", key: str = "", **spec: Any) -> str:
        """By the desk, as a page does it; what the job does is traced in a file of the workspace."""
        spec = {"trace": str(self.home / f"trace-{kind}"), **spec}
        return self.desk.jobs._context.submit(kind, kind, spec, queue=queue, key=key).job.id

    def row(self, job_id: str) -> Job:
        with self.store.read() as unit:
            return unit.jobs.get(job_id)

    def until(self, job_id: str, state: str, seconds: float) -> Job:
        return waiting(lambda: (job := self.row(job_id)).state == state and job, seconds, f"{state}: {self.row(job_id)}")

    def begun(self, job_id: str, steps: int = 1) -> Job:
        """Running, with so many steps behind it."""
        return waiting(lambda: (job := self.row(job_id)).state == "running" and (job.checkpoint or {}).get("done", 0) >= steps and job, 20, str(self.row(job_id)))

    def events(self, job_id: str) -> list[str]:
        with self.store.read() as unit:
            return [record.kind for record in unit.trail.all(Filter(entity=f"job:{job_id}"))]

    def effects(self, *job_ids: str) -> list[int]:
        with self.store.read() as unit:
            runs = [run.job_id for run in unit.runs.latest(limit=10_000)]
        return [runs.count(job_id) for job_id in job_ids]

    def traced(self, kind: str) -> list[list[str]]:
        return [line.split() for line in (self.home / f"trace-{kind}").read_text().splitlines()]

    def queue(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url)

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()


@contextmanager
def flow(home: Path, database_url: str, workers: int = 2, **work: object) -> Iterator[Flow]:
    flow_ = Flow(home, database_url, workers, **work)
    try:
        flow_.mend()
        yield flow_
    finally:
        flow_.stop()
