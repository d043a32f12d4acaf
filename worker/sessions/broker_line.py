"""The line to a session's broker: a thread of its own that carries out what the session wants, and tells what it finds. It never holds up the loop."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from domain.live.broker_book import BrokerBook
from domain.live.broker_wanted import BrokerReport, Wanted
from domain.live.reconcile import Difference
from domain.trading.order import Position
from worker.sessions.broker_account import BrokerAccount, Step, Waiting
from worker.sessions.broker_seen import BrokerSeen

log = logging.getLogger("sessions")
EVERY, AGAIN = 0.25, 0.5    # seconds between two steps, and before the next try while the database is away
QUIET = 5_000_000_000       # nanoseconds after which it tells that nothing has changed
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class BrokerUpdate:
    """What a step found: for people, and to be booked."""

    seen: BrokerSeen
    report: BrokerReport


class BrokerLine:
    """``want`` from the session's thread whenever that is committed; ``updates`` gives what came since. ``account`` is touched by the line's own thread only.
    A test steps it by hand."""

    def __init__(self, name: str, make: Callable[[BrokerBook], BrokerAccount], book: Mapping[str, Any], now: Callable[[], datetime], lost: Callable[[], bool] = lambda: False) -> None:
        """``make``: an account on a book; ``book``: as the session has stored it; ``lost``: whether another process works on the session by now."""
        self.name, self._make, self._book, self._now, self._lost = name, make, book, now, lost
        self.account = make(BrokerBook.of(name, book))
        self._wanted, self._updates = Wanted(), deque[BrokerUpdate]()
        self._news, self._over = threading.Event(), threading.Event()
        self._shown: BrokerSeen | None = None
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None

    # from the session's thread

    def open(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"broker of {self.name}", daemon=True)
        self._thread.start()

    def want(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._news.set()

    def updates(self) -> list[BrokerUpdate]:
        """In their order, each once. Raises what has stopped the line."""
        updates = [self._updates.popleft() for _ in range(len(self._updates))]
        if self._error is not None and not updates:
            raise self._error
        return updates

    def close(self, wait: float = 0.0) -> None:
        """Nothing more is sent; what is under way ends by itself, waited for so many seconds, and is looked up by the next process."""
        self._over.set()
        self._news.set()
        if wait and self._thread is not None:
            self._thread.join(wait)

    # in the line's thread

    def step(self) -> None:
        step = self.account.carry(self._wanted)
        self._tell(step)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                if self._lost():
                    return
                self.step()
            except SQLAlchemyError as error:            # no intent can be written, so nothing is sent
                self._begin_again(error)
            except Exception as error:      # it must not die silently: the session fails with it
                self._error = error
                return
            self._news.wait(EVERY)
            self._news.clear()

    def _begin_again(self, error: SQLAlchemyError) -> None:
        """As the next process would: from the book as it was reported last, with every intent looked up."""
        log.warning("session %s: the database is away, nothing is sent: %s", self.name, type(error).__name__)
        self.account = self._make(BrokerBook.of(self.name, self._book))
        self._over.wait(AGAIN)

    def _tell(self, step: Step) -> None:
        seen = seen_of(self.account, step, (self._now() - EPOCH) // timedelta(microseconds=1) * 1000)
        booked = BrokerReport(seen.at, self.account.book.plain(), tuple(step.taken), tuple(step.refused), tuple(step.closed), tuple(step.adopted))
        news = any((booked.taken, booked.refused, booked.closed, booked.adopted))
        if news or self._shown is None or seen.at >= self._shown.at + QUIET or _without_time(seen) != _without_time(self._shown):
            self._shown, self._book = seen, booked.book
            self._updates.append(BrokerUpdate(seen, booked))


def _without_time(seen: BrokerSeen) -> dict[str, Any]:
    return seen.plain() | dict(at=0)


def seen_of(account: BrokerAccount, step: Step, at: int) -> BrokerSeen:
    """The account as people and limits see it."""
    reconciled = account.reconciled
    return BrokerSeen(
        at, account.state, account.trouble, account.account, [_difference(each) for each in reconciled.differences], [_position(each) for each in reconciled.foreign],
        [_position(each) for each in reconciled.unprotected], [dict(client_id=name, sentence=ticket.sentence) for name, ticket in account.unknown.items()], [_waiting(each) for each in account.waiting], step.alarms,
    )  # fmt: skip


def _difference(each: Difference) -> dict[str, Any]:
    return dict(client_id=each.client_id, instrument=each.instrument, expected=str(each.expected), actual=str(each.actual), sentence=each.sentence)


def _position(each: Position) -> dict[str, Any]:
    return dict(position_id=each.position_id, instrument=each.instrument, side=each.side, lots=str(each.lots), price=str(each.price), client_id=each.client_id)


def _waiting(each: Waiting) -> dict[str, Any]:
    return dict(client_id=each.order.client_id, instrument=each.order.instrument, side=each.order.side, lots=str(each.order.lots), until=None if each.until is None else each.until.isoformat(), why=each.why)
