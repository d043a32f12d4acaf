"""How many lots a signal gets, and the checks at its decision (sections 6 and 8)."""

from __future__ import annotations

import math

from domain.risk.sizing import Sizing
from tests.reference.bars import Bar, on_grid
from tests.reference.ledger import Ledger
from tests.reference.orders import Series, Signal


def whole_steps(lots: float, step: float) -> float:
    """Sections 1 and 8: ``floor(lots/step + 1e-6)`` steps, put on the 1e-9 grid.

    >>> whole_steps(0.29, 0.01), whole_steps(0.4545, 0.01), whole_steps(0.009, 0.01)
    (0.29, 0.45, 0.0)
    """
    return on_grid(math.floor(lots / step + 1e-6) * step)


def lacks_a_stop(signal: Signal, sizing: Sizing) -> bool:
    """Section 8: no stop, but break-even, ``trail_start_r`` > 0, a target in R, or sizing by risk without own lots."""
    asks_for_r = signal.break_even_r is not None or signal.trail_start_r > 0 or any(target.r is not None for target in signal.targets)
    by_risk = sizing.kind == "fraction_at_risk" and signal.lots is None
    return signal.stop_loss is None and (asks_for_r or by_risk)


def lots_of(ledger: Ledger, series: Series, bar: Bar, signal: Signal, sizing: Sizing, equity: float) -> float | None:
    """Lots to order, or None where a check drops the signal: ``no_size``, ``below_min_lot``; ``over_max_lot`` caps and drops nothing."""
    wanted = math.nan
    if equity > 0:
        wanted = signal.lots if signal.lots is not None else _sized(ledger, series, bar, signal, sizing, equity)
    if not math.isfinite(wanted) or wanted <= 0 or not math.isfinite(wanted / series.instrument.lot_step):
        ledger.counts["no_size"] += 1
        return None
    lots = whole_steps(wanted, series.instrument.lot_step)
    if lots < on_grid(series.instrument.min_lot):
        ledger.counts["below_min_lot"] += 1
        return None
    if lots > on_grid(series.instrument.max_lot):
        ledger.counts["over_max_lot"] += 1
        return on_grid(series.instrument.max_lot)
    return lots


def _sized(ledger: Ledger, series: Series, bar: Bar, signal: Signal, sizing: Sizing, equity: float) -> float:
    if sizing.kind == "fixed_lots":
        return sizing.value
    entry = expected_entry(bar, signal)
    unit = series.instrument.contract * ledger.rate(series, bar.end, counted=True)  # account currency per lot and price unit
    per_lot = unit * (abs(entry) if sizing.kind == "notional" else abs(entry - signal.stop_loss))
    return equity * sizing.value / per_lot if per_lot > 0 else math.inf


def expected_entry(bar: Bar, signal: Signal) -> float:
    """Section 6: the trigger, or for a market order the close of the side traded, without slippage."""
    return bar.opening(signal.side).close if signal.order == "market" else signal.price
