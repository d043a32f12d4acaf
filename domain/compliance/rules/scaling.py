"""Scaling plans: how many lots the profit so far allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.compliance.exposure import open_at_entries
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.params import param


class Steps:
    """Pairs of a profit (money above the initial balance at the day's start) and the lots that it allows, rising.

    >>> Steps([[0, 2], [1500, 3]]).lots_at(np.array([-100.0, 1499.0, 1500.0])).tolist()
    [2.0, 2.0, 3.0]
    """

    word = "list of pairs of profit and lots, such as [[0, 2], [1500, 3]]"

    def __init__(self, value: Any) -> None:
        self.pairs: tuple[tuple[float, float], ...] = tuple((float(profit), float(lots)) for profit, lots in (value.pairs if isinstance(value, Steps) else value))
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

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        trades, days = stretch.trades, stretch.days
        allowed = self.steps.lots_at(days.balance - memory.initial)
        lots = open_at_entries(trades, trades.lots)
        place = np.clip(np.searchsorted(days.number, memory.clock.day_of(trades.entry_ts), side="right") - 1, 0, len(allowed) - 1)
        rows = np.flatnonzero(stretch.opened & (lots > allowed[place] * (1 + 1e-9)))
        breaches = [Breach(int(trades.entry_ts[row]), self.clause(), float(lots[row]), float(allowed[place[row]]), self.effect, (trades.id[row],)) for row in rows]
        return Reading(value=float(lots[-1]) if len(lots) else 0.0, limit=float(allowed[-1]), breaches=breaches)
