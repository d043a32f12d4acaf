"""A table of signals in the place of a strategy: each row is decided when the bar of its ``ts`` ends, as a backtest decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features import Use
from domain.live.tape import time_text
from domain.trading.signal_row import Row
from domain.trading.signals import NUMBERS, WORDS

SIGNALS = "signals"         # what a table of signals is called where a strategy has a name
COLUMNS = ("side", "order", *NUMBERS, *WORDS)


@dataclass(frozen=True)
class Signals:
    """Stands for the table among the strategies of a plan; it has no parameters."""

    def features(self) -> tuple[Use, ...]:
        return ()

    def signals(self, frame: pd.DataFrame) -> pd.DataFrame:
        raise BadRequest("a table of signals is read, not decided; give its rows")


class SignalRows:
    """The rows of one series. ``table``: as ``read_signals`` gives it; ``after``: the open of the last bar that has ended.

    >>> from domain.trading.signals import read_signals
    >>> table = pd.DataFrame({"ts": pd.to_datetime([20, 10, 20, 15], unit="ns", utc=True), "side": [1, -1, 1, 1], "tag": ["b", "a", "c", "d"]})
    >>> rows = SignalRows("EURUSD M5", read_signals(table, ("EURUSD",)), after=5)
    >>> [[row["tag"] for row in rows.ended({"ts": ts})] for ts in (10, 20, 30)]
    [['a'], ['b', 'c'], []]
    >>> rows.remarks()
    ('1 signal of EURUSD M5 from 1970-01-01T00:00:00.000000015Z on is missed: no bar opened then',)
    """

    def __init__(self, series: str, table: pd.DataFrame, after: int) -> None:
        ts = nanoseconds_of(table)
        order = np.argsort(ts, kind="stable")
        self._series, self._ts, self._order = series, ts[order], order
        self._columns = {name: table[name].to_numpy()[order] for name in COLUMNS if name in table}
        self._next = int(np.searchsorted(self._ts, after, side="right"))
        self._remarks: list[str] = []

    def ended(self, bar: Mapping[str, Any], others: Mapping[str, float] = {}, macro: Mapping[str, float] = {}) -> list[Row]:
        """The rows of a bar that has just ended, in their order. Rows of no bar are named in ``remarks``."""
        first, last = (int(np.searchsorted(self._ts, bar["ts"], side=side)) for side in ("left", "right"))
        if first > self._next:
            missed = f"{first - self._next} signals of {self._series} from {{}} on are" if first - self._next > 1 else f"1 signal of {self._series} from {{}} on is"
            self._remarks.append(f"{missed.format(time_text(int(self._ts[self._next])))} missed: no bar opened then")
        self._next = max(last, self._next)
        return [self._row(place) for place in range(first, last)]

    def _row(self, place: int) -> Row:
        """With its number in the table: what a backtest of the table calls it."""
        values = {name: column[place] for name, column in self._columns.items()}
        return dict(number=int(self._order[place]), **{name: value.item() if hasattr(value, "item") else str(value) for name, value in values.items()})

    def remarks(self) -> tuple[str, ...]:
        """Since the last call."""
        remarks, self._remarks = tuple(self._remarks), []
        return remarks


def nanoseconds_of(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(table["ts"].array.as_unit("ns").asi8)


def refuse_unreadable(table: pd.DataFrame) -> None:
    """Raises BadRequest for rows that a table of signals cannot have."""
    if "trail_kind" in table and (table["trail_kind"] == "quantile").any():
        raise BadRequest("trail_kind quantile follows prices that a strategy gives bar by bar; a table of signals cannot. Use points, percent or atr")


def refuse_off_bars(table: pd.DataFrame, series: str, opens: np.ndarray) -> None:
    """Raises BadRequest for a signal of one instrument that is not at the open of one of its bars, as a backtest does.

    >>> refuse_off_bars(pd.DataFrame({"ts": pd.to_datetime([10, 15], unit="s", utc=True)}), "EURUSD M5", np.array([10, 20]) * 10**9)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: row 2 of the signals: 1970-01-01 00:00:15 UTC is not the open of a bar of EURUSD M5
    """
    ts = nanoseconds_of(table)
    if (off := ~np.isin(ts, opens)).any():
        row = int(off.argmax())
        raise BadRequest(f"row {row + 1} of the signals: {pd.Timestamp(ts[row], tz='UTC'):%Y-%m-%d %H:%M:%S} UTC is not the open of a bar of {series}")
