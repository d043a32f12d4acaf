"""What reviews an order before it goes, and what halts the account (section 9)."""

from __future__ import annotations

import math
from itertools import pairwise

from domain.risk.limits import Limits
from tests.reference.bars import Bar, on_grid, true_range
from tests.reference.clocks import day_end, in_blackout, utc
from tests.reference.ledger import Ledger, Place
from tests.reference.orders import Order, Position, Series
from tests.reference.sizes import whole_steps

TOLERANCE = 1e-9  # of the capacity

# --- at the decision ---


def refused_at_decision(ledger: Ledger, series: Series, bar: Bar) -> str:
    """``halted``, ``blackout``, ``limit_spread`` or ``limit_volatility``, the first that applies; or nothing."""
    limits = ledger.limits
    if ledger.halted or series.held_back:
        return "halted"
    if in_blackout(limits.blackout, bar.end):
        return "blackout"
    if limits.spread_spike > 0 and wide(series.bars, bar.number, limits):
        return "limit_spread"
    return "limit_volatility" if limits.volatility_spike > 0 and violent(series, bar.number, limits) else ""


def wide(bars: list[Bar], at: int, limits: Limits) -> bool:
    """The bar's spread > ``spread_spike`` × the mean spread of the ``spike_window`` bars before it; too few or a mean of 0: not checked."""
    before = bars[max(0, at - limits.spike_window) : at]
    if len(before) < limits.spike_window:
        return False
    mean = sum(bar.spread for bar in before) / limits.spike_window
    return mean > 0 and on_grid(bars[at].spread) > on_grid(limits.spread_spike * mean)


def violent(series: Series, at: int, limits: Limits) -> bool:
    """Its true range > ``volatility_spike`` × Wilder ATR(``spike_window``) of the bar before it; no ATR or one of 0: not checked."""
    atr = series.atr(limits.spike_window, at - 1)
    return atr > 0 and on_grid(true_range(series.bars[at - 1], series.bars[at])) > on_grid(limits.volatility_spike * atr)


# --- at the fill ---


def reviewed(ledger: Ledger, series: Series, order: Order, price: float, place: Place) -> float | None:
    """The lots that every limit lets through, fewer where leverage or currency shrink them; None where one refuses."""
    lots = order.lots
    if refusal := _forbidden(ledger, series, order.side, place):
        ledger.refuse(series, order.signal, place.bar.ts, refusal, lots)
        return None
    for name, capacity in _capacities(ledger, series, order.side):
        fits = _fitting(ledger, series, lots, price, place, capacity)
        if fits < on_grid(series.instrument.min_lot):
            ledger.refuse(series, order.signal, place.bar.ts, f"limit_{name}", lots)
            return None
        if fits < lots:
            ledger.count_and_review(series, order.signal, place.bar.ts, "shrunk", f"shrunk_{name}", lots, fits)
        lots = fits
    return lots


def add_is_refused(ledger: Ledger, series: Series, order: Order, price: float, place: Place) -> bool:
    """An add of a grid is reviewed by halted, blackout, leverage and currency with all its lots."""
    if ledger.halted or in_blackout(ledger.limits.blackout, place.bar.ts):
        return True
    capacities = _capacities(ledger, series, order.side)
    return any(_fitting(ledger, series, order.lots, price, place, capacity) < order.lots for _, capacity in capacities)


def _forbidden(ledger: Ledger, series: Series, side: int, place: Place) -> str:
    limits, name = ledger.limits, series.instrument.name
    if ledger.halted:
        return "halted"
    if in_blackout(limits.blackout, place.bar.ts):
        return "blackout"
    if 0 < limits.max_positions <= len(ledger.open):
        return "limit_positions"
    if 0 < limits.max_per_symbol <= sum(position.series.instrument.name == name for position in ledger.open.values()):
        return "limit_symbol"
    others = [position for position in ledger.open.values() if position.series.instrument.name != name]
    if limits.max_correlation > 0 and any(_moves_with(ledger, series, side, position, place.bar.ts) for position in others):
        return "limit_correlation"
    return ""


def _capacities(ledger: Ledger, series: Series, side: int) -> list[tuple[str, float]]:
    """(limit, notional in account currency that may still be added), leverage before currency; only those that are on."""
    limits, equity = ledger.limits, ledger.equity_at_last_known_closes()
    capacities = []
    if limits.max_leverage > 0:
        capacities.append(("leverage", limits.max_leverage * equity - sum(position.notional for position in ledger.open.values())))
    if limits.max_currency > 0:
        pushes = {series.instrument.base: side, series.instrument.quote: -side}
        legs = [limits.max_currency * equity - way * exposure(ledger, name) for name, way in pushes.items() if name != ledger.account.currency]
        capacities += [("currency", min(legs))] if legs else []
    return capacities


def exposure(ledger: Ledger, currency: str) -> float:
    """Every position of side s with notional N holds + s·N of its instrument's base and − s·N of its quote."""
    total = 0.0
    for position in ledger.open.values():
        instrument = position.series.instrument
        total += position.side * position.notional * ((instrument.base == currency) - (instrument.quote == currency))
    return total


def _fitting(ledger: Ledger, series: Series, lots: float, price: float, place: Place, capacity: float) -> float:
    """``lots``, or where they need more than the capacity and its tolerance the whole steps that do not."""
    notional = ledger.notional(series, 1.0, price, place.ts)
    if lots * notional <= capacity + TOLERANCE * abs(capacity):
        return lots
    return min(lots, whole_steps(max(0.0, capacity) / notional, series.instrument.lot_step)) if notional > 0 else 0.0


# --- correlation ---


def _moves_with(ledger: Ledger, series: Series, side: int, position: Position, instant: int) -> bool:
    """s₁·s₂·ρ > ``max_correlation``."""
    first, second = (ledger.daily_closes(name) for name in (series.instrument.name, position.series.instrument.name))
    rho = correlation(first, second, utc(instant).date().toordinal(), ledger.limits.correlation_days)
    return side * position.side * rho > ledger.limits.max_correlation  # NaN, not checked, is not above


def correlation(first: dict[int, float], second: dict[int, float], day: int, count: int) -> float:
    """Pearson's ρ over the last ``count`` changes between common days before ``day``; NaN with fewer, or where a series is flat.

    >>> first, second = {1: 1.0, 2: 2.0, 3: 1.0, 4: 3.0, 6: 9.0}, {1: 5.0, 2: 4.0, 4: 6.0, 5: 0.0, 6: 1.0}
    >>> correlation(first, second, 6, 2)                      # changes from day 1 to 2 and from 2 to 4: (1, 1) and (−1, 2)
    nan
    >>> correlation(first | {4: 0.0}, second, 6, 2)
    -1.0
    """
    days = sorted(d for d in first.keys() & second.keys() if d < day)[-count - 1 :]
    if len(days) < count + 1:
        return math.nan
    return pearson(*([on_grid(closes[b] - closes[a]) for a, b in pairwise(days)] for closes in (first, second)))


def pearson(xs: list[float], ys: list[float]) -> float:
    """NaN where one of them does not vary.

    >>> round(pearson([1.0, 2.0, 3.0], [2.0, 1.0, 3.0]), 12), pearson([1.0, 1.0], [1.0, 2.0])
    (0.5, nan)
    """
    if min(xs) == max(xs) or min(ys) == max(ys):
        return math.nan
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    together = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    return together / math.sqrt(sum((a - x) ** 2 for a in xs) * sum((b - y) ** 2 for b in ys))


# --- halts ---


def govern(ledger: Ledger, every_series: list[Series], instant: int, equity: float, low: float) -> None:
    """After the equity row: a new day lifts the halt of the past one; then daily loss and drawdown are checked on the row."""
    limits = ledger.limits
    _begin_day(ledger, instant)
    too_much_today = limits.daily_loss > 0 and low <= ledger.day_start * (1 - limits.daily_loss)
    too_deep = limits.max_drawdown > 0 and low <= ledger.peak * (1 - limits.max_drawdown)
    ledger.last_equity, ledger.peak = equity, max(ledger.peak, equity)
    ledger.halted_today = ledger.halted_today or too_much_today
    ledger.halted_for_good = ledger.halted_for_good or too_deep
    if too_much_today or too_deep:
        halt(ledger, every_series, instant, limits.flatten)


def _begin_day(ledger: Ledger, instant: int) -> None:
    """An instant belongs to the day that ends at or after it; the day starts with the equity of the last row before its first one."""
    day = day_end(ledger.limits.day_reset, instant) if ledger.limits.daily_loss > 0 else 0
    if day != ledger.day:
        ledger.day, ledger.day_start, ledger.halted_today = day, ledger.last_equity, False


def halt(ledger: Ledger, every_series: list[Series], instant: int, flatten: bool) -> None:
    """Pending and waiting orders are cancelled, each counted; grids add no more; with ``flatten`` all leave at their next open."""
    for series in every_series:
        if series.closed is series.bars[-1]:  # its data do not go on
            continue
        for order in sorted(series.market + series.pending, key=lambda order: order.signal.number):
            if order.position is None:
                ledger.refuse(series, order.signal, instant, "halted", order.lots)
        series.market, series.pending = [], []
    for position in [position for position in ledger.open.values() if position.series in every_series]:
        position.adds_left = 0
        position.leaves_by_halt = position.leaves_by_halt or flatten


def kill(ledger: Ledger, every_series: list[Series], instant: int) -> None:
    """A person's kill switch: the same halt, for good, taken between two instants."""
    ledger.halted_for_good = True
    halt(ledger, every_series, instant, ledger.limits.flatten)
