"""An estimate in sentences: what it is, and what a reader must know before trusting it."""

from __future__ import annotations

from collections.abc import Sequence

from domain.compliance.day_rules import DayRule
from domain.compliance.drawing import ChanceConfig, Estimate
from domain.compliance.run_days import RunDays

SMALL = 0.01  # a share below it: what the days never did is the larger doubt


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
