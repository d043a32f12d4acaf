"""How much a trade may lose by its stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.amount import Amount
from domain.compliance.exposure import value_at, worth
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.compliance.trades import OPEN
from domain.params import param


@rule("risk_per_trade")
@dataclass(frozen=True)
class RiskPerTrade(Rule):
    """Risk per trade: the loss at a trade's initial stop, without costs; a trade without a stop risks everything."""

    main = "amount"
    required = ("amount",)

    amount: Amount = param(
        Amount("1 %"), title="Most at risk", help="% of initial, % of basis (the balance at the entry), or money"
    )
    effect: str = param(FAIL, choices=(FAIL, BLOCK), help="what more does: the account fails, or the order is refused")

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        return f"risk per trade at most {self.amount}"

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        trades, opened = stretch.trades, stretch.opened
        value = worth(trades, memory.instruments, memory.currency)
        risk = np.abs(trades.entry_price - trades.stop) * value.per_price
        most = np.broadcast_to(
            self.amount.money(
                memory.initial, value_at(stretch, stretch.balance, stretch.balance_before, trades.entry_ts)
            ),
            risk.shape,
        )
        bare = np.isnan(trades.stop)
        breaches = [
            Breach(
                int(trades.entry_ts[row]),
                self.clause(),
                float(risk[row]),
                float(most[row]),
                self.effect,
                (trades.id[row],),
                "It has no stop." if bare[row] else "",
            )
            for row in np.flatnonzero(opened & (bare | (risk > most * (1 + 1e-9))))
        ]
        held = risk[(trades.exit_ts == OPEN) & ~bare]
        now = self.amount.money(memory.initial, float(stretch.balance[-1]))
        return Reading(value=float(held.max(initial=0.0)), limit=float(now), breaches=breaches, lacks=value.lacks)
