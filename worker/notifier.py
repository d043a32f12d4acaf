"""The process that sends messages: a thread a channel, so that one that hangs keeps nobody waiting, least of all a session."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading

from sqlalchemy.exc import SQLAlchemyError

from domain.errors import BadRequest
from worker.checkpoints.holder import Holder
from worker.checkpoints.key_file import KeyFile
from worker.main import heartbeat, open_store, run_process, stop_event, wait_until_set
from worker.notifications.apprise_channel import connect
from worker.notifications.beside import BESIDE
from worker.notifications.channels import VARIABLE, Channel, channels_of
from worker.notifications.sender import Sender
from worker.owner import OWNER
from worker.schedule import Clock, tick
from worker.settings import Settings
from worker.store import Store, Unit

STEP_EVERY = 1.0        # seconds
BEATS = 3               # of a lease while it lasts
log = logging.getLogger("notifications")


def serve(settings: Settings, beside: bool = False) -> None:
    """Until a signal, or the end of the process that it stands beside: each channel's sender every second, while this process holds the channel's lease."""
    stopping, store, parent = stop_event(), open_store(settings), os.getppid()
    over, held = threading.Event(), Clock()
    if beside:
        held.every(STEP_EVERY, "parent", lambda: None if os.getppid() == parent else stopping.set())
    clocks = [held, *(clock_of(store, settings, channel) for channel in channels_of(settings.notify_urls))]
    for clock in clocks:
        threading.Thread(target=tick, args=(clock, over), daemon=True).start()
    with heartbeat(store, "notifier", settings.work.lease / BEATS, beat):
        wait_until_set(stopping)
        over.set()
    with contextlib.suppress(SQLAlchemyError):      # the database does not answer: the leases are freed once this process is seen to be gone
        release(store)


def clock_of(store: Store, settings: Settings, channel: Channel) -> Clock:
    """One channel's work. An address that apprise does not know is reported once, and left out."""
    clock = Clock()
    try:
        sender = Sender(store, channel, connect(channel), lambda: fingerprint(settings))
    except BadRequest as error:
        log.error("%s", error)
        return clock
    holder = Holder(store, lease=lease_of(channel))
    clock.every(STEP_EVERY, channel.name, lambda: holder.holds() and sender.step())
    return clock


def lease_of(channel: Channel) -> str:
    return f"notify:{channel.name}"


def beat(unit: Unit) -> None:
    """The leases of all channels, also of one that hangs: in one transaction with the process's own sign of life, for each is a write that others may wait for."""
    unit.leases.beat_all(OWNER)


def release(store: Store) -> None:
    with store.unit() as unit:
        for lease in unit.leases.owned():
            if lease.owner == OWNER:
                unit.leases.release(lease.name, lease.epoch)


def fingerprint(settings: Settings) -> str:
    """Of the trail's key; empty while there is none."""
    try:
        chain = KeyFile(settings.home).chain()
    except (BadRequest, OSError):       # the scheduler says what is wrong with it
        return ""
    return chain.current.fingerprint if chain else ""


def main() -> int:
    return run_process(_serve_channels)


def _serve_channels(settings: Settings) -> None:
    if not channels_of(settings.notify_urls):
        raise BadRequest(f"no channel is set; write its address in {VARIABLE}, such as warning:json://host/path")
    serve(settings, BESIDE in sys.argv)


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main())        # a channel that hangs keeps a thread: it is not waited for
