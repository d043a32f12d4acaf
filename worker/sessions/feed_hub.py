"""One connection to a vendor's prices for all sessions of this process: connected again with growing waits, and widened without a gap."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence

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
from worker.sessions.feed_readers import Listener, Reader

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0    # seconds before the vendor is connected to again, doubling, and a random half on top
LOOK_EVERY = 0.1


class FeedHub:
    """``waits``: what one waits for before it connects again, in seconds, by the number of tries that failed."""

    def __init__(self, vendor: LiveVendor, monotonic: Callable[[], float] = time.monotonic, utc_ns: Callable[[], int] = time.time_ns, waits: Callable[[int], float] | None = None) -> None:
        self._vendor, self._monotonic = vendor, monotonic
        self._waits = waits or _growing
        self._ages, self._candles = Ages(monotonic, utc_ns), Candles(vendor, monotonic)
        self._lock = threading.Lock()
        self._feeds: dict[LiveFeed, Listener] = {}
        self._reader: Reader | None = None              # the one that counts
        self._next: Reader | None = None                # a wider one that takes its place once all before its first heartbeat has come on the other
        self._last: dict[str, Quote] = {}
        self._passed: set[Quote] = set()                # prices of the present connection, and
        self._waiting: list[FeedMessage] = []           # messages of the wider one, while there are two
        self._away = f"{vendor.title} is being connected to"
        self.cuts = 0

    def open(self, series: Sequence[str], standing: Standing | None = None, instruments: Mapping[str, Instrument] | None = None) -> LiveFeed:
        """The feed of a session with these series. BadRequest where the vendor has none of an instrument."""
        maker = BarMaker(watched(series, instruments), standing)
        feed = LiveFeed(self._vendor.title, maker, self._ages, self._candles, self._monotonic, lambda: self._away, self._leave)
        for name in maker.instruments:
            self._vendor.check(name)
        names = frozenset(maker.instruments)
        with self._lock:
            self._feeds[feed] = Listener(names, self._read(names))
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

    def _read(self, names: frozenset[str]) -> Reader:
        """The connection that has ``names``; a wider one beside the present one where that has fewer."""
        for reader in (self._reader, self._next):
            if reader is not None and names <= reader.names:
                return reader
        widest = self._next or self._reader
        reader = Reader(names if widest is None else names | widest.names)
        if self._reader is None:
            self._reader = reader
        else:
            self._replace_next(reader)
        threading.Thread(target=self._run, args=(reader,), name=f"prices of {self._vendor.title}", daemon=True).start()
        return reader

    def _replace_next(self, reader: Reader) -> None:
        """A third session: one connection for it and for those that wait for the second one, which has a break where it has begun."""
        before, self._next = self._next, reader
        self._both()
        if before is not None:
            before.over.set()
            for feed, listener in self._of(before):
                listener.reader = reader
                if before.complete:
                    feed.put(Cut())

    def _both(self) -> None:
        """From now on there are two connections."""
        self._passed, self._waiting = set(self._last.values()), []

    def _of(self, reader: Reader) -> list[tuple[LiveFeed, Listener]]:
        return [(feed, listener) for feed, listener in self._feeds.items() if listener.reader is reader]

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
            if reader in (self._reader, self._next):
                reader.take(message)
                self._pass_on(reader, message)
                self._take_over()
        return True

    def _pass_on(self, reader: Reader, message: Quote | Heartbeat) -> None:
        """To the sessions that hear this connection."""
        self._ages.take(message)
        if isinstance(message, Quote):
            self._last[message.instrument] = message
        for feed, listener in self._of(reader):
            if listener.wants(message):
                feed.put(message)
        if reader is self._next:
            self._waiting.append(message)
        elif self._next is not None and isinstance(message, Quote):
            self._passed.add(message)
        if reader is self._reader and reader.complete:
            self._away = ""

    def _take_over(self) -> None:
        """The wider connection takes the place of the present one as soon as that has sent all from before the other's first heartbeat: its sessions go on with
        what the wider one has sent since."""
        before, reader = self._reader, self._next
        if before is None or reader is None or not before.has_reached(reader):
            return
        before.over.set()
        self._reader, self._next, self._away = reader, None, ""
        for feed, listener in self._of(before):
            listener.move(reader, frozenset(self._passed))
            for message in self._waiting:
                if listener.wants(message):
                    feed.put(message)
        self._passed, self._waiting = set(), []

    def _lost(self, reader: Reader, why: str) -> None:
        with self._lock:
            was, reader.since = reader.complete, None
            if reader not in (self._reader, self._next) or reader.over.is_set():
                return
            for feed, _ in self._of(reader):
                feed.put(Cut())
            if reader is self._next:
                return self._both()
            self._away = f"{why.rstrip('.')}; {self._vendor.title} is connected to again"
            self.cuts += was
            return self._take_over()

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
