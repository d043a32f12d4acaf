"""Will it pass? The chance that more days like those of a run pass a rule set, of each breach, and the days to the
target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.day_rules import DayRule, day_rule
from domain.compliance.drawing import ENDS, ChanceConfig, Drawn, Estimate, Watch, drawn, estimate, unwatched
from domain.compliance.outcomes import Outcomes
from domain.compliance.rule import Known, Terms
from domain.compliance.rule_set import RuleSet
from domain.compliance.rules.target import Target
from domain.compliance.run_days import FEWEST_DAYS, RunDays
from domain.errors import BadRequest

FEWEST_RESULTS = 10  # days that changed anything
ACCOUNT = 100_000.0  # of a rule set for any size, all of whose amounts are shares
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
BREACHES = ("rule", "kind", "clause", "effect", "probability", "low", "high")
PROGRESS = ("day", "passed", "passed_low", "passed_high", "failed", "failed_low", "failed_high")
SMALL = 0.01  # a share below it: what the days never did is the larger doubt


@dataclass(frozen=True)
class Chance:
    """``passed``, ``failed`` and ``open`` add up to 1; None where nothing can be said, and ``sentence`` says why.

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
            f"There are {len(days)} days, {results} of them with a result; "
            f"a probability needs at least {FEWEST_DAYS} days and "
            f"{FEWEST_RESULTS} results, so none is given."
        )
    if not any(each.start and not each.needs for each in rules):
        return "No rule of the set can be judged from days, so no probability is given."
    return ""


def has_passed(outcomes: Outcomes) -> np.ndarray:
    return outcomes.passed_on > 0


def has_failed(outcomes: Outcomes) -> np.ndarray:
    return outcomes.failed_on > 0


def is_open(outcomes: Outcomes) -> np.ndarray:
    return (outcomes.passed_on == 0) & (outcomes.failed_on == 0)


def breach_table(result: Drawn, rules: Sequence[DayRule]) -> pd.DataFrame:
    """One row a rule that can break, in the order of the set."""
    rows = []
    for place, each in enumerate(rules):
        if not each.followed or each.rule.goal:
            continue
        share = result.share(partial(_broke, place, each.fails))
        effect = getattr(each.rule, "effect", "FAIL")
        rows.append((each.column, each.rule.kind, each.rule.clause(), effect, share.value, share.low, share.high))
    return pd.DataFrame(rows, columns=list(BREACHES))


def progress_table(result: Drawn, config: ChanceConfig) -> pd.DataFrame:
    """Shares of paths that have passed and failed by the end of each day."""
    table: dict[str, Any] = dict(day=np.arange(1, config.horizon + 1))
    for name in ("passed", "failed"):
        on = [getattr(outcomes, f"{name}_on") for outcomes in (result.paths, result.repeated)]
        value, repeated = _by_day(on[0], config.paths, config.horizon)[0], _by_day(on[1], config.inner, config.horizon)
        low, high = np.quantile(repeated, ENDS, axis=0)
        table |= {name: value, f"{name}_low": np.minimum(low, value), f"{name}_high": np.maximum(high, value)}
    return pd.DataFrame(table)


def _by_day(on: np.ndarray, each: int, horizon: int) -> np.ndarray:
    """Share of ``each`` paths after each other that have ended by each day, ``(groups, horizon)``."""
    groups = len(on) // each
    place = np.repeat(np.arange(groups), each) * (horizon + 1) + on
    counts = np.bincount(place, minlength=groups * (horizon + 1)).reshape(groups, horizon + 1)
    return counts[:, 1:].cumsum(axis=1) / each


def _broke(place: int, fails: bool, outcomes: Outcomes) -> np.ndarray:
    return outcomes.failed_by == place if fails else outcomes.locked[place]


def days_to_target(result: Drawn) -> dict[str, float] | None:
    """Of the paths that pass, with the interval of the median over the histories."""
    days = spread(result.paths.passed_on)
    if days is None:
        return None
    by_history = result.repeated.passed_on.reshape(-1, result.inner)
    medians = [np.quantile(on[on > 0], 0.5, method="inverted_cdf") for on in by_history if (on > 0).any()]
    middle = estimate(days["q50"], np.array(medians, float))
    return {**days, "q50_low": middle.low, "q50_high": middle.high}


def spread(passed_on: np.ndarray) -> dict[str, float] | None:
    """Quantiles and mean of the day of passing, over the paths that pass; None where none does.

    >>> spread(np.array([0, 3, 5, 7]))["q50"], spread(np.zeros(3))
    (5.0, None)
    """
    passed = passed_on[passed_on > 0]
    if not len(passed):
        return None
    return {
        **{name: float(np.quantile(passed, share, method="inverted_cdf")) for name, share in QUANTILES.items()},
        "mean": float(passed.mean()),
    }


def sentence_of(
    passed: Estimate, failed: Estimate, targeted: bool, config: ChanceConfig, days: int, partly: bool
) -> str:
    within = f"within {config.horizon} trading days"
    of = ", by the rules that days can judge and" if partly else ", by"
    if not targeted:
        return (
            "The set has no target in this phase, so there is nothing to pass; "
            f"the account ends {within} with a probability of {percent(failed)}{of} {days} days of the run."
        )
    fails = f"and fails with {percent(failed)}{of} {days} days of the run."
    return f"It passes {within} with a probability of {percent(passed)} {fails}"


def percent(share: Estimate) -> str:
    """
    >>> percent(Estimate(0.634, 0.5, 0.75))
    '63.4 % (95 % interval 50.0 to 75.0 %)'
    """
    return f"{share.value:.1%} (95 % interval {100 * share.low:.1f} to {share.high:.1%})".replace("%", " %").replace(
        "95  %", "95 %"
    )


def doubts(passed: Estimate, failed: Estimate, days: RunDays, rules: Sequence[DayRule]) -> list[str]:
    """What a reader must know before trusting the figures."""
    notes = ["Days are drawn from the run's own: what they never did is in no path, and a gap can jump any floor."]
    if min(passed.value, failed.value) < SMALL:
        notes.append("A share of 0 or 1 says only that these days never led to the other end.")
    if locking := [each.column for each in rules if each.followed and not each.fails and not each.rule.goal]:
        notes.append(f"{', '.join(locking)} locks the day only; the result of a locked day stays as it was in the run.")
    if days.floating.any():
        notes.append("Positions held over a day's end: equity less balance is what it was on the day drawn.")
    if blind := [each.column for each in rules if each.needs and each.followed]:
        notes.append(
            f"{', '.join(blind)}: without lows within the day only what the days' ends break is seen; "
            "the chance of failing is at least this."
        )
    if unjudged := [each.column for each in rules if each.needs and not each.followed]:
        notes.append(f"Not judged, and taken as kept: {', '.join(unjudged)}.")
    return notes
