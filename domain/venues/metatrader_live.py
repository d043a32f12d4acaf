"""MetaTrader 5 as it goes on: its ticks, requested several times a second, and its bars with the one under way.

It sends no heartbeats: the newest tick of all instruments is the vendor's clock. Each look asks for all ticks since the one before, so none is missed between two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest, SourceUnavailable
from domain.market.instrument import Instrument, instruments
from domain.market.quotes import Candle, Heartbeat, Quote
from domain.market.timeframe import Timeframe
from domain.venues.http import Connection
from domain.venues.metatrader import QUOTED, TIMEFRAMES, clock_of
from domain.venues.metatrader_clock import ServerClock
from domain.venues.metatrader_link import Link
from domain.venues.metatrader_symbols import Specification, find_symbol

EVERY = 0.25                # seconds between two looks
MOST = 100_000              # ticks of one answer
SECOND = 1_000_000_000


@dataclass
class Ticks:
    """The ticks of one symbol since the last look. ``at``: server time of the last, milliseconds; ``same``: how many of that very time were reported."""

    link: Link
    name: str
    symbol: str
    clock: ServerClock
    at: int = 0
    same: int = 0

    def begin(self) -> None:
        """From the newest tick there is."""
        tick = self.link.ask("symbol_info_tick", self.symbol, absent=None)
        self.at = int(tick.time_msc) if tick else 0
        self.same = len(self._since()) if self.at else 0

    def new(self) -> list[Quote]:
        if not self.at:
            self.begin()
            return []
        rows = self._since()
        fresh = rows[self.same if len(rows) and rows["time_msc"][0] == self.at else 0 :]
        if not len(fresh):
            return []
        last = int(fresh["time_msc"][-1])
        self.same = int((fresh["time_msc"] == last).sum()) + (self.same if last == self.at else 0)
        self.at = last
        utc, unreadable = self.clock.utc(fresh["time_msc"].astype(np.int64) * 1_000_000)
        ticks = zip(utc.tolist(), unreadable.tolist(), fresh["bid"].tolist(), fresh["ask"].tolist(), strict=True)
        return [Quote(self.name, at, bid, ask) for at, wrong, bid, ask in ticks if not wrong and bid > 0 and ask > 0]

    def _since(self) -> np.ndarray:
        """Ticks of the last one's millisecond and later, oldest first."""
        rows = self.link.ask("copy_ticks_from", self.symbol, self.at // 1000, MOST, QUOTED)
        return rows[rows["time_msc"] >= self.at] if len(rows) else np.zeros(0, [("time_msc", "<i8"), ("bid", "<f8"), ("ask", "<f8")])


class MetaTraderLive:
    """The terminal's ticks, looked at every quarter of a second."""

    title = "MetaTrader 5"

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect, self._link = connect, Link(connect(), "candles")
        self._symbols: dict[str, tuple[Specification, ServerClock]] = {}
        self._ticks: dict[str, Ticks] = {}
        self._looking = threading.Lock()                # two connections, while one is widened, share what was reported

    def check(self, name: str) -> None:
        if instruments()[name].kind == "future":
            raise BadRequest(f"MetaTrader 5 has no {name}: brokers name contracts by month; choose the index, metal or energy CFD")

    def prices(self, names: Sequence[str]) -> Iterator[Quote | Heartbeat | None]:
        """The first beat comes before the first price: from then on none is missed."""
        connection = self._connect()
        link = Link(connection, "feed")
        try:
            ticks = self._begin(link, names)
            yield Heartbeat(max(each.clock.instant(each.at / 1000) for each in ticks if each.at))
            while True:
                self._connected(link)
                with self._looking:
                    prices = sorted((price for each in ticks for price in each.new()), key=lambda price: price.at)
                yield from prices
                yield Heartbeat(prices[-1].at) if prices else None
                connection.wait(EVERY)
        except SourceUnavailable:
            self._ticks.clear()                         # what comes until it is back is a break
            raise

    def _begin(self, link: Link, names: Sequence[str]) -> list[Ticks]:
        for name in names:
            if name not in self._ticks:
                symbol, clock = self._symbol(name)
                self._ticks[name] = Ticks(link, name, symbol.symbol, clock)
                self._ticks[name].begin()
        ticks = [self._ticks[name] for name in names]
        if not any(each.at for each in ticks):
            raise SourceUnavailable(f"the terminal has no price of {', '.join(names)} yet; connect it to its server and ask again")
        return ticks

    def candles(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> list[Candle]:
        symbol, clock = self._symbol(instrument.name)
        if str(timeframe) not in TIMEFRAMES:
            raise BadRequest(f"MetaTrader 5 has no {timeframe} bars here")
        rates = self._link.ask("copy_rates_range", symbol.symbol, TIMEFRAMES[str(timeframe)], clock.wall(start), clock.wall(end))
        tick = self._link.ask("symbol_info_tick", symbol.symbol, absent=None)
        now = clock.instant(tick.time_msc / 1000) if tick else 0
        if not len(rates):
            return []
        opens, unreadable = clock.utc(rates["time"].astype(np.int64) * SECOND)
        rows = [(at, row) for at, row, wrong in zip(opens.tolist(), rates, unreadable.tolist(), strict=True) if not wrong and start <= at < end]
        return [self._candle(symbol, clock, at, row, now >= at + timeframe.nanoseconds) for at, row in rows]

    def _candle(self, symbol: Specification, clock: ServerClock, at: int, row: np.void, complete: bool) -> Candle:
        spread = self._spread(symbol, clock.wall(at))
        if spread is None:
            spread = round(float(row["spread"]) * float(symbol.point), symbol.digits)
        return Candle(at, float(row["open"]), float(row["high"]), float(row["low"]), float(row["close"]), float(row["tick_volume"]), spread, complete)

    def _spread(self, symbol: Specification, wall: int) -> float | None:
        """Of the bar's first tick, for MetaTrader keeps the lowest of a bar; None where it has no ticks of then."""
        ticks = self._link.ask("copy_ticks_from", symbol.symbol, wall, 1, QUOTED)
        if not len(ticks) or int(ticks["time_msc"][0]) >= (wall + 60) * 1000:
            return None
        return max(round(float(ticks["ask"][0] - ticks["bid"][0]), symbol.digits), 0.0)

    def _connected(self, link: Link) -> None:
        if not link.ask("terminal_info").connected:
            raise SourceUnavailable("the terminal has lost its connection to the trade server; it connects again by itself")

    def _symbol(self, name: str) -> tuple[Specification, ServerClock]:
        if name not in self._symbols:
            symbol = find_symbol(self._link, instruments()[name])
            self._symbols[name] = symbol, clock_of(self._link, instruments()[name], symbol.symbol)
        return self._symbols[name]
