"""Two connections to a vendor, one ahead of the other: whatever comes first, the bars of every session are those of all its prices."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from domain.errors import SourceUnavailable
from domain.live.quotes import Ended, Event, Opened
from domain.market.quotes import Candle, Heartbeat, Quote
from tests.reference.quote_bars import bars_of
from worker.sessions.feed_hub import FeedHub

SECOND = 1_000_000_000
NOON = int(np.datetime64("2024-07-10T12:00", "ns").astype(np.int64))
MINUTE = 60 * SECOND
Message = Quote | Heartbeat


class Connection:
    """What one connection sends: ``say`` returns when it has been passed on, or nobody reads it any more."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self._lock, self._read = frozenset(names), threading.Lock(), True
        self._queue: queue.Queue[Message | None] = queue.Queue()

    def say(self, *messages: Message | None) -> None:
        """None: it is lost."""
        with self._lock:
            for message in messages if self._read else ():
                self._queue.put(message)
        self._queue.join()

    def lines(self) -> Iterator[Message]:
        try:
            while (message := self._queue.get()) is not None:
                yield message
                self._queue.task_done()
            raise SourceUnavailable("it was cut")
        finally:
            with self._lock:
                self._read = False
                self._queue.task_done()
                while not self._queue.empty():
                    self._queue.get()
                    self._queue.task_done()


class Vendor:
    title = "the vendor"

    def __init__(self) -> None:
        self.candles_of: list[Candle] = []
        self._opened: queue.Queue[Connection] = queue.Queue()

    def check(self, name: str) -> None: ...

    def prices(self, names: Sequence[str]) -> Iterator[Message]:
        connection = Connection(names)
        self._opened.put(connection)
        yield from connection.lines()

    def candles(self, instrument, timeframe, start: int, end: int) -> list[Candle]:
        return [candle for candle in self.candles_of if start <= candle.start < end]

    def connected(self) -> Connection:
        return self._opened.get(timeout=30)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def hub(vendor) -> Iterator[FeedHub]:
    created = FeedHub(vendor, waits=lambda failed: 0.0)
    yield created
    created.close()


def euro(seconds: float, bid: float = 1.1) -> Quote:
    return Quote("EURUSD", NOON + int(seconds * SECOND), bid, bid + 0.0001)


def gold(seconds: float, bid: float = 2_350.0) -> Quote:
    return Quote("XAUUSD", NOON + int(seconds * SECOND), bid, bid + 0.1)


def beat(seconds: float) -> Heartbeat:
    return Heartbeat(NOON + int(seconds * SECOND))


def bars_in(events: Sequence[Event]) -> list[tuple[int, int, float, float, float, float, float]]:
    opened, ended = [event for event in events if isinstance(event, Opened)], [event for event in events if isinstance(event, Ended)]
    return [(a.ts, a.end, a.open, b.high, b.low, b.close, b.volume) for a, b in zip(opened, ended, strict=False)]


def by_the_sentence(series: str, quotes: Sequence[Quote], begun: float, minutes: int) -> list[tuple[int, int, float, float, float, float, float]]:
    own = [(quote.at, quote.bid, quote.ask) for quote in quotes if quote.instrument == series.split()[0]]
    slots = [(NOON + k * MINUTE, NOON + (k + 1) * MINUTE) for k in range(minutes)]
    return [(bar.ts, bar.end, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars_of(series, slots, own, NOON + int(begun * SECOND))]


def test_a_wider_connection_that_is_ahead_loses_no_price_of_the_other(vendor, hub):
    first = hub.open(["EURUSD M1"])
    narrow = vendor.connected()
    narrow.say(beat(0), euro(1, 1.1), euro(20, 1.2))
    hub.open(["XAUUSD M1"])
    wide = vendor.connected()
    assert wide.names == {"EURUSD", "XAUUSD"}
    wide.say(beat(61), euro(61.5, 1.15))
    narrow.say(euro(50, 1.0), euro(59, 1.3), beat(61))      # on their way while the other one began
    wide.say(euro(70, 1.12), beat(123), euro(124, 1.13))
    quotes = [euro(1, 1.1), euro(20, 1.2), euro(50, 1.0), euro(59, 1.3), euro(61.5, 1.15), euro(70, 1.12)]
    assert bars_in(first.next(0)) == by_the_sentence("EURUSD M1", quotes, 0, 2)
    assert hub.cuts == 0 and not first.state().away


def test_one_that_is_lost_before_it_has_sent_all_is_a_break_and_the_bar_is_the_vendors(vendor, hub):
    first = hub.open(["EURUSD M1"])
    narrow = vendor.connected()
    narrow.say(beat(0), euro(1, 1.1))
    second = hub.open(["XAUUSD M1"])
    wide = vendor.connected()
    wide.say(beat(10), gold(11))
    vendor.candles_of = [Candle(NOON, 1.1, 1.4, 0.9, 1.2, 9.0, 0.0001)]
    narrow.say(None)
    wide.say(euro(30, 1.3), gold(31), beat(70), euro(71, 1.25), gold(72), beat(130), euro(131), gold(132))
    events, others = list[Event](), list[Event]()
    while not any(isinstance(event, Ended) for event in events):
        events += first.next(0.05)
    others += second.next(0)
    (ended,) = [event for event in events if isinstance(event, Ended)][:1]
    assert ended.recovered and (ended.high, ended.low, ended.close) == (1.4, 0.9, 1.2) and hub.cuts == 1
    assert bars_in(others) == by_the_sentence("XAUUSD M1", [gold(72)], 10, 2)


@pytest.mark.parametrize("seed", range(3))
def test_however_two_connections_come_the_bars_are_those_of_all_prices(seed, vendor, hub):
    rng = random.Random(seed)
    times = sorted(rng.uniform(0, 600) for _ in range(160))
    quotes = [(euro if rng.random() < 0.5 else gold)(at, round(rng.uniform(1, 2), 5)) for at in times]
    stream = sorted([*quotes, *(beat(5 * k) for k in range(130))], key=lambda message: message.at)
    first, narrow = hub.open(["EURUSD M1"]), vendor.connected()
    began = rng.uniform(60, 300)
    lines = [message for message in stream if not (isinstance(message, Quote) and message.instrument == "XAUUSD")]
    before = [message for message in lines if message.at < NOON + began * SECOND]
    cut = rng.randrange(len(before) // 2, len(before))
    narrow.say(*before[:cut])
    second, wide = hub.open(["EURUSD M1", "XAUUSD M1"]), vendor.connected()
    left, coming = lines[cut:], [beat(began), *(message for message in stream if message.at >= NOON + began * SECOND)]
    while coming:
        source, connection = (left, narrow) if left and rng.random() < 0.5 else (coming, wide)
        connection.say(*[source.pop(0) for _ in range(min(rng.choice((1, 5, 20)), len(source)))])
    wide.say(beat(700))
    assert bars_in(first.next(0)) == by_the_sentence("EURUSD M1", quotes, 0, 10)
    events = second.next(0)
    for series in ("EURUSD M1", "XAUUSD M1"):
        assert bars_in([event for event in events if getattr(event, "series", series) == series]) == by_the_sentence(series, quotes, began, 10)
    assert hub.cuts == 0
