"""The most that an account may lose in a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.compliance.amount import Amount
from domain.compliance.comparator import LOSS, below, words
from domain.compliance.needs import lows_needed
from domain.compliance.rule import (
    DAY_LOCK,
    FAIL,
    FLOOR,
    WATCHED,
    Breach,
    Known,
    Reading,
    Rule,
    Terms,
    first_of_days,
    rule,
    trades_behind,
)
from domain.compliance.stretch import Stretch
from domain.params import param


@dataclass
class Memory:
    terms: Terms
    seen: int = -1  # the day that is broken already


@rule("daily_loss", key="daily")
@dataclass(frozen=True)
class DailyLoss(Rule):
    """Daily loss: equity (or the closed balance) may not fall below the day's basis less an amount."""

    line = FLOOR
    main = "amount"
    required = ("basis", "amount", "watch", "effect", "comparator")

    basis: str = param(
        "balance",
        choices=("balance", "equity", "max"),
        aliases={"max of both": "max", "both": "max"},
        title="Basis at the reset",
        help="what the day's loss is counted from: the last row at or before the reset",
    )
    amount: Amount = param(Amount("5 %"), title="Daily loss", help="% of initial, % of basis, or money")
    watch: str = param(
        "equity",
        choices=("equity", "closed"),
        aliases=WATCHED,
        title="Watches",
        help="equity with floating profit, commission and swap; or closed trades only",
    )
    effect: str = param(
        FAIL,
        choices=(FAIL, DAY_LOCK),
        aliases={"fail": FAIL, "day_lock": DAY_LOCK},
        help="what a breach does: the account fails, or is locked until the next day",
    )
    comparator: str = param(
        "<", choices=LOSS, help="whether reaching the floor breaks it (<=) or only falling below it (<)"
    )
    buffer: float = param(
        0.0,
        low=0.0,
        unit="money",
        title="Own buffer",
        help="how far above the firm's floor the gate already refuses an order",
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return lows_needed(known) if self.watch == "equity" else ()

    def clause(self) -> str:
        watched = "equity" if self.watch == "equity" else "closed balance"
        basis = {"balance": "the balance", "equity": "the equity", "max": "the greater of balance and equity"}[
            self.basis
        ]
        return f"daily loss: {watched} {words(self.comparator)} {basis} at the reset less {self.amount}"

    def start(self, terms: Terms) -> Memory:
        return Memory(terms)

    def floors(self, balance: Any, equity: Any, initial: float) -> tuple[Any, Any]:
        """Floor and allowance of days with these values at the reset.

        >>> DailyLoss(amount=Amount("5 %")).floors(104_000.0, 101_500.0, 100_000.0)[0]
        99000.0
        >>> float(DailyLoss(basis="max", amount=Amount("5 % of basis")).floors(104_000.0, 101_500.0, 100_000.0)[0])
        98800.0
        """
        basis = (
            balance if self.basis == "balance" else equity if self.basis == "equity" else np.maximum(balance, equity)
        )
        amount = self.amount.money(initial, basis)
        return basis - amount, amount

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        floors, amounts = self.floors(stretch.days.balance, stretch.days.equity, memory.terms.initial)
        line = stretch.by_day(floors)
        value = stretch.balance if self.watch == "closed" else stretch.equity
        lowest = stretch.low if stretch.low is not None and self.watch == "equity" else value
        rows = first_of_days(stretch, below(lowest, line, self.comparator), memory.seen)
        breaches = [self._breach(memory, stretch, int(row), lowest, line) for row in rows]
        if len(rows):
            memory.seen = int(stretch.days.number[stretch.day_of_rows(rows[-1:])[0]])
        allowance = amounts[-1] if np.ndim(amounts) else amounts
        return Reading(line, float(value[-1]), float(allowance), breaches)

    def _breach(self, memory: Memory, stretch: Stretch, row: int, lowest: np.ndarray, line: np.ndarray) -> Breach:
        day = int(stretch.days.number[stretch.day_of_rows(np.array([row]))[0]])
        behind = trades_behind(stretch, row, int(memory.terms.clock.resets.at[day]))
        return Breach(int(stretch.ts[row]), self.clause(), float(lowest[row]), float(line[row]), self.effect, behind)
