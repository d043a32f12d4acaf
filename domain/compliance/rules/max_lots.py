"""How many lots may be open at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.exposure import open_at_entries
from domain.compliance.needs import trades_needed
from domain.compliance.order import Order
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.compliance.trades import OPEN
from domain.params import param


@rule("max_lots")
@dataclass(frozen=True)
class MaxLots(Rule):
    """Maximum lots: no more lots (contracts) open at the same time, or in a position."""

    unit = "lots"
    main = "lots"
    required = ("lots",)

    lots: float = param(1.0, low=0.0, unit="lots", title="Lots", help="the most that may be open")
    per: str = param(
        "account", choices=("account", "position"), title="Counted over", help="all open positions, or each alone"
    )
    effect: str = param(FAIL, choices=(FAIL, BLOCK), help="what more does: the account fails, or the order is refused")

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        return f"at most {self.lots:g} lots {'open' if self.per == 'account' else 'in a position'}"

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        trades = stretch.trades
        lots = open_at_entries(trades, trades.lots) if self.per == "account" else trades.lots
        rows = np.flatnonzero(stretch.opened & (lots > self.lots * (1 + 1e-9)))
        breaches = [
            Breach(
                int(trades.entry_ts[row]), self.clause(), float(lots[row]), self.lots, self.effect, (trades.id[row],)
            )
            for row in rows
        ]
        held = trades.lots[trades.exit_ts == OPEN]
        value = held.sum() if self.per == "account" else held.max(initial=0.0)
        return Reading(value=float(value), limit=self.lots, breaches=breaches)

    def refuses(self, memory: Terms, reading: Reading, order: Order) -> str:
        lots = order.lots + (reading.value if self.per == "account" else 0.0)
        return f"{lots:g} lots would be open; the most is {self.lots:g}." if lots > self.lots * (1 + 1e-9) else ""
