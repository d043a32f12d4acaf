"""One-time compilation of the engine on a machine: the jobs that do it, and the jobs that wait for them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.compiled_folder import folder_of, is_compiled
from worker.settings import Settings
from worker.store import Store, Unit

if TYPE_CHECKING:
    from worker.desk import Desk

PACKAGES = {"compile": "backtest", "compile_features": "features"}          # kind of job -> what it compiles
TITLES = {"compile": "Compile the engine", "compile_features": "Compile the features"}
LOOK_AGAIN = timedelta(seconds=1)


def start_where_missing(store: Store, settings: Settings) -> list[str]:
    """As ``start``, once, when the scheduler starts. The desk takes half a second of processor time to load: not where all is compiled."""
    if all(map(is_compiled, PACKAGES.values())):
        return []
    from worker.desk import Desk

    return start(Desk(store, settings, "tidemark"))


def start(desk: Desk) -> list[str]:
    """Submit a compile job for each package not yet compiled on this machine; returns their ids."""
    compiling = {job.kind for job in desk.jobs.latest(tuple(PACKAGES), ("queued", "running"))}
    missing = [kind for kind, package in PACKAGES.items() if kind not in compiling and not is_compiled(package)]
    at = desk.jobs.now().isoformat()
    return [desk.jobs.submit_system(kind, TITLES[kind], key=f"{kind}:{folder_of(PACKAGES[kind]).name}:{at}") for kind in missing]


def wait_for(unit: Unit, job_id: str, after: str) -> bool:
    """Postpone the job while a worker compiles what it needs; returns whether it was postponed."""
    if not after:
        return False
    compiling = next(iter(unit.jobs.latest(("running",), (after,))), None)
    if compiling is None:
        return False
    left = compiling.note.rpartition(", ")[2]
    what = "engine" if after == "compile" else "features"
    unit.jobs.hold(job_id, unit.now() + LOOK_AGAIN, f"Waiting for the {what} to compile" + (f", {left}" if left.endswith(" left") else ""))
    return True
