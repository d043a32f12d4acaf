"""One connection to a vendor's prices for all sessions of this process: connected again with growing waits, and widened without a gap."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.errors import BadRequest, SourceUnavailable
from domain.live.bar_maker import BarMaker
from domain.live.quotes import Cut, FeedMessage, Standing
from domain.live.slots import earlier, watched
from domain.market.instrument import Instrument
from domain.market.quotes import Candle, Heartbeat, Quote
from domain.venues.live import LiveVendor
from worker.sessions.feed_ages import Ages
from worker.sessions.feed_candles import Candles
from worker.sessions.feed_live import LiveFeed

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0    # seconds before the vendor is connected to again, doubling, and a random half on top
LOOK_EVERY = 0.1


@dataclass(eq=False)
class Reader:
    """A connection that is read, for these instruments. ``whole``: its first heartbeat has come, so nothing is missed on it."""

    names: frozenset[str]
    complete: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class FeedHub:
    """``waits``: what one waits for before it connects again, in seconds, by the number of tries that failed."""

    def __init__(self, vendor: LiveVendor, monotonic: Callable[[], float] = time.monotonic, utc_ns: Callable[[], int] = time.time_ns, waits: Callable[[int], float] | None = None) -> None:
        self._vendor, self._monotonic = vendor, monotonic
        self._waits = waits or _growing
        self._ages, self._candles = Ages(monotonic, utc_ns), Candles(vendor, monotonic)
        self._lock = threading.Lock()
        self._feeds: dict[LiveFeed, frozenset[str]] = {}
        self._reader: Reader | None = None              # the one that counts
        self._next: Reader | None = None                # a wider one that takes its place with its first heartbeat
        self._last: dict[str, Quote] = {}
        self._twice: set[Quote] | None = None           # passed on while there are two connections, on which each price comes twice
        self._away = f"{vendor.title} is being connected to"
        self.cuts = 0

    def open(self, series: Sequence[str], standing: Standing | None = None, instruments: Mapping[str, Instrument] | None = None) -> LiveFeed:
        """The feed of a session with these series. BadRequest where the vendor has none of an instrument."""
        maker = BarMaker(watched(series, instruments), standing)
        feed = LiveFeed(self._vendor.title, maker, self._ages, self._candles, self._monotonic, lambda: self._away, self._leave)
        for name in maker.instruments:
            self._vendor.check(name)
        with self._lock:
            self._feeds[feed] = frozenset(maker.instruments)
            self._read(frozenset().union(*self._feeds.values()))
        return feed

    def history(self, series: Sequence[str], before: int, count: int) -> dict[str, tuple[Candle, ...]]:
        """The last ``count`` bars of each series that open before an instant. SourceUnavailable until the vendor has answered: ask again then."""
        spans = (earlier(each, before, count) for each in watched(series))
        return {wanted.series: self._candles.answered(wanted) for wanted in spans}

    def close(self) -> None:
        with self._lock:
            for reader in (self._reader, self._next):
                if reader is not None:
                    reader.over.set()
            self._reader = self._next = None
        self._candles.close()

    # readers

    def _read(self, names: frozenset[str]) -> None:
        """Read at least ``names``, on a second connection where the present one has fewer."""
        widest = self._next or self._reader
        if widest is not None and names <= widest.names:
            return
        reader = Reader(names if widest is None else names | widest.names)
        if self._next is not None:
            self._next.over.set()
        if self._reader is None:
            self._reader = reader
        else:
            self._next, self._twice = reader, set(self._last.values())
        threading.Thread(target=self._run, args=(reader,), name=f"prices of {self._vendor.title}", daemon=True).start()

    def _run(self, reader: Reader) -> None:
        failed = 0
        while not reader.over.is_set():
            why = "it was closed"
            try:
                for message in self._vendor.prices(sorted(reader.names)):
                    if reader.over.is_set():
                        return
                    failed = 0 if self._taken(reader, message) else failed
            except (SourceUnavailable, BadRequest) as error:
                why = str(error)
            failed += 1
            self._lost(reader, why)
            reader.over.wait(self._waits(failed))

    def _taken(self, reader: Reader, message: Quote | Heartbeat | None) -> bool:
        """Pass on what a connection sends; whether there was anything."""
        if message is None:
            return False
        with self._lock:
            if isinstance(message, Heartbeat):
                self._complete(reader)
            if reader in (self._reader, self._next):
                self._pass_on(reader, message)
        return True

    def _complete(self, reader: Reader) -> None:
        """A heartbeat has come: nothing is missed on this connection from here on. A wider one takes the other's place."""
        if reader is self._reader and reader.complete and self._next is None:
            self._twice = None
        reader.complete = True
        if reader is self._next:
            if self._reader is not None:
                self._reader.over.set()
            self._reader, self._next = reader, None
        if reader is self._reader:
            self._away = ""

    def _pass_on(self, reader: Reader, message: FeedMessage) -> None:
        """To the sessions that it is for: a heartbeat of a connection that has not all of a session's instruments says nothing to it."""
        self._ages.take(message)
        if isinstance(message, Quote):
            if self._twice is not None:
                if message in self._twice:
                    return
                self._twice.add(message)
            self._last[message.instrument] = message
        for feed, names in self._feeds.items():
            if (message.instrument in names) if isinstance(message, Quote) else names <= reader.names:
                feed.put(message)

    def _lost(self, reader: Reader, why: str) -> None:
        with self._lock:
            was, reader.complete = reader.complete, False
            if reader is not self._reader or reader.over.is_set():
                return
            self._away = f"{why.rstrip('.')}; {self._vendor.title} is connected to again"
            self.cuts += was
            for feed in self._feeds:
                feed.put(Cut())

    def _leave(self, feed: LiveFeed) -> None:
        with self._lock:
            self._feeds.pop(feed, None)
            if not self._feeds:
                for reader in (self._reader, self._next):
                    if reader is not None:
                        reader.over.set()
                self._reader = self._next = None
                self._away = f"{self._vendor.title} is being connected to"


def _growing(failed: int) -> float:
    return min(FIRST_WAIT * 2 ** (failed - 1), LONGEST_WAIT) * (1 + random.random() / 2)
