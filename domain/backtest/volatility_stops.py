"""The preset ``volatility`` of stops and targets: in the place of a signal's own, a stop in ATRs and two targets in R."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from domain.features import compute, use
from domain.features.stream import Stream
from domain.trading.signal_row import Row
from domain.trading.signals import Columns

if TYPE_CHECKING:
    from domain.backtest.study import Series

STOP_ATR, WINDOW = 0.8, 14
TARGETS_R, SHARE = (1.5, 2.4), 0.5
REPLACED = (
    *(f"{kind}_{k}" for kind in ("target", "target_r", "fraction") for k in range(1, 5)),
    "break_even_r", "break_even_offset", "trail_value", "trail_window", "trail_start_r",
)  # fmt: skip


def with_volatility_stops(columns: Columns, series: Series) -> Columns:
    """Entry signals with their stop 0.8 × ATR(14) from the close of the deciding bar, or from the price of a stop or limit order, half out at 1.5 R and half at 2.4 R;
    no break-even and no trail. Exits, and grids, which have one target for all, stay as they are. Where there is no ATR yet there is no stop, and the order is ``no_stop``."""
    seen = series.seen
    row = np.searchsorted(seen["ts"].array.as_unit("ns").asi8, columns["ts"].as_unit("ns").asi8)
    atr = compute(seen, [use("atr", window=WINDOW)])[f"atr({WINDOW})"].to_numpy()[row]
    price = np.asarray(columns["price"], np.float64)
    pending = np.asarray(columns["order"].isin(["stop", "limit"]), bool)
    entry = np.where(pending, price, seen["close"].to_numpy(np.float64)[row])
    changed = np.asarray(~columns["order"].isin(["exit"]), bool) & np.isnan(np.asarray(columns["grid_spacing"], np.float64))
    own = {name: np.asarray(columns[name], np.float64) for name in ("stop_loss", *REPLACED)}
    wanted = dict(stop_loss=entry - np.asarray(columns["side"], np.float64) * STOP_ATR * atr)
    wanted |= {f"target_r_{k}": np.full(len(row), r) for k, r in enumerate(TARGETS_R, 1)} | {f"fraction_{k}": np.full(len(row), share) for k, share in enumerate((SHARE, 1 - SHARE), 1)}
    replaced = {name: np.where(changed, wanted.get(name, np.nan), value) for name, value in own.items()}
    words = columns["trail_kind"].copy()
    words[changed] = ""
    return {**columns, **replaced, "trail_kind": words}


class VolatilityStops:
    """The same bar by bar. ``bars``: those that have ended.

    >>> from domain.market.bars import frame
    >>> from domain.trading.signal_row import read_row
    >>> flat = {name: np.full(20, 1.1) for name in ("open", "low", "close")}
    >>> stops = VolatilityStops(frame(np.arange(20) * 300_000_000_000, high=np.full(20, 1.2), **flat))
    >>> row = stops.of(read_row(dict(side=1, stop_loss=1.0, target_r_1=9.0)), 1.1)
    >>> round(row["stop_loss"], 9), row["target_r_1"], row["target_r_2"], row["fraction_1"]
    (1.02, 1.5, 2.4, 0.5)
    """

    def __init__(self, bars: pd.DataFrame) -> None:
        self._stream = Stream(bars.drop(columns="end", errors="ignore"), [use("atr", window=WINDOW)])
        self._atr = float(compute(bars, [use("atr", window=WINDOW)])[f"atr({WINDOW})"].iloc[-1]) if len(bars) else math.nan

    def ended(self, bar: Mapping[str, Any]) -> None:
        """A bar has ended; its signals come after it."""
        (self._atr,) = self._stream.append(bar).values()

    def of(self, row: Row, close: float) -> Row:
        """A signal of the bar that has just ended, with the stop and targets of the preset."""
        if row["order"] == "exit" or not math.isnan(row["grid_spacing"]):
            return row
        entry = row["price"] if row["order"] in ("stop", "limit") else close
        wanted = {"stop_loss": entry - row["side"] * STOP_ATR * self._atr, "trail_kind": ""}
        wanted |= {f"target_r_{k}": r for k, r in enumerate(TARGETS_R, 1)} | {f"fraction_{k}": share for k, share in enumerate((SHARE, 1 - SHARE), 1)}
        return {**row, **dict.fromkeys(REPLACED, math.nan), **wanted}
