"""What a break of the feed leaves: slots whose quotes were missed, to be filled from the vendor's candles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.live.slots import Slots
from domain.live.vendor_clock import PATIENCE, SECOND
from domain.market.quotes import Candle

ABSENT = 5 * SECOND         # after its end a slot without a candle has none
LONGEST = 60 * SECOND       # after its end a candle changes no more, although the vendor does not call it complete


@dataclass(slots=True)
class Hole:
    """Slots in [start, end) that a break touched and whose candles are not known yet. ``ask_at``: by the vendor's clock, when to ask (again)."""

    start: int
    end: int
    ask_at: int = 0
    silent: bool = False        # the slot at ``start`` is under way and had no candle when it was requested: its first quote opens it


@dataclass(frozen=True)
class Repair:
    """What an answer says of a hole: its whole candles by the end of their slots, the one under way, and up to where nothing is unknown any more."""

    whole: dict[int, Candle]
    under_way: Candle | None
    until: int


def touched(slots: Slots, cut: int, back: int, begun: int) -> Hole | None:
    """The slots of which a break from ``cut`` to ``back`` missed something; those that began before ``begun`` were never made.

    >>> from domain.market.timeframe import Timeframe
    >>> minute = 60 * SECOND
    >>> hole = touched(Slots(Timeframe.named("M5"), "fx"), 7 * minute, 12 * minute, 0)
    >>> hole.start // minute, hole.end // minute
    (5, 15)
    """
    start, end = slots.of(cut)
    while start < begun:
        start, end = slots.of(end)
    begins, ends = slots.of(back)
    last = ends if begins < back else begins
    return Hole(start, last) if start < last else None


def join(holes: list[Hole], new: Hole) -> None:
    """Add a later hole; one that it reaches into grows, and is requested again."""
    if holes and new.start < holes[-1].end:
        holes[-1] = Hole(holes[-1].start, max(holes[-1].end, new.end))
    else:
        holes.append(new)


def repair_of(hole: Hole, slots: Slots, candles: Sequence[Candle], requested_at: int) -> Repair:
    """Read an answer that was requested when the vendor's clock read ``requested_at``."""
    whole, under_way = dict[int, Candle](), None
    until = slots.of(requested_at - ABSENT)[0]
    for (start, end), candle, last in _inside(hole, slots, candles):
        if candle.complete or not last or requested_at >= end + LONGEST:
            whole[end], until = candle, max(until, end)
        else:
            under_way, until = candle, start
    return Repair(whole, under_way, min(max(until, hole.start), hole.end))


def ask_again(hole: Hole, slots: Slots, requested_at: int) -> None:
    """When the rest of a hole is to be requested: after the end of its first slot, then every second."""
    end = slots.of(hole.start)[1]
    hole.ask_at = end + PATIENCE if requested_at < end else requested_at + SECOND


def _inside(hole: Hole, slots: Slots, candles: Sequence[Candle]) -> Iterator[tuple[tuple[int, int], Candle, bool]]:
    """Candles of the hole's slots in order, each with its slot and whether it is the last of the answer."""
    ordered = sorted(candles, key=lambda candle: candle.start)
    for number, candle in enumerate(ordered, 1):
        slot = slots.of(candle.start)
        if slot[1] > hole.start and slot[0] < hole.end:
            yield slot, candle, number == len(ordered)
