"""What the suite of sources needs of a vendor: its double, and the bars that the double has.

A vendor joins the suite with one file ``source_<vendor>.py`` beside this one that defines ``RIGS``, subclasses of ``SourceRig``.
"""

from __future__ import annotations

import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from domain.market import Timeframe, frame, instrument
from domain.market.calendar import calendar
from domain.market.source import SOURCES, MarketDataSource, Request, Span
from domain.venues import VENDORS
from domain.venues.http import Clock, Connection
from tests.doubles.server import Double
from worker.vendors import connection_to

NOON = int(np.datetime64("2024-07-10T12:00:00", "ns").astype(np.int64))        # a Wednesday
HOUR = 3_600_000_000_000


@dataclass
class Skipped:
    """A clock whose sleeps take no time and are counted; between them it runs."""

    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: NOON + int(sum(self.slept) * 1e9), lambda: time.monotonic() + sum(self.slept), self.sleep)

    @property
    def waited(self) -> float:
        return sum(self.slept)


class SourceRig(ABC):
    """One vendor and its double. ``bars``: what the double has, side, spread and volume as the source gives them; the
    last one is not closed at ``at``, two whole hours in its middle are missing, and ``empty`` has none."""

    vendor = ""
    instrument = "EURUSD"
    timeframe = "H1"
    unknown = "CL=F"                    # an instrument that the vendor does not have
    environment: ClassVar[dict[str, str]] = {}
    secrets: ClassVar[tuple[str, ...]] = ()     # must appear nowhere
    spread = True
    at = NOON + HOUR // 2
    empty = Span(NOON - 96 * HOUR + 2 * HOUR, NOON - 96 * HOUR + 5 * HOUR)       # of a Saturday
    impossible: ClassVar[frozenset[int | str]] = frozenset()   # faults that the vendor's protocol does not have
    refused = "401"                     # in the sentence about a key that is refused

    @property
    @abstractmethod
    def bars(self) -> pd.DataFrame: ...

    @abstractmethod
    def double(self) -> Any:
        """A new double, as ``tests.doubles.server.Double``: it serves, fails and counts what it was asked."""

    def source(self) -> MarketDataSource:
        return SOURCES[self.vendor]

    def connection(self, address: str, clock: Clock, check: Callable[[], None] = lambda: None, timeout: float = 10.0) -> Connection:
        """A connection to the double at ``address``, with this clock."""
        vendor = VENDORS[self.vendor]
        environment = self.environment | ({vendor.url_variable: address} if vendor.url_variable else {})
        connection = connection_to(vendor, environment, check, clock=clock)
        connection.timeout, connection.random, connection.pace = timeout, lambda: 0.0, None
        return connection

    def request(self, span: Span | None = None, at: int | None = None, timeframe: str = "") -> Request:
        first = int(self.bars["ts"].iloc[0].value)
        default = Span(first, self.at + HOUR)
        return Request(instrument(self.instrument), Timeframe.named(timeframe or self.timeframe), span or default, self.at if at is None else at)


@contextmanager
def reached(rig: SourceRig, **options: Any) -> Iterator[tuple[Any, Connection, Skipped]]:
    """The double of a rig, a connection to it, and the clock that counts what was slept."""
    skipped, double = Skipped(), rig.double()
    with double.serve() as address:
        yield double, rig.connection(address, skipped.clock, **options), skipped


def random_bars(name: str = "EURUSD", timeframe: str = "H1", days: int = 12, spread: float | None = 0.00013, volume: bool = True, seed: int = 1) -> pd.DataFrame:
    """Bars on the sessions of an instrument up to and with the one that is open at noon, a random walk on its ticks,
    the bars of 3 July 09:00 and 10:00 missing."""
    traded, step = instrument(name), Timeframe.named(timeframe)
    opens = calendar(traded.calendar).expected_opens(NOON - days * 24 * HOUR, NOON + 1, step)
    hole = NOON - 7 * 24 * HOUR - 3 * HOUR
    opens = opens[(opens < hole) | (opens >= hole + 2 * HOUR)]
    random = np.random.default_rng(seed)
    start = {"USDJPY": 150.0, "XAUUSD": 2_000.0}.get(name, 5_000.0 if name.endswith("=F") else 1.1)
    ticks = np.cumsum(random.integers(-20, 21, (len(opens), 4)).ravel()).reshape(-1, 4)
    prices = np.round(start + ticks * traded.tick, traded.digits)
    ohlc = dict(open=prices[:, 0], high=prices.max(axis=1), low=prices.min(axis=1), close=prices[:, 3])
    spreads = None if spread is None else np.full(len(opens), spread)
    return frame(opens, **ohlc, volume=random.integers(10, 900, len(opens)).astype(float) if volume else None, spread=spreads)


def rigs() -> list[type[SourceRig]]:
    """Every rig of the files ``source_*.py`` beside this one."""
    import importlib
    from pathlib import Path

    names = sorted(path.stem for path in Path(__file__).parent.glob("source_*.py") if path.stem != "source_rig")
    return list(itertools.chain(*(importlib.import_module(f"tests.conformance.{name}").RIGS for name in names)))


__all__ = ["HOUR", "NOON", "Double", "Skipped", "SourceRig", "random_bars", "reached", "rigs"]
