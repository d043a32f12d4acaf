"""The size of one order, computed step by step in plain Python: what the kernel's ``sizes`` gives, with every number it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, isfinite, isnan, log2

from domain.market.instrument import Instrument
from domain.risk.sizing import BY_RESULTS, Sizing


@dataclass(frozen=True)
class SizeInputs:
    """What the size of an order depends on, at the close of the bar that decided it.

    ``equity``: account currency. ``entry``, ``stop``: price units, NaN where there is none. ``rate``: quote to account currency.
    ``volatility``: price units a year. ``results``: R of the trades closed so far, oldest first. ``own``: lots of the signal itself, or NaN.
    ``size``: the share of those lots, or of the sizer's, that the signal asks for.
    """

    equity: float
    entry: float
    stop: float
    rate: float
    volatility: float
    results: Sequence[float]
    own: float
    size: float = 1.0


@dataclass(frozen=True)
class Size:
    """``share`` of equity, over what one lot is worth by the kind of sizing (``per_lot``, account currency), times the signal's own size is ``unrounded`` lots."""

    share: float
    per_lot: float
    unrounded: float
    lots: float         # rounded down to the lot step, at most the maximum; 0 where there is no order

    def plain(self) -> Mapping[str, float | None]:
        return {name: value if isfinite(value) else None for name, value in self.__dict__.items()}


def sized(sizing: Sizing, instrument: Instrument, inputs: SizeInputs) -> Size:
    """Sections 6 and 9 of docs/execution.md.

    >>> from domain.market.instrument import instruments
    >>> nothing = float("nan")
    >>> sized(Sizing("fraction_at_risk", 0.01), instruments()["EURUSD"], SizeInputs(10_000, 1.1, 1.098, 1.0, nothing, (), nothing)).lots
    0.5
    """
    if not isnan(inputs.own):
        return _rounded(instrument, float("nan"), float("nan"), inputs.own * inputs.size)
    if sizing.kind == "fixed_lots":
        return _rounded(instrument, float("nan"), float("nan"), sizing.value * inputs.size)
    share = kelly_share(sizing, inputs.results) if sizing.kind in BY_RESULTS else sizing.value
    base = inputs.volatility if sizing.kind == "volatility" else abs(inputs.entry) if sizing.kind == "notional" else abs(inputs.entry - inputs.stop)
    per_lot = base * instrument.contract * abs(inputs.rate)
    possible = share > 0.0 and per_lot > 0.0
    return _rounded(instrument, share, per_lot, inputs.equity * share / per_lot * inputs.size if possible else 0.0)


def expected_entry(quotes: str, side: int, close: float, spread: float) -> float:
    """The price at which a market order would fill at this close, without slippage: longs at the ask, shorts at the bid, of bars that quote ``bid`` or ``mid``.

    >>> expected_entry("bid", 1, 1.1, 0.0002), expected_entry("mid", -1, 1.1, 0.0002)
    (1.1002, 1.0999)
    """
    price = close + side * spread / 2 if quotes == "mid" else close + spread if side > 0 else close
    return round(float(price) * 1e9) / 1e9


def kelly_share(sizing: Sizing, results: Sequence[float]) -> float:
    """The share of equity at risk, from the last ``kelly_window`` results: ``value × (p − (1 − p) · mean loss / mean win)``, at most the cap; for ``kelly_entropy`` times ``1 − λ·H(p)``.

    >>> kelly_share(Sizing("kelly", 0.5, kelly_first=2, kelly_cap=1.0), [2.0, -1.0])
    0.125
    >>> kelly_share(Sizing("kelly_entropy", 0.5, kelly_first=2, kelly_cap=1.0, entropy_lambda=0.4), [2.0, -1.0])     # H(1/2) is 1 bit
    0.075
    """
    if len(results) < sizing.kelly_first:
        return sizing.kelly_start
    recent = list(results)[-sizing.kelly_window :]
    wins, lost = [r for r in recent if r > 0.0], [-r for r in recent if r <= 0.0]
    if not wins:
        return -1.0
    ratio = (sum(lost) / len(lost)) / (sum(wins) / len(wins)) if lost and sum(lost) else 0.0
    p = len(wins) / len(recent)
    share = min(sizing.value * (p - (1.0 - p) * ratio), sizing.kelly_cap)
    return share * (1.0 - sizing.entropy_lambda * entropy(p)) if sizing.kind == "kelly_entropy" else share


def entropy(p: float) -> float:
    """Binary entropy in bits.

    >>> entropy(0.5), entropy(1.0), round(entropy(0.25), 6)
    (1.0, 0.0, 0.811278)
    """
    return -(p * log2(p) + (1.0 - p) * log2(1.0 - p)) if 0.0 < p < 1.0 else 0.0


def _rounded(instrument: Instrument, share: float, per_lot: float, unrounded: float) -> Size:
    steps = floor(unrounded / instrument.lot_step + 1e-6) if isfinite(unrounded) and unrounded > 0.0 else 0
    lots = min(round(steps * instrument.lot_step * 1e9) / 1e9, instrument.max_lot)
    return Size(share, per_lot, unrounded, lots if lots >= instrument.min_lot - 1e-9 and lots > 0.0 else 0.0)
