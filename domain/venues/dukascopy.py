"""Dukascopy's archive of ticks: one file (.bi5) an hour, made into bars of the bid with the mean spread of their ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from domain.errors import BadRequest, SourceUnavailable
from domain.market.bars import PRICES, frame
from domain.market.calendar import calendar
from domain.market.instrument import Instrument
from domain.market.readers.bi5_hour import Quotes, path_of, quotes_of
from domain.market.readers.points import points_in_one
from domain.market.readers.tick_bars import TickBars
from domain.market.report import moment
from domain.market.source import SOURCES, Missing, Page, Request, Span, available, grid, not_closed, nothing, page_of
from domain.market.zones import DAY, HOUR
from domain.venues.http import Connection, Refused, Transient
from domain.venues.vendor import VENDORS, Vendor

if TYPE_CHECKING:
    from requests import Session

SYMBOLS = {"NAS100": "USATECHIDXUSD", "US500": "USA500IDXUSD"}
KINDS = ("fx", "metal")
BEGIN = int(np.datetime64("2003-05-04T21:00", "ns").astype(np.int64))
EMPTY = "Dukascopy has no ticks of that hour, although the market was open; it was queried twice"
DAMAGED = "Dukascopy's file of that hour is damaged, however often it is requested"
MONDAY, WEEK = 4 * DAY, 7 * DAY         # 5 January 1970 was a Monday

DUKASCOPY = VENDORS.add("dukascopy", Vendor(
    "dukascopy", "Dukascopy", "FX, metals and two indices without a key: ticks from May 2003 on, made into bid bars with the mean spread, an hour after they are over.",
    "https://datafeed.dukascopy.com/datafeed", "TIDEMARK_DUKASCOPY_URL", pace=(8, 1.0),
))  # fmt: skip


class Damaged(Transient):
    """A whole answer that is no file of ticks."""


class Dukascopy:
    """A page is a day of hours; of H4 and D1 a week, with the hours of the last trading day that begins in it."""

    name, title, side, overlap = "dukascopy", "Dukascopy", "bid", True

    def symbol(self, instrument: Instrument) -> str:
        """
        >>> from domain.market.instrument import instrument
        >>> Dukascopy().symbol(instrument("EURUSD")), Dukascopy().symbol(instrument("US500"))
        ('EURUSD', 'USA500IDXUSD')
        """
        if instrument.name in SYMBOLS:
            return SYMBOLS[instrument.name]
        if instrument.kind in KINDS:
            return instrument.name
        raise BadRequest(f"Dukascopy has no {instrument.name}: it has currency pairs, XAUUSD, XAGUSD, NAS100 and US500 here; choose one of those, or another source")

    def unavailable(self, request: Request) -> tuple[Missing, ...]:
        self.symbol(request.instrument)
        start, end = request.span.start, request.span.end
        early = (Missing(Span(start, min(BEGIN, end)), "limit", f"Dukascopy's ticks begin at {moment(BEGIN)}"),) if start < BEGIN else ()
        return (*early, *_not_over(request))

    def plan(self, request: Request) -> tuple[Span, ...]:
        step, anchor = (WEEK, MONDAY) if request.timeframe.nanoseconds > HOUR else (DAY, 0)
        return tuple(page for span in available(request, self.unavailable(request)) for page in grid(span, step, anchor))

    def page(self, request: Request, span: Span, connection: Connection) -> Page:
        symbol, points, ticks = self.symbol(request.instrument), points_in_one(request.instrument), TickBars()
        session, empty, missing = connection.session(), [], []
        for hour in _hours(request, span):
            try:
                if not _add(_request(connection, session, symbol, hour, points), ticks) and _should_trade(request, hour):
                    empty.append(hour)
            except BrokenHour:
                missing.append(Missing(_of_page(hour, span), "failed", DAMAGED))
        for hour in empty:
            if not _add(_request(connection, session, symbol, hour, points), ticks):
                missing.append(Missing(_of_page(hour, span), "empty", EMPTY))
        bars = _bars(ticks, request) if ticks.rows else nothing()
        return page_of(request, span, bars, sorted(missing, key=lambda each: each.span.start))


class BrokenHour(Exception):
    """An hour's file that stays damaged."""


def _request(connection: Connection, session: Session, symbol: str, hour: int, points: float) -> Quotes:
    """The ticks of an hour; none where there is no file of it, or an empty one."""
    address = f"{connection.url}/{path_of(symbol, hour)}"
    damaged: list[Damaged] = []

    def ask() -> Quotes:
        damaged.clear()
        response = session.get(address)
        if response.status_code == 404:
            return quotes_of(b"", hour, points)
        if response.status_code >= 400:
            raise Refused(f"Dukascopy answered {response.status_code} for {symbol}: it does not take this request")
        try:
            return quotes_of(response.content, hour, points)
        except ValueError as error:
            damaged.append(Damaged(f"its file of {moment(hour)} cannot be read: {error}"))
            raise damaged[0] from None

    try:
        return connection.call(ask, deadline=connection.timeout)
    except SourceUnavailable:
        if damaged:
            raise BrokenHour from None
        raise


def _add(quotes: Quotes, ticks: TickBars) -> bool:
    """Adds the ticks; whether there are any."""
    if len(quotes.ts):
        line = np.arange(ticks.ticks + 1, ticks.ticks + 1 + len(quotes.ts), dtype=np.int64)
        ticks.add(dict(ts=quotes.ts, line=line, bid=quotes.bid, ask=quotes.ask))
    return len(quotes.ts) > 0


def _bars(ticks: TickBars, request: Request) -> object:
    raw = ticks.bars(request.timeframe, request.instrument.calendar, utc=True)
    return frame(raw.local_ns, volume=raw.volume, spread=raw.spread, **{name: getattr(raw, name) for name in PRICES})


def _not_over(request: Request) -> Sequence[Missing]:
    """Bars that are not closed, and those of the hour that is not over, whose file is not there yet."""
    hour = request.at - request.at % HOUR
    missing = not_closed(request)
    if request.timeframe.nanoseconds >= HOUR or request.span.end <= hour or not (late := not_closed(replace(request, at=hour))):
        return missing
    return (replace(late[0], sentence=f"Dukascopy gives ticks by the hour when it is over: those from {moment(late[0].span.start)} on are not there yet"),)


def _hours(request: Request, span: Span) -> list[int]:
    """The hours whose ticks make the bars that open in ``span``; weekends are not requested."""
    market, end = calendar(request.instrument.calendar), span.end
    if request.timeframe.nanoseconds > HOUR:
        end = max(end, int(market.day_table.closes[market.day_of(span.end - 1)]))
    hours = np.arange(span.start - span.start % HOUR, min(end, request.at - request.at % HOUR), HOUR)
    weekday = (hours // DAY + 3) % 7
    return [int(hour) for hour in hours[(weekday < 5) | (market.open_time(hours, hours + HOUR) > 0)]]


def _should_trade(request: Request, hour: int) -> bool:
    return int(calendar(request.instrument.calendar).open_time(hour, hour + HOUR)) > 0


def _of_page(hour: int, span: Span) -> Span:
    """The hour as far as it lies in the page; the last bars of a page may need hours behind it."""
    return Span(hour, hour + HOUR).cut(span) or Span(span.end - 1, span.end)


SOURCES.add(Dukascopy.name, Dukascopy())
