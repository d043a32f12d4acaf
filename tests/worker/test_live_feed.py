"""A live feed over the real SDK: the double plays made ticks many times as fast and is cut; the bars are those of all its ticks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.live.quotes import Ended, Event, Opened
from domain.live.slots import watched
from domain.venues.oanda_live import OandaLive
from domain.venues.oanda_wire import ACCOUNT, OANDA, TOKEN
from tests.doubles.oanda import Oanda
from tests.doubles.oanda_play import SECOND, Play, Tick
from tests.reference.quote_bars import QuoteBar, bars_of
from worker.sessions.feed_hub import FeedHub
from worker.sessions.feed_live import LiveFeed
from worker.vendors import connection_to

NOON = int(np.datetime64("2024-07-10T12:00", "ns").astype(np.int64))
MINUTE = 60 * SECOND
SYMBOLS = {"EUR_USD": "EURUSD", "XAU_USD": "XAUUSD"}
SERIES = ("EURUSD M1", "XAUUSD M1", "EURUSD M5")


def built_ticks(name: str, minutes: int, seed: int) -> list[Tick]:
    rng, at, price = random.Random(seed), NOON, 1.1 if name == "EUR_USD" else 2350.0
    digits, ticks = 5 if name == "EUR_USD" else 3, list[Tick]()
    while at < NOON + minutes * MINUTE:
        price *= 1 + rng.gauss(0, 1e-5)
        ticks.append((at, f"{price:.{digits}f}", f"{price * 1.0001:.{digits}f}"))
        at += int(rng.choice((0.3, 2.0, 8.0, 40.0)) * rng.random() * SECOND) + 1
    return ticks


class Playing:
    """The double that plays, and a hub on it. ``cuts``: minutes and seconds of the vendor's time."""

    def __init__(self, minutes: int = 24, speed: float = 400.0, cuts: Sequence[tuple[float, float]] = ()) -> None:
        self.ticks = {name: built_ticks(name, minutes, seed) for seed, name in enumerate(SYMBOLS)}
        self.cuts = [(NOON + int(at * MINUTE), NOON + int(at * MINUTE + long * SECOND)) for at, long in cuts]
        self.play = Play(self.ticks, NOON - 20 * SECOND, speed, self.cuts)
        self.double = Oanda(lambda: self.play.clock, play=self.play)
        environment = {"TIDEMARK_OANDA_URL": self.double.url, TOKEN: self.double.token, ACCOUNT: self.double.account.number}
        self.hub = FeedHub(OandaLive(lambda: connection_to(OANDA, environment)), waits=lambda failed: 0.02)

    def close(self) -> None:
        self.hub.close()
        self.double.close()

    def events(self, feed: LiveFeed, until: int) -> list[Event]:
        """All that the feed tells while the vendor's clock is before ``until`` minutes, and until its bars of before have ended."""
        events = list[Event]()
        while self.play.now < NOON + until * MINUTE or any(bar.end <= NOON + until * MINUTE - 2 * SECOND for bar in feed.shown()) or feed.state().away:
            events += feed.next(0.05)
        return events

    def by_the_sentence(self, series: str, begun: int, minutes: int) -> list[QuoteBar]:
        name = next(symbol for symbol, ours in SYMBOLS.items() if ours == series.split()[0])
        step = watched([series])[0].slots.timeframe.nanoseconds
        slots = [(at, at + step) for at in range(NOON, NOON + minutes * MINUTE, step)]
        return bars_of(series, slots, [(at, float(bid), float(ask)) for at, bid, ask in self.ticks[name]], begun)


@pytest.fixture
def playing(request) -> Iterator[Playing]:
    created = Playing(**getattr(request, "param", {}))
    yield created
    created.close()


def bars_reported(events: Sequence[Event], series: str) -> list[tuple[Opened, Ended]]:
    opened = [event for event in events if isinstance(event, Opened) and event.series == series]
    ended = [event for event in events if isinstance(event, Ended) and event.series == series]
    return list(zip(opened, ended, strict=False))


def compared(bars: Sequence[tuple[Opened, Ended]], known: Sequence[QuoteBar]) -> None:
    reported = [(opened.end, opened.open, ended.high, ended.low, ended.close, ended.volume, opened.spread) for opened, ended in bars]
    assert reported[: len(known)] == [(bar.end, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.spread) for bar in known]


@pytest.mark.parametrize("playing", [dict(cuts=((3.4, 20), (8.9, 130), (15.2, 5)))], indirect=True)
def test_bars_of_a_feed_that_is_cut_are_those_of_all_ticks_and_those_the_cuts_touched_are_marked(playing):
    feed = playing.hub.open(SERIES)
    events = playing.events(feed, 22)
    begun = min(event.ts for event in events if isinstance(event, Opened)) - MINUTE
    assert 0 < playing.hub.cuts <= 3            # a slow machine may still be away when the next one comes
    for series in SERIES:
        bars, known = bars_reported(events, series), playing.by_the_sentence(series, max(begun, NOON - MINUTE), 20)
        known = [bar for bar in known if bar.start >= bars[0][0].end - watched([series])[0].slots.timeframe.nanoseconds]
        assert len(known) >= (3 if series.endswith("M5") else 15)
        compared(bars, known)
        for (opened, ended), bar in zip(bars, known, strict=False):
            assert ended.recovered or opened.ts == bar.ts
            assert ended.recovered or not any(bar.start < high and bar.end > low for low, high in playing.cuts)
        assert series.endswith("M5") or not all(ended.recovered for _, ended in bars)


@pytest.mark.parametrize("playing", [dict(minutes=60)], indirect=True)
def test_a_second_session_widens_the_connection_without_a_break_for_the_first(playing):
    first = playing.hub.open(["EURUSD M1"])
    events = playing.events(first, 3)
    second = playing.hub.open(["XAUUSD M1"])
    more = list[Event]()
    while len(bars_reported(more, "XAUUSD M1")) < 3 and playing.play.now < NOON + 58 * MINUTE:
        events += first.next(0.02)
        more += second.next(0.02)
    bars = bars_reported(events, "EURUSD M1")
    others = bars_reported(more, "XAUUSD M1")
    for series, reported in (("EURUSD M1", bars), ("XAUUSD M1", others)):
        compared(reported, [bar for bar in playing.by_the_sentence(series, NOON, 58) if reported[0][0].end <= bar.end <= reported[-1][0].end])
    assert not any(ended.recovered for _, ended in [*bars, *others])
    assert playing.hub.cuts == 0


@pytest.mark.parametrize("playing", [dict(minutes=8)], indirect=True)
def test_a_session_taken_up_again_has_the_bars_that_it_missed(playing):
    feed = playing.hub.open(["EURUSD M1"])
    events = playing.events(feed, 3)
    standing = feed._maker.standing()
    feed.close()
    again = playing.hub.open(["EURUSD M1"], standing)
    events += playing.events(again, 7)
    bars = bars_reported(events, "EURUSD M1")
    compared(bars, [bar for bar in playing.by_the_sentence("EURUSD M1", NOON, 6) if bar.end >= bars[0][0].end])


@pytest.mark.parametrize("playing", [dict(minutes=1)], indirect=True)
def test_an_instrument_that_the_vendor_lacks_is_refused_before_anything_is_requested(playing):
    with pytest.raises(BadRequest, match="OANDA has no ES=F"):
        playing.hub.open(["ES=F M5"])
    assert not playing.double.requests


def test_a_price_that_stands_still_is_an_alarm_heartbeats_or_not():
    from domain.market.quotes import Heartbeat, Quote
    from worker.sessions.feed_ages import Ages

    ages = Ages(lambda: 0.0, lambda: NOON)
    ages.take(Quote("EURUSD", NOON, 1.1, 1.1001))
    ages.take(Heartbeat(NOON + 29 * SECOND))
    assert ages.silent(["EURUSD"]) == ()
    ages.take(Heartbeat(NOON + 31 * SECOND))
    assert ages.silent(["EURUSD"]) == ("EURUSD has had no price for more than 30 s, although its market is open",)
    ages.take(Heartbeat(int(np.datetime64("2024-07-13T12:00", "ns").astype(np.int64))))       # a Saturday
    assert ages.silent(["EURUSD"]) == ()
