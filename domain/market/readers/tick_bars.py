"""Ticks made into bars of the bid: volume is the number of ticks, spread the mean of ask minus bid over the bar's ticks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.calendar import calendar
from domain.market.readers.base import RawBars
from domain.market.readers.layout import Parts
from domain.market.readers.text import raw_bars
from domain.market.resample import bucket_opens
from domain.market.timeframe import Timeframe
from domain.market.zones import HOUR

MINUTE = Timeframe.named("M1")
RULES = dict(open="first", high="max", low="min", close="last", volume="sum", over="sum", line="min")


@dataclass
class TickBars(Parts):
    """Ticks by the minute, block by block: only minutes are stored, never all ticks."""

    ticks: int = 0
    bid: float = float("nan")
    ask: float = float("nan")

    def add(self, columns: dict[str, np.ndarray]) -> None:
        """Adds ticks: ``ts`` (ns), ``line``, ``bid`` and ``ask``; a side that a row leaves out is as it was."""
        self.ticks += len(columns["ts"])
        frame = pd.DataFrame({name: columns[name] for name in ("ts", "line", "bid", "ask")})
        for side in ("bid", "ask"):
            values = frame[side].ffill().fillna(getattr(self, side))
            frame[side] = values
            setattr(self, side, float(values.iloc[-1]) if len(values) else getattr(self, side))
        frame = frame.dropna(subset=["bid", "ask"])
        if len(frame):
            super().add(_by_minute(frame))

    def bars(self, timeframe: Timeframe | None = None, calendar_name: str = "", utc: bool = False) -> RawBars:
        """One bar of each minute, or of each bar of ``timeframe``, that has a tick: in order of time, whatever the order of the ticks.

        H4 and D1 begin with the trading day of a calendar, so they need times in UTC.
        """
        timeframe = timeframe or MINUTE
        if timeframe.nanoseconds > HOUR and not utc:
            raise BadRequest(
                f"{timeframe} bars begin with the trading day, and the clock of these ticks is not UTC; "
                "make M1 to H1 bars of them, and the longer ones from those"
            )
        joined = pd.DataFrame({name: self.joined(name) for name in list(self.columns)})
        if len(joined) > 1 and joined["ts"].iloc[0] > joined["ts"].iloc[-1]:
            # newest first: what came last in a minute was written first
            joined = joined.iloc[::-1].rename(columns={"open": "close", "close": "open"})
        joined = joined.sort_values("ts", kind="stable")
        minutes = joined["ts"].to_numpy()
        opens = bucket_opens(minutes, timeframe, calendar(calendar_name)) if utc and calendar_name else minutes // timeframe.nanoseconds * timeframe.nanoseconds
        bars = joined.groupby(opens, sort=True).agg(**{name: (name, how) for name, how in RULES.items()})
        super().add({"ts": bars.index.to_numpy(np.int64), **{name: bars[name].to_numpy() for name in (*PRICES, "volume", "line")}})
        self.columns["spread"].append(np.round((bars["over"] / bars["volume"]).to_numpy(), 10))
        return raw_bars(self, (*PRICES, "volume", "spread"))

    def sentence(self, bars: int, timeframe: Timeframe | None = None) -> str:
        """How the bars came about."""
        return (
            f"{self.ticks:,} ticks made into {bars:,} {timeframe or MINUTE} bars of the bid; volume is the number of ticks, "
            "spread the mean of ask minus bid"
        )


def _by_minute(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Runs of ticks of one minute, as they follow each other."""
    minute = frame["ts"].to_numpy() // MINUTE.nanoseconds * MINUTE.nanoseconds
    starts = np.flatnonzero(np.r_[True, np.diff(minute) != 0])
    bid, ask = frame["bid"].to_numpy(), frame["ask"].to_numpy()
    lasts = np.r_[starts[1:], len(frame)] - 1
    return {
        "ts": minute[starts], "line": frame["line"].to_numpy()[starts],
        "open": bid[starts], "close": bid[lasts],
        "high": np.maximum.reduceat(bid, starts), "low": np.minimum.reduceat(bid, starts),
        "volume": (lasts - starts + 1).astype(np.float64), "over": np.add.reduceat(ask - bid, starts),
    }  # fmt: skip
