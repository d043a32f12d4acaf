"""The risk limits of one order with the numbers they were judged by: section 9 of docs/execution.md, in plain Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.decision_state import AccountState, Position, Rerun
from domain.backtest.governor_tables import DRIFT_ROWS, MINUTE, STRONG, drift_index
from domain.backtest.kernel.codes import OFF_SESSION, WORST
from domain.backtest.limit_tables import DARK_END, DARK_OPEN, day_numbers, mean_before
from domain.market.instrument import group_of
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
    """An order as limits see it. ``bar``: of the flat arrays of the run, that decides or fills it; ``lots``: before any limit; ``price``: of its fill; ``recent``: entries
    of the account in the 60 minutes before it."""

    task: int
    instrument: str
    side: int
    signal: int
    bar: int
    lots: float = float("nan")
    price: float = float("nan")
    stop: float = float("nan")
    recent: int = 0


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
    if limits.news:
        nearest = _nearest_release(order, run)
        yield _check("news", nearest, limits.news, nearest > limits.news, "decision")
    if limits.session.strip():
        outside = bool(inputs["warn"][order.bar] & OFF_SESSION)
        yield _check("session", float(outside), 0.0, not outside, "decision")
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
    if limits.sector:
        group = group_of(run.tasks[order.task].instrument)
        count = sum(group_of(next(task.instrument for task in run.tasks if task.instrument.name == p.instrument)) == group for p in before)
        yield _check("sector", count, limits.sector, count < limits.sector, "fill")
    if limits.rate:
        yield _check("rate", order.recent, limits.rate, order.recent < limits.rate, "fill")
    if limits.max_correlation:
        rho = max((_correlation(order, p, run) for p in before if p.instrument != order.instrument), default=float("nan"))
        yield _check("max_correlation", rho, limits.max_correlation, not rho > limits.max_correlation, "fill")
    yield from _sizes(order, limits, run, state)
    notional = order.lots * run.tasks[order.task].instrument.contract * abs(order.price) * run.rate(order.task, int(run.market.inputs["ts"][order.bar]))
    if limits.max_leverage:
        gross = (sum(p.notional for p in before) + notional) / state.equity
        yield _check("max_leverage", gross, limits.max_leverage, not gross > limits.max_leverage * (1 + 1e-9), "fill")
    if limits.max_currency:
        exposure = max(_exposures(order, notional, before, run)) / state.equity
        yield _check("max_currency", exposure, limits.max_currency, not exposure > limits.max_currency * (1 + 1e-9), "fill")
    yield from _risks(order, before, limits, run, state)


def _sizes(order: Order, limits: Limits, run: Rerun, state: AccountState) -> Iterator[LimitCheck]:
    """Limits that multiply the lots."""
    if limits.drift.strip():
        last = order.bar - 1 - int(run.market.offsets[order.task])
        values = run.tasks[order.task].monitored
        values = values[: len(values) - len(run.market.bars[order.task].ts) + last + 1][-DRIFT_ROWS:] if values is not None else np.zeros(0)
        index = float(drift_index(values)[-1]) if len(values) and last >= 0 else float("nan")
        yield _check("drift", index, STRONG, not index > STRONG, "fill")
    if limits.daily_gate:
        used = (state.day_start - state.equity) / (state.day_start * limits.daily_loss)
        yield _check("daily_gate", used, 0.5, not used > 0.5, "fill")


def _risks(order: Order, before: Sequence[Position], limits: Limits, run: Rerun, state: AccountState) -> Iterator[LimitCheck]:
    """Limits of what is lost at the stop."""
    risk = order.lots * abs(order.price - order.stop) * run.tasks[order.task].instrument.contract * run.rate(order.task, int(run.market.inputs["ts"][order.bar]))
    if limits.open_risk:
        total = (sum(p.at_stop for p in before) + risk) / state.equity
        yield _check("open_risk", total, limits.open_risk, total <= limits.open_risk * (1 + 1e-9), "fill")
    if limits.es95:
        ended = sorted(state.results[order.task])
        worst = ended[: -(-len(ended) // WORST)] if len(ended) >= WORST else [-1.0]
        shortfall = -sum(worst) / len(worst) * risk * 1_000.0 / state.equity
        yield _check("es95", shortfall, limits.es95, shortfall <= limits.es95 * (1 + 1e-9), "fill")


def _nearest_release(order: Order, run: Rerun) -> float:
    """Minutes from the end of the deciding bar."""
    releases = run.tasks[order.task].releases
    return float(np.abs(np.asarray(releases) - int(run.market.inputs["end"][order.bar])).min()) / MINUTE


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
