"""How each of many sampled paths ended: passed, failed by which rule, or still open; and on which day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.compliance.day_rules import DayRule
from domain.compliance.path_days import path_days
from domain.compliance.rule import Terms
from domain.compliance.run_days import RunDays


@dataclass(frozen=True)
class Outcomes:
    """Arrays with an element a path; days count from 1, 0 is never. ``failed_by`` is the place of the rule, -1 for
    none. ``locked``: by rule, ``(rules, paths)``, whether it locked a day before the path ended. ``targeted``: whether
    the set has a target."""

    passed_on: np.ndarray
    failed_on: np.ndarray
    failed_by: np.ndarray
    locked: np.ndarray
    targeted: bool


def outcomes_of(
    days: RunDays, chosen: np.ndarray, rules: Sequence[DayRule], terms: Terms, factor: float = 1.0
) -> Outcomes:
    """Every path to its end. ``chosen``: which day stands where, ``(horizon, paths)``; ``days`` are shares, times
    ``factor``.

    A day on which a rule fails the account is a failure even if all goals are met that day; of rules that break on the
    same day the first of the set counts. As in the replay, a set without a target is never passed, and a rule sees
    only what days show."""
    paths = chosen.shape[1]
    judged = [
        (place, each, each.start(each.rule, terms, paths))
        for place, each in enumerate(rules)
        if each.start and each.followed
    ]
    targeted = any(each.rule.kind == "target" for _, each, _ in judged)
    passed_on, failed_on = np.zeros(paths, np.int32), np.zeros(paths, np.int32)
    failed_by, locked = np.full(paths, -1, np.int8), np.zeros((len(rules), paths), bool)
    live = np.ones(paths, bool)
    for number, day in enumerate(path_days(days, chosen, terms.initial, factor), 1):
        met = live if targeted else np.zeros(paths, bool)
        failing = np.zeros(paths, bool)
        for place, each, judge in judged:
            broken, reached = judge(day)
            if reached is not None:
                met = met & reached
            elif broken is not None and each.fails:
                failed_by[broken & live & ~failing] = place
                failing |= broken & live
            elif broken is not None:
                locked[place] |= broken & live
        met = met & live & ~failing
        failed_on[failing], passed_on[met] = number, number
        live = live & ~failing & ~met
        if not live.any():
            break
    return Outcomes(passed_on, failed_on, failed_by, locked, targeted)


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """Paths of several draws after each other."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts], axis=-1)
        for name in ("passed_on", "failed_on", "failed_by", "locked")
    }
    return Outcomes(**arrays, targeted=parts[0].targeted)
