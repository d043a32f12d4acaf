"""The account that everything of one simulation shares."""

from __future__ import annotations

from dataclasses import dataclass

from domain.params import param


@dataclass(frozen=True)
class Account:
    """Money, its currency, and how far it may be stretched."""

    balance: float = param(10_000.0, low=0.01, high=1e12, unit="account currency", help="initial balance")
    currency: str = param("USD", unit="", help="account currency; profits and costs are converted into it at historical rates")
    leverage: float = param(30.0, low=1.0, high=2_000.0, unit="× margin", title="Max leverage (30 = 30:1)", help="maximum leverage (30 = 30:1); an instrument's class may allow less")
    stop_out: float = param(0.5, low=0.0, high=1.0, unit="equity ÷ margin", help="margin level (equity ÷ used margin) at which the stop-out closes the largest losing position; 0: off")
