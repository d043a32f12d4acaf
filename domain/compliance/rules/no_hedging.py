"""NFA 2-43(b): no positions of a pair on both sides at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.fifo import closes, hedges
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.params import param


@rule("no_hedging")
@dataclass(frozen=True)
class NoHedging(Rule):
    """No hedging: an order against an open position of the same instrument closes it, oldest first, and opens nothing beside it."""

    unit = ""
    regulatory = True
    main = "applies"
    required = ("applies",)

    applies: bool = param(True, title="Applies", help="whether positions on both sides of an instrument are refused")

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known) if self.applies else ()

    def clause(self) -> str:
        return (
            "no hedging: no positions of an instrument on both sides" if self.applies else "no hedging: not required"
        )

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        trades = stretch.trades
        breaches = []
        for row, others in hedges(stretch) if self.applies else ():
            taken = closes([(trades.id[each], float(trades.lots[each])) for each in others], float(trades.lots[row]))
            words = ", ".join(f"{lots:g} lots of trade {name}" for name, lots in taken)
            breaches.append(
                Breach(
                    int(trades.entry_ts[row]),
                    self.clause(),
                    np.nan,
                    np.nan,
                    BLOCK,
                    (trades.id[row], *(each.id for each in taken)),
                    f"It would have closed {words}.",
                )
            )
        return Reading(breaches=breaches)
