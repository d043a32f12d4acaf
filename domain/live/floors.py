"""The floors of a rule set under a session's equity: how much of each one's allowance is used, row by row of the equity curve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.compliance import Instant, Judge, RuleSet, load
from domain.compliance.judge import Standing
from domain.compliance.rule import FLOOR, Rule
from domain.errors import BadRequest
from domain.market.instrument import Instrument


@dataclass(frozen=True)
class Floor:
    """One floor after a row. ``used``: share of the rule's allowance that is gone, by the lowest equity since the row before where the rule watches it."""

    rule: str
    clause: str
    floor: float
    value: float
    used: float
    reached: bool

    @property
    def left(self) -> float:
        """Money down to the floor."""
        return self.value - self.floor


class Floors:
    """``rows``: what the curve had before, as after a restart; then ``look`` takes each further row.

    >>> from domain.compliance import load
    >>> rules = load('''
    ... [day]
    ... reset = "00:00"
    ... tz = "UTC"
    ... [daily]
    ... basis = "balance"
    ... amount = "5 % of initial"
    ... watch = "equity"
    ... effect = "FAIL"
    ... comparator = "<"
    ... ''')
    >>> floors = Floors(rules, 10_000.0, "USD")
    >>> [[(floor.rule, floor.floor, round(floor.used, 2), floor.reached) for floor in floors.look(dict(ts=ts, balance=10_000.0, equity=low + 10, equity_low=low))] for ts, low in ((1, 9_750.0), (2, 9_499.0))]
    [[('daily_loss', 9500.0, 0.5, False)], [('daily_loss', 9500.0, 1.0, True)]]
    """

    def __init__(self, rule_set: RuleSet, balance: float, currency: str, instruments: Mapping[str, Instrument] | None = None, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        if rule_set.currency != currency:
            raise BadRequest(f"the rule set {rule_set.title} counts in {rule_set.currency}, and the account is in {currency}; choose a rule set in {currency}, or another account currency")
        self.rule_set, self._judge = rule_set, Judge(rule_set, balance, instruments=instruments, currency=currency)
        if not any(_is_of_loss(rule) for rule in rule_set.rules):
            raise BadRequest(f"the rule set {rule_set.title} has no floor, so there is nothing to warn of; choose one with a daily loss or a drawdown")
        self.last: tuple[Floor, ...] = ()           # those of the last row
        for row in rows:
            self.look(row)

    @classmethod
    def read(cls, given: Mapping[str, Any], balance: float, currency: str, instruments: Mapping[str, Instrument] | None = None, rows: Iterable[Mapping[str, Any]] = ()) -> Floors:
        """``given``: a rule set with its text, as a session's source names it: ``name version phase text``."""
        return cls(load(str(given["text"]), str(given["name"]), str(given.get("phase", ""))), balance, currency, instruments, rows)

    @property
    def day(self) -> int:
        """The day of the last row; another number is another day."""
        return int(self._judge.carry.day)

    def look(self, row: Mapping[str, Any]) -> tuple[Floor, ...]:
        """The floors after a row ``ts balance equity equity_low``; of an instant once more, as the end of a session writes it, nothing."""
        if int(row["ts"]) <= self._judge.carry.ts:
            return ()
        self._judge.step(Instant(int(row["ts"]), float(row["balance"]), float(row["equity"]), float(row["equity_low"])))
        self.last = tuple(floor for standing in self._judge.standings if (floor := _floor(standing, float(row["equity_low"]))) is not None)
        return self.last


def _is_of_loss(rule: Rule) -> bool:
    """A floor an amount below something, not one of a margin."""
    return rule.line == FLOOR and hasattr(rule, "amount")


def _floor(standing: Standing, low: float) -> Floor | None:
    """None of a rule without a floor, or without an allowance, as a margin rule's."""
    allowance = standing.reading.allowance
    if not _is_of_loss(standing.rule) or not math.isfinite(standing.line) or not allowance > 0:
        return None
    value = min(low, standing.reading.value) if getattr(standing.rule, "watch", "") == "equity" else standing.reading.value
    used = 1.0 - (value - standing.line) / allowance
    reached = bool(standing.reading.breaches)
    return Floor(standing.column, standing.rule.clause(), standing.line, value, used, reached)
