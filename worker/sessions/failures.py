"""An error that stops one session: its state, its audit event, its message."""

from __future__ import annotations

import logging
import secrets
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path

from domain.errors import TidemarkError
from worker.sessions.events import ACTOR
from worker.settings import ROOT
from worker.store import Unit
from worker.store.messages import Message
from worker.store.session_asking import entity
from worker.store.sessions import lease_of
from worker.trouble import redacted

log = logging.getLogger("sessions")
STRATEGIES = ROOT / "domain" / "strategies"     # where people's own strategies stand beside the built-in ones
LIBRARIES = Path(sysconfig.get_paths()["purelib"])


@dataclass(frozen=True)
class Failed:
    """A session that an error stopped. ``error``: the id under which the log has the details."""

    session: str
    epoch: int
    sentence: str
    error: str


def failure(session: str, epoch: int, error: Exception) -> Failed:
    """What is shown of an error: its sentence where it was raised on purpose, else the file and line of a strategy that raised it, and where the details are."""
    error_id, meant = secrets.token_hex(3), isinstance(error, TidemarkError)
    log.error("error %s in session %s: %s", error_id, session, error, exc_info=None if meant else error)
    sentence = str(error) if meant else f"{_raised(error)}The details are in the log."
    return Failed(session, epoch, sentence, error_id)


def _raised(error: Exception) -> str:
    """Where a strategy, or any file beside the program's own, raised an error: that is what a person can mend.

    >>> _raised(ZeroDivisionError("division by zero"))
    'Internal error. '
    """
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    of_a_person = [(path.name, line) for path, line in frames if path.parent == STRATEGIES or not ({ROOT, LIBRARIES} & set(path.parents) or "<" in path.name)]
    if not of_a_person:
        return "Internal error. "
    name, line = of_a_person[-1]
    message = redacted(str(error)).strip().rstrip(".")
    return f"In {name}, line {line}: {type(error).__name__}{f', {message}' if message else ''}. "


def record(unit: Unit, failed: Failed) -> None:
    """Nothing where another runner holds the session by now."""
    if unit.session_commits.hold(failed.session, failed.epoch) and unit.sessions.enter(failed.session, "error", failed.sentence, unit.now()):
        unit.audit(ACTOR, "session_failed", entity(failed.session), sentence=failed.sentence, error=failed.error)
        sentence = f"{failed.session} stopped with an error: {failed.sentence}"
        unit.messages.write([Message(f"{failed.session}:error:{failed.error}", "critical", sentence, failed.session)], unit.now())
    unit.leases.release(lease_of(failed.session), failed.epoch)
