"""Combinations of a sweep that need no row per bar, no table of signals and no frame: the decisions are columns, the results a few numbers and the days.

``Lane`` is the bars of one series under one set of rules; ``lane_of`` gives one where the rules ask for nothing but what ``kernel.lane`` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from domain.backtest import kernel
from domain.backtest.kernel import codes
from domain.backtest.lane.kernel.walk import skim
from domain.backtest.lane.orders import Entries, Orders
from domain.backtest.lane.record import LANE
from domain.backtest.lane.sides import Sides, sides_of
from domain.backtest.memory import address_of
from domain.backtest.prepare import MarketInputs, reviewed
from domain.risk.sizing import BY_RESULTS
from domain.trading.costs import SLIPPAGE

RULES = ("contract", "lot_step", "min_lot", "max_lot", "usual", "leverage", "margin_per_lot", "slippage", "commission")
NUMBERS = ("slippage_kind", "seed", "commission_kind", "sizer", "size", "stop_out", "intrabar", "reverse")
NOTHING = np.full(1, np.nan)
NOTHING_AT = address_of(NOTHING)
LAID_OUT = 8            # distinct decisions that are kept as the kernel reads them


class Skimmed(NamedTuple):
    """What a combination leaves: a number a trade, the equity at the end of each day, and the lowest equity, and adverse extreme, over the peak before it."""

    pnl: np.ndarray
    r: np.ndarray
    bars_held: np.ndarray
    ends: np.ndarray
    falls: tuple[float, float]


@dataclass(frozen=True)
class Decisions:
    """Entries as the kernel reads them."""

    entries: Entries
    arrays: Mapping[str, np.ndarray]


def lane_of(market: MarketInputs, day_ends: np.ndarray, before: Lane | None = None) -> Lane | None:
    """None where the rules, or bars that open outside their range, need the clock's loop. ``before``: under other rules; what these do not change is taken from it."""
    rules, limits = market.rules, market.rules.limits
    if len(market.bars) != 1 or market.converts or reviewed(limits) or rules.execution.intrabar == "magnify" or rules.sizing.kind in BY_RESULTS or not rules.account.balance > 0:
        return None
    sides = sides_of(market.bars[0], int(market.inputs["tasks"][0]["quotes"]), before.sides if before else None)
    return Lane(market, day_ends, sides, before.decisions if before and sides is before.sides else []) if sides.is_orderly else None


class Lane:
    """The record that the kernel works on, and the arrays that it points to."""

    def __init__(self, market: MarketInputs, day_ends: np.ndarray, sides: Sides, decisions: list[Decisions]) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self._bars, self._random = len(market.bars[0].ts), market.rules.costs.slippage_kind == SLIPPAGE[codes.RANDOM]
        self.sides, self.decisions = sides, decisions
        self.record = np.zeros(1, LANE)
        self._write_rules(market)
        self._write_bars(market)
        self._write_nights(market.inputs)
        self._point("day_ends", np.ascontiguousarray(day_ends, np.int64), "day_count")
        self._point("ends", np.empty(len(day_ends)))
        for name, kind in dict(pnl=np.float64, r=np.float64, bars_held=np.int64).items():
            self._point(name, np.empty(self._bars, kind))

    def skim(self, orders: Orders) -> Skimmed | None:
        """The combination of these orders; None where it comes to something that only the clock's loop knows."""
        if self._random and len(orders.entries.exits):
            return None
        decisions, w = self._laid_out(orders.entries), self.record
        held = self._ask(orders.levels)
        for name, array in decisions.arrays.items():
            w[name] = address_of(array)
        for name, bars in dict(count="bars", buy_count="buys", sell_count="sells", exit_count="exits").items():
            w[name] = len(decisions.arrays[bars])
        done = skim(w)
        del held        # until here the kernel read it
        return self._results() if done else None

    def _results(self) -> Skimmed:
        trades, arrays = int(self.record["trades"][0]), self._arrays
        pnl, r, bars_held = (arrays[name][:trades].copy() for name in ("pnl", "r", "bars_held"))
        return Skimmed(pnl, r, bars_held, arrays["ends"].copy(), (float(self.record["fall"][0]), float(self.record["fall_low"][0])))

    def _laid_out(self, entries: Entries) -> Decisions:
        """Combinations that decide the same share what is laid out."""
        for decisions in self.decisions:
            if decisions.entries is entries or decisions.entries.equals(entries):
                return decisions
        self.decisions.insert(0, Decisions(entries, _laid_out(entries, self._bars)))
        del self.decisions[LAID_OUT:]
        return self.decisions[0]

    def _ask(self, levels: Mapping[str, Any]) -> list[np.ndarray]:
        """Write what the orders ask for; the arrays that the record points to."""
        w, held = self.record[0], list[np.ndarray]()

        def column(name: str) -> tuple[int, int]:
            value = levels.get(name)
            if value is None:
                return NOTHING_AT, 0
            array = np.ascontiguousarray(value if isinstance(value, np.ndarray) else [value], np.float64)
            held.append(array)
            return address_of(array), int(isinstance(value, np.ndarray))

        w["stop_loss"], w["own_lots"], w["own_size"] = column("stop_loss"), column("lots"), column("size")
        prices = w["target_prices"]
        for k in range(1, 5):
            prices[k - 1, 0], prices[k - 1, 1] = column(f"target_{k}")
        fraction, target_r = ([_or(levels.get(f"{name}_{k}", np.nan), 0.0) for k in range(1, 5)] for name in ("fraction", "target_r"))
        w["fraction"], w["target_r"] = fraction, target_r
        w["targets"] = max((k for k in range(1, 5) if f"target_{k}" in levels or target_r[k - 1] > 0.0), default=0)
        w["break_even_r"], w["break_even_offset"] = levels.get("break_even_r", np.nan), _or(levels.get("break_even_offset", np.nan), 0.0)
        w["max_bars"], w["needs_stop"] = int(_or(levels.get("max_bars", np.nan), 0.0)), w["break_even_r"] == w["break_even_r"] or any(r > 0.0 for r in target_r)
        return held

    def _write_rules(self, market: MarketInputs) -> None:
        w, task = self.record, market.inputs["tasks"][0]
        for name in RULES:
            w[name] = task[name]
        for name in NUMBERS:
            w[name] = market.context[name]
        w["last"], w["start"], w["swap"] = self._bars - 1, market.rules.account.balance, (task["swap_long"], task["swap_short"])

    def _write_bars(self, market: MarketInputs) -> None:
        bars = market.bars[0]
        for name, arrays in dict(prices=self.sides.prices, blocks=self.sides.blocks).items():
            self.record[name][0] = [address_of(array) for array in arrays]
        self._arrays["spread"] = spread = np.ascontiguousarray(bars.spread[:1] if (bars.spread == bars.spread[0]).all() else bars.spread)
        self.record["spread"][0] = address_of(spread), int(len(spread) == self._bars)
        self._point("sigma", market.inputs["sigma"])
        atr = np.full(1, np.nan)
        if market.rules.costs.slippage_kind == SLIPPAGE[codes.ATR]:
            atr = np.empty(self._bars)
            kernel.wilder_atr(bars.high, bars.low, bars.close, market.rules.costs.slippage_window, atr)
        self._point("atr", atr)

    def _write_nights(self, inputs: Mapping[str, np.ndarray]) -> None:
        """The bars that nights are charged in or before; none where they cost nothing."""
        before, within = inputs["nights_before"], inputs["nights_in"]
        self._point("nights_before", before)
        self._point("nights_in", within)
        charged = np.flatnonzero((before > 0) | (within > 0)) if inputs["tasks"][0]["swaps"] else np.zeros(0)
        self._point("night_bars", np.ascontiguousarray(charged, np.int64), "night_count")

    def _point(self, name: str, array: np.ndarray, count: str = "") -> None:
        self._arrays[name] = array
        self.record[name] = address_of(array)
        if count:
            self.record[count] = len(array)


def _laid_out(entries: Entries, bars: int) -> dict[str, np.ndarray]:
    bar, side = np.ascontiguousarray(entries.bar, np.int64), np.ascontiguousarray(entries.side, np.int8)
    first = np.concatenate(([0], np.cumsum(np.bincount(bar, minlength=bars)))).astype(np.int64)
    return dict(bars=bar, sides=side, first=first, buys=bar[side > 0], sells=bar[side < 0], exits=np.ascontiguousarray(entries.exits, np.int64))


def _or(value: float, default: float) -> float:
    return value if value == value else default
