"""Which sessions a runner takes, and how: each under a lease, opened as it was stored, and begun in the transaction that says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from domain.errors import SourceUnavailable
from worker.leases import Watch
from worker.owner import gone
from worker.sessions.events import ACTOR
from worker.sessions.opening import Accounts, open_session
from worker.sessions.work import SessionWork
from worker.settings import Settings
from worker.store import Store, Unit
from worker.store.append import TrailBroken
from worker.store.leases import Lease
from worker.store.messages import Message
from worker.store.session_asking import entity
from worker.store.sessions import Held, lease_of

LEASE = 5.0                 # seconds, at most, without a sign of life after which a session is taken: who comes back later is fenced off
AWAY = (OperationalError, InterfaceError, OSError, TrailBroken)      # while the database or its disk is away
Opened = tuple[SessionWork, bool]       # and whether it was worked on before
Fail = Callable[[str, int, Exception], None]


class Claiming:
    """``only``: the one session of a terminal in the foreground; else what is free, up to the share of each runner. ``refusal``: the kill switch;
    ``fail``: what becomes of a session that cannot be opened, which stops no other one."""

    def __init__(self, store: Store, settings: Settings, accounts: Accounts, owner: str, only: str, clock: Callable[[], float], refusal: Callable[[str], str], fail: Fail) -> None:
        self._store, self._settings, self._accounts = store, settings, accounts
        self._owner, self._only, self._clock, self._refusal, self._fail = owner, only, clock, refusal, fail
        self._leases = Watch(min(settings.work.lease, LEASE), clock)

    def free(self, held: Mapping[str, SessionWork]) -> list[Held]:
        """The share of sessions that nobody holds, and all whose holder's process has ended or is silent for the length of a lease: while it counts as
        a runner still, they are nobody's share."""
        with self._store.read() as unit:
            all_known = unit.sessions.held_by(self._owner) == len(held)        # else some were taken, and the database went away
            others = [each for each in unit.sessions.to_work(self._owner if all_known else "") if self._mine(each) and each.name not in held]
            silent = self._leases.silent({each.name: (each.epoch, each.beats) for each in others if each.owner is not None})
            left = [each for each in others if self._is_left(each, silent)]
            free = [each for each in others if each.owner is None]
            most = self._share(unit, len(others) + len(held)) - len(held)
        return [*left, *free[: max(most - len(left), 0)]]

    def take(self, sessions: Sequence[Held]) -> tuple[list[Opened], list[SessionWork]]:
        """All that were opened, and those of them that have begun."""
        with self._store.unit() as unit:
            leases = {each.name: self._lease(unit, each) for each in sessions}
        opened: list[Opened] = []
        try:
            opened.extend(each for name, lease in leases.items() if lease and (each := self._open(name, lease.epoch)))
            with self._store.unit() as unit:
                begun = [work for work, recovered in opened if self._begun(unit, work, recovered)]
        except (*AWAY, SQLAlchemyError):
            for work, _ in opened:
                work.close()
            raise
        return opened, begun

    def _mine(self, session: Held) -> bool:
        return session.name == self._only if self._only else not session.foreground

    def _is_left(self, session: Held, silent: Collection[str]) -> bool:
        """One whose holder is gone, or this process: then it was taken, and the database went away."""
        return session.owner == self._owner or gone(session.owner) or session.name in silent

    def _share(self, unit: Unit, wanted: int) -> int:
        """The sessions are shared by the runners that live."""
        runners = [] if self._only else [each for each in unit.processes(timedelta(seconds=30)) if each.kind == "sessions"]
        return -(-wanted // max(len(runners), 1))

    def _lease(self, unit: Unit, session: Held) -> Lease | None:
        if session.owner is not None:
            unit.leases.free(lease_of(session.name), session.epoch, session.beats)
        return unit.leases.take(lease_of(session.name), self._owner)

    def _open(self, name: str, epoch: int) -> Opened | None:
        try:
            stored, work = open_session(self._store, self._settings, self._accounts, name, epoch, self._refusal, self._clock)
            return work, stored.recovered
        except SourceUnavailable as error:
            self._put_back(name, epoch, str(error))
        except SQLAlchemyError:
            raise
        except Exception as error:      # one session's bug must not stop the others
            self._fail(name, epoch, error)
        return None

    def _begun(self, unit: Unit, work: SessionWork, recovered: bool) -> bool:
        if not unit.session_commits.hold(work.name, work.epoch):
            return False
        unit.sessions.enter(work.name, "running")
        kind = "session_recovered" if recovered else "session_started"
        unit.audit(ACTOR, kind, entity(work.name), event_id=f"{entity(work.name)}:begun:{work.epoch}", owner=self._owner, epoch=work.epoch, instant=str(work.ts))
        if recovered:
            unit.messages.write([Message(f"{work.name}:recovered:{work.epoch}", "warning", f"{work.name} was taken up again where it stood", work.name)], unit.now())
        return True

    def _put_back(self, name: str, epoch: int, note: str) -> None:
        with self._store.unit() as unit:
            unit.sessions.enter(name, "ready", note)
            unit.leases.release(lease_of(name), epoch)
