"""What a reader of account histories is, and what it reads: trades, money that moved, and what the file states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from domain.registry import Registry

MAX_BYTES = 64_000_000  # of a statement, unpacked: some 100,000 trades
MAX_ROWS = 1_000_000
TRADE, FLOW, CHARGE, CREDIT = "trade", "flow", "charge", "credit"
BOUGHT, SOLD = "long", "short"


@dataclass(frozen=True)
class HistoryLimits:
    """Maximum size of a file: bytes, packed and unpacked, and rows. ``watch`` gets the share read so far, several times
    a second, and may raise to stop.
    """

    max_bytes: int = MAX_BYTES
    max_rows: int = MAX_ROWS
    watch: Callable[[float], object] = lambda share: None


@dataclass(frozen=True)
class Recognised:
    """What a file seems to be. ``server_clock``: its times are a broker's server's, which the file does not name."""

    format: str
    title: str
    server_clock: bool
    evidence: str


@dataclass(frozen=True)
class StatedTrade:
    """One round trip as a file states it; times are nanoseconds on the file's wall clock, money in account currency.

    ``commission``, ``taxes`` and ``swap`` are as booked: negative is paid. ``stop_loss``: the last one, as statements
    keep no other; NaN where there was none. Of an open trade ``closed`` is -1 and ``profit`` the floating one.
    """

    ticket: str
    symbol: str
    side: str
    lots: float
    opened: int
    open_price: float
    closed: int
    close_price: float
    stop_loss: float
    commission: float
    taxes: float
    swap: float
    profit: float
    comment: str
    line: int

    @property
    def net(self) -> float:
        """What it did to the balance."""
        return self.profit + self.swap + self.commission + self.taxes


@dataclass(frozen=True)
class Change:
    """One booking: when (wall clock, ns), by how much, and whether a trade, a cash flow, a charge or credit.

    ``balance``: the balance after it as the file states it; NaN where it does not. Credit never is part of the balance.
    """

    at: int
    amount: float
    kind: str
    comment: str
    line: int
    balance: float = float("nan")


@dataclass(frozen=True)
class Stated:
    """The totals of a statement; NaN where it has none."""

    balance: float = float("nan")
    equity: float = float("nan")
    credit: float = float("nan")
    floating: float = float("nan")


@dataclass(frozen=True)
class Statement:
    """The unchanged content of a file.

    ``points``: local_ns, balance, equity and, where they are known, equity_low and equity_high: of files that have a
    curve. ``clock``: the clock of its times, where the file says so. ``cancelled``: orders that were never filled.
    ``legs``: the parts of its trades that closed at different times, where they are not the trades. ``matched``:
    trades were put together from deals, first in, first out. ``first_stops``: the stops are those of the
    entries, not the last ones.
    """

    trades: tuple[StatedTrade, ...] = ()
    changes: tuple[Change, ...] = ()
    open_trades: tuple[StatedTrade, ...] = ()
    legs: tuple[StatedTrade, ...] = ()
    cancelled: int = 0
    stated: Stated = Stated()
    currency: str = ""
    account: str = ""
    company: str = ""
    clock: str | None = None
    matched: bool = False
    first_stops: bool = False
    notes: tuple[str, ...] = ()
    points: pd.DataFrame | None = field(default=None, compare=False, repr=False)

    @property
    def local_ns(self) -> np.ndarray:
        """Every time of the file, in the order of its rows: openings, closings, bookings."""
        trades = (*self.trades, *self.open_trades)
        times = [at for trade in trades for at in (trade.opened, trade.closed) if at >= 0]
        return np.array(times + [change.at for change in self.changes], np.int64)


class HistoryReader(ABC):
    """One kind of file. ``recognise`` sees the first 64 KB, unpacked and as UTF-8, and the file's name.

    ``server_clock``: times are a broker's server's, which the file does not name. A ``fallback`` is used only where no
    other reader knows the file.
    """

    key: str
    title: str
    server_clock = True
    fallback = False

    @abstractmethod
    def recognise(self, head: str, name: str) -> str:
        """What shows that the file is of this kind; empty where it is not."""

    @abstractmethod
    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        """Raises BadRequest with line and reason where a row cannot be read."""


HISTORY_READERS: Registry[HistoryReader] = Registry("format of account histories")
