"""How many lots a signal gets."""

from __future__ import annotations

from dataclasses import dataclass

from domain.params import param

SIZERS = ("fixed_lots", "notional", "fraction_at_risk")
OTHER_WORDS = {"lots": "fixed_lots", "fixed": "fixed_lots", "risk": "fraction_at_risk", "fraction": "fraction_at_risk", "fixed_fraction": "fraction_at_risk"}


@dataclass(frozen=True)
class Sizing:
    """Fixed lots; a share of equity as notional; or the share of equity lost if the stop is hit."""

    kind: str = param("fixed_lots", choices=SIZERS, aliases=OTHER_WORDS, unit="", help="fixed lots, notional as a share of equity, or share of equity at risk to the stop")
    value: float = param(1.0, low=0.0, high=1e6, unit="lots or share of equity", help="lots, or a share: 0.01 is 1 %")
