"""All that is asked of a set of features at once, column by column, with progress: tables that a page or a report can show as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from domain.laboratory.drift import drift_of
from domain.laboratory.information import association, benjamini_hochberg, mutual_information
from domain.laboratory.quantiles import by_quantile
from domain.laboratory.question import StudyConfig, StudyRequest
from domain.laboratory.ranks import Ranked, ranks
from domain.laboratory.redundancy import Rules, clusters, correlations, inflation, propose
from domain.laboratory.stability import agreement, by_label, rolling
from domain.laboratory.targets import Target

Watch = Callable[[float], None]
SUMMARY = (
    "feature", "verdict", "count", "missing", "ic", "t", "p", "q", "information", "information_p", "information_q", "monotonicity", "spread", "spread_low",
    "spread_high", "spread_p", "spread_q", "years", "agreeing", "sign_changes", "cluster", "inflation", "psi", "drift", "fault", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Findings:
    """Plain tables, a row for each feature unless said otherwise. A ``q`` is a ``p`` net of how much was tried (Benjamini–Hochberg).

    ``summary``: the figures a decision needs, with verdict and reason. ``quantiles``: a row for each quantile. ``monotonicity``: with the spread between the
    outer quantiles. ``information``: rank correlation (ic) and mutual information (nats). ``decay``: a row for each horizon. ``rolling``: for each window, ``ts`` its
    last bar. ``periods``: for each group of each label (year, session …). ``redundancy``: cluster, place beside its like, inflation. ``correlation``: first,
    second, rho of all pairs. ``proposal``. ``drift``. ``drift_history``: for each month. ``notes``: sentences on how to read them."""

    summary: pd.DataFrame
    quantiles: pd.DataFrame
    monotonicity: pd.DataFrame
    information: pd.DataFrame
    decay: pd.DataFrame
    rolling: pd.DataFrame
    periods: pd.DataFrame
    redundancy: pd.DataFrame
    correlation: pd.DataFrame
    proposal: pd.DataFrame
    drift: pd.DataFrame
    drift_history: pd.DataFrame
    notes: tuple[str, ...]

    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables by name, as they are stored."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "notes"}


def examine(
    frame: pd.DataFrame, columns: Sequence[str], target: Target, labels: Mapping[str, np.ndarray | pd.Series] | None = None, plan: StudyConfig = StudyConfig(), rules: Rules = Rules(),
    watch: Watch = lambda share: None,
) -> Findings:  # fmt: skip
    """What ``columns`` of ``frame`` tell of ``target``. ``frame`` has ``ts`` (UTC, the opens of the bars) and, where there are several instruments, one below the
    other, ``instrument``: values are then ranked within their own, and what happens at one moment counts once in intervals and tests.
    Mutual information, PSI and KS look at the same ranks.

    ``labels``: name -> a group for each row, such as the regime at the bar; years and, below a day, sessions are looked at in any case. Rows where a
    feature or the target has no value are left out for that pair alone. ``watch`` hears the share that is done and may raise to stop.
    """
    question = StudyRequest.asked(frame, columns, target, labels or {}, plan)
    score = np.full((len(frame), len(columns)), np.nan, np.float32)
    looks, months = [], question.months
    for k, name in enumerate(columns):
        values = frame[name].to_numpy(float)
        ranked = question.rank(values)
        score[:, k] = ranks(ranked, np.zeros(len(frame), np.int64)) / max(len(ranked.order), 1) - 0.5
        looks.append(_look(question, values, ranked, months, _within(watch, k, len(columns))))
    watch(0.95)
    rho = correlations(score)
    watch(0.98)
    findings = _gathered(question, list(columns), looks, rho, rules)
    watch(1.0)
    return findings


def _within(watch: Watch, k: int, count: int) -> Watch:
    return lambda share: watch(0.95 * (k + share) / count)


@dataclass(frozen=True)
class _Look:
    """What one feature has to show."""

    quantiles: pd.DataFrame
    monotonicity: dict[str, float]
    information: dict[str, float]
    decay: pd.DataFrame
    rolling: pd.DataFrame
    periods: pd.DataFrame
    drift: dict[str, float | str]
    history: pd.DataFrame
    missing: float


def _look(of: StudyRequest, values: np.ndarray, ranked: Ranked, months: np.ndarray, watch: Watch) -> _Look:
    watch(0.0)
    quantiles, monotonicity = by_quantile(ranked, values, of.target.values, of.drawn, of.plan.quantiles, of.plan.confidence)
    watch(0.15)
    information = association(ranked, of.whole).iloc[0].to_dict()
    mutual = mutual_information(ranked, of.ranked, of.plan.seed)
    watch(0.3)
    decay = [association(ranked, view).assign(horizon=horizon) for horizon, view in of.horizons.items()]
    watch(0.55)
    periods = by_label(ranked, of.labels)
    windows = rolling(ranked, of.windows)
    watch(0.85)
    drift, history = drift_of(ranked, ~of.recent, of.recent, months)
    missing = float(1 - ranked.known[of.ranked.known].mean())
    named = {name if name == "information" else f"information_{name}": value for name, value in mutual.items()}
    return _Look(quantiles, monotonicity, {**information, **named}, pd.concat(decay) if decay else pd.DataFrame(), windows, periods, drift, history, missing)


def _gathered(of: StudyRequest, names: list[str], looks: list[_Look], rho: np.ndarray, rules: Rules) -> Findings:
    tried = max(of.plan.tried, len(names))
    monotonicity = _judged(pd.DataFrame([look.monotonicity for look in looks]), tried, "monotonicity_", "spread_")
    information = _judged(pd.DataFrame([look.information for look in looks]), tried, "", "information_").astype({"count": np.int64})
    decay = _judged(_stacked(names, [look.decay for look in looks]), tried * max(len(of.horizons), 1), "")
    number, place = clusters(rho, rules.correlation)
    redundancy = pd.DataFrame(dict(cluster=number, place=place, inflation=inflation(rho)))
    drift = pd.DataFrame([look.drift for look in looks]).rename(columns={"level": "drift"})
    steady = pd.DataFrame([_steady(look) for look in looks], columns=["years", "agreeing", "sign_changes"])
    named = pd.DataFrame(dict(feature=names, missing=[look.missing for look in looks]))
    figures = pd.concat([named, information, monotonicity, steady, redundancy, drift[["psi", "drift"]]], axis=1)
    proposal = propose(figures, rho, rules)
    return Findings(
        summary=figures.merge(proposal, on="feature")[list(SUMMARY)],
        quantiles=_stacked(names, [look.quantiles for look in looks]),
        monotonicity=pd.concat([named["feature"], monotonicity], axis=1),
        information=pd.concat([named, information], axis=1),
        decay=decay,
        rolling=_stacked(names, [_dated(of, look.rolling) for look in looks]),
        periods=_periods(of, _stacked(names, [look.periods for look in looks]), tried),
        redundancy=pd.concat([named["feature"], redundancy], axis=1),
        correlation=pd.DataFrame(dict(first=np.repeat(names, len(names)), second=np.tile(names, len(names)), rho=rho.ravel())),
        proposal=proposal,
        drift=pd.concat([named["feature"], drift], axis=1),
        drift_history=_history(_stacked(names, [look.history for look in looks])),
        notes=_notes(of, information, proposal, tried, rules),
    )  # fmt: skip


def _judged(table: pd.DataFrame, tried: int, *stems: str) -> pd.DataFrame:
    """With a q beside each p."""
    return table.assign(**{f"{stem}q": benjamini_hochberg(table[f"{stem}p"].to_numpy(float), tried) for stem in stems if f"{stem}p" in table})


def _stacked(names: list[str], tables: list[pd.DataFrame]) -> pd.DataFrame:
    named = [table.assign(feature=name) for name, table in zip(names, tables, strict=True) if len(table)]
    whole = pd.concat(named, ignore_index=True) if named else pd.DataFrame(columns=["feature", *tables[0].columns])
    return whole[["feature", *(column for column in whole if column != "feature")]]


def _steady(look: _Look) -> tuple[int, int, int]:
    return agreement(look.periods[look.periods["label"] == "year"], look.information["ic"])


def _dated(of: StudyRequest, windows: pd.DataFrame) -> pd.DataFrame:
    ts = pd.DatetimeIndex(of.moments[windows["last"].to_numpy(np.int64)].view("datetime64[ns]"), tz="UTC")
    return windows.drop(columns="last").assign(ts=ts)


def _periods(of: StudyRequest, periods: pd.DataFrame, tried: int) -> pd.DataFrame:
    parts = [_judged(part, tried * len(of.labels[str(label)][1]), "") for label, part in periods.groupby("label", sort=False)]
    return pd.concat(parts).sort_index()


def _history(months: pd.DataFrame) -> pd.DataFrame:
    return months.assign(month=months["month"].to_numpy(np.int64).view("datetime64[M]").astype(str))


def _notes(of: StudyRequest, information: pd.DataFrame, proposal: pd.DataFrame, tried: int, rules: Rules) -> tuple[str, ...]:
    telling = [int((information[name] <= rules.discovery).sum()) for name in ("q", "information_q")]
    verdicts: dict[Any, int] = proposal["verdict"].value_counts().to_dict()
    kept, reserve = verdicts.get("keep", 0), verdicts.get("reserve", 0)
    found = [
        f"The target is the {of.target.name} ({of.target.note}); costs are not taken off." if of.target.unit != "R" else f"The target is the {of.target.name} in R, net of costs ({of.target.note}).",
        f"{tried:,} features were tried. At a false discovery rate of {rules.discovery:.0%}, {telling[0]:,} tell something in rank and {telling[1]:,} in mutual information.",
        f"Intervals come from {of.plan.resamples:,} draws of blocks of {of.drawn.length:,} values.",
        f"{kept:,} features are proposed" + (f", and {reserve:,} more only to make up {rules.least}: each says what speaks against it." if reserve else "."),
    ]
    if of.instruments is not None:
        found.append(f"{int(of.instruments.max()) + 1:,} instruments: each value is ranked within its own; only the limits of the quantiles are of all values together.")
    return tuple(found)
