"""MetaTrader's ticks as a live feed, over the double of its package: none is missed between two looks, none is told twice, and a terminal that loses its server has a break."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.market import Timeframe, instrument
from domain.market.quotes import Heartbeat, Quote
from domain.venues.http import Clock, Connection
from domain.venues.metatrader_link import LOGIN, PASSWORD, SERVER
from domain.venues.metatrader_live import MetaTraderLive
from tests.conformance.rig_metatrader import MetaTraderRig
from tests.conformance.test_brokers import BUY

NAMES = ("EURUSD", "USDJPY")
MINUTE = 60_000_000_000


class Ticking(MetaTraderRig):
    """A terminal whose quotes come while the feed sleeps."""

    def __init__(self) -> None:
        super().__init__()
        rng = random.Random(7)
        begin, self.reports = self.time.now.timestamp(), []
        for _ in range(400):
            name, at = rng.choice(NAMES), begin + round(rng.random() * 180, 3)
            bid = round(1.1 + rng.random() / 100, 5) if name == "EURUSD" else round(150 + rng.random(), 3)
            self.terminal.quotes.setdefault(name, []).append((at, bid, round(bid + 0.0001, 5)))
            self.reports.append(Quote(name, round(at * 1000) * 1_000_000, bid, round(bid + 0.0001, 5)))
        for quotes in self.terminal.quotes.values():
            quotes.sort()
        self.terminal.last_quote = self.last_quote

    def last_quote(self, name):
        return [quote for quote in self.terminal.quotes[name] if quote[0] <= self.terminal.now()][-1]

    def live(self) -> MetaTraderLive:
        keys = {LOGIN: "12345678", PASSWORD: self.secret, SERVER: "Double-Demo"}
        return MetaTraderLive(lambda: Connection("MetaTrader 5", "", Clock(self.time.utc_ns, self.time.monotonic, self._sleep), lambda: 0.5, keys=keys, tries=1))

    def until(self, reported: Iterator[Quote | Heartbeat | None], seconds: float) -> list[Quote | Heartbeat]:
        end, received = self.time.slept + seconds, list[Quote | Heartbeat]()
        while self.time.slept < end:
            if (each := next(reported)) is not None:
                received.append(each)
        return received


@pytest.fixture
def rig() -> Iterator[Ticking]:
    created = Ticking()
    yield created
    created.close()


def test_every_tick_is_reported_once_in_the_order_of_its_time_after_a_beat(rig):
    received = rig.until(rig.live().prices(NAMES), 200)
    assert isinstance(received[0], Heartbeat)
    begun, prices = received[0].at, [each for each in received if isinstance(each, Quote)]
    assert sorted(prices, key=lambda price: (price.at, price.instrument, price.bid)) == sorted((price for price in rig.reports if price.at > begun), key=lambda price: (price.at, price.instrument, price.bid))
    beat = 0
    for each in received:
        assert not isinstance(each, Quote) or each.at >= beat
        beat = max(beat, each.at) if isinstance(each, Heartbeat) else beat


def test_a_terminal_that_has_lost_its_server_ends_the_prices(rig):
    reported = rig.live().prices(NAMES)
    rig.until(reported, 10)
    rig.terminal.connected = False
    with pytest.raises(SourceUnavailable, match="has lost its connection to the trade server"):
        rig.until(reported, 10)


def test_candles_have_the_spread_of_their_first_tick(rig):
    rig.until(rig.live().prices(NAMES), 200)
    at = min(price.at for price in rig.reports) // MINUTE * MINUTE
    utc = [at // 1_000_000_000 + minute * 60 for minute in range(5)]
    rig.terminal.load("EURUSD", "M1", utc=utc, open=1.1, high=1.2, low=1.0, close=1.15, tick_volume=7, spread=3)
    candles = rig.live().candles(instrument("EURUSD"), Timeframe.named("M1"), at, at + 5 * MINUTE)
    first, last = candles[0], candles[-1]
    assert (first.start, first.open, first.high, first.complete, first.spread) == (at, 1.1, 1.2, True, 0.0001)
    assert last.spread == 0.00003         # no tick there: what the terminal stores


def test_a_future_is_refused(rig):
    with pytest.raises(BadRequest, match=r"MetaTrader 5 has no ES=F"):
        rig.live().check("ES=F")


def test_a_feed_and_a_broker_of_one_process_share_the_package_without_a_tick_lost_or_an_order_doubled(rig):
    """The feed looks before, between and after the calls of an order whose answer is lost; the package has one connection and one last error."""
    prices, broker = rig.live().prices(NAMES), rig.broker()
    received = rig.until(prices, 20)
    assert broker.submit(BUY).state == "filled"
    received += rig.until(prices, 20)
    rig.lose_answer()
    lost = broker.submit(replace(BUY, client_id="tm-2"))
    received += rig.until(prices, 20)
    assert broker.submit(replace(BUY, client_id="tm-2")).state == "filled" and lost.state in ("unknown", "filled")
    assert rig.accepted() == 2 and len(broker.positions()) == 2
    received += rig.until(prices, 140)
    begun, reported = received[0].at, [each for each in received if isinstance(each, Quote)]
    assert sorted(reported, key=lambda price: (price.at, price.instrument, price.bid)) == sorted((price for price in rig.reports if price.at > begun), key=lambda price: (price.at, price.instrument, price.bid))
