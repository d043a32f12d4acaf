"""The full analysis of a set of features, column by column, with progress: tables ready to be shown in a page or a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from domain.laboratory.drift import drift_of
from domain.laboratory.information import association, benjamini_hochberg, mutual_information
from domain.laboratory.quantiles import by_quantile
from domain.laboratory.ranks import Ranked, ranks
from domain.laboratory.redundancy import Thresholds, clusters, correlations, inflation, propose
from domain.laboratory.request import StudyConfig, StudyRequest
from domain.laboratory.stability import agreement, by_label, rolling
from domain.laboratory.targets import Target

Watch = Callable[[float], None]
SUMMARY = (
    "feature", "verdict", "count", "missing", "ic", "t", "p", "q", "information", "information_p", "information_q", "monotonicity", "spread", "spread_low",
    "spread_high", "spread_p", "spread_q", "years", "agreeing", "sign_changes", "cluster", "inflation", "psi", "drift", "fault", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Findings:
    """Plain tables, a row for each feature unless stated otherwise. A ``q`` is a ``p`` adjusted for the number of tests (Benjamini–Hochberg).

    ``summary``: the figures a decision needs, with verdict and reason. ``quantiles``: a row for each quantile. ``monotonicity``: with the spread between the
    outer quantiles. ``information``: rank correlation (ic) and mutual information (nats). ``decay``: a row for each horizon. ``rolling``: for each window, ``ts`` its
    last bar. ``periods``: for each group of each label (year, session …). ``redundancy``: cluster, place in the cluster order, inflation. ``correlation``: first,
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
    frame: pd.DataFrame, columns: Sequence[str], target: Target, labels: Mapping[str, np.ndarray | pd.Series] | None = None, plan: StudyConfig = StudyConfig(), thresholds: Thresholds = Thresholds(),
    watch: Watch = lambda share: None,
) -> Findings:  # fmt: skip
    """The information of ``columns`` of ``frame`` on ``target``. ``frame`` has ``ts`` (UTC, the opens of the bars) and, where there are several instruments, one below the
    other, ``instrument``: values are then ranked within their own, and what happens at one moment counts once in intervals and tests.
    Mutual information, PSI and KS use the same ranks.

    ``labels``: name -> a group for each row, such as the regime at the bar; years and, below a day, sessions are always included. Rows where a
    feature or the target has no value are left out for that pair alone. ``watch`` receives the share done and may raise to stop.
    """
    request = StudyRequest.of(frame, columns, target, labels or {}, plan)
    score = np.full((len(frame), len(columns)), np.nan, np.float32)
    analyses, months = [], request.months
    for k, name in enumerate(columns):
        values = frame[name].to_numpy(float)
        ranked = request.rank(values)
        score[:, k] = ranks(ranked, np.zeros(len(frame), np.int64)) / max(len(ranked.order), 1) - 0.5
        analyses.append(_analyse(request, values, ranked, months, _part_of(watch, k, len(columns))))
    watch(0.95)
    rho = correlations(score)
    watch(0.98)
    findings = _findings(request, list(columns), analyses, rho, thresholds)
    watch(1.0)
    return findings


def _part_of(watch: Watch, k: int, count: int) -> Watch:
    return lambda share: watch(0.95 * (k + share) / count)


@dataclass(frozen=True)
class _Analysis:
    """The results of one feature."""

    quantiles: pd.DataFrame
    monotonicity: dict[str, float]
    information: dict[str, float]
    decay: pd.DataFrame
    rolling: pd.DataFrame
    periods: pd.DataFrame
    drift: dict[str, float | str]
    history: pd.DataFrame
    missing: float


def _analyse(request: StudyRequest, values: np.ndarray, ranked: Ranked, months: np.ndarray, watch: Watch) -> _Analysis:
    watch(0.0)
    quantiles, monotonicity = by_quantile(ranked, values, request.target.values, request.blocks, request.plan.quantiles, request.plan.confidence)
    watch(0.15)
    information = association(ranked, request.all_rows).iloc[0].to_dict()
    mutual = mutual_information(ranked, request.ranked, request.plan.seed)
    watch(0.3)
    decay = [association(ranked, view).assign(horizon=horizon) for horizon, view in request.horizons.items()]
    watch(0.55)
    periods = by_label(ranked, request.labels)
    windows = rolling(ranked, request.windows)
    watch(0.85)
    drift, history = drift_of(ranked, ~request.recent, request.recent, months)
    missing = float(1 - ranked.valid[request.ranked.valid].mean())
    named = {name if name == "information" else f"information_{name}": value for name, value in mutual.items()}
    return _Analysis(quantiles, monotonicity, {**information, **named}, pd.concat(decay) if decay else pd.DataFrame(), windows, periods, drift, history, missing)


def _findings(request: StudyRequest, names: list[str], analyses: list[_Analysis], rho: np.ndarray, thresholds: Thresholds) -> Findings:
    tried = max(request.plan.tried, len(names))
    monotonicity = _with_q(pd.DataFrame([analysis.monotonicity for analysis in analyses]), tried, "monotonicity_", "spread_")
    information = _with_q(pd.DataFrame([analysis.information for analysis in analyses]), tried, "", "information_").astype({"count": np.int64})
    decay = _with_q(_stacked(names, [analysis.decay for analysis in analyses]), tried * max(len(request.horizons), 1), "")
    number, place = clusters(rho, thresholds.correlation)
    redundancy = pd.DataFrame(dict(cluster=number, place=place, inflation=inflation(rho)))
    drift = pd.DataFrame([analysis.drift for analysis in analyses]).rename(columns={"level": "drift"})
    steady = pd.DataFrame([_agreement(analysis) for analysis in analyses], columns=["years", "agreeing", "sign_changes"])
    named = pd.DataFrame(dict(feature=names, missing=[analysis.missing for analysis in analyses]))
    figures = pd.concat([named, information, monotonicity, steady, redundancy, drift[["psi", "drift"]]], axis=1)
    proposal = propose(figures, rho, thresholds)
    return Findings(
        summary=figures.merge(proposal, on="feature")[list(SUMMARY)],
        quantiles=_stacked(names, [analysis.quantiles for analysis in analyses]),
        monotonicity=pd.concat([named["feature"], monotonicity], axis=1),
        information=pd.concat([named, information], axis=1),
        decay=decay,
        rolling=_stacked(names, [_dated(request, analysis.rolling) for analysis in analyses]),
        periods=_periods(request, _stacked(names, [analysis.periods for analysis in analyses]), tried),
        redundancy=pd.concat([named["feature"], redundancy], axis=1),
        correlation=pd.DataFrame(dict(first=np.repeat(names, len(names)), second=np.tile(names, len(names)), rho=rho.ravel())),
        proposal=proposal,
        drift=pd.concat([named["feature"], drift], axis=1),
        drift_history=_history(_stacked(names, [analysis.history for analysis in analyses])),
        notes=_notes(request, information, proposal, tried, thresholds),
    )  # fmt: skip


def _with_q(table: pd.DataFrame, tried: int, *stems: str) -> pd.DataFrame:
    """The table with a q for each p."""
    return table.assign(**{f"{stem}q": benjamini_hochberg(table[f"{stem}p"].to_numpy(float), tried) for stem in stems if f"{stem}p" in table})


def _stacked(names: list[str], tables: list[pd.DataFrame]) -> pd.DataFrame:
    named = [table.assign(feature=name) for name, table in zip(names, tables, strict=True) if len(table)]
    stacked = pd.concat(named, ignore_index=True) if named else pd.DataFrame(columns=["feature", *tables[0].columns])
    return stacked[["feature", *(column for column in stacked if column != "feature")]]


def _agreement(analysis: _Analysis) -> tuple[int, int, int]:
    return agreement(analysis.periods[analysis.periods["label"] == "year"], analysis.information["ic"])


def _dated(request: StudyRequest, windows: pd.DataFrame) -> pd.DataFrame:
    ts = pd.DatetimeIndex(request.moments[windows["last"].to_numpy(np.int64)].view("datetime64[ns]"), tz="UTC")
    return windows.drop(columns="last").assign(ts=ts)


def _periods(request: StudyRequest, periods: pd.DataFrame, tried: int) -> pd.DataFrame:
    parts = [_with_q(part, tried * len(request.labels[str(label)][1]), "") for label, part in periods.groupby("label", sort=False)]
    return pd.concat(parts).sort_index()


def _history(months: pd.DataFrame) -> pd.DataFrame:
    return months.assign(month=months["month"].to_numpy(np.int64).view("datetime64[M]").astype(str))


def _notes(request: StudyRequest, information: pd.DataFrame, proposal: pd.DataFrame, tried: int, thresholds: Thresholds) -> tuple[str, ...]:
    significant = [int((information[name] <= thresholds.discovery).sum()) for name in ("q", "information_q")]
    verdicts: dict[Any, int] = proposal["verdict"].value_counts().to_dict()
    kept_count, reserve = verdicts.get("keep", 0), verdicts.get("reserve", 0)
    notes = [
        f"The target is the {request.target.name} ({request.target.note}); costs are not taken off." if request.target.unit != "R" else f"The target is the {request.target.name} in R, net of costs ({request.target.note}).",
        f"{tried:,} features were tried. At a false discovery rate of {thresholds.discovery:.0%}, {significant[0]:,} are significant in rank correlation and {significant[1]:,} in mutual information.",
        f"Intervals come from {request.plan.resamples:,} draws of blocks of {request.blocks.length:,} values.",
        f"{kept_count:,} features are proposed" + (f", and {reserve:,} more only to reach {thresholds.least}, each with its fault." if reserve else "."),
    ]
    if request.instruments is not None:
        notes.append(f"{int(request.instruments.max()) + 1:,} instruments: each value is ranked within its own; only the limits of the quantiles are of all values together.")
    return tuple(notes)
