"""The stored summary of a backtest, in plain values: metrics, remarks and robustness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from domain.analytics import MonteCarlo, Remark, believe, daily_returns, days_a_year, significance_of
from worker.jobs.base import Work
from worker.store import Unit
from worker.store.selection import selection_of

if TYPE_CHECKING:
    from domain.backtest.trust import LookAhead

CURVE = 120     # points of the small curve that lists show


@dataclass(frozen=True)
class Assessment:
    """Robustness checks that need no database. ``daily``: daily returns."""

    study: Any
    daily: np.ndarray
    band: tuple[float, float] | None
    histories: dict[str, Any] | None
    look_ahead: Any
    remarks: tuple[Remark, ...]


def assess(study: Any, strategy: Any, rates: Sequence[Any], work: Work) -> Assessment:
    from domain.backtest import trust

    work.progress(0.72)
    band = trust.band(study, rates, work.within(0.72, 0.85))
    work.progress(0.86)
    histories = trust.histories(study, watch=work.within(0.86, 0.92))
    ahead = trust.look_ahead(study, strategy, work.within(0.92, 0.94)) if strategy else trust.LookAhead(0, 0)
    remarks = study.remarks(band)
    if ahead.first_leak:
        remarks = (Remark("severe", "look_ahead", f"The strategy looks ahead: its signals up to {ahead.first_leak} change when later bars are taken away.", 1.0), *remarks)
    return Assessment(study, daily_returns(study.outcome.equity, study.rules.account.balance, study.market).to_numpy(), band, histories, ahead, remarks)


def summary_of(assessment: Assessment, unit: Unit, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of the summary; counts all trials up to now, this one included."""
    study, outcome, chosen = assessment.study, assessment.study.outcome, selection_of(unit, spec["datasets"], spec["strategy"])
    belief = believe(
        study.metrics, significance=significance_of(assessment.daily, chosen.trials, chosen.variance, days_a_year(study.market.name)), ambiguous=outcome.ambiguous, band=assessment.band,
        monte_carlo=MonteCarlo(**assessment.histories["figures"]) if assessment.histories else None, remarks=assessment.remarks,
    )  # fmt: skip
    return dict(
        metrics=dict(study.metrics), counts=dict(outcome.counts), ambiguous=outcome.ambiguous, signals=study.signals, bars=study.bars, history=study.history.plain(),
        remarks=[asdict(remark) for remark in assessment.remarks], belief=asdict(belief), histories=assessment.histories, look_ahead=_plain(assessment.look_ahead),
        curve=_curve(outcome.equity), currency=study.rules.account.currency, balance=study.rules.account.balance,
    )  # fmt: skip


def _plain(ahead: LookAhead) -> dict[str, Any]:
    return dict(cuts=ahead.cuts, bars=ahead.bars, first_leak=ahead.first_leak, leaks=ahead.leaks)


def _curve(equity: pd.DataFrame) -> list[float]:
    if equity.empty:
        return []
    at = np.unique(np.linspace(0, len(equity) - 1, CURVE).astype(int))
    return [round(float(value), 2) for value in equity["equity"].to_numpy()[at]]
