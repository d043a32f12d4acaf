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
    by_risk = sizing.kind in ("fraction_at_risk", "kelly", "kelly_entropy") and signal.lots is None
    return signal.stop_loss is None and (asks_for_r or by_risk)


def lots_of(ledger: Ledger, series: Series, bar: Bar | None, signal: Signal, sizing: Sizing, equity: float, instant: int) -> float | None:
    """Lots to order, or None where a check drops the signal: ``no_size``, ``below_min_lot``; ``over_max_lot`` caps and drops nothing."""
    instrument = series.instrument
    wanted = math.nan
    if equity > 0:
        wanted = signal.size * (signal.lots if signal.lots is not None else _sized(ledger, series, bar, signal, sizing, equity))
    if not math.isfinite(wanted) or wanted <= 0 or not math.isfinite(wanted / instrument.lot_step):
        ledger.refuse(series, signal, instant, "no_size", math.nan)
        return None
    lots, most = whole_steps(wanted, instrument.lot_step), on_grid(instrument.max_lot)
    if lots < on_grid(instrument.min_lot):
        ledger.refuse(series, signal, instant, "below_min_lot", lots)
        return None
    if lots > most:
        ledger.count_and_review(series, signal, instant, "capped", "over_max_lot", lots, most)
    return min(lots, most)


def _sized(ledger: Ledger, series: Series, bar: Bar, signal: Signal, sizing: Sizing, equity: float) -> float:
    """Lots before rounding; NaN or ≤ 0 where there is no size."""
    if sizing.kind == "fixed_lots":
        return sizing.value
    share, distance = _share_and_distance(ledger, series, bar, signal, sizing)
    if (sizing.kind in ("kelly", "kelly_entropy") and share <= 0) or (sizing.kind == "volatility" and not distance > 0):
        return math.nan  # no rate is used, so none is counted as stale
    unit = series.instrument.contract * ledger.rate(series, bar.end, counted=True)  # account currency per lot and price unit
    return equity * share / (unit * distance) if unit * distance > 0 else math.nan


def _share_and_distance(ledger: Ledger, series: Series, bar: Bar, signal: Signal, sizing: Sizing) -> tuple[float, float]:
    """A share of equity, and the price units that one lot's share is measured by."""
    entry = expected_entry(bar, signal)
    if sizing.kind == "volatility":
        return sizing.value, series.yearly_volatility(sizing.volatility_window, bar.number)
    if sizing.kind == "notional":
        return sizing.value, abs(entry)
    share = kelly_fraction(ledger.ended_r, sizing) if sizing.kind in ("kelly", "kelly_entropy") else sizing.value
    return share, abs(entry - signal.stop_loss)


def kelly_fraction(ended: list[float], sizing: Sizing) -> float:
    """Section 9: the share of equity at risk, from the ``r`` of the trades that have ended; ``kelly_start`` while they are too few.

    >>> kelly_fraction([2.0, -1.0, 2.0, -1.0], Sizing("kelly", 0.25, kelly_first=4, kelly_cap=0.1))          # K = 0.5 − 0.5 ÷ 2
    0.0625
    >>> kelly_fraction([2.0, -1.0, 2.0, -1.0], Sizing("kelly_entropy", 0.25, kelly_first=4, kelly_cap=0.1, entropy_lambda=0.5))    # H(½) = 1 bit
    0.03125
    """
    if len(ended) < sizing.kelly_first:
        return sizing.kelly_start
    recent = ended[-sizing.kelly_window :]
    fraction = min(sizing.value * kelly(recent), sizing.kelly_cap)
    return fraction * (1 - sizing.entropy_lambda * bits(recent)) if sizing.kind == "kelly_entropy" else fraction


def bits(results: list[float]) -> float:
    """Section 9: the binary entropy of the share of ``r`` above 0; an outcome that never came has none.

    >>> bits([1.0, -1.0]), bits([1.0, 2.0]), round(bits([1.0, -1.0, -1.0, -1.0]), 6)
    (1.0, 0.0, 0.811278)
    """
    shares = [sum(1 for r in results if (r > 0) == won) / len(results) for won in (True, False)]
    return sum(share * -math.log2(share) for share in shares if share > 0)


def kelly(results: list[float]) -> float:
    """K = p − (1 − p) ÷ b; −1 if no r is > 0; p if all are, or the mean of the others is 0.

    >>> kelly([3.0, 1.0, -1.0, -1.0]), kelly([-1.0, 0.0]), kelly([1.0]), kelly([1.0, 0.0])                    # 1/2 − 1/2 ÷ 2
    (0.25, -1.0, 1.0, 0.5)
    """
    wins, others = [r for r in results if r > 0], [r for r in results if r <= 0]
    share = len(wins) / len(results)
    if not wins:
        return -1.0
    if not others or sum(others) == 0:
        return share
    return share - (1 - share) / (sum(wins) / len(wins) / abs(sum(others) / len(others)))


def expected_entry(bar: Bar, signal: Signal) -> float:
    """Section 6: the trigger, or for a market order the close of the side traded, without slippage."""
    return bar.opening(signal.side).close if signal.order == "market" else signal.price
