"""The input of a simulation, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.trading.outcomes import COUNTS as COUNTS
from domain.trading.outcomes import DROPS as DROPS
from domain.trading.outcomes import REASONS as REASONS
from domain.trading.signals import Columns

FILLS = ("fill_id", "order_id", "trade_id", "ts", "bar_ts", "instrument", "side", "lots", "price", "spread_cost", "slippage_cost", "commission", "reason")
TRADES = (
    "trade_id", "tag", "instrument", "side", "lots", "entry_ts", "entry_price", "exit_ts", "exit_price", "stop_loss", "pnl_gross", "costs", "swap", "pnl",
    "r", "mae_r", "mfe_r", "bars_held", "exit_reason", "regime",
)  # fmt: skip
EQUITY = ("ts", "balance", "equity", "equity_low", "used_margin")
REVIEWS = ("order_id", "ts", "instrument", "verdict", "reason", "lots_requested", "lots_given", "value", "allowed", "buffer")
MOVES = ("trade_id", "bar_ts", "ts", "stop_loss", "reason")


class HasInstrument(Protocol):
    @property
    def instrument(self) -> Instrument: ...


@dataclass(frozen=True)
class Rate:
    """Bars of a currency pair that are loaded only to convert money along them."""

    instrument: Instrument
    timeframe: Timeframe
    bars: pd.DataFrame
    side: str = "bid"


@dataclass(frozen=True)
class Task:
    """One strategy's signals on one series of one instrument.

    ``bars``: ts (UTC, the open), open, high, low, close and, if known, spread; sorted, unique, finite.
    ``signals``: columns of SIGNAL_COLUMNS, as ``read_signals`` or ``read_columns`` returns them.
    ``side``: which side of the market the bars quote, ``bid`` or ``mid``.
    ``finer``: bars of a finer timeframe, for ``intrabar = "magnify"``.
    ``trail_price``: one price a bar (NaN: no move), for signals with ``trail_kind = "quantile"``.
    ``releases``: instants of the releases of the instrument's own currencies, nanoseconds UTC, in order, for the limit ``news``.
    ``monitored``: values of the feature that the limit ``drift`` names, of any bars before and of these: the last one is of the last bar.
    ``numbers``: of a part of a table, the row of each signal in the whole of it, from 0 and in order: what its ``order_id`` and its random slippage follow;
    None: its row here.
    """

    instrument: Instrument
    timeframe: Timeframe
    bars: pd.DataFrame
    signals: pd.DataFrame | Columns
    side: str = "bid"
    finer: pd.DataFrame | None = None
    finer_timeframe: Timeframe | None = None
    trail_price: np.ndarray | None = None
    releases: np.ndarray | None = None
    monitored: np.ndarray | None = None
    numbers: np.ndarray | None = None

    @property
    def count(self) -> int:
        """The number of its signals."""
        return len(self.signals["ts"])

    @property
    def orders(self) -> np.ndarray:
        """The ``order_id`` of each signal."""
        return np.arange(1, self.count + 1) if self.numbers is None else self.numbers + 1


@dataclass(frozen=True)
class LaterFrame:
    """A frame that is made when somebody looks at it, and columns of numbers that it is made of."""

    make: Callable[[], pd.DataFrame]
    columns: Mapping[str, np.ndarray]


class Looked:
    """A field that may be given as a ``LaterFrame`` and is read as the frame. ``default``: what makes the frame where the field is not given."""

    def __init__(self, default: Callable[[], pd.DataFrame] | None = None) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, outcome: Any, owner: type) -> pd.DataFrame:
        if outcome is None:
            return self._class_value()
        given = vars(outcome)[self._name]
        if isinstance(given, LaterFrame):
            given = vars(outcome)[self._name] = given.make()
        return given

    def __set__(self, outcome: Any, given: pd.DataFrame | LaterFrame) -> None:
        vars(outcome)[self._name] = given

    def _class_value(self) -> Any:
        """The default, as a dataclass looks it up."""
        if self._default is None:
            raise AttributeError(self._name)
        return LaterFrame(self._default, {})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Fills, trades and equity as frames with exactly the columns above (more may follow), and the counts."""

    fills: Looked = Looked()
    trades: pd.DataFrame
    equity: pd.DataFrame
    counts: Mapping[str, int]
    ambiguous: int = 0      # positions × bars whose order inside the bar decided the result
    extra: Mapping[str, object] = field(default_factory=dict)
    reviews: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(REVIEWS)))     # orders that sizing, margin and limits rejected or reduced
    moves: Looked = Looked(lambda: pd.DataFrame(columns=list(MOVES)))     # of stops, where they were requested: the stop from ``ts`` on, and what moved it

    @property
    def fill_costs(self) -> Mapping[str, Any]:
        """``spread_cost`` and ``slippage_cost`` of the fills, without a frame of them where nobody has looked at it."""
        given = vars(self)["_fills"]
        return given.columns if isinstance(given, LaterFrame) else given
