"""NFA 2-43(b): positions of a pair are closed in the order in which they were opened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.fifo import out_of_order
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.params import param


@rule("fifo")
@dataclass(frozen=True)
class FirstInFirstOut(Rule):
    """First in, first out: a position may not be closed while an older one of the same instrument and side stays open."""

    unit = ""
    regulatory = True
    main = "applies"
    required = ("applies",)

    applies: bool = param(True, title="Applies", help="whether closes must follow the order of opening")
    same_size: bool = param(
        False,
        title="Same size exempt",
        help="whether a position may go before older ones of another size, as NFA lets a customer direct",
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known) if self.applies else ()

    def clause(self) -> str:
        return (
            "first in, first out: the oldest position of an instrument is closed first"
            if self.applies
            else "first in, first out: not required"
        )

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        if not self.applies:
            return Reading()
        return Reading(breaches=[
            Breach(ts, self.clause(), np.nan, np.nan, BLOCK, (name, older), f"Trade {name} was closed while the older trade {older} stayed open.")
            for ts, name, older in out_of_order(stretch, self.same_size)
        ])  # fmt: skip
