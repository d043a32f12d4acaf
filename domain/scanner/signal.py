"""The entry signal of the last bar, with the size and the money at risk that the rules give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from domain.backtest.decision_size import SizeInputs, expected_entry, sized
from domain.market.instrument import Instrument
from domain.risk.sizing import Sizing

LEVELS = ("target_1", "target_2", "target_3", "target_4", "target_r_1", "target_r_2", "target_r_3", "target_r_4")


class EntrySignal(NamedTuple):
    """``entry``: the price expected, price units. ``stop_distance``: from it to the stop, NaN where there is none or it lies on the wrong side.
    ``at_risk``: account currency lost at the stop, NaN without one. ``target``: the first, price units, NaN for none."""

    side: int
    order: str
    entry: float
    stop_loss: float
    stop_distance: float
    target: float
    lots: float
    at_risk: float


class Sizer(NamedTuple):
    """What a size depends on beside the signal. ``quotes``: the side that the bars quote. ``rate``: account currency per unit of the quote currency.
    ``volatility``: price units a year, NaN where the sizing does not use it. ``results``: R of the closed trades, oldest first."""

    sizing: Sizing
    instrument: Instrument
    quotes: str
    equity: float
    rate: float
    volatility: float
    results: Sequence[float]

    def signal(self, row: Mapping[str, Any], close: float, spread: float) -> EntrySignal:
        """``row``: one signal, in the columns of domain.trading.signals; ``close`` and ``spread`` of the bar that decided it."""
        side, order = int(row["side"]), str(row.get("order") or "market")
        entry = expected_entry(self.quotes, side, close, spread) if order == "market" else float(row["price"])
        stop = _number(row, "stop_loss")
        distance = side * (entry - stop)
        distance = distance if distance > 0.0 else float("nan")
        size = _number(row, "size")
        inputs = SizeInputs(self.equity, entry, stop, self.rate, self.volatility, self.results, _number(row, "lots"), 1.0 if np.isnan(size) else size)
        no_size = np.isnan(stop) and np.isnan(inputs.own) and self.sizing.kind in ("fraction_at_risk", "kelly")
        lots = 0.0 if no_size else sized(self.sizing, self.instrument, inputs).lots
        return EntrySignal(side, order, entry, stop, distance, _target(row, entry, side, distance), lots, lots * self.instrument.contract * distance * self.rate)


def _target(row: Mapping[str, Any], entry: float, side: int, distance: float) -> float:
    """The nearest target, as a price."""
    values = {name: _number(row, name) for name in LEVELS}
    prices = [entry + side * distance * value if "_r_" in name else value for name, value in values.items()]
    return min((price for price in prices if not np.isnan(price)), key=lambda price: side * price, default=float("nan"))


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return float("nan") if value is None else float(value)
