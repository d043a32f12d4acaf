"""Bars made from quotes: as the sentence says, whole or with breaks, in order or not. ``TIDEMARK_CASES`` takes more of the made days."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from domain.live.bar_maker import BarMaker
from domain.live.quotes import Cut, Ended, Event, Instant, Opened
from domain.live.slots import watched
from domain.market.quotes import Candle, Heartbeat, Quote
from tests.reference.quote_bars import SECOND, QuoteBar, bars_of

CASES = int(os.environ.get("TIDEMARK_CASES", "12"))
MINUTE = 60 * SECOND
DAWN = int(np.datetime64("2024-07-10T20:30", "ns").astype(np.int64))       # half an hour before the trading day of both ends
SERIES = ("EURUSD M1", "EURUSD M5", "XAUUSD M1", "EURUSD H1", "XAUUSD H4", "EURUSD D1", "EURUSD H4")


@dataclass
class Bar:
    """A bar as the events of a maker tell it."""

    opened: Opened
    ended: Ended


def bars_reported(events: list[Event]) -> dict[str, list[Bar]]:
    """The bars of events, which must be in order: instants rise, what ends was open, what opens was not, and lies at its instant."""
    bars, is_open, at, since = dict[str, list[Bar]](), dict[str, Opened](), 0, list[Opened | Ended]()
    for event in events:
        if not isinstance(event, Instant):
            since.append(event)
            continue
        assert event.at > at
        at = event.at
        kinds = [type(reported) for reported in since]
        assert kinds == sorted(kinds, key=lambda kind: kind is Opened), "ends come first"
        for reported in since:
            if isinstance(reported, Opened):
                assert reported.series not in is_open and reported.ts == at < reported.end
                is_open[reported.series] = reported
            else:
                opened = is_open.pop(reported.series)
                assert opened.end == at
                bars.setdefault(reported.series, []).append(Bar(opened, reported))
        since = []
    assert not since
    return bars


def plain(bar: Bar) -> tuple[object, ...]:
    return bar.opened.ts, bar.opened.end, bar.opened.open, bar.ended.high, bar.ended.low, bar.ended.close, bar.ended.volume, bar.opened.spread


def as_plain(bar: QuoteBar) -> tuple[object, ...]:
    return bar.ts, bar.end, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.spread


def a_day(rng: random.Random, instruments: list[str], minutes: int) -> list[Quote | Heartbeat]:
    """Quotes in the order of their times, in bursts with silences between, and a heartbeat every 5 s."""
    received: list[Quote | Heartbeat] = [Heartbeat(DAWN + at * SECOND + rng.randrange(SECOND)) for at in range(0, minutes * 60, 5)]
    for name in instruments:
        at, price = DAWN + rng.randrange(5 * SECOND), 1.1 if name == "EURUSD" else 2350.0
        while at < DAWN + minutes * MINUTE:
            price = round(price * (1 + rng.gauss(0, 1e-5)), 5)
            received.append(Quote(name, at, price, round(price + rng.choice((0.0, 0.0001, 0.00013)), 5)))
            at += int(rng.choice((0.05, 0.4, 1.0, 4.0, 20.0, 100.0)) * rng.random() * SECOND)
    return sorted(received, key=lambda each: each.at)


def slots_of(series: str, minutes: int) -> list[tuple[int, int]]:
    (this,) = watched([series])
    slots, at = [], DAWN - 26 * 60 * MINUTE
    while at < DAWN + minutes * MINUTE:
        slots.append(this.slots.of(at))
        at = slots[-1][1]
    return slots


def by_the_sentence(series: str, received: list[Quote | Heartbeat], begun: int, minutes: int) -> list[QuoteBar]:
    name = series.split()[0]
    return bars_of(series, slots_of(series, minutes), [(each.at, each.bid, each.ask) for each in received if isinstance(each, Quote) and each.instrument == name], begun)


def begun_of(received: list[Quote | Heartbeat]) -> int:
    """The feed's first heartbeat, or what quotes before it say if that is later."""
    row = next(row for row, each in enumerate(received) if isinstance(each, Heartbeat))
    return max(each.at for each in received[: row + 1])


def test_bars_are_those_of_the_sentence():
    for case in range(CASES):
        rng = random.Random(case)
        series, minutes = rng.sample(SERIES, rng.randint(1, 5)), rng.choice((20, 90))
        received = a_day(rng, sorted({each.split()[0] for each in series}), minutes)
        maker = BarMaker(watched(series))
        reported = bars_reported([event for each in received for event in maker.receive(each)])
        for each in series:
            known = [as_plain(bar) for bar in by_the_sentence(each, received, begun_of(received), minutes) if bar.end + 2 * SECOND <= received[-1].at]
            assert [plain(bar) for bar in reported.get(each, [])][: len(known)] == known, (case, each)
        assert not any(maker.dropped.values()) and not maker.remarks


def test_an_instant_is_worked_when_all_have_quoted_and_never_later_than_two_seconds_by_the_vendors_clock():
    for case in range(CASES):
        rng = random.Random(1_000 + case)
        series = rng.sample(SERIES[:3], 2)
        received = a_day(rng, sorted({each.split()[0] for each in series}), 20)
        maker, last = BarMaker(watched(series)), dict.fromkeys({each.split()[0] for each in series}, 0)
        for each in received:
            if isinstance(each, Quote):
                last[each.instrument] = each.at
            for event in maker.receive(each):
                if isinstance(event, Instant):
                    assert min(last.values()) >= event.at or each.at >= event.at + 2 * SECOND, case
            assert not [bar for bar in maker.shown() if bar.end + 2 * SECOND <= each.at or bar.end <= min(last.values())], case


class Vendor:
    """Candles of all quotes, also of those that a cut swallowed. The candle under way is not complete until 30 s after its end."""

    def __init__(self, quotes: list[Quote]) -> None:
        self.quotes = quotes

    def candles(self, series: str, start: int, end: int, now: int) -> list[Candle]:
        slots, created = watched([series])[0].slots, []
        inside: dict[tuple[int, int], list[Quote]] = {}
        for quote in self.quotes:
            if quote.instrument == series.split()[0] and quote.at <= now:
                inside.setdefault(slots.of(quote.at), []).append(quote)
        for (begins, ends), of in inside.items():
            if start <= begins < end:
                bids = [quote.bid for quote in of]
                created.append(Candle(begins, bids[0], max(bids), min(bids), bids[-1], float(len(bids)), round(of[0].ask - of[0].bid, 10), now >= ends + 30 * SECOND))
        return created


def through_cuts(maker: BarMaker, received: list[Quote | Heartbeat], cuts: list[tuple[int, int]], series: list[str]) -> list[Event]:
    """What a maker tells of a day in which the feed is away from and to these times."""
    events, vendor = list[Event](), Vendor([each for each in received if isinstance(each, Quote)])
    for each in received:
        if any(low <= each.at < high for low, high in cuts):
            assert not maker.receive(Cut())
            continue
        events += maker.receive(each)
        for wanted in maker.wanted():
            request = maker.clock.now
            events += maker.answer(wanted, vendor.candles(wanted.series, wanted.start, wanted.end, request), request)
    return events


def test_with_cuts_every_bar_the_break_touched_is_there_with_the_vendors_prices_and_marked():
    for case in range(CASES):
        rng = random.Random(2_000 + case)
        series, minutes = rng.sample(SERIES, rng.randint(1, 4)), rng.choice((40, 120))
        received = a_day(rng, sorted({each.split()[0] for each in series}), minutes)
        begun = begun_of(received)
        lows = sorted(begun + SECOND + rng.randrange((minutes - 12) * MINUTE) for _ in range(3))
        cuts = [(low, low + rng.choice((1, 20, 70, 600)) * SECOND + 1) for low in lows]
        maker = BarMaker(watched(series))
        reported = bars_reported(through_cuts(maker, received, cuts, series))
        for each in series:
            check_with_cuts(each, reported.get(each, []), [bar for bar in by_the_sentence(each, received, begun, minutes) if bar.end + 40 * SECOND <= received[-1].at], received, cuts, case)
        assert not maker.remarks


def check_with_cuts(series, reported, known, received, cuts, case):
    assert [(bar.opened.end, bar.opened.open, bar.ended.high, bar.ended.low, bar.ended.close, bar.ended.volume, bar.opened.spread) for bar in reported][: len(known)] == [as_plain(bar)[1:] for bar in known], (case, series)
    for bar, should in zip(reported, known, strict=False):
        breaks = [gone for low, high in cuts if (gone := missed(received, cuts, low, high)) is not None]
        touched = any(bar.opened.end > low and should.start < high for low, high in breaks)
        assert bar.ended.recovered == touched, (case, series, bar)
        assert touched or bar.opened.ts == should.ts, (case, series, bar)


def missed(received, cuts, low, high):
    """From the last that was heard before a cut to the first heartbeat after it; None where nothing fell into it."""
    def away(at):
        return any(begin <= at < end for begin, end in cuts)

    if not any(low <= each.at < high for each in received):
        return None
    back = min((each.at for each in received if isinstance(each, Heartbeat) and each.at >= high and not away(each.at)), default=None)
    before = max(each.at for each in received if each.at < low and not away(each.at))
    return (before, back) if back is not None else None


def test_a_maker_taken_up_again_goes_on_as_after_a_break():
    for case in range(CASES // 4):
        rng = random.Random(3_000 + case)
        series, minutes = rng.sample(SERIES, 3), 90
        received = a_day(rng, sorted({each.split()[0] for each in series}), minutes)
        quotes = Vendor([each for each in received if isinstance(each, Quote)])
        maker, events = BarMaker(watched(series)), list[Event]()
        for each in received:
            if rng.random() < 0.002 and (standing := maker.standing()) is not None:
                maker = BarMaker(watched(series), standing)
            events += maker.receive(each)
            for wanted in maker.wanted():
                request = maker.clock.now
                events += maker.answer(wanted, quotes.candles(wanted.series, wanted.start, wanted.end, request), request)
        reported = bars_reported(events)
        for each in series:
            known = [bar for bar in by_the_sentence(each, received, begun_of(received), minutes) if bar.end + 40 * SECOND <= received[-1].at]
            assert [plain(bar)[1:] for bar in reported.get(each, [])][: len(known)] == [as_plain(bar)[1:] for bar in known], (case, each)


def test_quotes_out_of_order_never_reach_an_ended_bar_and_are_counted():
    dropped = 0
    for case in range(CASES):
        rng = random.Random(4_000 + case)
        received = a_day(rng, ["EURUSD", "XAUUSD"], 20)
        received.sort(key=lambda each: each.at + (rng.random() < 0.1) * rng.randrange(8 * SECOND))
        maker = BarMaker(watched(SERIES[:3]))
        reported = bars_reported([event for each in received for event in maker.receive(each)])
        for bars in reported.values():
            for before, bar in pairwise(bars):
                assert before.opened.end <= bar.opened.ts
            for bar in bars:
                assert bar.ended.low <= bar.opened.open <= bar.ended.high and bar.ended.low <= bar.ended.close <= bar.ended.high
        dropped += sum(maker.dropped.values())
    assert dropped


def quotes(maker: BarMaker, *rows: tuple[float, float]) -> list[Event]:
    return [event for at, bid in rows for event in maker.receive(Quote("EURUSD", DAWN + int(at * SECOND), bid, round(bid + 0.0001, 5)))]


@pytest.fixture
def maker() -> BarMaker:
    created = BarMaker(watched(["EURUSD M1", "XAUUSD M1"]))
    created.receive(Heartbeat(DAWN))
    return created


def test_what_a_quote_reaches_is_shown_at_once(maker):
    quotes(maker, (0.1, 1.1), (3.0, 1.2), (4.0, 1.05))
    (bar,) = maker.shown()
    assert (bar.high, bar.low, bar.close, bar.volume) == (1.2, 1.05, 1.05, 3)


def test_a_series_that_quotes_after_the_instant_opens_in_that_quotes_second(maker):
    assert quotes(maker, (0.1, 1.1)) == []                                       # gold may still quote
    assert [event.at - DAWN for event in maker.receive(Heartbeat(DAWN + 2 * SECOND)) if isinstance(event, Instant)] == [0]
    events = maker.receive(Quote("XAUUSD", DAWN + 7 * SECOND + 400_000_000, 2350.0, 2350.3)) + maker.receive(Heartbeat(DAWN + 9 * SECOND))
    assert events == [Opened("XAUUSD M1", DAWN + 7 * SECOND, 2350.0, 0.3, DAWN + MINUTE), Instant(DAWN + 7 * SECOND)]


def test_while_the_feed_is_away_nothing_is_worked(maker):
    quotes(maker, (0.1, 1.1), (2.5, 1.2))
    maker.receive(Cut())
    assert quotes(maker, (200.0, 1.3)) == [] and maker.wanted() == () and maker.away
    assert maker.receive(Heartbeat(DAWN + 201 * SECOND)) == []                      # candles are waited for
    assert [(wanted.series, wanted.start - DAWN, wanted.end - DAWN) for wanted in maker.wanted()] == [("EURUSD M1", 0, 4 * MINUTE), ("XAUUSD M1", 0, 4 * MINUTE)]


def test_a_bar_open_when_the_feed_was_cut_keeps_its_open_and_spread(maker):
    quotes(maker, (0.1, 1.1), (2.5, 1.2))
    maker.receive(Cut())
    maker.receive(Heartbeat(DAWN + 100 * SECOND))
    gold, euro = Candle(DAWN, 2350.0, 2351.0, 2349.0, 2350.5, 40, 0.3), Candle(DAWN, 1.15, 1.16, 1.14, 1.15, 77, 0.0009)
    events = [event for wanted, candle in zip(maker.wanted(), (euro, gold), strict=True) for event in maker.answer(wanted, [candle], DAWN + 100 * SECOND)]
    reported = bars_reported(events and [Opened("EURUSD M1", DAWN, 1.1, 0.0001, DAWN + MINUTE), Instant(DAWN), *events])
    assert plain(reported["EURUSD M1"][0]) == (DAWN, DAWN + MINUTE, 1.1, 1.16, 1.1, 1.15, 77, 0.0001)
    assert reported["XAUUSD M1"][0].opened.spread == 0.3 and reported["XAUUSD M1"][0].opened.ts == DAWN + SECOND     # its slot's instant had been worked
    assert all(bar.ended.recovered for bars in reported.values() for bar in bars)


def test_a_bar_of_quotes_without_a_candle_is_kept_and_named(maker):
    quotes(maker, (0.1, 1.1), (2.5, 1.2))
    maker.receive(Cut())
    maker.receive(Heartbeat(DAWN + 100 * SECOND))
    for wanted in maker.wanted():
        maker.answer(wanted, [], DAWN + 100 * SECOND)
    assert len(maker.remarks) == 1 and "has no candle" in maker.remarks[0]


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_quote_that_is_no_price_is_left_out_and_counted(maker, price):
    assert quotes(maker, (0.1, price)) == [] and "were no prices" in maker.remarks[0]
