"""Scaling plans: how many lots the profit so far allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.compliance.exposure import open_at_entries, value_at
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.compliance.trades import OPEN
from domain.params import param


class Steps:
    """Pairs of a profit (money above the initial balance at the day's start) and the lots that it allows, rising.

    >>> Steps([[0, 2], [1500, 3]]).lots_at(np.array([-100.0, 1499.0, 1500.0])).tolist()
    [2.0, 2.0, 3.0]
    """

    word = "list of pairs of profit and lots, such as [[0, 2], [1500, 3]]"

    def __init__(self, value: Any) -> None:
        self.pairs: tuple[tuple[float, float], ...] = tuple(
            (float(profit), float(lots)) for profit, lots in (value.pairs if isinstance(value, Steps) else value)
        )
        if not self.pairs or list(self.pairs) != sorted(self.pairs) or self.pairs[0][1] < 0:
            raise ValueError(value)

    def lots_at(self, profit: np.ndarray) -> np.ndarray:
        """The first step holds below it too."""
        profits, lots = (np.array(column) for column in zip(*self.pairs, strict=True))
        return lots[np.maximum(np.searchsorted(profits, profit, side="right") - 1, 0)]

    def __str__(self) -> str:
        return ", ".join(f"{lots:g} from {profit:g}" for profit, lots in self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Steps) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(self.pairs)


@dataclass
class Memory:
    terms: Terms
    day: int = -1  # the last day of the stretch before, and the balance at its reset
    balance: float = 0.0


@rule("scaling")
@dataclass(frozen=True)
class Scaling(Rule):
    """Scaling plan: the lots that may be open grow with the profit at the start of the day."""

    unit = "lots"
    main = "steps"
    required = ("steps",)

    steps: Steps = param(Steps([[0, 2]]), title="Steps", help="pairs of profit at the day's start and lots allowed")
    effect: str = param(FAIL, choices=(FAIL, BLOCK), help="what more does: the account fails, or the order is refused")

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        return f"scaling plan, lots by profit: {self.steps}"

    def start(self, terms: Terms) -> Memory:
        return Memory(terms)

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        trades, initial = stretch.trades, memory.terms.initial
        allowed = self.steps.lots_at(self._day_starts(memory, stretch) - initial)
        lots = open_at_entries(trades, trades.lots)
        rows = np.flatnonzero(stretch.opened & (lots > allowed * (1 + 1e-9)))
        breaches = [
            Breach(
                int(trades.entry_ts[row]),
                self.clause(),
                float(lots[row]),
                float(allowed[row]),
                self.effect,
                (trades.id[row],),
            )
            for row in rows
        ]
        memory.day, memory.balance = int(stretch.days.number[-1]), float(stretch.days.balance[-1])
        held = float(trades.lots[trades.exit_ts == OPEN].sum())
        return Reading(
            value=held, limit=float(self.steps.lots_at(stretch.days.balance[-1:] - initial)[0]), breaches=breaches
        )

    @staticmethod
    def _day_starts(memory: Memory, stretch: Stretch) -> np.ndarray:
        """The balance at the reset of the day of each entry, whether that day has a row or not."""
        days, clock = stretch.days, memory.terms.clock
        entered = clock.day_of(stretch.trades.entry_ts)
        place = np.minimum(np.searchsorted(days.number, entered), len(days.number) - 1)
        quiet = value_at(stretch, stretch.balance, stretch.balance_before, clock.resets.at[entered])
        return np.where(
            days.number[place] == entered, days.balance[place], np.where(entered == memory.day, memory.balance, quiet)
        )
