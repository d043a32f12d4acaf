"""Yahoo Finance through yfinance: FX and futures without a key; short histories inside the day."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.market.bars import frame
from domain.market.calendar import calendar
from domain.market.instrument import Instrument
from domain.market.report import moment
from domain.market.source import SOURCES, Missing, Page, Request, Span, available, grid, not_closed, nothing, page_of
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR
from domain.venues.http import Connection, Refused
from domain.venues.vendor import VENDORS, Vendor

if TYPE_CHECKING:
    from yfinance.scrapers.history import PriceHistory

INTERVALS = {"M1": "1m", "M5": "5m", "M15": "15m", "M30": "30m", "H1": "1h", "D1": "1d"}
BACK = {"M1": 30, "M5": 60, "M15": 60, "M30": 60, "H1": 730}         # days before now that Yahoo has
PAGE = {"M1": 7, "M5": 30, "M15": 30, "M30": 30, "H1": 180, "D1": 3_650}      # days of a request; of M1 Yahoo gives no more
MARGIN = 60_000_000_000             # a request takes a moment to arrive, and Yahoo counts its days from then
CHART = "/v8/finance/chart/"
NO_BARS = ("data doesn't exist for startdate", "no price data found")
TOO_FAR = "must be within the last"
SPLICED = "Yahoo splices the front months of a future without adjusting them: each roll is a jump that nobody earned"
DAILY_FX = "Yahoo's daily FX closes are those of about 00:00 UTC, its highs and lows of the day that begins then: take hourly bars for anything that needs both"

YAHOO = VENDORS.add("yahoo", Vendor(
    "yahoo", "Yahoo", "FX and futures without a key: M1 of the last 30 days, M5 to M30 of 60, H1 of 730, D1 from its start; last prices, no spread. Futures are spliced by the vendor.",
    "https://query2.finance.yahoo.com", "TIDEMARK_YAHOO_URL", pace=(2, 1.0),
))  # fmt: skip


class Yahoo:
    """Prices of FX are indicative, those of futures last trades; both are taken for the middle, with no spread of their own."""

    name, title, side, overlap = "yahoo", "Yahoo", "mid", True

    def symbol(self, instrument: Instrument) -> str:
        """
        >>> from domain.market.instrument import instrument
        >>> Yahoo().symbol(instrument("EURUSD")), Yahoo().symbol(instrument("ES=F"))
        ('EURUSD=X', 'ES=F')
        """
        if instrument.kind == "fx":
            return f"{instrument.name}=X"
        if instrument.name.endswith("=F"):
            return instrument.name
        raise BadRequest(f"Yahoo has no {instrument.name}: of {instrument.kind} it has futures only, such as GC=F and ES=F, and no spot prices or CFDs; choose one of those, or another source")

    def unavailable(self, request: Request) -> tuple[Missing, ...]:
        self._interval(request.timeframe)
        self.symbol(request.instrument)
        return (*self._too_early(request), *_not_over(_known(request)))

    def plan(self, request: Request) -> tuple[Span, ...]:
        step = PAGE[str(request.timeframe)] * DAY
        return tuple(page for span in available(request, self.unavailable(request)) for page in grid(span, step))

    def page(self, request: Request, span: Span, connection: Connection) -> Page:
        symbol, daily = self.symbol(request.instrument), request.timeframe.ends_with_session
        margin = timedelta(days=2 if daily else 0)          # a day of the exchange begins before or after one of UTC
        start, end = (_time(edge) for edge in (span.start, span.end))
        interval = self._interval(request.timeframe)
        session = connection.session(watched=CHART)
        try:
            table, limit = connection.call(lambda: _request(session, symbol, interval, start - margin, end + margin))
        finally:
            session.close()
        notes = (SPLICED,) if request.instrument.kind == "future" else (DAILY_FX,) if daily else ()
        missing = (Missing(span, "limit", f"Yahoo: {limit}"),) if limit else ()
        return page_of(_known(request), span, nothing() if table is None else _bars(table, request), missing, notes)

    def _interval(self, timeframe: Timeframe) -> str:
        if str(timeframe) not in INTERVALS:
            raise BadRequest(f"Yahoo has no {timeframe} bars; it has {listed(INTERVALS, 9)}")
        return INTERVALS[str(timeframe)]

    def _too_early(self, request: Request) -> tuple[Missing, ...]:
        days, step = BACK.get(str(request.timeframe)), request.timeframe.nanoseconds
        if days is None:
            return ()
        first = request.at - days * DAY + MARGIN
        edge = min(first + -first % step, request.span.end)
        if request.span.start >= edge:
            return ()
        sentence = f"Yahoo gives {request.timeframe} bars of the last {days} days, from {moment(edge)} on"
        return (Missing(Span(request.span.start, edge), "limit", sentence),)


SOURCES.add(Yahoo.name, Yahoo())


def _known(request: Request) -> Request:
    """The request as of the moment to which Yahoo's bars are final: a day of FX ends there at midnight in London, three
    hours after it ends in New York at the latest."""
    late = request.timeframe.ends_with_session and request.instrument.kind == "fx"
    return replace(request, at=request.at - 3 * HOUR) if late else request


def _not_over(request: Request) -> tuple[Missing, ...]:
    """As ``not_closed``; Yahoo's days are stamped with their trade date, not with the moment at which they begin."""
    if not request.timeframe.ends_with_session:
        return not_closed(request)
    market = calendar(request.instrument.calendar)
    first = int(market.day_table.day[market.day_of(request.at)]) * DAY
    span = Span(max(first, request.span.start), request.span.end)
    return (Missing(span, "open", f"the day {moment(first)[:10]} and those after it are not over yet"),) if span.start < span.end else ()


def _request(session: Any, symbol: str, interval: str, start: datetime, end: datetime) -> tuple[pd.DataFrame | None, str]:
    """What yfinance gives, unadjusted; None where Yahoo has no bars in that span, and its words where it gives none that
    far back. Refused where it does not know the symbol."""
    from yfinance.exceptions import YFPricesMissingError

    try:
        return _history(session, symbol).history(interval=interval, start=start, end=end, prepost=True, actions=False, auto_adjust=False, keepna=True), ""
    except YFPricesMissingError as error:
        words, reason = str(error).lower(), " ".join(str(error).split())[:200]
    if any(known in words for known in NO_BARS):
        return None, ""
    if TOO_FAR in words:
        return None, reason
    raise Refused(f"Yahoo gives no bars of {symbol}: {reason}")


def _history(session: Any, symbol: str) -> PriceHistory:
    """A history of its own: yfinance's tickers share one session and a cache of answers across a whole process."""
    import yfinance
    from pandas.errors import Pandas4Warning
    from yfinance.data import YfData
    from yfinance.scrapers.history import PriceHistory

    warnings.filterwarnings("ignore", category=Pandas4Warning, module="yfinance")
    yfinance.config.debug.hide_exceptions = False       # else it logs them, and gives an empty table
    data = object.__new__(YfData)
    YfData.__init__(data, session=session)
    return PriceHistory(data, symbol, "UTC", session)


def _bars(table: pd.DataFrame, request: Request) -> pd.DataFrame:
    """yfinance's table as bars: instants in UTC; of daily bars the exchange's trade date, as a day of UTC."""
    index = pd.DatetimeIndex(table.index)
    daily = request.timeframe.ends_with_session
    stamps = index.tz_localize(None).tz_localize("UTC") if daily and index.tz is not None else index.tz_convert("UTC")
    ts = stamps.as_unit("ns").to_numpy(dtype="datetime64[ns]").view(np.int64)
    own = {name: table[name.capitalize()].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")}
    if request.instrument.kind != "future":
        del own["volume"]           # of FX Yahoo counts nothing
    bars = frame(ts, **own)
    return bars[ts % min(request.timeframe.nanoseconds, DAY) == 0].reset_index(drop=True)       # others are the quote of this moment


def _time(ns: int) -> datetime:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC)

