"""The profit that a phase asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.amount import Amount, of_initial
from domain.compliance.comparator import EXACT
from domain.compliance.exposure import open_at
from domain.compliance.rule import LEVEL, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.params import param

FLAT = 0.005  # money: an equity that differs from the balance by less holds no open profit


@rule("target")
@dataclass(frozen=True)
class Target(Rule):
    """Profit target: the balance reaches the initial balance plus an amount, with all trades closed."""

    line = LEVEL
    goal = True
    reach = True
    main = "amount"
    required = ("amount",)

    amount: Amount = param(Amount("10 %"), title="Profit target", help="% of initial or money, closed")

    def __post_init__(self) -> None:
        of_initial(self.amount, "target.amount")

    def clause(self) -> str:
        return f"profit target: a balance of the initial balance plus {self.amount}, with all trades closed"

    def money(self, initial: float) -> float:
        return float(self.amount.money(initial))

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        level = memory.initial + self.money(memory.initial)
        reached = stretch.balance >= level - EXACT * level
        if reached.any():
            reached &= all_closed(stretch)
        return Reading(
            np.full(len(stretch.ts), level), float(stretch.balance[-1]), self.money(memory.initial), met=reached
        )


def all_closed(stretch: Stretch) -> np.ndarray:
    """At which rows no trade is open: none that is known, and no floating profit or loss."""
    flat = np.abs(stretch.equity - stretch.balance) < FLAT
    trades = stretch.trades
    if len(trades):
        flat &= open_at(trades, np.ones(len(trades)), stretch.ts) < 0.5
    return flat
