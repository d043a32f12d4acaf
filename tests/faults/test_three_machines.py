"""Three process trees with workspaces of their own, which share a database, a queue and a bucket only. One of them dies in the middle of a sweep."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from domain.audit import verify
from tests.worker.kinds import waiting
from worker import redis_server
from worker.desk import BacktestRequest, Desk
from worker.settings import ROOT, load
from worker.store import ALIVE, Store

pytestmark = pytest.mark.faults
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
GRID = {"lookback": list(range(10, 90, 2)), "stop_atr": [1.0, 1.5, 2.0, 2.5, 3.0], "target_r": [1.0, 1.5, 2.0, 2.5, 3.0]}
RULES = {"sizing": {"kind": "fraction_at_risk", "value": 0.005}}


class Machine:
    """One ``up --workers-only`` in a workspace of its own."""

    def __init__(self, home: Path, shared: dict[str, str]) -> None:
        home.mkdir(parents=True)
        self.home, self.settings_of = home, {"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_WORK_PROCESSES": "1", "TIDEMARK_EXAMPLE": "false", "TIDEMARK_APP_USER": "ana", **shared}
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TIDEMARK_")} | self.settings_of | {"PYTHONPATH": str(ROOT)}
        with (home / "up.log").open("ab") as sink:
            self.process = subprocess.Popen([sys.executable, "-m", "worker.cli", "up", "--workers-only"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)

    def pids(self) -> set[int]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return {self.process.pid, *(child.pid for child in psutil.Process(self.process.pid).children(recursive=True))}
        return set()

    def lose_power(self) -> None:
        """Every process of it at once, the one first that would start the others again."""
        tree = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        for process in tree:
            process.suspend()
        for process in tree:
            process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


@contextmanager
def machines(folder: Path, database: str, frames: str, count: int) -> Iterator[tuple[Desk, list[Machine]]]:
    """So many machines, and a desk as a page has it, with its own workspace too."""
    (folder / "queue").mkdir(parents=True)
    queue = subprocess.Popen(redis_server.command(folder / "queue"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shared = {"TIDEMARK_DATABASE_URL": database, "TIDEMARK_REDIS_URL": redis_server.url(folder / "queue"), "TIDEMARK_STORAGE_FRAMES_URL": frames}
    started: list[Machine] = []
    store = Store(database, frames)
    try:
        assert redis_server.answers(shared["TIDEMARK_REDIS_URL"], within=10)
        started += [Machine(folder / f"machine-{number}", shared) for number in range(count)]
        desk = Desk(store, load(environment={"TIDEMARK_STORAGE_HOME": str(folder / "page"), "TIDEMARK_APP_USER": "ana", **shared}))
        waiting(lambda: workers(store) == count, 120, "a sign of life of every worker")
        yield desk, started
    finally:
        for machine in started:
            machine.stop()
        store.close()
        queue.terminate()
        queue.wait(10)


def workers(store: Store) -> int:
    with store.read() as unit:
        return sum(process.kind == "worker" for process in unit.processes(ALIVE))


def ended(desk: Desk, job_id: str):
    job = waiting(lambda: (row := desk.jobs.get(job_id)) and not row.open and row, 240, f"the end of {job_id}")
    assert job.state == "done", job.error
    return job


def swept(desk: Desk, meanwhile=lambda job_id: None):
    """The run of a sweep on synthetic bars that a job made."""
    bars = ended(desk, desk.data.generate("regimes", {}, "EURUSD", "M5", START, END, 3).job.id)
    request = BacktestRequest("breakout", {}, [bars.result["dataset"]], "M5", START, END, RULES)
    job_id = desk.sweeps.submit_sweep(request, GRID).job.id
    meanwhile(job_id)
    return desk.sweeps.get(ended(desk, job_id).result["run"])


def owner_of(desk: Desk, started: list[Machine], job_id: str) -> Machine:
    owner = desk.jobs.get(job_id).owner
    return next(machine for machine in started if owner and int(owner.split(":")[1]) in machine.pids())


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
def test_a_machine_that_dies_in_a_sweep_changes_no_byte_of_its_result(database, postgres_server, tmp_path, record_property):
    """The machine that dies is the one that puts the parts together."""
    with postgres_server.database(migrated=True) as alone, machines(tmp_path / "alone", alone, str(tmp_path / "alone-frames"), 1) as (desk, _):
        one = swept(desk)
    record_property("combinations", one.summary["combinations"])

    def one_dies(job_id: str) -> None:
        def under_way() -> bool:
            with desk.jobs._context.store.read() as unit:
                left, done, _ = unit.chunks.counts(job_id)
                holders = {chunk.holder for chunk in unit.chunks.all(job_id) if chunk.holder}
            return done > 0 and left > 3 and len(holders) > 1

        waiting(under_way, 120, "two machines at work on it")
        owner_of(desk, started, job_id).lose_power()

    with machines(tmp_path / "three", database, f"file://{tmp_path / 'bucket'}", 3) as (desk, started):
        three = swept(desk, one_dies)
        assert desk.jobs.get(three.job_id).epoch > 1, "another machine took it over"
        with desk.jobs._context.store.read() as unit:
            assert verify(list(unit.trail.all()), unit.trail.root(), unit.trail.head()[0]).holds
            assert len(unit.trials.rows(job_id=three.job_id)) == one.summary["combinations"], "each combination is one trial"
        assert three.frames == one.frames, "names are hashes of the content"
        for name in three.frames.values():
            paths = [next(folder.rglob(f"{name}.parquet")) for folder in (tmp_path / "alone-frames", tmp_path / "bucket")]
            assert paths[0].read_bytes() == paths[1].read_bytes()
        assert {key: three.summary[key] for key in one.summary} == one.summary
        assert not any((machine.home / "frames").exists() for machine in started), "no machine keeps anything that the others need"
