"""What trading costs beyond being wrong."""

from __future__ import annotations

from dataclasses import dataclass

from domain.params import param

SLIPPAGE = ("fixed", "atr", "random")
COMMISSION = ("per_lot", "per_million", "bps")
OTHER_WORDS = {"lot": "per_lot", "million": "per_million", "basis_points": "bps"}


@dataclass(frozen=True)
class Costs:
    """Spread, slippage, commission and swap. Spread and swap left empty come from the bars and from the instrument."""

    spread: float | None = param(None, low=0.0, high=1e6, unit="price units", help="for bars that carry none; empty: the instrument's default")
    slippage: float = param(0.0, low=0.0, high=1e6, unit="by kind", help="always adverse: price units, multiples of ATR, or the most of a random amount")
    slippage_kind: str = param("fixed", choices=SLIPPAGE, unit="", help="fixed price units, a multiple of ATR, or random up to the amount")
    slippage_window: int = param(14, low=1, high=10_000, unit="bars", help="length of the ATR that slippage of kind atr multiplies")
    seed: int = param(0, low=0, high=2**53 - 1, unit="", help="of random slippage")
    commission_per_lot: float = param(0.0, low=0.0, high=1e6, unit="by kind", help="booked at each fill")
    commission_kind: str = param("per_lot", choices=COMMISSION, aliases=OTHER_WORDS, unit="", help="account currency per lot and side, per million of notional, or basis points of notional")
    swap_long: float | None = param(None, low=-1e6, high=1e6, unit="quote currency per lot and night", help="negative is paid; empty: the instrument's")
    swap_short: float | None = param(None, low=-1e6, high=1e6, unit="quote currency per lot and night", help="negative is paid; empty: the instrument's")
