"""Rules judged on whole days of many paths at once, with the formulas that the replay of a path uses: its floors, its
comparators.

Each kind is as the replay judges one row a day with ``equity_low`` and ``equity_high``, whose high came first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from domain.compliance.comparator import EXACT, below
from domain.compliance.path_days import PathDay
from domain.compliance.rule import FAIL, Known, Rule, Terms
from domain.compliance.rules.consistency import EXCESS, NET, NONE, POSITIVE, SHIFT, TRADE, Consistency
from domain.compliance.rules.daily_loss import DailyLoss
from domain.compliance.rules.daily_profit_cap import DailyProfitCap
from domain.compliance.rules.max_drawdown import BALANCE, EQUITY, STATIC, MaxDrawdown
from domain.compliance.rules.min_days import CLOSE_DAY, LESS_FLOATING, OPEN_DAY, OPENED, MinDays
from domain.compliance.rules.overnight import Overnight
from domain.compliance.rules.target import FLAT, Target
from domain.compliance.rules.weekend import Weekend

ORDERS = "the orders themselves (judge the run)"
OPEN_DAYS = "the day on which each trade was opened"

Judged = tuple[np.ndarray | None, np.ndarray | None]  # which paths break the rule this day; which have its goal met
Judging = Callable[[PathDay], Judged]


class DayRule(NamedTuple):
    """A rule of a set as it is judged on days. ``needs``: why it is not; ``fails``: whether a breach ends the
    account."""

    rule: Rule
    column: str
    needs: tuple[str, ...]
    fails: bool
    start: Callable[[Any, Terms, int], Judging] | None  # (rule, terms, paths) -> what judges one day after another

    @property
    def followed(self) -> bool:
        """Is it followed on days? A rule that lacks lows within the day may still see a breach; what it does not see
        proves nothing. A goal that lacks anything is left out, as in the replay."""
        return self.start is not None and not (self.needs and self.rule.goal)


def day_rule(rule: Rule, column: str, known: Known) -> DayRule:
    """How a rule is judged on days that have what ``known`` says."""
    if never(rule):
        return DayRule(rule, column, (), False, None)
    start = STARTS.get(type(rule))
    needs = (ORDERS,) if start is None else rule.needs(known)
    if isinstance(rule, MinDays) and rule.counts != OPENED and rule.attributed == OPEN_DAY:
        needs = (OPEN_DAYS,)
    fails = getattr(rule, "effect", FAIL) == FAIL and not rule.goal
    return DayRule(rule, column, needs, fails, start)


def never(rule: Rule) -> bool:
    """Is it a rule that asks for nothing, such as a weekend that is allowed?"""
    return isinstance(rule, (Weekend, Overnight)) and rule.policy.allowed


def daily_loss(rule: DailyLoss, terms: Terms, paths: int) -> Judging:
    def judge(day: PathDay) -> Judged:
        line, _ = rule.floors(day.balance_start, day.equity_start, terms.initial)
        return below(day.low if rule.watch == "equity" else day.balance, line, rule.comparator), None

    return judge


def daily_profit_cap(rule: DailyProfitCap, terms: Terms, paths: int) -> Judging:
    def judge(day: PathDay) -> Judged:
        line = day.balance_start + rule.amount.money(terms.initial, day.balance_start)
        return (day.high if rule.watch == "equity" else day.balance) >= line * (1 - EXACT), None

    return judge


def max_drawdown(rule: MaxDrawdown, terms: Terms, paths: int) -> Judging:
    """The peak moves at the reset, or within the day: by its high or its balance, before its low
    is judged."""
    peak = np.full(paths, terms.initial)

    def judge(day: PathDay) -> Judged:
        nonlocal peak
        before = rule.floor_of(peak, terms.initial)
        if rule.trail != STATIC:
            moved = (
                np.maximum(day.high, day.equity)
                if rule.trail == EQUITY
                else day.balance
                if rule.trail == BALANCE
                else day.balance_start
            )
            peak = np.maximum(peak, moved)
        line = before if rule.trail == STATIC else rule.floor_of(peak, terms.initial)
        if rule.watch == "closed":
            return below(day.balance, line, rule.comparator), None
        return below(day.low, line, rule.comparator), None

    return judge


def target(rule: Target, terms: Terms, paths: int) -> Judging:
    level = terms.initial + rule.money(terms.initial)

    def judge(day: PathDay) -> Judged:
        return None, (day.balance >= level - EXACT * level) & (np.abs(day.equity - day.balance) < FLAT)

    return judge


def min_days(rule: MinDays, terms: Terms, paths: int) -> Judging:
    count, least = np.zeros(paths, np.int64), float(rule.profit.money(terms.initial)) * (1 - EXACT)

    def counts(day: PathDay) -> np.ndarray:
        if rule.counts == OPENED:
            return day.opened > 0
        if rule.attributed == CLOSE_DAY:
            return day.balance - day.balance_start >= least
        if rule.attributed == LESS_FLOATING:
            return np.minimum(day.balance, day.equity) - day.balance_start >= least
        return day.equity - day.equity_start >= least

    def judge(day: PathDay) -> Judged:
        count[:] += counts(day)
        return None, count >= rule.count

    return judge


def consistency(rule: Consistency, terms: Terms, paths: int) -> Judging:
    best, positive = np.zeros(paths), np.zeros(paths)

    def judge(day: PathDay) -> Judged:
        if rule.share == NONE:
            return None, np.ones(paths, bool)
        profit = day.balance - day.balance_start
        np.maximum(best, day.best if rule.share == TRADE else profit, out=best)
        if rule.share == POSITIVE:
            positive[:] += np.maximum(profit, 0.0)
        net = day.balance - terms.initial
        if rule.share in (SHIFT, EXCESS):
            line = terms.initial + rule.required_profit(best, float(terms.target or 0.0))
            return None, day.balance >= line - EXACT * line
        over = positive if rule.share == POSITIVE else net
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where((net > 0) & (over > 0), best / over, np.nan)
        cap = rule.cap.share
        return None, share <= cap * (1 + EXACT) if rule.comparator == ">" else share < cap * (1 - EXACT)

    return judge


STARTS: dict[type[Rule], Callable[[Any, Terms, int], Judging]] = {
    DailyLoss: daily_loss,
    DailyProfitCap: daily_profit_cap,
    MaxDrawdown: max_drawdown,
    Target: target,
    MinDays: min_days,
    Consistency: consistency,
}
__all__ = ["NET", "DayRule", "day_rule"]
