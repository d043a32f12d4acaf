"""What earlier downloads hold of a series, what is still to be requested, and bars that came twice compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.market.bars import COLUMNS, ts_of
from domain.market.calendar import calendar
from domain.market.report import moment
from domain.market.source import Missing, Request, Span, available, nothing, without

VALUES = COLUMNS[1:]
HOLIDAYS = 3 * 86_400_000_000_000       # ns of open market without a bar at an edge that holidays and thin trading may account for


@dataclass(frozen=True)
class Held:
    """Bars of earlier downloads, and the spans for which the vendor has answered: what is missing there, it had not."""

    covered: tuple[Span, ...]
    bars: pd.DataFrame

    @classmethod
    def of(cls, downloads: Iterable[tuple[Sequence[Span], pd.DataFrame]]) -> Held:
        """Several downloads as one; where two have answers for the same span, the first of them counts."""
        covered: list[Span] = []
        frames = []
        for spans, bars in downloads:
            for span in spans:
                for part in without(span, covered):
                    frames.append(inside(bars, part))
                    covered.append(part)
        return cls(joined(covered), together(frames))

    def within(self, spans: Iterable[Span]) -> pd.DataFrame:
        """Its bars that open in any of the spans."""
        return together([inside(self.bars, span) for span in spans])


@dataclass(frozen=True)
class Ask:
    """A span to ask for: what is missing, and at its edges one bar that is held already, to compare."""

    span: Span
    overlap: tuple[int, ...]


def asks(available: Iterable[Span], held: Held, step: int) -> tuple[Ask, ...]:
    """What is to be requested of the ``available`` spans of a series whose bars last ``step`` nanoseconds; 0: nothing is compared.

    >>> from domain.market.bars import frame
    >>> hour = np.array([1.0])
    >>> held = Held((Span(0, 10),), frame(np.array([8]), open=hour, high=hour, low=hour, close=hour))
    >>> asks([Span(5, 20)], held, step=2)
    (Ask(span=Span(start=8, end=20), overlap=(8,)),)
    """
    spans = []
    for span in available:
        for part in without(span, held.covered):
            before, after = _neighbours(part, held) if step else ((), ())
            spans.append(Ask(Span(min((part.start, *before)), max((part.end, *(ts + step for ts in after)))), (*before, *after)))
    return tuple(spans)


def _neighbours(part: Span, held: Held) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The last bar held before a missing part, and the first one after it, where what is held ends or begins just there."""
    ts = ts_of(held.bars)
    before = next((ts[(ts >= span.start) & (ts < span.end)][-1:] for span in held.covered if span.end == part.start), ts[:0])
    after = next((ts[(ts >= span.start) & (ts < span.end)][:1] for span in held.covered if span.start == part.end), ts[:0])
    return tuple(int(value) for value in before), tuple(int(value) for value in after)


def revisions(held: pd.DataFrame, came: pd.DataFrame) -> list[str]:
    """One sentence for each bar that differs, or is in one of the two only.

    >>> from domain.market.bars import frame
    >>> one = np.array([1.0])
    >>> revisions(frame(np.array([0]), open=one, high=one, low=one, close=one), frame(np.array([0]), open=one, high=one * 2, low=one, close=one))
    ['1970-01-01T00:00Z: high 1 is now 2']
    """
    old, new = held.set_index(ts_of(held)), came.set_index(ts_of(came))
    words: dict[int, list[str]] = {int(ts): ["the bar is new"] for ts in new.index.difference(old.index)}
    words |= {int(ts): ["the bar is gone"] for ts in old.index.difference(new.index)}
    both = old.index.intersection(new.index)
    for name in (name for name in VALUES if name in old and name in new):
        a, b = old.loc[both, name].to_numpy(), new.loc[both, name].to_numpy()
        for at in np.flatnonzero((a != b) & ~(np.isnan(a) & np.isnan(b))):
            words.setdefault(int(both[at]), []).append(f"{name} {a[at]:.10g} is now {b[at]:.10g}")
    return [f"{moment(ts)}: {', '.join(words[ts])}" for ts in sorted(words)]


def inside(bars: pd.DataFrame, span: Span) -> pd.DataFrame:
    """The bars that open in ``span``."""
    ts = ts_of(bars)
    return bars.iloc[np.searchsorted(ts, span.start) : np.searchsorted(ts, span.end)]


def together(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Bars of several frames that have no time in common, in order, with every column that any of them has."""
    some = [bars for bars in frames if len(bars)]
    if not some:
        return nothing()
    names = [name for name in COLUMNS if any(name in bars for bars in some)]
    return pd.concat([bars.reindex(columns=names) for bars in some], ignore_index=True).sort_values("ts", kind="stable", ignore_index=True)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch as one.

    >>> joined([Span(5, 9), Span(0, 5), Span(20, 30)])
    (Span(start=0, end=9), Span(start=20, end=30))
    """
    whole: list[Span] = []
    for span in sorted(spans, key=lambda part: part.start):
        if whole and span.start <= whole[-1].end:
            whole[-1] = Span(whole[-1].start, max(whole[-1].end, span.end))
        else:
            whole.append(span)
    return tuple(whole)


def at_the_edges(request: Request, bars: pd.DataFrame, missing: Sequence[Missing]) -> tuple[Missing, ...]:
    """What the request asks for before the first bar and after the last, that ``missing`` does not name, where the market was open for longer
    than holidays explain: a shorter series than was requested is always stated.

    >>> from domain.market.bars import frame
    >>> from domain.market.instrument import instrument
    >>> from domain.market.timeframe import Timeframe
    >>> hour, day = 3_600_000_000_000, 86_400_000_000_000
    >>> one = frame(np.array([20 * day]), **dict.fromkeys(("open", "high", "low", "close"), np.array([1.0])))
    >>> wanted = Request(instrument("EURUSD"), Timeframe.named("H1"), Span(4 * day, 21 * day), at=30 * day)
    >>> [each.sentence for each in at_the_edges(wanted, one, ())]
    ['the bars begin at 1970-01-21T00:00Z; there are none from 1970-01-05T00:00Z on, although the market was open']
    """
    if not len(bars):
        return ()
    first, last, market = int(ts_of(bars)[0]), int(ts_of(bars)[-1]) + request.timeframe.nanoseconds, calendar(request.instrument.calendar)
    spans = []
    for edge in available(request, missing):
        begins, ends = edge.cut(Span(request.span.start, first)), edge.cut(Span(last, max(last, request.span.end)))
        if begins and int(market.open_time(begins.start, begins.end)) > HOLIDAYS:
            spans.append(Missing(begins, "empty", f"the bars begin at {moment(first)}; there are none from {moment(begins.start)} on, although the market was open"))
        if ends and int(market.open_time(ends.start, ends.end)) > HOLIDAYS:
            spans.append(Missing(ends, "empty", f"the bars end at {moment(last)}; there are none up to {moment(ends.end)}, although the market was open"))
    return tuple(spans)
