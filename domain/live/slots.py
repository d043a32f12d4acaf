"""Where the bars of a series lie in time: its slots, by the instrument's calendar. A bar that opens late ends with its slot all the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from domain.errors import BadRequest
from domain.live.market_series import SeriesName
from domain.live.quotes import Wanted
from domain.market.calendar import calendar
from domain.market.instrument import Instrument
from domain.market.instrument import instruments as shipped
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR


@dataclass(frozen=True)
class Slots:
    """Slots of a timeframe, [start, end), one after the other: up to H1 whole multiples of UTC, H4 from the open of each trading day, D1 the trading day,
    to which what is quoted before its open belongs.

    >>> slots = Slots(Timeframe.named("M5"), "fx")
    >>> slots.of(7 * 60_000_000_000)
    (300000000000, 600000000000)
    """

    timeframe: Timeframe
    calendar: str

    def of(self, at: int) -> tuple[int, int]:
        """The slot that holds an instant."""
        step = self.timeframe.nanoseconds
        if step > HOUR:
            return self._of_day(at, step)
        start = at - at % step
        return start, start + step

    def _of_day(self, at: int, step: int) -> tuple[int, int]:
        opens, closes = _days(self.calendar)
        day = bisect_right(closes if self.timeframe.ends_with_session else opens, at)
        if not 0 < day < len(opens):
            raise BadRequest(f"the {self.calendar} calendar does not know the time of this quote; the vendor's clock may be wrong")
        if self.timeframe.ends_with_session:
            return opens[day] if at >= opens[day] else closes[day - 1], closes[day]
        start = opens[day - 1] + (at - opens[day - 1]) // step * step
        return start, min(start + step, opens[day])


@cache
def _days(name: str) -> tuple[list[int], list[int]]:
    """Opens and closes of all trading days of a calendar."""
    days = calendar(name).day_table
    return days.opens.tolist(), days.closes.tolist()


@dataclass(frozen=True)
class Watched:
    """A series whose bars are made: its name, whose quotes it is made of, its slots, and whether its prices may be 0 or below."""

    series: str
    instrument: str
    slots: Slots = field(compare=False)
    negative: bool = False


def watched(series: Sequence[str], instruments: Mapping[str, Instrument] | None = None) -> tuple[Watched, ...]:
    """The series of an account, in its order.

    >>> [(each.series, each.instrument) for each in watched(["EURUSD M5", "EURUSD H1"])]
    [('EURUSD M5', 'EURUSD'), ('EURUSD H1', 'EURUSD')]
    """
    table = shipped() if instruments is None else instruments
    return tuple(_watched(text, table) for text in series)


def earlier(this: Watched, before: int, count: int) -> Wanted:
    """A span that holds the last ``count`` bars before an instant, were the market open all week, and half as many again.

    >>> earlier(watched(["EURUSD M5"])[0], 1_720_612_800_000_000_000, 10).start
    1720608300000000000
    """
    end = this.slots.of(before)[0]
    span = count * this.slots.timeframe.nanoseconds
    return Wanted(this.series, end - span - span // 2 - (3 * DAY if span > DAY // 2 else 0), end)


def named(series: str, instruments: Mapping[str, Instrument] | None = None) -> tuple[Instrument, Timeframe]:
    """What a series' name means."""
    name = SeriesName.read(series)
    return name.of(shipped() if instruments is None else instruments), name.timeframe


def _watched(series: str, table: Mapping[str, Instrument]) -> Watched:
    instrument, timeframe = named(series, table)
    return Watched(series, instrument.name, Slots(timeframe, instrument.calendar), instrument.negative_prices)
