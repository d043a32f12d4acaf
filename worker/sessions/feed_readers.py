"""Connections to a vendor's prices, and which session hears which: a session is moved to a wider connection without losing a price."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from domain.live.quotes import FeedMessage
from domain.market.quotes import Heartbeat, Quote

LONG_AGO = -(1 << 62)


@dataclass(eq=False)
class Reader:
    """A connection that is read, for these instruments. ``since``: the time of its first heartbeat, from which on nothing is missed on it; None until it has come.
    ``last``: the time of its newest message."""

    names: frozenset[str]
    since: int | None = None
    last: int = LONG_AGO
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def complete(self) -> bool:
        return self.since is not None

    def has_reached(self, other: Reader) -> bool:
        """Whether all that ``other`` does not have has been sent by this one, or cannot be any more."""
        return other.since is not None and (not self.complete or self.last >= other.since)

    def take(self, message: FeedMessage) -> None:
        if isinstance(message, Heartbeat) and self.since is None:
            self.since = message.at
        if isinstance(message, Quote | Heartbeat):
            self.last = max(self.last, message.at)


@dataclass(eq=False)
class Listener:
    """A session's part in the messages of one connection. ``passed``: prices of an earlier connection that the present one sends again, until a heartbeat at ``until``."""

    names: frozenset[str]
    reader: Reader
    passed: frozenset[Quote] = frozenset()
    until: int = LONG_AGO

    def wants(self, message: FeedMessage) -> bool:
        """
        >>> quote, reader = Quote("EURUSD", 5, 1.1, 1.1001), Reader(frozenset({"EURUSD"}))
        >>> listener = Listener(frozenset({"EURUSD"}), reader, frozenset({quote}), until=5)
        >>> [listener.wants(each) for each in (quote, Quote("XAUUSD", 5, 2_000.0, 2_000.1), Heartbeat(5), quote)]
        [False, False, True, True]
        """
        if isinstance(message, Quote):
            return message.instrument in self.names and message not in self.passed
        if self.passed and isinstance(message, Heartbeat) and message.at >= self.until:
            self.passed = frozenset()
        return True

    def move(self, reader: Reader, passed: frozenset[Quote]) -> None:
        """To a wider connection, which may be behind the one that it leaves."""
        self.passed, self.until, self.reader = self.passed | passed, self.reader.last, reader
