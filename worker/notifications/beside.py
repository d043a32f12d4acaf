"""The sending process beside a command in the foreground, where channels are set: it ends with the command, after what is due has gone out."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from worker.notifications.channels import channels_of
from worker.notifications.sender import A_MINUTE, MINUTE
from worker.settings import ROOT, Settings
from worker.store import Store

BESIDE = "--beside"     # end with the process that started this one
LAST = 10.0             # seconds for what is due when the command is over


@contextmanager
def sending(store: Store, settings: Settings) -> Iterator[None]:
    """While the block runs, and at most ten seconds more; what is not sent then waits for the next start."""
    names = [channel.name for channel in channels_of(settings.notify_urls)]
    if not names:
        yield
        return
    command = [sys.executable, "-m", "worker.notifier", BESIDE]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield
        _wait(store, names, process)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(3.0)
        process.kill()
        process.wait()


def _wait(store: Store, names: list[str], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LAST
    while time.monotonic() < end and process.poll() is None:
        with store.read() as unit:
            now = unit.now()
            if not any(unit.message_sends.calls_since(name, now - MINUTE) < A_MINUTE and (unit.message_sends.news(name) or unit.message_sends.due(name, now)) for name in names):
                return
        time.sleep(0.1)
