"""Taking up a session: as it was stored, or before its first bar, with its feed from where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.errors import BadRequest
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.tape import TapeBar
from worker.sessions.feeds import Asked, source_of
from worker.sessions.work import Account, SessionWork, standing
from worker.settings import Settings
from worker.store import Store
from worker.store.sessions import SessionState, TradingSession


class Accounts(Protocol):
    """Makes the account of a session: ``domain.live.session.Session`` itself."""

    def start(self, plan: Plan, history: Iterable[TapeBar] = ...) -> Account: ...
    def restore(self, plan: Plan, stored: bytes, tape: Iterable[TapeBar], commands: Iterable[Any] = ...) -> Account: ...


@dataclass(frozen=True)
class Stored:
    """A session as the store has it, read at one moment."""

    session: TradingSession
    state: SessionState
    tape: Sequence[TapeBar]
    commands: Sequence[Command]

    @property
    def recovered(self) -> bool:
        """Whether it was worked on before."""
        return self.state.state is not None


def read(store: Store, name: str) -> Stored:
    with store.read() as unit:
        session, state = unit.sessions.get(name), unit.sessions.progress(name)
        if session is None or state is None:
            raise BadRequest(f"the session {name} is not in the database any more; restore it from a backup")
        commands = [Command(c.worked or 0, c.who, c.command, dict(c.arguments), c.reason) for c in unit.session_commands.taped(name)]
        return Stored(session, state, list(unit.session_tape.bars(name)), commands)


def open_session(store: Store, settings: Settings, accounts: Accounts, name: str, epoch: int) -> tuple[Stored, SessionWork]:
    """The session ready to go on. Raises what its plan, its bars or its feed have against it."""
    stored = read(store, name)
    plan, source = Plan.of(stored.session.plan), source_of(stored.session.source)
    asked = Asked(store, settings, plan, stored.session.source, standing(stored.state))
    history: Sequence[TapeBar] = ()
    if stored.state.state is not None:
        account = accounts.restore(plan, stored.state.state, stored.tape, stored.commands)
    else:
        history = source.history(asked)
        account = accounts.start(plan, history)
    tell = stored.session.source.get("feed") != "replay"
    work = SessionWork(name, account, source.open(asked), epoch, stored.state, tell)
    if not stored.recovered:
        work.begin(history)
    return stored, work
