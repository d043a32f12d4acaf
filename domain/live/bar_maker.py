"""Bars from quotes, by the quotes' own time. Pure: what a feed says goes in, bars that open and end come out."""

from __future__ import annotations

from collections.abc import Sequence

from domain.live.quotes import Candle, Event, Heard, OpenBar, Standing, Wanted
from domain.live.slots import Watched


class BarMaker:
    """The bars of one account. Opens and prices are of the bid, the spread is that of the first quote."""

    def __init__(self, series: Sequence[Watched], standing: Standing | None = None) -> None:
        self.series = tuple(series)

    def hear(self, heard: Heard) -> list[Event]:
        """A quote, a heartbeat or a cut: what it makes open, end, and be worked."""
        raise NotImplementedError

    def wanted(self) -> tuple[Wanted, ...]:
        """Candles to ask the vendor for now."""
        raise NotImplementedError

    def answer(self, wanted: Wanted, candles: Sequence[Candle], asked: int) -> list[Event]:
        """The candles of ``wanted`` that the vendor has, asked for when its clock read ``asked``."""
        raise NotImplementedError

    def shown(self) -> tuple[OpenBar, ...]:
        """The bars that are open, with what quotes have reached in them."""
        raise NotImplementedError
