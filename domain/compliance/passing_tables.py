"""Figures of drawn paths: shares that pass, fail and stay open, by rule and by day, and the days to the target."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.day_rules import DayRule
from domain.compliance.drawing import ENDS, ChanceConfig, Drawn, estimate
from domain.compliance.outcomes import Outcomes

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
BREACHES = ("rule", "kind", "clause", "effect", "probability", "low", "high")
PROGRESS = ("day", "passed", "passed_low", "passed_high", "failed", "failed_low", "failed_high")


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
