"""Will it pass? The chance that more days like those of a run pass a rule set, of each breach, and the days to the
target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.day_rules import DayRule, day_rule
from domain.compliance.drawing import ChanceConfig, Estimate, Watch, drawn, unwatched
from domain.compliance.passing_tables import (
    BREACHES,
    PROGRESS,
    breach_table,
    days_to_target,
    has_failed,
    has_passed,
    is_open,
    progress_table,
)
from domain.compliance.passing_words import doubts, sentence_of
from domain.compliance.rule import Known, Terms
from domain.compliance.rule_set import RuleSet
from domain.compliance.rules.target import Target
from domain.compliance.run_days import FEWEST_DAYS, RunDays
from domain.errors import BadRequest

FEWEST_RESULTS = 10  # days that changed anything
ACCOUNT = 100_000.0  # of a rule set for any size, all of whose amounts are shares


@dataclass(frozen=True)
class Chance:
    """``passed``, ``failed`` and ``open`` add up to 1; None where nothing can be computed, and ``sentence`` says why.

    ``breaches``: ``rule kind clause effect probability low high``: the chance that this rule is the first to end the
    account or, with the effect DAY_LOCK, that it locks at least one day. ``progress``: ``day passed passed_low
    passed_high failed failed_low failed_high``, shares of paths by the end of each day. ``days_to_target``: quantiles
    (``q05`` … ``q95``) and mean over the paths that pass, trading days, and the interval of the median (``q50_low``,
    ``q50_high``). ``not_judged``: rule -> what it needs."""

    rule_set: str
    phase: str
    sentence: str
    passed: Estimate | None
    failed: Estimate | None
    open: Estimate | None
    breaches: pd.DataFrame
    days_to_target: dict[str, float] | None
    progress: pd.DataFrame
    not_judged: dict[str, str]
    notes: tuple[str, ...]
    days: int
    block: float  # days
    risk: float  # share of the day's starting equity; 0: as the run traded
    initial: float
    config: ChanceConfig


def chance(
    days: RunDays,
    rule_set: RuleSet,
    config: ChanceConfig = ChanceConfig(),
    risk: float = 0.0,
    initial: float = 0.0,
    watch: Watch = unwatched,
) -> Chance:
    """The chance that an account which goes on having such days passes.

    ``days`` in R need ``risk``, the share of the day's starting equity that each trade risks (0.01: 1 %); days in
    shares take none. ``initial``: the account, by default that of the rule set. ``watch`` is called with the share
    done and may raise to stop.

    Days are drawn whole, in blocks (stationary bootstrap), and compound. The interval is the 95 % percentile interval
    over ``config.histories`` histories drawn from the days in the same way, the estimate repeated on each: it says how
    far so few days leave the chance open, and the number of paths besides. Too few days give a sentence and no
    probability."""
    days, terms = in_shares(days, risk), terms_of(rule_set, initial)
    rules = day_rules(rule_set, days)
    about: dict[str, Any] = dict(
        rule_set=rule_set.name or rule_set.title,
        phase=rule_set.phase,
        days=len(days),
        block=config.block_of(days),
        risk=risk,
        initial=terms.initial,
        config=config,
        not_judged={each.column: ", ".join(each.needs) for each in rules if each.needs},
    )
    if refusal := too_little(days, rules):
        return Chance(
            sentence=refusal,
            passed=None,
            failed=None,
            open=None,
            breaches=pd.DataFrame(columns=list(BREACHES)),
            days_to_target=None,
            progress=pd.DataFrame(columns=list(PROGRESS)),
            notes=days.notes,
            **about,
        )
    result = drawn(days, rules, terms, config, watch=watch)
    passed, failed, still = (result.share(which) for which in (has_passed, has_failed, is_open))
    targeted = result.paths.targeted
    return Chance(
        sentence=sentence_of(passed, failed, targeted, config, len(days), bool(about["not_judged"])),
        passed=passed if targeted else None,
        failed=failed,
        open=still,
        breaches=breach_table(result, rules),
        days_to_target=days_to_target(result),
        progress=progress_table(result, config),
        notes=(*days.notes, *doubts(passed, failed, days, rules)),
        **about,
    )


def in_shares(days: RunDays, risk: float) -> RunDays:
    """The days as shares of equity."""
    if days.unit == "R":
        if not risk:
            raise BadRequest("the days are in R; give the risk per trade, a share of equity such as 0.01")
        return days.at_risk(risk)
    if risk:
        raise BadRequest("the days are shares of equity already; leave out the risk per trade, or give days in R")
    return days


def terms_of(rule_set: RuleSet, initial: float = 0.0) -> Terms:
    """What the rules are judged on: the account of the set, or ``initial``."""
    money = initial or rule_set.account or (ACCOUNT if rule_set.relative else 0.0)
    if not (np.isfinite(money) and money > 0):
        raise BadRequest(
            f"{rule_set.title} is for an account of any size, and has amounts in money; give the initial balance"
        )
    goal = next((rule.money(money) for rule in rule_set.rules if isinstance(rule, Target)), None)
    return Terms(money, rule_set.day, rule_set.currency, goal)


def day_rules(rule_set: RuleSet, days: RunDays) -> list[DayRule]:
    """Each rule of the set as days can judge it."""
    known = Known(
        trades=bool(days.opened.any() or days.closed.any()), floating=True, lows=days.intraday, releases=False
    )
    return [day_rule(rule, column, known) for rule, column in zip(rule_set.rules, rule_set.columns, strict=True)]


def too_little(days: RunDays, rules: Sequence[DayRule]) -> str:
    """Why there is no probability; empty where there is one."""
    results = int((days.change != 0).sum())
    if len(days) < FEWEST_DAYS or results < FEWEST_RESULTS:
        return (
            f"The run has {len(days)} trading day{'' if len(days) == 1 else 's'}, {results} with a result; "
            f"a probability needs at least {FEWEST_DAYS} days and "
            f"{FEWEST_RESULTS} results, so none is given."
        )
    if not any(each.start and not each.needs for each in rules):
        return "No rule of the set can be judged from days, so no probability is given."
    return ""
