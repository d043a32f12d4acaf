"""The risk limits of one order with the numbers they were judged by: section 9 of docs/execution.md, in plain Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.decision_state import AccountState, Position, Rerun
from domain.backtest.limit_tables import DARK_END, DARK_OPEN, day_numbers, mean_before
from domain.params import params_of
from domain.risk.limits import Limits

PARAMS = {param.name: param for param in params_of(Limits)}


@dataclass(frozen=True)
class LimitCheck:
    """One limit: ``value`` as it was, ``allowed`` as it was set, in ``unit``; ``passes`` whether the order was within it at its full size.
    ``when``: decision or fill."""

    key: str
    title: str
    value: float
    allowed: float
    unit: str
    passes: bool
    when: str

    def plain(self) -> dict[str, Any]:
        finite = {name: number if np.isfinite(number) else None for name, number in (("value", self.value), ("allowed", self.allowed))}
        return {**self.__dict__, **finite}


@dataclass(frozen=True)
class Order:
    """An order as limits see it. ``bar``: of the flat arrays of the run, that decides or fills it; ``lots``: before any limit; ``price``: of its fill."""

    task: int
    instrument: str
    side: int
    signal: int
    bar: int
    lots: float = float("nan")
    price: float = float("nan")


def at_decision(order: Order, limits: Limits, run: Rerun, state: AccountState, equity: pd.DataFrame) -> Iterator[LimitCheck]:
    """Limits that forbid every entry at this close. ``equity``: rows up to the decision, ``ts``, ``equity``, ``equity_low``."""
    inputs = run.market.inputs
    if limits.daily_loss:
        days = day_numbers(limits.day_reset, equity["ts"].array.as_unit("ns").asi8)
        low = float(equity["equity_low"].to_numpy()[days == days[-1]].min())
        yield _check("daily_loss", 1.0 - low / state.day_start, limits.daily_loss, low > state.day_start * (1.0 - limits.daily_loss), "decision")
    if limits.max_drawdown:
        peak = np.maximum.accumulate(np.concatenate(([run.rules.account.balance], equity["equity"].to_numpy()[:-1])))
        lowest = float((1.0 - equity["equity_low"].to_numpy() / peak).max())
        yield _check("max_drawdown", lowest, limits.max_drawdown, lowest < limits.max_drawdown, "decision")
    if limits.blackout:
        dark = bool(inputs["warn"][order.bar] & DARK_END)
        yield _check("blackout", float(dark), 0.0, not dark, "decision")
    spans = {"spread_spike": _spread, "volatility_spike": _range}
    for key, ratio in spans.items():
        if allowed := getattr(limits, key):
            value = ratio(order, limits, run)
            yield _check(key, value, allowed, not value > allowed, "decision")


def at_fill(order: Order, limits: Limits, run: Rerun, state: AccountState) -> Iterator[LimitCheck]:
    """Limits that forbid or shrink the order where it fills, given the account just after the openings of its bar."""
    before = [p for p in state.positions if _before(p, order, run)]
    own = [p for p in before if p.instrument == order.instrument]
    if limits.blackout:
        dark = bool(run.market.inputs["warn"][order.bar] & DARK_OPEN)
        yield _check("blackout", float(dark), 0.0, not dark, "fill")
    if limits.max_positions:
        yield _check("max_positions", len(before), limits.max_positions, len(before) < limits.max_positions, "fill")
    if limits.max_per_symbol:
        yield _check("max_per_symbol", len(own), limits.max_per_symbol, len(own) < limits.max_per_symbol, "fill")
    if limits.max_correlation:
        rho = max((_correlation(order, p, run) for p in before if p.instrument != order.instrument), default=float("nan"))
        yield _check("max_correlation", rho, limits.max_correlation, not rho > limits.max_correlation, "fill")
    notional = order.lots * run.tasks[order.task].instrument.contract * abs(order.price) * run.rate(order.task, int(run.market.inputs["ts"][order.bar]))
    if limits.max_leverage:
        gross = (sum(p.notional for p in before) + notional) / state.equity
        yield _check("max_leverage", gross, limits.max_leverage, not gross > limits.max_leverage * (1 + 1e-9), "fill")
    if limits.max_currency:
        exposure = max(_exposures(order, notional, before, run)) / state.equity
        yield _check("max_currency", exposure, limits.max_currency, not exposure > limits.max_currency * (1 + 1e-9), "fill")


def _check(key: str, value: float, allowed: float, passes: bool, when: str) -> LimitCheck:
    param = PARAMS[key]
    return LimitCheck(key, param.title or key.replace("_", " ").capitalize(), float(value), float(allowed), param.unit, bool(passes), when)


def _before(p: Position, order: Order, run: Rerun) -> bool:
    """Whether the position was open when the order filled: not the order's own, and not one that this bar's open filled after it."""
    if p.instrument == order.instrument and p.signal == order.signal:
        return False
    if p.entered < int(run.market.inputs["ts"][order.bar]):
        return True
    task = next(k for k, each in enumerate(run.tasks) if each.instrument.name == p.instrument)
    return (task, p.signal) < (order.task, order.signal)


def _spread(order: Order, limits: Limits, run: Rerun) -> float:
    spread = run.market.bars[order.task].spread
    k = order.bar - int(run.market.offsets[order.task])
    mean = mean_before(spread[: k + 1], limits.spike_window)[k]
    return float(spread[k] / mean) if mean > 0.0 else float("nan")


def _range(order: Order, limits: Limits, run: Rerun) -> float:
    """The bar's true range over Wilder's ATR of the bars before it."""
    from domain.backtest import kernel

    bars, k = run.market.bars[order.task], order.bar - int(run.market.offsets[order.task])
    atr = np.empty(k + 1)
    kernel.wilder_atr(bars.high[: k + 1], bars.low[: k + 1], bars.close[: k + 1], limits.spike_window, atr)
    if k == 0 or not atr[k - 1] > 0.0:
        return float("nan")
    return float((max(bars.high[k], bars.close[k - 1]) - min(bars.low[k], bars.close[k - 1])) / atr[k - 1])


def _correlation(order: Order, p: Position, run: Rerun) -> float:
    """The correlation of the two positions' profits: that of the instruments, turned round for opposite sides."""
    inputs, names = run.market.inputs, list(dict.fromkeys(task.instrument.name for task in run.tasks))
    row = names.index(order.instrument) * len(names) + names.index(p.instrument)
    return order.side * p.side * float(inputs["rho"][row, int(inputs["rho_day"][order.bar])])


def _exposures(order: Order, notional: float, before: Sequence[Position], run: Rerun) -> list[float]:
    """Net exposure to either leg of the order but the account's currency, after it, in the direction in which it pushes them."""
    own = run.tasks[order.task].instrument
    legs = {task.instrument.name: (task.instrument.base, task.instrument.quote) for task in run.tasks}
    exposures = []
    for currency, way in ((own.base, order.side), (own.quote, -order.side)):
        if currency != run.rules.account.currency:
            held = sum(p.side * p.notional * ((legs[p.instrument][0] == currency) - (legs[p.instrument][1] == currency)) for p in before)
            exposures.append(way * held + notional)
    return exposures or [0.0]
