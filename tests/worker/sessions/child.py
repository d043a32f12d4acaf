"""A process that runs the session gold, to be killed: ``python -m tests.worker.sessions.child``."""

from __future__ import annotations

import os
import threading

from tests.worker.sessions.conftest import Handed
from tests.worker.sessions.double import Double
from worker.sessions import feeds, runner
from worker.settings import load
from worker.store import Store

if __name__ == "__main__":
    home, database = os.environ["HOME_FOLDER"], os.environ["DATABASE"]
    settings = load(environment={"TIDEMARK_STORAGE_HOME": home, "TIDEMARK_DATABASE_URL": database})
    feeds.SOURCES["handed"] = Handed(int(os.environ["MINUTES"]), eager=False)
    runner.Runner(Store(database, f"{home}/frames"), settings, Double, only="gold").run(threading.Event())
