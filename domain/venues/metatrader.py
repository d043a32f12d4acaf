"""MetaTrader 5 as a source of bars and ticks: what the terminal on this machine has of its broker's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import frame, ts_of
from domain.market.calendar import calendar
from domain.market.instrument import Instrument, instrument
from domain.market.source import SOURCES, Missing, Page, Request, Span, available, closes, grid, not_closed, nothing, page_of
from domain.market.zones import HOUR, SECOND
from domain.venues.http import Connection
from domain.venues.metatrader_clock import ServerClock, newest, server_clock
from domain.venues.metatrader_link import LOGIN, PASSWORD, SERVER, Link, absent, is_double
from domain.venues.metatrader_symbols import Specification, find_symbol
from domain.venues.vendor import VENDORS, Need, Vendor

TIMEFRAMES = {"M1": 1, "M5": 5, "M15": 15, "M30": 30, "H1": 0x4001, "H4": 0x4004, "D1": 0x4018}
PAGE = 20_000               # bars that a page spans
HISTORY = 20_000            # H1 bars from which the clock is inferred at least, if there are so many: three years
MONTH = 31 * 24             # H1 bars before the first that is requested, so that its clock shows too
SURELY = 60 * SECOND        # a last bar that ended so long ago by our clock is closed, although no later price shows it
AGAIN, LOOKS = 0.5, 20      # seconds between two looks at a history that still loads, and how many
WIDER = 2 * HOUR            # requested at both ends: a server's clock changes by less
QUOTED = 1                  # COPY_TICKS_INFO: changes of bid and ask


class MetaTrader:
    """The bars of a MetaTrader 5 terminal, as the port MarketDataSource wants them."""

    name, title, side, overlap = "metatrader", "MetaTrader 5", "bid", True

    def symbol(self, instrument: Instrument) -> str:
        if instrument.kind == "future":
            raise BadRequest(f"MetaTrader 5 has no {instrument.name}: brokers name contracts by month; choose the index, metal or energy CFD")
        return instrument.name

    def unavailable(self, request: Request) -> tuple[Missing, ...]:
        self.symbol(request.instrument)
        return not_closed(request)

    def plan(self, request: Request) -> tuple[Span, ...]:
        step = PAGE * request.timeframe.nanoseconds
        return tuple(page for span in available(request, self.unavailable(request)) for page in grid(span, step))

    def page(self, request: Request, span: Span, connection: Connection) -> Page:
        self.symbol(request.instrument)
        link = Link(connection)
        symbol = find_symbol(link, request.instrument)
        if not symbol.bid_bars:
            raise BadRequest(f"this broker makes the bars of {symbol.symbol} from last prices, not bids; its spread cannot be added to them. Use another source")
        clock = clock_of(link, request.instrument, symbol.symbol, span.start)
        expected = calendar(request.instrument.calendar).expected_opens(span.start, min(span.end, request.at), request.timeframe)
        answer = _Answer(link, symbol, request, span, clock)
        bars, unreadable = answer.bars(expected)
        bars, still_open = answer.closed(bars)
        missing = (*still_open, *answer.before_history(bars, expected))
        return page_of(request, span, bars, missing, _notes(clock, unreadable, bars))


SOURCES.add("metatrader", MetaTrader())


class TerminalVendor(Vendor):
    """Reached through a module on the path, not at an address."""

    def absent(self) -> str:
        return absent()

    def is_double(self, environment: Mapping[str, str]) -> bool:
        return is_double()

    def address(self, environment: Mapping[str, str]) -> str:
        return "the module MetaTrader5 on the path" if is_double() else ""


VENDORS.add("metatrader", TerminalVendor(
    "metatrader", "MetaTrader 5",
    "Bars of the bid, ticks, specifications and trading through a MetaTrader 5 terminal on this machine. Windows only. "
    "It gives as many bars as its option Max. bars in chart allows.",
    needs=(
        Need(LOGIN, "the number of the account", "from your broker"),
        Need(PASSWORD, "the password of the account", "from your broker"),
        Need(SERVER, "the name of the trade server", "in the terminal, under File, Login to trade account"),
    ), pace=(100, 1.0), platform="win32",
))  # fmt: skip


def ticks(link: Link, of: Instrument, span: Span) -> pd.DataFrame:
    """The quotes of a span: ``ts`` (UTC, nanoseconds), ``bid`` and ``ask``, in the order in which they came."""
    symbol = find_symbol(link, of)
    clock = clock_of(link, of, symbol.symbol, span.start)
    start, end = clock.wall(span.start) - WIDER // SECOND, clock.wall(span.end) + WIDER // SECOND
    rows = link.ask("copy_ticks_range", symbol.symbol, start, end, QUOTED)
    rows = rows if len(rows) else np.zeros(0, [("time_msc", "<i8"), ("bid", "<f8"), ("ask", "<f8")])
    utc, unreadable = clock.utc(rows["time_msc"].astype(np.int64) * 1_000_000)
    inside = ~unreadable & (utc >= span.start) & (utc < span.end)
    return pd.DataFrame({"ts": pd.DatetimeIndex(utc[inside].view("datetime64[ns]"), tz="UTC"), "bid": rows["bid"][inside], "ask": rows["ask"][inside]})


def specification(link: Link, of: Instrument) -> Specification:
    """What the broker says of an instrument."""
    return find_symbol(link, of)


def clock_of(link: Link, of: Instrument, symbol: str, since: int | None = None) -> ServerClock:
    """The clock of the server from H1 bars of EURUSD if the broker has it, else of the instrument itself: of three years, and back to ``since`` (UTC,
    nanoseconds) where that is earlier, as a broker may have changed its clock's rule."""
    main, name = (instrument("EURUSD"), "EURUSD") if of.kind == "fx" and link.ask("symbol_info", "EURUSD", absent=None) else (of, symbol)
    now = link.connection.clock.utc_ns()
    back = (now - since) // HOUR + MONTH if since is not None else 0
    count = min(max(HISTORY, back), int(link.ask("terminal_info").maxbars) - 1)
    walls = _hours(link, name, count)
    for _ in range(LOOKS):
        if clock := _clock_of(walls, main.calendar):
            return clock
        link.connection.wait(AGAIN)
        before, walls = len(walls), _hours(link, name, count)       # it may still load
        if len(walls) == before:
            break
    tick = link.ask("symbol_info_tick", symbol, absent=None)
    prices = newest([tick.time_msc / 1000] if tick else [])
    return server_clock(np.frombuffer(walls, np.int64), main.calendar, prices, now)


def _hours(link: Link, symbol: str, count: int) -> bytes:
    """Server times of the newest H1 bars, int64 nanoseconds."""
    rates = link.ask("copy_rates_from_pos", symbol, TIMEFRAMES["H1"], 0, count)
    return (rates["time"].astype(np.int64) * SECOND).tobytes() if len(rates) else b""


@lru_cache(maxsize=8)
def _clock_of(walls: bytes, calendar_name: str) -> ServerClock | None:
    """A clock that the history alone tells."""
    try:
        clock = server_clock(np.frombuffer(walls, np.int64), calendar_name)
    except BadRequest:
        return None
    return clock if len(clock.clocks) == 1 else None


@dataclass(frozen=True)
class _Answer:
    """What the terminal has for one span."""

    link: Link
    symbol: Specification
    request: Request
    span: Span
    clock: ServerClock

    def bars(self, expected: np.ndarray) -> tuple[pd.DataFrame, int]:
        """Its bars and some more at both ends, and how many have a time that the clock cannot read. A history that still loads is requested again until it grows no more."""
        bars, unreadable = self._look()
        for _ in range(LOOKS):
            if _covers(bars, expected):
                break
            self.link.connection.wait(AGAIN)
            before = len(bars)
            bars, unreadable = self._look()
            if len(bars) == before:
                break
        return bars, unreadable

    def closed(self, bars: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Missing, ...]]:
        """Without a last bar that may still change: no later bar, no later price, and by our clock, which may be wrong, it has only just ended."""
        if not len(bars):
            return bars, ()
        opened = ts_of(bars)[-1:]
        end = int(closes(opened, self.request)[0])
        tick = self.link.ask("symbol_info_tick", self.symbol.symbol, absent=None)
        if self.request.at >= end + SURELY or (tick and self.clock.instant(tick.time) >= end):
            return bars, ()
        inside = self.span.cut(Span(int(opened[0]), end))
        remark = "its last bar may still change: the server has shown no price after its end"
        return bars.iloc[:-1], (Missing(inside, "open", remark),) if inside and end <= self.request.at else ()

    def before_history(self, bars: pd.DataFrame, expected: np.ndarray) -> tuple[Missing, ...]:
        """What lies before the terminal's first bar, or the span in which it has nothing although the market was open"""
        ts = ts_of(bars)
        first = int(ts[ts >= self.span.start][0]) if (ts >= self.span.start).any() else self.span.end
        if not len(expected) or first <= expected[0]:
            return ()
        earlier = self.link.ask("copy_rates_from", self.symbol.symbol, TIMEFRAMES[str(self.request.timeframe)], self.clock.wall(self.span.start), 1)
        if not len(earlier):
            remark = f"the terminal has no {self.request.timeframe} bars of {self.symbol.symbol} that early; raise Max. bars in chart in its options, under Charts, or ask for less"
            return (Missing(Span(self.span.start, min(first, self.span.end)), "limit", remark),)
        if first >= self.span.end:
            return (Missing(self.span, "empty", f"the broker has no {self.request.timeframe} bars of {self.symbol.symbol} here, although the market was open"),)
        return ()

    def _look(self) -> tuple[pd.DataFrame, int]:
        start, end = self.clock.wall(self.span.start) - WIDER // SECOND, self.clock.wall(self.span.end) + WIDER // SECOND
        rates = self.link.ask("copy_rates_range", self.symbol.symbol, TIMEFRAMES[str(self.request.timeframe)], start, end)
        if not len(rates):
            return nothing(), 0
        ts, unreadable = self.clock.utc(rates["time"].astype(np.int64) * SECOND)
        known = rates[~unreadable]
        spread = np.round(known["spread"] * float(self.symbol.point), self.symbol.digits) if known["spread"].any() else None
        prices = {name: known[name] for name in ("open", "high", "low", "close")}
        return frame(ts[~unreadable], **prices, volume=known["tick_volume"], spread=spread), int(unreadable.sum())


def _covers(bars: pd.DataFrame, expected: np.ndarray) -> bool:
    """Whether the first and the last bar that there should be are there."""
    return not len(expected) or (len(bars) > 0 and ts_of(bars)[0] <= expected[0] and ts_of(bars)[-1] >= expected[-1])


def _notes(clock: ServerClock, unreadable: int, bars: pd.DataFrame) -> tuple[str, ...]:
    notes = [f"server clock: {clock.title}: {clock.evidence}"]
    if is_double():
        notes.append("from a local double of MetaTrader 5")
    if len(bars):
        notes.append("MetaTrader stores one spread a bar, as a rule the lowest of it" if "spread" in bars else "the broker stores no spread with these bars")
    if unreadable:
        notes.append(f"{unreadable} bars were left out: the server's clock shows their time twice or never")
    return tuple(notes)
