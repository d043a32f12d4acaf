"""Floating profit of an instrument's trades on its bars: what is open at the end of each bar, and its extremes within."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.histories.base import BOUGHT
from domain.errors import BadRequest
from domain.market.instrument import Instrument

MINUTE = 60_000_000_000
COARSEST = 60  # minutes of a bar
NEVER = np.iinfo(np.int64).max
SURE_MONEY, SURE_TICKS = 5.0, 20  # of a trade whose own profit over its move tells its money per price unit


@dataclass(frozen=True)
class MarketBars:
    """``bars``: ts (UTC, start) open high low close [spread]; ``minutes`` of one; ``side``: bid or mid."""

    bars: pd.DataFrame
    minutes: int
    side: str
    instrument: Instrument


@dataclass(frozen=True)
class Marks:
    """Floating profit of an instrument's legs at the end of each bar, and its extremes within; ``open``: legs at the
    end."""

    start: np.ndarray
    end: np.ndarray
    close: np.ndarray
    low: np.ndarray
    high: np.ndarray
    open: np.ndarray
    fills: int
    outside: int


class _Steps:
    """Sums over legs that were open: of those that began, less those that ended."""

    def __init__(self, entry: np.ndarray, exit_: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        self._in, self._out = np.argsort(entry, kind="stable"), np.argsort(exit_, kind="stable")
        self._entry, self._exit = entry[self._in], exit_[self._out]
        self._sums = {key: (_cumulated(value[self._in]), _cumulated(value[self._out])) for key, value in values.items()}

    def at_end(self, end: np.ndarray) -> dict[str, np.ndarray]:
        """Of legs that are open after ``end``."""
        return self._between(
            np.searchsorted(self._entry, end, side="right"), np.searchsorted(self._exit, end, side="right")
        )

    def within(self, start: np.ndarray, end: np.ndarray) -> dict[str, np.ndarray]:
        """Of legs that were open at any moment from ``start`` to before ``end``."""
        return self._between(
            np.searchsorted(self._entry, end, side="left"), np.searchsorted(self._exit, start, side="right")
        )

    def _between(self, began: np.ndarray, ended: np.ndarray) -> dict[str, np.ndarray]:
        return {key: first[began] - last[ended] for key, (first, last) in self._sums.items()}


def _cumulated(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(values)])


def marks_of(legs: pd.DataFrame, market: Mapping[str, MarketBars], name: str, currency: str) -> Marks:
    """The marks of one instrument's legs; bars in which none was open are left out."""
    if name not in market:
        raise BadRequest(
            f"there are no bars of {name} to rebuild the equity from; import bars of M1 to H1 that cover its trades"
        )
    source = market[name]
    if source.minutes > COARSEST:
        raise BadRequest(
            f"the bars of {name} are of {source.minutes} minutes; the equity is rebuilt from bars of M1 to H1"
        )
    entry = legs["entry_ts"].dt.as_unit("ns").astype("int64").to_numpy()
    exit_ = np.where(legs["exit_ts"].isna(), NEVER, legs["exit_ts"].dt.as_unit("ns").astype("int64").to_numpy())
    bars = _covering(source, name, entry, exit_)
    start = bars["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    end = start + source.minutes * MINUTE
    spread = (
        bars["spread"].fillna(source.instrument.spread).to_numpy(float)
        if "spread" in bars
        else np.full(len(bars), source.instrument.spread)
    )
    below, above = (0.0, spread) if source.side == "bid" else (-0.5 * spread, 0.5 * spread)
    long, unit = (legs["side"] == BOUGHT).to_numpy(), money_per_unit(legs, source.instrument, currency)
    price = legs["entry_price"].to_numpy(float)
    held = np.minimum(legs["swap"].to_numpy(float), 0.0) + legs["costs"].to_numpy(float)
    steps = _Steps(
        entry,
        exit_,
        dict(
            buy=np.where(long, unit, 0.0),
            bought=np.where(long, unit * price, 0.0),
            sell=np.where(long, 0.0, unit),
            sold=np.where(long, 0.0, unit * price),
            held=held,
            count=np.ones(len(legs)),
        ),
    )
    at_end, within = steps.at_end(end), steps.within(start, end)
    close, high, low = (bars[column].to_numpy(float) for column in ("close", "high", "low"))
    outside = _outside(
        start,
        end,
        low + below,
        high + above,
        spread,
        np.concatenate([entry, exit_]),
        np.concatenate([price, legs["exit_price"].to_numpy(float)]),
    )
    kept = (within["count"] > 0.5) | (np.diff(at_end["count"], prepend=0.0) != 0)
    parts = (
        start,
        end,
        _floating(at_end, close + below, close + above),
        _floating(within, low + below, high + above),
        _floating(within, high + below, low + above),
        at_end["count"],
    )
    first, last, marked, lowest, highest, count = (part[kept] for part in parts)
    return Marks(first, last, marked, lowest, highest, count, int(len(entry) + (exit_ < NEVER).sum()), outside)


def _floating(sums: Mapping[str, np.ndarray], sell_at: np.ndarray, buy_at: np.ndarray) -> np.ndarray:
    """Profit of what is held, where longs leave at ``sell_at`` and shorts at ``buy_at``."""
    return sums["buy"] * sell_at - sums["bought"] + sums["sold"] - sums["sell"] * buy_at + sums["held"]


def money_per_unit(legs: pd.DataFrame, instrument: Instrument, currency: str) -> np.ndarray:
    """Account currency per price unit of each leg: its own profit over its own move where that is large enough, else
    the
    median per lot of those, else the contract, where its prices are in the account's currency.
    """
    lots = legs["lots"].to_numpy(float)
    move = (legs["exit_price"] - legs["entry_price"]).to_numpy(float) * np.where(legs["side"] == BOUGHT, 1.0, -1.0)
    profit = legs["profit"].to_numpy(float)
    sure = (np.abs(move) >= SURE_TICKS * instrument.tick) & (np.abs(profit) >= SURE_MONEY) & (profit * move > 0)
    own = np.divide(profit, move, out=np.full(len(legs), np.nan), where=sure)
    if sure.any():
        return np.where(sure, own, float(np.median(own[sure] / lots[sure])) * lots)
    if instrument.quote == currency:
        return instrument.contract * lots
    raise BadRequest(
        f"what a move of {instrument.name} is worth in {currency} cannot be determined: none of its trades moved far "
        "enough; the equity cannot be rebuilt"
    )


def _covering(source: MarketBars, name: str, entry: np.ndarray, exit_: np.ndarray) -> pd.DataFrame:
    """The bars from the first entry to the last exit."""
    first, last = int(entry.min()), int(exit_[exit_ < NEVER].max(initial=int(entry.max())))
    start = source.bars["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    length = source.minutes * MINUTE
    if not len(start) or start[0] > first or start[-1] + length < last:
        span = f"go from {_day(start[0])} to {_day(start[-1])}" if len(start) else "are none"
        raise BadRequest(
            f"the bars of {name} {span}, and its trades from {_day(first)} to {_day(last)}; import bars that cover them"
        )
    chosen = (start + length > first) & ((start < last) if (exit_ < NEVER).all() else True)
    return source.bars[chosen].reset_index(drop=True)


def _outside(
    start: np.ndarray,
    end: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    spread: np.ndarray,
    at: np.ndarray,
    price: np.ndarray,
) -> int:
    """Fills without a bar, or outside its range by more than the spread and a tenth of it."""
    real = at < NEVER
    at, price = at[real], price[real]
    place = np.searchsorted(start, at, side="right") - 1
    there = (place >= 0) & (at < end[np.maximum(place, 0)])
    place = np.maximum(place, 0)
    slack = 2.0 * spread[place] + 0.1 * (high[place] - low[place])
    return int((~there | (price < low[place] - slack) | (price > high[place] + slack)).sum())


def _day(ns: int) -> str:
    return str(np.datetime64(int(ns), "ns"))[:10]
