"""Taking up a session: as it was stored, or before its first bar, with its feed from where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from domain.errors import BadRequest
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.seen import Tape
from domain.live.tape import TapeBar
from worker.sessions.feed_source import source_of
from worker.sessions.feeds import Asked
from worker.sessions.floor_watch import floors_of
from worker.sessions.inputs import plan_of
from worker.sessions.losses import LossWatch
from worker.sessions.work import Account, SessionWork, standing
from worker.settings import Settings
from worker.store import Store
from worker.store.session_commands import StoredCommand
from worker.store.sessions import SessionState, TradingSession

Booked = Callable[[str], Sequence[Mapping[str, Any]]]        # kind of output -> its rows, as they were booked


class Accounts(Protocol):
    """Makes the account of a session."""

    def start(self, plan: Plan, history: Iterable[TapeBar], tape: Tape) -> Account: ...
    def restore(self, plan: Plan, stored: bytes, tape: Tape, commands: Sequence[Command], booked: Booked) -> Account: ...


@dataclass(frozen=True)
class Stored:
    """A session as the store has it, read at one moment. ``waiting``: commands that are not worked yet."""

    session: TradingSession
    state: SessionState
    commands: Sequence[Command]
    waiting: Sequence[StoredCommand] = ()

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
        return Stored(session, state, commands, [each for each in unit.session_commands.all(name) if each.worked is None])


def taped(store: Store, name: str, series: str) -> list[TapeBar]:
    """The bars of a series that have been stored, in order."""
    with store.read() as unit:
        return list(unit.session_tape.bars(name, series=series))


def booked(store: Store, name: str, kind: str) -> list[Mapping[str, Any]]:
    with store.read() as unit:
        return [output.row for output in unit.session_tape.rows(name, kind)]


def open_session(store: Store, settings: Settings, accounts: Accounts, name: str, epoch: int) -> tuple[Stored, SessionWork]:
    """The session ready to go on. Raises what its plan, its bars or its feed have against it."""
    stored = read(store, name)
    plan = plan_of(store, settings.instruments_file, stored.session.plan, stored.session.source)
    source = source_of(stored.session.source)
    asked = Asked(store, settings, plan, stored.session.source, standing(stored.state))
    history: Sequence[TapeBar] = ()
    tape = partial(taped, store, name)
    if stored.state.state is not None:
        account = accounts.restore(plan, stored.state.state, tape, stored.commands, partial(booked, store, name))
    else:
        history = source.history(asked)
        account = accounts.start(plan, history, tape)
    view = stored.state.view
    losses = LossWatch(name, plan, view.get("losses", ()), floors_of(name, plan, stored.session.source, view, partial(booked, store, name)))
    work = SessionWork(name, account, source.open(asked), epoch, stored.state, losses)
    work.ask(stored.waiting)            # before the first instant: one of them may be due after it
    if not stored.recovered:
        work.begin(history)
    return stored, work
