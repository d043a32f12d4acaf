"""The runner: one process that holds many sessions, each under a lease, and writes whole instants of them in one transaction.

While the database or its disk is away nothing is decided: what was worked last waits to be written, and the runner goes on by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from worker.owner import OWNER
from worker.sessions.claiming import AWAY, Claiming
from worker.sessions.failures import Failed, failure, record
from worker.sessions.feed_watch import FeedWatch
from worker.sessions.halts import HaltSwitch
from worker.sessions.opening import Accounts
from worker.sessions.replay_feed import FeedItem
from worker.sessions.work import SessionWork, Written
from worker.sessions.writing import write
from worker.settings import Settings
from worker.store import Store
from worker.store.sessions import Held, lease_of
from worker.trouble import addresses, sentence_of

log = logging.getLogger("sessions")
LOOK, CLAIM, SHOW = 0.25, 1.0, 1.0      # seconds between looks at commands and halts, at sessions to claim, and between writings of how feeds are
TOGETHER, TAKING = 20, 0.25     # sessions that are taken up in two transactions; seconds of it in one round, where others are held
BATCH, BESIDE = 0.25, 0.05  # seconds of replays as fast as possible that one transaction writes, alone and beside live sessions
AGAIN = 0.5                 # seconds between two tries while the database is away
IDLE = 0.02                 # seconds between looks at feeds that have nothing
MANY, PACE = 200, 0.05      # live sessions held from which on rounds begin at least so many seconds apart: what comes meanwhile is written in one transaction
UNDER_WAY = 10.0            # seconds for which an order that is being sent is waited for before the leases are given back
UNKNOWN = ("?",)            # the inbox of a feed that has none: it is looked at in every round
EMPTY = 1.0                 # seconds between two rounds while no session is held


@dataclass
class Timer:
    """True once in ``every`` seconds."""

    every: float
    clock: Callable[[], float]
    next: float = field(default=0.0)

    def due(self) -> bool:
        now = self.clock()
        if now < self.next:
            return False
        self.next = now + self.every
        return True


class Runner:
    """``only``: the one session of a terminal in the foreground; else it takes what is free, up to its share. ``stay`` is called when sessions were taken,
    of which each is many objects that stay; with True where many have left since."""

    def __init__(
        self, store: Store, settings: Settings, accounts: Accounts, owner: str = OWNER, only: str = "", clock: Callable[[], float] = time.monotonic, stay: Callable[[bool], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.store, self._settings, self._accounts = store, settings, accounts
        self.owner, self._only, self._clock, self._stay = owner, only, clock, stay
        self.switch = HaltSwitch(settings.home)
        self.held: dict[str, SessionWork] = {}
        self.away = ""                                  # why nothing is decided; empty while all is there
        self._unwritten: list[Written] = []
        self._pending: dict[str, Sequence[FeedItem]] = {}      # what feeds gave while a kill switch was not written yet
        self._turns = 0                                 # rounds so far, of which each gives one replay as fast as possible its turn
        self._failed: list[Failed] = []                 # errors that are not written yet
        self._live, self._eager = list[SessionWork](), list[SessionWork]()      # of those held, replays as fast as possible apart
        self._at_brokers: list[SessionWork] = []
        self._gives: list[tuple[str, Callable[[float], Sequence[FeedItem]], Sized]] = []        # of the live ones, what their feeds have: looked at in every round
        self._paced = False                             # whether many are held, all of which are live: a replay gives one instant a round
        self._left = 0                                  # sessions that have left since ``stay``
        self._woken = threading.Event()                 # there is something to look at, before a look is due
        self._look, self._claim, self._show = (Timer(every, clock) for every in (LOOK, CLAIM, SHOW))
        self._feeds = FeedWatch()
        self._claiming = Claiming(store, settings, accounts, owner, only, clock, self.switch.refusal, self._fail)

    # -- the loop

    def run(self, stopping: threading.Event) -> None:
        """Until it is stopped; then every lease is given back."""
        watching = threading.Thread(target=self._watch, args=(stopping,), name="halts", daemon=True)
        beating = threading.Thread(target=self._beat, args=(stopping,), name="leases", daemon=True)
        watching.start()
        beating.start()
        while not stopping.is_set():
            began = self._clock()
            if not self.step():
                stopping.wait(AGAIN if self.away else IDLE if self.held or self._only else EMPTY)
            elif self._paced:
                stopping.wait(max(began + PACE - self._clock(), 0.0))
        self.leave()

    def step(self) -> bool:
        """One round; False where there was nothing to do."""
        try:
            return self._round()
        except AWAY as error:
            self._is_away(error)
            return False

    def _round(self) -> bool:
        if self._unwritten or self._failed:
            self._write_failed()
            self._write()
        if self._look.due() or self._woken.is_set():
            self._woken.clear()
            self.look()
        if self._claim.due():
            self.claim()
        busy = self._work()
        if self._show.due():
            self._feeds.step(self.store, list(self.held.values()))
        self.away = ""
        return busy

    def wake(self) -> None:
        """From any thread: look at commands and kill switches in the next round."""
        self._woken.set()

    def leave(self) -> None:
        """Give the leases back, so that another runner need not wait."""
        for work in self.held.values():
            work.close(UNDER_WAY)
        try:
            with self.store.unit() as unit:
                for work in self.held.values():
                    unit.leases.release(lease_of(work.name), work.epoch)
        except AWAY as error:
            log.warning("leases were not given back: %s", error)
        self.held.clear()
        self._sort()

    # -- sessions come and go

    def claim(self) -> None:
        """Take what nobody holds, as ``Claiming.free`` has it."""
        self._take_up(self._claiming.free(self.held))

    def _take_up(self, free: Sequence[Held]) -> None:
        """Some at a time, each few in one transaction: what is held already is not kept waiting for long."""
        until, held = self._clock() + TAKING, bool(self.held)
        for first in range(0, len(free), TOGETHER):
            self._take(free[first : first + TOGETHER])
            if held and self._clock() > until:
                self._claim.next = 0.0
                return
        if free:
            self._stay(many := 4 * self._left > len(self.held))
            self._left = 0 if many else self._left

    def _take(self, sessions: Sequence[Held]) -> None:
        opened, begun = self._claiming.take(sessions)
        for work, _ in opened:
            self._pending.pop(work.name, None)
            if work not in begun:
                work.close()
        self.held |= {work.name: work for work in begun}
        for work in begun:
            if work.broker is not None:
                work.broker.line.open()
        self._sort()
        self._look.next = 0.0

    def _fail(self, name: str, epoch: int, error: Exception) -> None:
        """An error stops its session only."""
        self._let_go(name)
        self._failed.append(failure(name, epoch, error))
        self._write_failed()

    def _write_failed(self) -> None:
        if self._failed:
            with self.store.unit() as unit:
                for each in self._failed:
                    record(unit, each)
            self._failed = []

    # -- what people ask

    def look(self) -> None:
        """At halts and commands: the content of files is written down first, then everything that waits is picked up."""
        self.switch.look()
        if written := self.switch.unwritten:
            with self.store.unit() as unit:
                self.switch.record(unit)
        with self.store.read() as unit:
            latched = unit.session_halts.latched()
            waiting = unit.session_commands.waiting()
        self.switch.recorded(latched, written)
        commanded = {command.session: self.held[command.session] for command in waiting if command.session in self.held}
        for name, work in commanded.items():
            work.ask(command for command in waiting if command.session == name)
            self._guarded(work, work.command_now)
        self._write_now(commanded.values())

    # -- work

    def _work(self) -> bool:
        """Every session as far as its feed has come; what was worked is written at once."""
        at_brokers = [work for work in self._at_brokers if self._guarded(work, work.hear_broker)]
        self._come()
        busy = self._receive()
        self._write_now(dict.fromkeys([*at_brokers, *busy]) if at_brokers else busy)
        return bool(busy)

    def _come(self) -> None:
        """What the feeds give of everyone, and of a replay as fast as possible the next one: commands and halts wait for one batch, however many replay."""
        come = self._pending
        if come:
            come |= {name: items for name, give, inbox in self._gives if inbox and name not in come and (items := give(0.0))}
        else:
            come |= {name: items for name, give, inbox in self._gives if inbox and (items := give(0.0))}
        if self._eager:
            self._turns += 1
            work = self._eager[self._turns % len(self._eager)]
            if work.name not in come and (items := work.next(0.0)):
                come[work.name] = items

    def _receive(self) -> list[SessionWork]:
        """Who has worked what came. Where a file halts what the database does not know of yet, it waits."""
        moved = []
        self.switch.look_at_workspace()
        for name in [*self._pending]:
            work = self.held.get(name)
            if work is None or work.end:
                del self._pending[name]
            elif not self.switch.unrecorded(name):
                moved.append(work)
                self._forward(work, self._pending.pop(name))
        return moved

    def _forward(self, work: SessionWork, items: Sequence[FeedItem]) -> None:
        """A feed that is as fast as possible gives many instants, any other one what has come."""
        go_on = self._guarded(work, work.receive, items)
        if not go_on or not work.eager:
            return
        until = self._clock() + (BESIDE if self._live else BATCH)
        while go_on and not work.end and self._clock() < until and (items := work.next(0.0)):
            self.switch.look_at_workspace()
            if self.switch.unrecorded(work.name):
                self._pending[work.name] = items
                return
            go_on = self._guarded(work, work.receive, items)

    def _guarded(self, work: SessionWork, act: Callable[..., object], *arguments: Any) -> bool:
        try:
            act(*arguments)
        except AWAY:
            self._let_go(work.name)     # it stands within an instant: it is taken up again as it was stored
            raise
        except Exception as error:      # one session's bug must not stop the others
            self._fail(work.name, work.epoch, error)
            return False
        return True

    def _sort(self) -> None:
        """By their feeds, whenever others are held."""
        self._eager = [work for work in self.held.values() if getattr(work.feed, "eager", False)]
        self._live = [work for work in self.held.values() if not getattr(work.feed, "eager", False)]
        self._at_brokers = [work for work in self.held.values() if work.broker is not None]
        self._gives = [(work.name, work.next, getattr(work.feed, "inbox", UNKNOWN)) for work in self._live]
        self._paced = len(self.held) >= MANY and not any(hasattr(work.feed, "eager") for work in self.held.values())
        self.switch.watch(self.held)

    # -- writing

    def _write_now(self, works: Iterable[SessionWork]) -> None:
        for work in works:
            if work.name in self.held:
                self._guarded(work, self._gather, work)
        self._write()

    def _gather(self, work: SessionWork) -> None:
        if (written := work.written()) is not None:
            self._unwritten.append(written)

    def _write(self) -> None:
        """All that waits, in one transaction; if the database refuses it for what one session gave, one by one."""
        waiting = self._unwritten
        if not waiting:
            return
        try:
            fenced = write(self.store, waiting)
        except AWAY:
            raise
        except (SQLAlchemyError, ValueError, TypeError) as error:
            fenced = self._write_singly(waiting, error)
        self._unwritten = []
        self._drop(fenced)
        self._want(waiting)
        for each in waiting:
            if each.end:
                self._let_go(each.commit.session)

    def _want(self, written: Iterable[Written]) -> None:
        """What sessions want of their brokers, now that it is committed."""
        for each in written:
            if each.wanted is not None and (work := self.held.get(each.commit.session)) and work.broker is not None:
                work.broker.line.want(each.wanted)

    def _write_singly(self, waiting: Sequence[Written], error: Exception) -> list[str]:
        fenced: list[str] = []
        for each in waiting:
            try:
                fenced += write(self.store, [each])
            except AWAY:
                raise
            except (SQLAlchemyError, ValueError, TypeError) as own:
                self._fail(each.commit.session, each.commit.epoch, own)
        return fenced

    def _drop(self, fenced: Iterable[str]) -> None:
        for name in fenced:
            log.warning("session %s: another runner holds it now", name)
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        if work := self.held.pop(name, None):
            work.close()
            self._left += 1
            self._sort()

    # -- beside the loop

    def _watch(self, stopping: threading.Event) -> None:
        """Twice a second, whatever the loop waits for."""
        while not stopping.wait(0.5):
            self.switch.look()

    def _beat(self, stopping: threading.Event) -> None:
        while not stopping.wait(self._settings.work.beat):
            if not self.held:
                continue
            try:
                with self.store.unit() as unit:
                    unit.leases.beat_all(self.owner)
            except SQLAlchemyError as error:        # the lease decides: if the database stays away, another runner may take over
                log.warning("no sign of life of the sessions could be written: %s", sentence_of(error, *addresses(self._settings)) or error)

    def _is_away(self, error: BaseException) -> None:
        sentence = sentence_of(error, *addresses(self._settings)) or str(error)
        if sentence != self.away:
            log.warning("nothing is decided: %s", sentence)
        self.away = sentence
