"""``python -m worker.alive KIND``: exit status 0 where a process of that kind on this machine gave a sign of life lately; the health check of a container."""

from __future__ import annotations

import socket
import sys

from worker.main import run_process
from worker.opened import open_store
from worker.settings import Settings
from worker.store import ALIVE, Store


def alive(store: Store, kind: str, host: str) -> bool:
    with store.read() as unit:
        return any((process.kind, process.host) == (kind, host) for process in unit.processes(ALIVE))


def serve(settings: Settings) -> None:
    store = open_store(settings)
    well = alive(store, sys.argv[1], socket.gethostname())
    store.close()
    if not well:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(run_process(serve))
