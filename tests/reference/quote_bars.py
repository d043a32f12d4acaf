"""Bars from quotes as the sentence says, slowly and for quotes that come in the order of their times: all of them are looked at for every bar.

Prices of the bid, spread of the first quote; no quote, no bar. A bar whose first quote comes within 2 s of its slot's start opens with the slot, another in the
second of that quote. It begins with a whole bar.
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000_000_000


@dataclass(frozen=True)
class QuoteBar:
    series: str
    ts: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    spread: float
    start: int


def bars_of(series: str, slots: list[tuple[int, int]], quotes: list[tuple[int, float, float]], begun: int) -> list[QuoteBar]:
    """``slots``: of the series, in order; ``quotes``: (time, bid, ask) of its instrument; ``begun``: when the feed was there."""
    created = []
    for start, end in slots:
        inside = [quote for quote in quotes if start <= quote[0] < end]
        if not inside or start < begun:
            continue
        first = inside[0]
        ts = start if first[0] < start + 2 * SECOND else first[0] // SECOND * SECOND
        bids = [bid for _, bid, _ in inside]
        created.append(QuoteBar(series, ts, end, first[1], max(bids), min(bids), bids[-1], float(len(bids)), round(first[2] - first[1], 10), start))
    return created
