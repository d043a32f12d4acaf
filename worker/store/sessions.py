"""Trading sessions as they were requested, and how far each is. Who may write is decided by a lease (``lease_of``) and its fencing token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.hidden import shown
from worker.store.engine import insert
from worker.store.many import Many
from worker.store.schema import leases, session_states, sessions

OPEN = ("ready", "running")         # states in which a runner works on it
ENDED = ("stopped", "finished", "error")


@dataclass(frozen=True)
class TradingSession:
    """``plan`` as ``domain.live`` reads it; ``source`` as ``worker.sessions.feeds`` does. ``state``: ready, running, stopped, finished, error; ``note`` says why."""

    name: str
    plan: Mapping[str, Any]
    source: Mapping[str, Any]
    broker: str
    mode: str
    state: str
    note: str
    actor: str
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class SessionState:
    """How far a session is: ``commits`` so far, ``ts`` the last instant worked (ns UTC, 0 before the first), ``bars`` rows of its tape. ``opened``: series to ``[ts, open, spread, end]``. ``rows``: outputs so far of each kind. ``view``: what is shown of it
    as of its last instant; ``feed``: how its feed is, now and then between instants; ``broker``: what it has at its broker."""

    session: str
    commits: int
    ts: int
    bars: int
    state: bytes | None
    opened: Mapping[str, Sequence[Any]]
    rows: Mapping[str, int]
    view: Mapping[str, Any]
    feed: Mapping[str, Any]
    at: datetime
    broker: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Held:
    """A session to be worked on. ``owner``: who holds its lease, None where nobody does. ``foreground``: it belongs to a terminal, no worker takes it."""

    name: str
    foreground: bool
    owner: str | None
    epoch: int
    beats: int


class Sessions:
    """Rows of one unit of work.

    >>> lease_of("gold")
    'session:gold'
    """

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def create(self, session: TradingSession) -> bool:
        """False where the name is taken, and nothing is written."""
        written = insert(self._c, sessions).values(**session.__dict__).on_conflict_do_nothing().returning(sessions.c.name)
        if self._c.scalar(written) is None:
            return False
        begun = dict(session=session.name, commits=0, ts=0, bars=0, state=None, opened={}, rows={}, view={}, feed={}, broker={}, at=session.created_at)
        self._c.execute(sa.insert(session_states).values(**begun))
        return True

    def get(self, name: str) -> TradingSession | None:
        row = self._c.execute(select(sessions).where(sessions.c.name == name)).mappings().one_or_none()
        return TradingSession(**row) if row else None

    def all(self, states: Sequence[str] = ()) -> list[TradingSession]:
        """Oldest first; those in ``states`` only, where some are given."""
        query = select(sessions).order_by(sessions.c.created_at, sessions.c.name)
        return [TradingSession(**row) for row in self._c.execute(query.where(sessions.c.state.in_(states)) if states else query).mappings()]

    def to_work(self, besides: str = "") -> list[Held]:
        """Sessions to be worked on, oldest first, with who holds each; without those that ``besides`` holds."""
        held = sa.outerjoin(sessions, leases, leases.c.name == sa.literal("session:") + sessions.c.name)
        query = select(sessions.c.name, sessions.c.source, leases.c.owner, leases.c.epoch, leases.c.beats).select_from(held)
        others = sa.or_(leases.c.owner.is_(None), leases.c.owner != besides)
        rows = self._c.execute(query.where(sessions.c.state.in_(OPEN), others).order_by(sessions.c.created_at, sessions.c.name))
        return [Held(name, bool(source.get("foreground")), owner, epoch or 0, beats or 0) for name, source, owner, epoch, beats in rows]

    def held_by(self, owner: str) -> int:
        """How many sessions a runner holds."""
        which = sa.and_(leases.c.owner == owner, leases.c.name.startswith(lease_of("")))
        return self._c.scalar(select(sa.func.count()).select_from(leases).where(which)) or 0

    def frames(self) -> set[str]:
        """Names of the stored tables that sessions read: bars that are replayed, and what there is beside them."""
        sources = self._c.scalars(select(sessions.c.source)).all()
        return {name for source in sources for name in (*source.get("frames", {}).values(), *(each["frame"] for each in source.get("inputs", ())))}

    def show(self, name: str, feed: Mapping[str, Any]) -> None:
        self.show_all({name: dict(feed)})

    def show_all(self, feeds: Mapping[str, Mapping[str, Any]]) -> None:
        """How the feeds of sessions are, between two instants."""
        FEEDS.execute(self._c, list(feeds.items()))

    def enter(self, name: str, state: str, note: str = "", ended_at: datetime | None = None) -> bool:
        """Into another state; False where it is in that state for that reason already."""
        note = shown(note)
        changed = sa.or_(sessions.c.state != state, sessions.c.note != note)
        values = dict(state=state, note=note, ended_at=ended_at)
        return self._c.execute(sa.update(sessions).where(sessions.c.name == name, changed).values(**values)).rowcount > 0

    def progress(self, name: str) -> SessionState | None:
        row = self._c.execute(select(session_states).where(session_states.c.session == name)).mappings().one_or_none()
        return SessionState(**row) if row else None

    def lock(self, name: str) -> bool:
        """Until this unit commits nobody else numbers commands of the session. On SQLite there is one writer at a time anyway."""
        return self._c.scalar(select(sessions.c.name).where(sessions.c.name == name).with_for_update()) is not None


def lease_of(name: str) -> str:
    """The name of the lease that its runner holds."""
    return f"session:{name}"


def _feed_shown(_: Connection) -> Any:
    return sa.update(session_states).where(session_states.c.session == sa.bindparam("of")).values(feed=sa.bindparam("shown", type_=session_states.c.feed.type))


FEEDS = Many(_feed_shown, ("of", "shown"))
