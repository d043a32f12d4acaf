"""The age of a price, measured without our own clock: that may be wrong, and a heartbeat proves nothing about prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime


class Freshness:
    """Ages of prices by instrument: seconds by the vendor's clock since the price was made, or by ours since the same price was first seen here,
    whichever is more.

    >>> from datetime import UTC, timedelta
    >>> seconds, noon = [0.0], datetime(2024, 1, 2, 12, tzinfo=UTC)
    >>> freshness = Freshness(lambda: seconds[0])
    >>> freshness.age("EURUSD", noon, noon + timedelta(seconds=2))
    2.0
    >>> seconds[0] = 90.0
    >>> freshness.age("EURUSD", noon, None), freshness.age("EURUSD", noon + timedelta(seconds=91), None)
    (90.0, 0.0)
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._first: dict[str, tuple[datetime, float]] = {}

    def age(self, instrument: str, at: datetime, vendor_now: datetime | None) -> float:
        """Seconds; ``vendor_now`` is the vendor's own time, None where it does not tell it."""
        now = self._monotonic()
        seen = self._first.get(instrument)
        if seen is None or seen[0] != at:
            self._first[instrument] = seen = (at, now)
        by_vendor = (vendor_now - at).total_seconds() if vendor_now is not None else 0.0
        return max(now - seen[1], by_vendor, 0.0)
