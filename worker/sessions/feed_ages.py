"""How old prices are, by the vendor's clock and by what has passed here since: a heartbeat proves nothing about prices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from domain.live.quotes import FeedMessage
from domain.market.calendar import calendar
from domain.market.instrument import instruments
from domain.market.quotes import Heartbeat, Quote

OLD = 30.0                  # seconds without a price in market hours: an alarm
SECOND = 1_000_000_000


class Ages:
    """Times of the last prices. ``monotonic``: seconds here; ``utc_ns``: our clock, which is read only while the vendor has not sent its time.

    >>> seconds = [0.0]
    >>> ages = Ages(lambda: seconds[0], lambda: 0)
    >>> ages.take(Quote("EURUSD", 0, 1.1, 1.1)); seconds[0] = 31.0
    >>> ages.of("EURUSD"), ages.of("XAUUSD")
    (31.0, inf)
    """

    def __init__(self, monotonic: Callable[[], float], utc_ns: Callable[[], int]) -> None:
        self._monotonic, self._utc_ns, self._began = monotonic, utc_ns, monotonic()
        self._last: dict[str, tuple[int, float]] = {}
        self._clock: tuple[int, float] | None = None

    def take(self, message: FeedMessage) -> None:
        if not isinstance(message, Quote | Heartbeat):
            return
        now = self._monotonic()
        if isinstance(message, Quote) and (message.instrument not in self._last or message.at > self._last[message.instrument][0]):
            self._last[message.instrument] = message.at, now
        if self._clock is None or message.at > self._clock[0]:
            self._clock = message.at, now

    @property
    def clock(self) -> int | None:
        """The vendor's time as it last sent it."""
        return None if self._clock is None else self._clock[0]

    def of(self, instrument: str) -> float:
        """Seconds since its last price was made by the vendor's clock, or was received here, whichever is more."""
        if instrument not in self._last:
            return math.inf
        at, then = self._last[instrument]
        return max(self._monotonic() - then, ((self.clock or at) - at) / SECOND, 0.0)

    def silent(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those without a price for 30 s although their market is open, a sentence each."""
        return tuple(self._sentence(name) for name in names if self._since(name) > OLD and calendar(instruments()[name].calendar).is_open(self._now()))

    def _since(self, name: str) -> float:
        """Its age; where it never had a price, what has passed since this process began to listen."""
        return self.of(name) if name in self._last else self._monotonic() - self._began

    def _sentence(self, name: str) -> str:
        return f"{name} has had no price " + ("yet" if name not in self._last else f"for more than {OLD:.0f} s") + ", although its market is open"

    def _now(self) -> int:
        if self._clock is None:
            return self._utc_ns()
        clock, then = self._clock
        return clock + int((self._monotonic() - then) * SECOND)
