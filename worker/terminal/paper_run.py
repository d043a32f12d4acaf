"""A session in the foreground: its runner in this process, until the session is over or Ctrl-C."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import Any

from domain.errors import BadRequest
from worker.sessions.claiming import AWAY

LOOK_EVERY = 0.1        # seconds
ASK_EVERY = 50          # looks between two questions who else may work on a session that is not this runner's yet


@dataclass
class Foreground:
    """The thread of a runner, and the error that ended it."""

    runner: Any
    stopping: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name="session")
        self.thread.start()

    def _run(self) -> None:
        try:
            self.runner.run(self.stopping)
        except BaseException as error:      # it is raised again where the terminal waits
            self.error = error

    def leave(self) -> None:
        self.stopping.set()
        self.thread.join()
        if self.error:
            raise self.error


def work(at: Any, name: str, quiet: bool) -> Any:
    """Work on the session here until it is over; as it ended. One that failed is refused with its sentence."""
    from worker.notifications.beside import sending

    store = at.paper.store
    refuse_in_use(store, name)
    with sending(store, at.settings):
        session = _worked(at, name, quiet)
    if session.state == "error":
        raise BadRequest(f"the session {name} failed: {session.note.rstrip('.')}. Go on with: tidemark paper resume {name}")
    return session


def _worked(at: Any, name: str, quiet: bool) -> Any:
    from worker.memory import keep_objects
    from worker.sessions.accounts import LiveAccounts
    from worker.sessions.runner import Runner
    from worker.sessions.waking import woken

    store = at.paper.store
    foreground = Foreground(Runner(store, at.settings, LiveAccounts(), only=name, stay=keep_objects))
    try:
        with woken(at.settings, foreground.runner.wake):
            return _until_over(store, foreground, name, quiet)
    finally:
        foreground.leave()


def _until_over(store: Any, foreground: Foreground, name: str, quiet: bool) -> Any:
    """The session once it is over. While the database is away this waits, as the runner does."""
    shows, looks, session = not quiet and sys.stderr.isatty(), 0, None
    while foreground.thread.is_alive() and not (session and session.ended):
        foreground.thread.join(LOOK_EVERY)
        looks += 1
        try:
            session, line = _seen(store, name)
            if looks % ASK_EVERY == 0 and name not in foreground.runner.held:
                refuse_in_use(store, name)
        except AWAY:
            line = ""
        if shows:
            print(f"\r{line} {foreground.runner.away[:60]:<60}", end="", file=sys.stderr)
    if shows:
        print(file=sys.stderr)
    return session


def _seen(store: Any, name: str) -> tuple[Any, str]:
    """The session, and how it is."""
    with store.read() as unit:
        session, state = unit.sessions.get(name), unit.sessions.progress(name)
    return session, f"{state.bars:,} bars, equity {float(state.view.get('equity') or 0):,.2f}"


def refused_commands(store: Any, name: str) -> list[str]:
    """Of each command that the session refused a line which says why."""
    with store.read() as unit:
        return [f"refused  {each.command} of {each.who}: {each.answer}" for each in unit.session_commands.all(name) if each.answer]


def refuse_in_use(store: Any, name: str) -> None:
    """Raises BadRequest where a process that lives works on the session."""
    from worker.owner import OWNER, gone
    from worker.store.sessions import lease_of

    with store.read() as unit:
        lease = unit.leases.get(lease_of(name))
    if lease and lease.owner and lease.owner != OWNER and not gone(lease.owner):
        raise BadRequest(f"the session {name} is in use by the process {lease.owner.split(':')[1]} on {lease.owner.split(':')[0]}; stop it there first, or wait until it is over")
