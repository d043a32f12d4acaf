"""How much to risk: the chance of passing by the risk per trade, on the same drawn days for every risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.drawing import ENDS, ChanceConfig, Drawn, Estimate, Watch, draws, unwatched
from domain.compliance.outcomes import Outcomes, joined, outcomes_of
from domain.compliance.passing import day_rules, terms_of, too_little
from domain.compliance.passing_tables import has_failed, has_passed, spread
from domain.compliance.rule_set import RuleSet
from domain.compliance.run_days import RunDays
from domain.errors import BadRequest

RISKS = (0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05)
CURVE = ChanceConfig(paths=4_000, histories=100, inner=100)
COLUMNS = ("risk", "passed", "passed_low", "passed_high", "failed", "failed_low", "failed_high", "median_days")


@dataclass(frozen=True)
class SizingCurve:
    """``table``: ``risk passed passed_low passed_high failed failed_low failed_high median_days``, a row a risk; risks
    are shares of equity per trade. ``best``: the risk with the highest chance of passing; its interval holds the best
    risks of 95 % of the resampled histories. None where nothing can be computed, and ``sentence`` says why."""

    table: pd.DataFrame
    best: Estimate | None
    sentence: str


def sizing_curve(
    days: RunDays,
    rule_set: RuleSet,
    config: ChanceConfig = CURVE,
    usual: float = 0.0,
    risks: Sequence[float] = RISKS,
    initial: float = 0.0,
    watch: Watch = unwatched,
) -> SizingCurve:
    """The chance of passing at each of ``risks``.

    Days in R are taken times the risk. Days in shares need ``usual``, what their trades risked (the median of
    ``risked_shares``), and are taken in proportion to it. Every risk sees the same draws (common random numbers), so
    that the curve is smooth and its maximum is not luck of the draw."""
    factors = _factors(days, usual, risks)
    terms, rules = terms_of(rule_set, initial), day_rules(rule_set, days)
    if refusal := too_little(days, rules):
        return SizingCurve(pd.DataFrame(columns=list(COLUMNS)), None, refusal)
    parts: list[tuple[list[Outcomes], list[Outcomes]]] = [([], []) for _ in risks]
    done, total = 0, config.paths + config.histories * config.inner
    for repeated, chosen in draws(days, config):
        for place, factor in enumerate(factors):
            watch((done + chosen.shape[1] * place / len(factors)) / total)
            parts[place][repeated].append(outcomes_of(days, chosen, rules, terms, factor))
        done += chosen.shape[1]
    results = [Drawn(joined(some), joined(others), config.inner) for some, others in parts]
    if not results[0].paths.targeted:
        return SizingCurve(
            _table(risks, results), None, "The set has no target in this phase, so there is nothing to pass."
        )
    best = _best(np.asarray(risks, float), results, config.inner)
    return SizingCurve(_table(risks, results), best, _sentence(best, risks, results))


def _factors(days: RunDays, usual: float, risks: Sequence[float]) -> list[float]:
    if not risks or min(risks) <= 0 or max(risks) > 1:
        raise BadRequest(
            "the risks of a sizing curve are shares of equity per trade; give at least one, above 0 and at most 1"
        )
    if days.unit == "R":
        return [float(risk) for risk in risks]
    if not usual > 0:
        raise BadRequest(
            "what the trades of these days risked is not known; give trades with R, which a stop gives them"
        )
    return [float(risk) / usual for risk in risks]


def _table(risks: Sequence[float], results: Sequence[Drawn]) -> pd.DataFrame:
    rows = []
    for risk, result in zip(risks, results, strict=True):
        passed, failed = result.share(has_passed), result.share(has_failed)
        days = spread(result.paths.passed_on)
        median = days["q50"] if days else np.nan
        rows.append((float(risk), passed.value, passed.low, passed.high, failed.value, failed.low, failed.high, median))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _best(risks: np.ndarray, results: Sequence[Drawn], inner: int) -> Estimate | None:
    """The risk at the maximum, of equals the smallest; None where none ever passes."""
    passed = [has_passed(result.paths).mean() for result in results]
    if not max(passed):
        return None
    by_history = np.array([has_passed(result.repeated).reshape(-1, inner).mean(axis=1) for result in results])
    bests = risks[by_history.argmax(axis=0)][by_history.max(axis=0) > 0]
    best = float(risks[int(np.argmax(passed))])
    low, high = np.quantile(bests, ENDS, method="inverted_cdf") if len(bests) else (best, best)
    return Estimate(best, float(min(low, best)), float(max(high, best)))


def _sentence(best: Estimate | None, risks: Sequence[float], results: Sequence[Drawn]) -> str:
    if best is None:
        return "No risk passes within the horizon."
    passed = results[list(risks).index(best.value)].share(has_passed)
    edge = (
        " It is the end of the range, so the maximum may lie beyond." if best.value in (min(risks), max(risks)) else ""
    )
    return (
        f"The chance of passing is highest at a risk of {100 * best.value:.3g} % per trade: {100 * passed.value:.1f} % "
        f"(95 % interval {100 * passed.low:.1f} to {100 * passed.high:.1f} %). "
        "The best risk of 95 % of the resampled histories lies "
        f"between {100 * best.low:.3g} and {100 * best.high:.3g} %.{edge}"
    )
