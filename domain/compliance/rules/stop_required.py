"""How soon a position must have a stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.market.zones import SECOND
from domain.params import param


@rule("stop_required_within")
@dataclass(frozen=True)
class StopRequired(Rule):
    """Stop required: a position must have a stop within some seconds of its entry."""

    unit = "s"
    main = "seconds"
    required = ("seconds",)

    seconds: float = param(60.0, low=0.0, high=31_536_000.0, unit="s", title="Within", help="seconds from the entry")
    effect: str = param(
        FAIL, choices=(FAIL, BLOCK), help="what a position without one does: the account fails, or the order is refused"
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        return f"a stop within {self.seconds:g} s of the entry"

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        trades = stretch.trades
        until = trades.entry_ts + int(self.seconds * SECOND)
        late = np.isnan(trades.stop) & (trades.exit_ts > until) & (until <= stretch.last) & (until > stretch.before)
        breaches = [
            Breach(int(until[row]), self.clause(), np.nan, np.nan, self.effect, (trades.id[row],))
            for row in np.flatnonzero(late)
        ]
        return Reading(limit=self.seconds, breaches=breaches)
