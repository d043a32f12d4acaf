"""How much of a profit may come from its best day or trade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from domain.compliance.amount import Percent
from domain.compliance.comparator import EXACT, SHARE, SHARE_WORDS
from domain.compliance.exposure import so_far
from domain.compliance.needs import trades_needed
from domain.compliance.profits import Gathered
from domain.compliance.rule import Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.errors import BadRequest
from domain.params import param

NONE, NET, POSITIVE, TRADE, SHIFT, EXCESS = (
    "none",
    "best / net",
    "best / sum of positive days",
    "best trade",
    "target shift to best / cap",
    "target shift by the excess",
)
KINDS = (NONE, NET, POSITIVE, TRADE, SHIFT, EXCESS)
ALIASES = MappingProxyType({
    "best ÷ net": NET, "best/net": NET, "best_day_net": NET, "best ÷ sum of positive days": POSITIVE, "best_day_positive": POSITIVE,
    "best_trade": TRADE, "target shift": SHIFT, "target_shift": SHIFT, "target_shift_ratio": SHIFT, "target_shift_excess": EXCESS,
})  # fmt: skip
OF = {NET: "the net profit", POSITIVE: "the sum of the profitable days", TRADE: "the net profit"}


@dataclass
class Memory:
    terms: Terms
    days: Gathered = field(default_factory=Gathered)
    best_trade: float = 0.0


@rule("consistency")
@dataclass(frozen=True)
class Consistency(Rule):
    """Consistency: the best day (or trade) may be no more than a share of the profit, or moves the target."""

    unit = "%"
    goal = True
    main = "kind"
    required = ("kind", "cap", "comparator")
    names = MappingProxyType({"share": "kind"})

    share: str = param(
        NONE,
        choices=KINDS,
        aliases=ALIASES,
        title="Kind",
        help="what the best day, or the best trade, is divided by; or how it moves the target",
    )
    cap: Percent = param(Percent(50), unit="%", title="Cap", help="the most that it may be")
    comparator: str = param(
        ">",
        choices=SHARE,
        aliases=SHARE_WORDS,
        help="broken by more than the cap (>) or already by the cap itself (>=)",
    )

    def __post_init__(self) -> None:
        if not 0 < self.cap.value <= 100:
            raise BadRequest(f"consistency.cap is {self.cap}; it must be above 0 and at most 100 %")

    @classmethod
    def requires(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        return ("kind",) if given.get("kind") == NONE else cls.required

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known) if self.share == TRADE else ()

    def clause(self) -> str:
        if self.share == NONE:
            return "consistency: none"
        if self.share in OF:
            what = "best trade" if self.share == TRADE else "best day"
            return f"consistency: {what} {'more than' if self.comparator == '>' else 'at least'} {self.cap} of {OF[self.share]}"
        how = (
            "the best day ÷ the cap" if self.share == SHIFT else "itself plus what the best day has above the cap of it"
        )
        return f"consistency: the target rises to {how}, cap {self.cap}"

    def start(self, terms: Terms) -> Memory:
        if self.share in (SHIFT, EXCESS) and terms.target is None:
            raise BadRequest(
                f"consistency.kind is {self.share!r}, and the rule set has no target in this phase; give it one"
            )
        return Memory(terms)

    def required_profit(self, best: Any, target: float) -> Any:
        """The target as the best day moves it, money.

        >>> rule = Consistency(SHIFT, Percent(50))
        >>> float(rule.required_profit(2_000.0, 3_000.0)), float(rule.required_profit(1_800.0, 3_000.0))
        (4000.0, 3600.0)
        >>> float(Consistency(EXCESS, Percent(50)).required_profit(2_000.0, 3_000.0))
        3500.0
        """
        cap = self.cap.share
        return np.maximum(target, best / cap) if self.share == SHIFT else target + np.maximum(0.0, best - cap * target)

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        if self.share == NONE:
            return Reading(met=np.ones(len(stretch.ts), bool))
        initial = memory.terms.initial
        profits = memory.days.read(stretch, stretch.days.balance, stretch.days.balance, stretch.balance)
        best = (
            self._best_trade(memory, stretch)
            if self.share == TRADE
            else np.maximum(stretch.by_day(profits.best), profits.running)
        )
        net = stretch.balance - initial
        if self.share in (SHIFT, EXCESS):
            line = initial + self.required_profit(best, float(memory.terms.target or 0.0))
            return Reading(line, float(stretch.balance[-1]), np.nan, met=stretch.balance >= line - EXACT * line)
        over = net if self.share != POSITIVE else stretch.by_day(profits.positive) + np.maximum(profits.running, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(
                (net > 0) & (over > 0), best / over, np.nan
            )  # a net of nothing or less has no share, and is no pass
        return self._reading(share)

    def _reading(self, share: np.ndarray) -> Reading:
        cap = self.cap.share
        met = share <= cap * (1 + EXACT) if self.comparator == ">" else share < cap * (1 - EXACT)
        last = float(share[-1]) * 100
        detail = (
            f"It is {last:.2f} %; the cap is {self.cap}."
            if np.isfinite(last)
            else "There is no net profit, so it has no value."
        )
        return Reading(value=last, limit=self.cap.value, met=met, detail=detail)

    def _best_trade(self, memory: Memory, stretch: Stretch) -> np.ndarray:
        closed = stretch.trades.rows(stretch.closed)
        order = np.argsort(closed.exit_ts, kind="stable")
        best = np.maximum.accumulate(np.concatenate([[memory.best_trade], closed.pnl[order]]))
        memory.best_trade = float(best[-1])
        return best[so_far(stretch.ts, closed.exit_ts[order]).astype(np.int64)]
