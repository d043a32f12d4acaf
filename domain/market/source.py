"""Port of the sources of bars: what a vendor is queried for, and what comes of it, page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from domain.errors import BadBars, BadRequest
from domain.market.bars import PRICES, frame, ts_of
from domain.market.calendar import calendar
from domain.market.instrument import Instrument
from domain.market.report import moment
from domain.market.timeframe import Timeframe
from domain.registry import Registry

REASONS = ("limit", "open", "failed", "empty")


@dataclass(frozen=True)
class Span:
    """Instants from ``start`` to before ``end``, int64 nanoseconds UTC.

    >>> Span(0, 10).cut(Span(5, 20)), Span(0, 10).cut(Span(10, 20))
    (Span(start=5, end=10), None)
    """

    start: int
    end: int

    def cut(self, other: Span) -> Span | None:
        """What both have in common; None where that is nothing."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None


@dataclass(frozen=True)
class Missing:
    """A span without bars, and why: ``reason`` is

    limit    the vendor does not give bars of that timeframe that far back;
    open     its bars are not closed yet, or lie in the future;
    failed   the vendor was queried and did not answer;
    empty    the vendor answered that it has nothing, although the market was open.

    Minutes in which nobody quoted are gaps of the market and not missing. ``sentence`` is what a person reads.
    """

    span: Span
    reason: str
    sentence: str

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"a span is missing for one of {', '.join(REASONS)}, not {self.reason!r}")


@dataclass(frozen=True)
class Request:
    """Bars of ``instrument`` that open in ``span``, as known at ``at`` (int64 nanoseconds UTC)."""

    instrument: Instrument
    timeframe: Timeframe
    span: Span
    at: int


@dataclass(frozen=True)
class Page:
    """The answer for one span of a plan: bars in order that open in the span and are closed; none is fine."""

    span: Span
    bars: pd.DataFrame
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()


class MarketDataSource(Protocol):
    """A vendor's bars. An object without state: what it needs to reach the vendor comes with each call.

    ``side`` is that of every bar it gives: bid, mid or last. ``overlap`` says whether a bar that was given once should
    come again with the same numbers, so that a stored one may be compared with it.
    """

    name: str
    title: str
    side: str
    overlap: bool

    def symbol(self, instrument: Instrument) -> str:
        """What the vendor calls ``instrument``; BadRequest where it has no such thing."""
        ...

    def unavailable(self, request: Request) -> tuple[Missing, ...]:
        """What cannot be had, known before any request is sent: by the vendor's limits and by the clock. BadRequest where
        the vendor has no such timeframe or instrument."""
        ...

    def plan(self, request: Request) -> tuple[Span, ...]:
        """The spans that are requested one after the other, in order, together the available part of ``request.span``.
        Their edges are those of a fixed grid, so that the same page is requested whatever the request's start."""
        ...

    def page(self, request: Request, span: Span, connection: Any) -> Page:
        """Bars of one span of the plan. ``connection``: domain.venues.http.Connection, which stands above markets.

        Raises BadRequest (Refused) where the vendor refuses for good: a bad key, an unknown symbol; SourceUnavailable
        where it did not answer after every try; whatever ``connection.check`` raises, within a second.
        """
        ...


SOURCES: Registry[MarketDataSource] = Registry("source")


def page_of(request: Request, span: Span, bars: pd.DataFrame, missing: Iterable[Missing] = (), notes: Iterable[str] = ()) -> Page:
    """A page from the bars of an answer: sorted, those that open outside ``span``, are not closed at ``request.at`` or
    have no price left out, and equal ones merged. BadBars where two bars of one time differ. Prices that contradict one
    another stay: they are mended, and recorded, with those of the whole download.

    >>> from domain.market.instrument import instrument
    >>> hour = 3_600_000_000_000
    >>> ask = Request(instrument("EURUSD"), Timeframe.named("H1"), Span(0, 9 * hour), at=2 * hour)
    >>> prices = dict.fromkeys(("open", "high", "low", "close"), np.array([1.0, 1.1, 1.2, 1.3]))
    >>> page_of(ask, ask.span, frame(np.array([1, 0, 2, 9]) * hour, **prices)).bars["open"].tolist()
    [1.1, 1.0]
    """
    inside = within(bars.sort_values("ts", kind="stable"), span, request).dropna(subset=list(PRICES))
    merged = inside.drop_duplicates(ignore_index=True)
    twice = merged["ts"].duplicated()
    if twice.any():
        raise BadBars(f"the vendor gave two different bars for {merged['ts'][twice].iloc[0]:%Y-%m-%d %H:%M}; ask again")
    return Page(span, merged, tuple(missing), tuple(notes))


def within(bars: pd.DataFrame, span: Span, request: Request) -> pd.DataFrame:
    """The bars that open in ``span`` and are closed at ``request.at``."""
    ts = ts_of(bars)
    return bars[(ts >= span.start) & (ts < span.end) & (closes(ts, request) <= request.at)].reset_index(drop=True)


def not_closed(request: Request) -> tuple[Missing, ...]:
    """The end of the request whose bars are not closed yet, if the market is open in it.

    >>> from domain.market.instrument import instrument
    >>> hour, monday = 3_600_000_000_000, 4 * 24 * 3_600_000_000_000
    >>> def ask(start, end, at):
    ...     return Request(instrument("EURUSD"), Timeframe.named("H1"), Span(monday + start * hour, monday + end * hour), monday + at * hour)
    >>> not_closed(ask(0, 9, 9)), [(missing.span.start - monday) // hour for missing in not_closed(ask(0, 9, 5))]
    ((), [5])
    """
    market, at = calendar(request.instrument.calendar), request.at
    step = request.timeframe.nanoseconds
    edge = int(market.day_table.opens[market.day_of(at)]) if request.timeframe.ends_with_session else at - at % step
    span = Span(max(edge, request.span.start), request.span.end)
    if span.start >= span.end or not int(market.open_time(span.start, span.end)):
        return ()
    return (Missing(span, "open", f"bars from {moment(span.start)} on are not closed yet"),)


def available(request: Request, missing: Iterable[Missing]) -> tuple[Span, ...]:
    """What is left of the request's span."""
    return without(request.span, (each.span for each in missing))


def without(span: Span, taken: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of ``span`` that none of ``taken`` covers, in order.

    >>> without(Span(0, 10), [Span(6, 20), Span(2, 3)])
    (Span(start=0, end=2), Span(start=3, end=6))
    """
    parts, start = [], span.start
    for each in sorted(taken, key=lambda part: part.start):
        if each.start > start:
            parts.append(Span(start, min(each.start, span.end)))
        start = max(start, each.end)
    parts.append(Span(start, span.end))
    return tuple(part for part in parts if part.start < part.end)


def closes(ts_ns: np.ndarray, request: Request) -> np.ndarray:
    """When bars with these opens are closed, whatever follows them: D1 with the trading day of the calendar."""
    if not request.timeframe.ends_with_session:
        return ts_ns + request.timeframe.nanoseconds
    market = calendar(request.instrument.calendar)
    return market.day_table.closes[market.day_of(ts_ns)]


def nothing() -> pd.DataFrame:
    """No bars.

    >>> len(nothing())
    0
    """
    return frame(np.zeros(0, np.int64), **dict.fromkeys(("open", "high", "low", "close"), np.zeros(0)))


def grid(span: Span, step: int, anchor: int = 0) -> tuple[Span, ...]:
    """``span`` cut at every ``anchor + k * step``.

    >>> grid(Span(5, 25), 10)
    (Span(start=5, end=10), Span(start=10, end=20), Span(start=20, end=25))
    """
    if step <= 0:
        raise BadRequest(f"a page of {step} nanoseconds holds nothing; choose a longer one")
    first = span.start - (span.start - anchor) % step
    edges = range(first, span.end, step)
    return tuple(cut for edge in edges if (cut := Span(edge, edge + step).cut(span)))
