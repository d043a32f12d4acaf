"""The floors of a rule set as numbers: a daily loss, or a drawdown from the start or from a peak."""

from __future__ import annotations

from typing import NamedTuple

from domain.compliance.account import NEAR
from domain.compliance.day import DayClock
from domain.compliance.rule import DAY_LOCK
from domain.compliance.rule_set import RuleSet, load
from domain.compliance.rules.daily_loss import DailyLoss
from domain.compliance.rules.max_drawdown import BALANCE, END_OF_DAY, EQUITY, STATIC, MaxDrawdown
from domain.errors import BadRequest
from domain.trading.gate import Gate

KINDS = ("daily", STATIC, END_OF_DAY, BALANCE, EQUITY)      # what a floor lies under
BASES = ("balance", "equity", "max")
INFINITE = float("inf")


class FloorRule(NamedTuple):
    """A floor is its base less ``money`` and ``percent`` of it, at most ``lock``. ``kind`` and ``basis``: places in KINDS and BASES; ``closed``: watches the
    balance; ``reached``: touching it breaks it; ``locks``: only until the reset; ``buffer``: money that the gate keeps above it."""

    kind: int
    money: float
    percent: float = 0.0
    basis: int = 0
    lock: float = INFINITE
    closed: bool = False
    reached: bool = False
    locks: bool = False
    buffer: float = 0.0


class Floors(NamedTuple):
    """What the gate looks at: the floors, and the clock by which their days begin."""

    rules: tuple[FloorRule, ...]
    clock: DayClock


def floors_of(gate: Gate, initial: float, currency: str) -> Floors | None:
    """None without a gate. Raises BadRequest for a rule set that counts in another currency, or has no floor.

    >>> text = 'account = 50000\\n[day]\\nreset = "17:00"\\ntz = "America/Chicago"\\n[drawdown]\\nkind = "static"\\namount = "4 %"\\ncomparator = "<="'
    >>> floors_of(Gate(text, "own"), 50_000.0, "USD").rules
    (FloorRule(kind=1, money=2000.0, percent=0.0, basis=0, lock=inf, closed=False, reached=True, locks=False, buffer=0.0),)
    """
    if not gate:
        return None
    rule_set = load(gate.rule_set, gate.name or "the rule set", gate.phase)
    refuse_other(rule_set, initial, currency)
    rules = (_floor(rule, initial) for rule in rule_set.rules)
    return Floors(tuple(rule for rule in rules if rule is not None), rule_set.day)


def refuse_other(rule_set: RuleSet, initial: float, currency: str) -> None:
    """Raises BadRequest for a rule set that an account of this size and currency cannot be held against."""
    if rule_set.account and not rule_set.relative and abs(initial - rule_set.account) > NEAR * rule_set.account:
        raise BadRequest(f"{rule_set.title} is money on an account of {rule_set.account:,.0f} {rule_set.currency}, and the balance is {initial:,.2f}; give that balance, or a rule set in shares of it")
    if rule_set.currency != currency:
        raise BadRequest(f"the rule set {rule_set.title} counts in {rule_set.currency}, and the account is in {currency}; choose a rule set in {currency}, or another account currency")
    if not any(isinstance(rule, DailyLoss | MaxDrawdown) for rule in rule_set.rules):
        raise BadRequest(f"the rule set {rule_set.title} has no floor, so there is nothing to keep clear of; choose one with a daily loss or a drawdown")


def _floor(rule: object, initial: float) -> FloorRule | None:
    if isinstance(rule, DailyLoss):
        percent = rule.amount.value if rule.amount.of == "basis" else 0.0
        money = 0.0 if percent else float(rule.amount.money(initial))
        return FloorRule(0, money, percent, BASES.index(rule.basis), INFINITE, rule.watch == "closed", rule.comparator == "<=", rule.effect == DAY_LOCK, rule.buffer)
    if isinstance(rule, MaxDrawdown):
        lock = INFINITE if rule.trail == STATIC else rule.lock.level(initial)
        return FloorRule(KINDS.index(rule.trail), float(rule.amount.money(initial)), 0.0, 0, lock, rule.watch == "closed", rule.comparator == "<=", False, rule.buffer)
    return None
