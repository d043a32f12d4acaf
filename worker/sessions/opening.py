"""Taking up a session: as it was stored, or before its first bar, with its feed from where it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from domain.errors import BadRequest
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.seen import Tape
from domain.live.tape import TapeBar
from worker.instrument_table import settings_as_of
from worker.sessions.broker_held_by import Held
from worker.sessions.broker_seen import BrokerWatch
from worker.sessions.broker_watch import watch_of
from worker.sessions.feed_source import source_of
from worker.sessions.feeds import FeedRequest
from worker.sessions.floor_watch import floors_of, standings
from worker.sessions.inputs import plan_of
from worker.sessions.losses import LossWatch
from worker.sessions.replay_feed import SessionFeed
from worker.sessions.work import Account, SessionWork, standing
from worker.settings import Settings
from worker.store import Store
from worker.store.session_commands import StoredCommand
from worker.store.sessions import SessionState, TradingSession

if TYPE_CHECKING:
    from domain.live.broker_session import BrokerSession
    from worker.sessions.broker_side import BrokerSide

Booked = Callable[[str], Sequence[Mapping[str, Any]]]        # kind of output -> its rows, as they were booked


class Accounts(Protocol):
    """Makes the account of a session."""

    def start(self, plan: Plan, history: Iterable[TapeBar], tape: Tape) -> Account: ...
    def at_broker(self, name: str, plan: Plan, stored: bytes | None, kept: Mapping[str, Any], history: Iterable[TapeBar], tape: Tape, commands: Sequence[Command], booked: Booked) -> BrokerSession: ...
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


def open_session(store: Store, settings: Settings, accounts: Accounts, name: str, epoch: int, refusal: Callable[[str], str] = lambda name: "", monotonic: Callable[[], float] = time.monotonic) -> tuple[Stored, SessionWork]:
    """The session ready to go on. Raises what its plan, its bars or its feed have against it. ``refusal``: the kill switch, looked at before every order at a broker."""
    stored = read(store, name)
    settings = settings_as_of(store, settings, stored.session.created_at)
    plan = plan_of(store, settings.instruments_file, stored.session.plan, stored.session.source)
    source = source_of(stored.session.source)
    request = FeedRequest(store, settings, plan, stored.session.source, standing(stored.state))
    history: Sequence[TapeBar] = ()
    tape = partial(taped, store, name)
    view = stored.state.view
    at_broker = stored.session.broker != "paper"
    floors = floors_of(name, plan, stored.session.source, view, lambda: standings(booked(store, name, "broker")) if at_broker else booked(store, name, "equity"))
    losses = LossWatch(name, plan, view.get("losses", ()), None if at_broker else floors)
    if not stored.recovered:
        history = source.history(request)
    broker: BrokerSide | None = None
    if at_broker:
        held = Held(store, settings, name, stored.session.broker, epoch, refusal, monotonic)
        watch = watch_of(name, plan, view.get("broker_watch", {}), floors)
        account, feed, broker = _at_broker(held, accounts, plan, stored, history, tape, partial(booked, store, name), partial(source.open, request), watch)
    else:
        account, feed = _on_paper(accounts, plan, stored, history, tape, partial(booked, store, name)), source.open(request)
    work = SessionWork(name, account, feed, epoch, stored.state, losses, broker)
    work.ask(stored.waiting)            # before the first instant: one of them may be due after it
    if not stored.recovered:
        work.begin(history)
    return stored, work


def _on_paper(accounts: Accounts, plan: Plan, stored: Stored, history: Sequence[TapeBar], tape: Tape, booked: Booked) -> Account:
    if stored.state.state is None:
        return accounts.start(plan, history, tape)
    return accounts.restore(plan, stored.state.state, tape, stored.commands, booked)


def _at_broker(
    held: Held, accounts: Accounts, plan: Plan, stored: Stored, history: Sequence[TapeBar], tape: Tape, booked: Booked, open_feed: Callable[[], SessionFeed], watch: BrokerWatch,
) -> tuple[Account, SessionFeed, BrokerSide]:  # fmt: skip
    """One whose fills are a broker's, with its feed and the line to it, which is not open yet."""
    from worker.sessions.broker_side import side_of

    state = stored.state
    account = accounts.at_broker(held.name, plan, state.state, state.broker or {}, history, tape, stored.commands, booked)
    feed = open_feed()
    return account, feed, side_of(held, plan, account, feed, watch)
