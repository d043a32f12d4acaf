"""Estimates as plain data for JSON: probabilities with their intervals, what they rest on, and what was not judged."""

from __future__ import annotations

from typing import Any

import pandas as pd

from domain.compliance.drawing import Estimate
from domain.compliance.passing import Chance
from domain.compliance.payouts import Payouts
from domain.compliance.sizing_curve import SizingCurve
from domain.params import values_of

METHOD = (
    "Whole days of the run with their intraday low and high, drawn in blocks (stationary bootstrap, "
    "Politis & Romano 1994; mean block length by Politis & White 2004, corrected 2009), compounding. "
    "Intervals: 95 % percentile intervals of the same estimate on histories drawn from the days."
)


def chance_report(chance: Chance, sizing: SizingCurve | None = None, paid: Payouts | None = None) -> dict[str, Any]:
    """The whole answer. Probabilities and risks are shares, days are trading days, money is in the account's
    currency."""
    report: dict[str, Any] = dict(
        rule_set=chance.rule_set,
        phase=chance.phase,
        sentence=chance.sentence,
        passed=_probability(chance.passed),
        failed=_probability(chance.failed),
        open=_probability(chance.open),
        breaches=records(chance.breaches),
        days_to_target=chance.days_to_target,
        not_judged=[
            dict(rule=rule, sentence=f"not judged: needs {needs}") for rule, needs in chance.not_judged.items()
        ],
        risk=chance.risk or None,
        initial=chance.initial,
        days=chance.days,
        block_days=chance.block,
        **_settings(chance),
        method=METHOD,
        notes=list(chance.notes),
    )
    if sizing is not None:
        report["sizing"] = dict(sentence=sizing.sentence, best=_plain(sizing.best, "risk"), curve=records(sizing.table))
    if paid is not None:
        report["payouts"] = dict(
            sentence=paid.sentence,
            phase=paid.phase,
            payouts=_plain(paid.payouts, "expected"),
            any_payout=_probability(paid.any_payout),
            income=_plain(paid.income, "expected"),
            survived=_probability(paid.survived),
            counts=records(paid.counts),
            horizon=paid.config.horizon,
            **values_of(paid.terms),
            notes=list(paid.notes),
        )
    return report


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _settings(chance: Chance) -> dict[str, Any]:
    config = chance.config
    return dict(
        horizon=config.horizon,
        paths=config.paths,
        seed=config.seed,
        histories=config.histories,
        inner=config.inner,
        level=0.95,
    )


def _probability(share: Estimate | None) -> dict[str, float] | None:
    return _plain(share, "probability")


def _plain(figure: Estimate | None, name: str) -> dict[str, float] | None:
    return None if figure is None else {name: figure.value, "low": figure.low, "high": figure.high}
