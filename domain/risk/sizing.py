"""Position sizing: the lots of a signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.params import param

SIZERS = ("fixed_lots", "notional", "fraction_at_risk", "kelly", "volatility", "kelly_entropy")
BY_RESULTS = ("kelly", "kelly_entropy")         # from the R of closed trades
BY_RISK = ("fraction_at_risk", *BY_RESULTS)     # over the distance of the stop
OTHER_WORDS = {"lots": "fixed_lots", "fixed": "fixed_lots", "risk": "fraction_at_risk", "fraction": "fraction_at_risk", "fixed_fraction": "fraction_at_risk", "fractional_kelly": "kelly", "volatility_target": "volatility", "entropy": "kelly_entropy"}

A_DAY, A_DAY_IN_YEARS = "1 % a day", 0.1615     # 0.01 × √260.9 trading days


@dataclass(frozen=True)
class Sizing:
    """Fixed lots; notional as a fraction of equity; risk per trade, given or by fractional Kelly, which entropy may shrink; or an annualised volatility target."""

    @classmethod
    def arranged(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The preset "1 % a day" as the volatility of a year that it is, where no other value is given.

        >>> from domain.params import build
        >>> sizing = build(Sizing, {"kind": "1 % a day"})
        >>> sizing.kind, sizing.value
        ('volatility', 0.1615)
        """
        if values.get("kind") != A_DAY:
            return values
        return {**values, "kind": "volatility", "value": A_DAY_IN_YEARS}

    kind: str = param("fixed_lots", choices=SIZERS, aliases=OTHER_WORDS, unit="", title="Position sizing", help="fixed lots, notional as % of equity, % of equity at risk to the stop, fractional Kelly, the same shrunk by the entropy of the win rate, or an annualised volatility target")
    value: float = param(1.0, low=0.0, high=1e6, unit="lots or share", help="lots, or a fraction: 0.01 is 1 % of equity at risk, 0.25 a quarter of the full-Kelly bet, 0.1 a volatility of 10 % a year")
    kelly_window: int = param(50, low=5, high=10_000, unit="trades", help="closed trades that the full-Kelly bet is estimated from")
    kelly_first: int = param(20, low=1, high=10_000, unit="trades", help="closed trades before which kelly_start is at risk")
    kelly_start: float = param(0.005, low=0.0, high=1.0, unit="share of equity", help="risk per trade before there is an estimate")
    kelly_cap: float = param(0.02, low=0.0, high=1.0, unit="share of equity", help="maximum risk per trade")
    entropy_lambda: float = param(0.5, low=0.0, high=1.0, unit="per bit", title="Entropy weight λ", help="sizing kelly_entropy: the Kelly risk is multiplied by 1 − λ·H, H the binary entropy of the win rate in bits; 0: plain Kelly")
    volatility_window: int = param(250, low=2, high=100_000, unit="bars", help="returns that annualised volatility is measured over")
