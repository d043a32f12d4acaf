"""How many positions may be open at once."""

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


@rule("max_positions")
@dataclass(frozen=True)
class MaxPositions(Rule):
    """Maximum positions: no more positions open at the same time."""

    unit = "positions"
    main = "count"
    required = ("count",)

    count: int = param(
        3, low=1, high=100_000, unit="positions", title="Positions", help="the most that may be open at the same time"
    )
    effect: str = param(
        FAIL, choices=(FAIL, BLOCK), help="what one more does: the account fails, or the order is refused"
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        return f"at most {self.count} positions open"

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        trades = stretch.trades
        many = np.round(open_at_entries(trades, np.ones(len(trades))))
        rows = np.flatnonzero(stretch.opened & (many > self.count))
        breaches = [
            Breach(
                int(trades.entry_ts[row]),
                self.clause(),
                float(many[row]),
                float(self.count),
                self.effect,
                (trades.id[row],),
            )
            for row in rows
        ]
        return Reading(value=float((trades.exit_ts == OPEN).sum()), limit=float(self.count), breaches=breaches)

    def refuses(self, memory: Terms, reading: Reading, order: Order) -> str:
        return f"{reading.value:g} of {self.count} positions are open." if reading.value + 1 > self.count else ""
