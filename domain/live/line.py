"""One series of an account as its bars are made: the bar that is open, those that wait for their instant, and the holes of breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.live.breaks import Hole, ask_again, join, repair_of, touched
from domain.live.forming import Forming
from domain.live.quotes import Ended, OpenBar, Opened
from domain.live.slots import Watched
from domain.live.vendor_clock import PATIENCE, VendorClock
from domain.market.quotes import Candle, Quote

NEVER = 1 << 62
NO_CANDLE = "the {} bar of {} was touched by a break and the vendor has no candle of it; it was made of the quotes that came"


@dataclass
class Line:
    """``begun``: slots that began before it are not made; None until the feed is there. ``dropped``: quotes for bars that had ended."""

    watched: Watched
    begun: int | None = None
    bar: Forming | None = None
    waiting: list[Forming] = field(default_factory=list)        # by their slots, oldest first
    holes: list[Hole] = field(default_factory=list)
    dropped: int = 0
    unmatched: list[int] = field(default_factory=list)          # starts of bars that the vendor has no candle of

    # quotes

    def take(self, quote: Quote, clock: VendorClock, worked: int) -> None:
        """A quote; ``clock`` as it was before it, ``worked`` the last instant."""
        bar = self.bar
        if bar is not None and bar.start <= quote.at < bar.end:
            return bar.add(quote)
        start, end = self.watched.slots.of(quote.at)
        if self.begun is None or start < self.begun:
            return None
        if end <= worked or clock.passed(end):
            self.dropped += 1
            return None
        if bar is not None and bar.end == end:
            return bar.add(quote)
        self._forming(start, end, clock.passed(start) or quote.at >= start + PATIENCE or worked >= start).add(quote)
        return None

    def _forming(self, start: int, end: int, late: bool) -> Forming:
        """The waiting bar of a slot, begun if there is none."""
        for row, forming in enumerate(self.waiting):
            if forming.end == end:
                return forming
            if forming.end > end:
                self.waiting.insert(row, Forming(start, end, late))
                return self.waiting[row]
        self.waiting.append(Forming(start, end, late))
        return self.waiting[-1]

    # instants

    def next(self, worked: int) -> int:
        """The next instant at which something happens here, as far as is known."""
        if self.bar is not None:
            return self.bar.end
        while self.waiting:
            opens = self.waiting[0].opens_at(worked)
            if opens < self.waiting[0].end:
                return opens
            self.dropped += int(self.waiting.pop(0).volume)     # its slot is over before it could open
        return NEVER

    def held_from(self) -> int:
        """The instant from which this series holds up the account, for candles are missing."""
        if not self.holes:
            return NEVER
        hole = self.holes[0]
        end = self.watched.slots.of(hole.start)[1]
        return end if hole.silent or self._is_open(end) else hole.start

    def _is_open(self, end: int) -> bool:
        """Whether the bar of a slot is open, or its open is known from a candle."""
        return (self.bar is not None and self.bar.end == end) or any(forming.begun and forming.end == end for forming in self.waiting)

    def end(self, at: int) -> Ended | None:
        if self.bar is None or self.bar.end != at:
            return None
        ended, self.bar = self.bar.ended(self.watched.series), None
        return ended

    def open(self, at: int, worked: int) -> Opened | None:
        if self.bar is not None or self.next(worked) != at:
            return None
        self.bar = self.waiting.pop(0)
        return self.bar.opened(self.watched.series, at)

    def shown(self) -> tuple[OpenBar, ...]:
        return () if self.bar is None else (self.bar.shown(self.watched.series),)

    # breaks

    def missed(self, cut: int, back: int) -> None:
        """A break from ``cut`` to ``back``."""
        if self.begun is None:
            self.begun = back
        elif (hole := touched(self.watched.slots, cut, back, self.begun)) is not None:
            join(self.holes, hole)

    def fill(self, candles: Sequence[Candle], requested_at: int) -> None:
        """The vendor's candles of the first hole."""
        slots, hole = self.watched.slots, self.holes[0]
        answer = repair_of(hole, slots, candles, requested_at)
        for end, candle in answer.whole.items():
            self._of_slot(candle, end).take(candle)
        self._without_candle(hole.start, answer.until)
        if answer.until >= hole.end:
            del self.holes[0]
            return
        hole.start, end = answer.until, slots.of(answer.until)[1]
        if answer.under_way is not None:
            self._of_slot(answer.under_way, end).begin(answer.under_way)
        hole.silent = answer.under_way is None and requested_at < end
        ask_again(hole, slots, requested_at)

    def _of_slot(self, candle: Candle, end: int) -> Forming:
        if self.bar is not None and self.bar.end == end:
            return self.bar
        return self._forming(self.watched.slots.of(candle.start)[0], end, late=False)

    def _without_candle(self, start: int, until: int) -> None:
        """Bars in a hole that quotes have made and the vendor has no candle of: they are kept, and named."""
        for forming in (*([self.bar] if self.bar else []), *self.waiting):
            if start < forming.end <= until and not forming.whole:
                forming.recovered = forming.whole = True
                self.unmatched.append(forming.start)
