"""The vendor's clock: the newest time of a quote or a heartbeat. Ours is never read."""

from __future__ import annotations

from collections.abc import Iterable

SECOND = 1_000_000_000
PATIENCE = 2 * SECOND       # after an instant, for series that have not quoted since
LONG_AGO = -(1 << 62)


class VendorClock:
    """
    >>> clock = VendorClock(["EURUSD", "XAUUSD"])
    >>> clock.quoted("EURUSD", 10 * SECOND), clock.due(10 * SECOND), clock.due(8 * SECOND)
    (None, False, True)
    >>> clock.quoted("XAUUSD", 10 * SECOND), clock.due(10 * SECOND)
    (None, True)
    """

    def __init__(self, instruments: Iterable[str], now: int = LONG_AGO) -> None:
        self.now = now
        self._last = dict.fromkeys(instruments, LONG_AGO)

    def reads(self, at: int) -> None:
        """The time of a heartbeat."""
        self.now = max(self.now, at)

    def quoted(self, instrument: str, at: int) -> None:
        self._last[instrument] = max(self._last[instrument], at)
        self.reads(at)

    def due(self, at: int) -> bool:
        """Whether an instant is to be worked: all have quoted at or after it, or the clock is two seconds past it."""
        return self.now >= at + PATIENCE or (self.now >= at and min(self._last.values()) >= at)

    def passed(self, at: int) -> bool:
        """Whether an instant is over even for those that have not quoted."""
        return self.now >= at + PATIENCE
