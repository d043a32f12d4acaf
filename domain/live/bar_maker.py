"""Bars from quotes, by the quotes' own time. Pure: what a feed says goes in, bars that open and end come out.

Instant T is worked once every instrument of the account has quoted at or after T, at the latest when the vendor's clock reads T + 2 s: what ends, then what
opens. A series that quotes later opens in that quote's second and ends with its slot. While the feed is away nothing is worked; afterwards every bar that the
break touched comes from the vendor's candles, but for the open and the spread of one already open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from domain.live.forming import Forming
from domain.live.line import NEVER, NO_CANDLE, Line
from domain.live.quotes import Event, FeedMessage, Instant, OpenBar, Standing, Wanted
from domain.live.slots import Watched
from domain.live.vendor_clock import LONG_AGO, VendorClock
from domain.market.quotes import Candle, Heartbeat, Quote
from domain.market.report import moment


class BarMaker:
    """The bars of one account, in the order of its series. Prices are of the bid, the spread is that of the first quote. No quote, no bar.

    >>> from domain.live.slots import watched
    >>> maker, at = BarMaker(watched(["EURUSD M1"])), 60_000_000_000
    >>> maker.receive(Heartbeat(at)), maker.receive(Quote("EURUSD", at, 1.1, 1.1002))
    ([], [Opened(series='EURUSD M1', ts=60000000000, open=1.1, spread=0.0002, end=120000000000), Instant(at=60000000000)])
    >>> [type(event).__name__ for event in maker.receive(Quote("EURUSD", 2 * at, 1.1001, 1.1003))]
    ['Ended', 'Opened', 'Instant']
    """

    def __init__(self, series: Sequence[Watched], standing: Standing | None = None) -> None:
        self.clock = VendorClock(each.instrument for each in series)
        self._lines = {each.series: Line(each) for each in series}
        self._quoting = {name: [line for line in self._lines.values() if line.watched.instrument == name] for name in {each.instrument for each in series}}
        self._negative = {each.instrument: each.negative for each in series}
        self._latest: dict[str, Quote] = {}
        self._worked, self._begun, self._cut, self._bad = LONG_AGO, LONG_AGO, LONG_AGO, 0
        self._away = True           # until a heartbeat tells the time from which nothing is missed
        if standing is not None:
            self._stand(standing)

    def _stand(self, standing: Standing) -> None:
        """Go on where a process ended: as after a break that began with the last instant."""
        self._begun, self._worked, self._cut = standing.begun, standing.worked, standing.worked
        self.clock.reads(standing.worked)
        for line in self._lines.values():
            line.begun = standing.begun
        for bar in standing.bars:
            line = self._lines[bar.series]
            line.bar = Forming.of(bar, line.watched.slots.of(bar.ts)[0])

    # what a feed says

    def receive(self, message: FeedMessage) -> list[Event]:
        """A quote, a heartbeat or a cut: what it makes end, open and be worked. A quote of an instrument that no series has says nothing."""
        if isinstance(message, Quote):
            self._quote(message)
        elif isinstance(message, Heartbeat):
            self._heartbeat(message.at)
        else:
            self._lost()
        return self._work()

    def _quote(self, quote: Quote) -> None:
        if quote.instrument not in self._quoting or quote == self._latest.get(quote.instrument):
            return                      # the same once more: a vendor tells the last price again when it is connected to
        if not (_is_price(quote.bid, self._negative[quote.instrument]) and _is_price(quote.ask, self._negative[quote.instrument])):
            self._bad += 1
            return
        self._latest[quote.instrument] = quote
        for line in self._quoting[quote.instrument]:
            line.take(quote, self.clock, self._worked)
        self.clock.quoted(quote.instrument, quote.at)

    def _heartbeat(self, at: int) -> None:
        self.clock.reads(at)
        if not self._away:
            return
        self._away, now = False, self.clock.now
        for line in self._lines.values():
            line.missed(self._cut, now)
        self._begun = now if self._begun == LONG_AGO else self._begun

    def _lost(self) -> None:
        if not self._away:
            self._away, self._cut = True, self.clock.now

    # candles of a break

    def wanted(self) -> tuple[Wanted, ...]:
        """Candles to ask the vendor for now; of each series the earliest that are missing."""
        if self._away:
            return ()
        holes = [(name, line.holes[0]) for name, line in self._lines.items() if line.holes]
        return tuple(Wanted(name, hole.start, hole.end) for name, hole in holes if self.clock.now >= hole.ask_at)

    def answer(self, wanted: Wanted, candles: Sequence[Candle], requested_at: int) -> list[Event]:
        """The candles of ``wanted`` that the vendor has, requested when its clock read ``requested_at``. What was wanted before another break came counts no more."""
        line = self._lines[wanted.series]
        if line.holes and line.holes[0].start == wanted.start and line.holes[0].end == wanted.end:
            line.fill(candles, requested_at)
        return self._work()

    # what comes out

    def _work(self) -> list[Event]:
        events: list[Event] = []
        while not self._away:
            at = min(line.next(self._worked) for line in self._lines.values())
            if at == NEVER or not self.clock.due(at) or any(line.held_from() <= at for line in self._lines.values()):
                break
            events += self._worked_at(at)
        return events

    def _worked_at(self, at: int) -> list[Event]:
        """All that ends at an instant, then all that opens."""
        lines = self._lines.values()
        ended = [line.end(at) for line in lines]
        opened = [line.open(at, self._worked) for line in lines]
        self._worked = at
        return [*(event for event in (*ended, *opened) if event is not None), Instant(at)]

    @property
    def instruments(self) -> tuple[str, ...]:
        return tuple(self._quoting)

    @property
    def away(self) -> bool:
        return self._away

    @property
    def recovering(self) -> tuple[str, ...]:
        """Series whose candles are waited for."""
        return tuple(name for name, line in self._lines.items() if line.holes)

    @property
    def dropped(self) -> Mapping[str, int]:
        """Quotes for bars that had ended, by series."""
        return {name: line.dropped for name, line in self._lines.items()}

    @property
    def remarks(self) -> tuple[str, ...]:
        bad = (f"{self._bad} quotes were no prices; they were left out",) if self._bad else ()
        return (*bad, *(NO_CANDLE.format(name, moment(start)) for name, line in self._lines.items() for start in line.unmatched))

    def shown(self) -> tuple[OpenBar, ...]:
        """The bars that are open, with what quotes have reached in them."""
        return tuple(bar for line in self._lines.values() for bar in line.shown())

    def standing(self) -> Standing | None:
        """Where it stands; None before its first instant."""
        return None if self._worked == LONG_AGO else Standing(self._begun, self._worked, self.shown())


def _is_price(value: float, negative: bool) -> bool:
    """A vendor that has no price may tell 0."""
    return math.isfinite(value) and (negative or value > 0)
