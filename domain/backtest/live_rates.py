"""Conversion rates as they are now: what ``conversion.rates_at`` gives at one instant, from the last close of each loaded series."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from domain.backtest.conversion import STALE, missing
from domain.backtest.live_records import LiveSeries
from domain.errors import BadRequest
from domain.market.timeframe import Timeframe

Leg = tuple[tuple[int, ...], bool]      # sources of a pair, finest first; whether the rate is one over theirs
NOTHING = -(1 << 62)


class Source:
    """The mid closes of one loaded series of a pair, each known at its end."""

    def __init__(self, base: str, quote: str, minutes: int) -> None:
        self.base, self.quote, self.minutes = base, quote, minutes
        self.end, self.mid = NOTHING, math.nan
        self.coming: deque[tuple[int, float]] = deque()

    def add(self, ts: int, end: int, mid: float) -> None:
        """A bar from ``ts`` to ``end``; the one before it ended by then."""
        if self.coming and self.coming[-1][0] > ts:
            self.coming[-1] = ts, self.coming[-1][1]
        self.coming.append((end, mid))

    def up_to(self, now: int) -> None:
        while self.coming and self.coming[0][0] <= now:
            self.end, self.mid = self.coming.popleft()


class PresentRates:
    """The account's currency for one unit of each currency.

    >>> rates = PresentRates(["JPY", "USD"], "USD", [Source("USD", "JPY", 60)])
    >>> rates.sources[0].coming.append((10, 125.0))
    >>> rates.at(9), rates.at(10), rates.at(11 + STALE)
    ([nan, 1.0], [0.008, 1.0], [-0.008, 1.0])
    """

    def __init__(self, currencies: Sequence[str], account: str, sources: Sequence[Source]) -> None:
        self.sources = sources
        self.ways = [_ways(currency, account, sources) for currency in currencies]

    def at(self, now: int) -> list[float]:
        """Each currency's rate; negative where it is stale, NaN where nothing is known yet."""
        for source in self.sources:
            source.up_to(now)
        return [1.0 if ways is None else self._first(ways, now) for ways in self.ways]

    def _first(self, ways: Sequence[Sequence[Leg]], now: int) -> float:
        for way in ways:
            rate, stale = 1.0, False
            for leg in way:
                end, value = self._latest(leg)
                rate, stale = rate * value, stale or (end != NOTHING and now - end > STALE)
            if rate == rate:
                return -rate if stale else rate
        return math.nan

    def _latest(self, leg: Leg) -> tuple[int, float]:
        places, inverse = leg
        end, mid = NOTHING, math.nan
        for place in places:
            source = self.sources[place]
            if source.end > end:
                end, mid = source.end, source.mid
        return end, (1.0 / mid if mid else math.inf) if inverse else mid


def sources_of(series: Sequence[LiveSeries], rates: Sequence[LiveSeries]) -> tuple[list[Source], list[Source | None], list[Source]]:
    """Of each series and rate, of each series' finer bars, and all in the order in which one of two at once counts."""
    own = [_source(each, each.timeframe) for each in (*series, *rates)]
    finer = [_source(each, each.finer_timeframe) if each.finer_timeframe else None for each in series]
    traded = [source for k in range(len(series)) for source in (own[k], finer[k]) if source is not None]
    return own, finer, [*traded, *own[len(series) :]]


def _source(series: LiveSeries, timeframe: Timeframe) -> Source:
    return Source(series.instrument.base, series.instrument.quote, timeframe.minutes)


def _ways(currency: str, account: str, sources: Sequence[Source]) -> list[list[Leg]] | None:
    """Every way from the currency to the account's, the first that has a value wins; None: they are one."""
    if currency == account:
        return None
    ways = [[leg] for leg in _legs(currency, account, sources)]
    if "USD" not in (currency, account):
        ways += [[a, b] for a in _legs(currency, "USD", sources) for b in _legs("USD", account, sources)]
    if not ways:
        raise BadRequest(missing(currency, account))
    return ways


def _legs(base: str, quote: str, sources: Sequence[Source]) -> list[Leg]:
    direct, inverse = _of(base, quote, sources), _of(quote, base, sources)
    return [*([(direct, False)] if direct else []), *([(inverse, True)] if inverse else [])]


def _of(base: str, quote: str, sources: Sequence[Source]) -> tuple[int, ...]:
    places = [place for place, source in enumerate(sources) if (source.base, source.quote) == (base, quote)]
    return tuple(sorted(places, key=lambda place: sources[place].minutes))
