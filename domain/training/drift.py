"""Whether what a model is shown, and what comes of its predictions, is still what it learnt from and promised.

Columns: the last values against those of training, by PSI and by Kolmogorov–Smirnov on effective counts, corrected for the number of columns (Benjamini &
Hochberg): so all columns together raise a false alarm in at most one check of a hundred. Slow columns, of which a window holds too few independent
values, are not judged, and reported as such.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.laboratory.drift import LEAST, DriftReference, ks_p, level_of
from domain.laboratory.information import benjamini_hochberg
from domain.laboratory.ranks import rank
from domain.rounding import ROUNDING
from domain.training.drift_config import DriftConfig as DriftConfig

SLOWEST = 5.0           # independent values in a window, under which it says nothing
WINDOWS = 10            # of training at least, from which dependence is read
MEAN_DISTANCE = math.sqrt(math.pi / 2) * math.log(2)        # of √n D, D the distance of n independent values from their distribution (Kolmogorov)
COLUMNS = ("column", "reference", "recent", "effective", "psi", "level", "ks", "p", "q", "state", "reason")


def column_drift(reference: np.ndarray, recent: np.ndarray, columns: Sequence[str], config: DriftConfig | None = None) -> pd.DataFrame:
    """``column reference recent effective psi level ks p q state reason``, a row a column of ``reference`` and ``recent`` (bars × columns, in order of time).

    ``reference, recent``: numbers of values; ``effective``: of independent ones among the recent. ``state``: ``alarm`` where PSI and q both are beyond their
    bounds, or a column that had values has none any more; ``calm``; ``unknown`` with a ``reason``, NaN where there is no value.
    """
    config = config or DriftConfig()
    rows = [_column(name, reference[:, place], recent[:, place]) for place, name in enumerate(columns)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["q"] = benjamini_hochberg(table["p"].to_numpy(float))
    return marked(table, config)


def marked(table: pd.DataFrame, config: DriftConfig) -> pd.DataFrame:
    """With an alarm, or none, at each column that could be judged."""
    judged, moved = np.isfinite(table["p"].to_numpy(float)), (table["psi"].to_numpy(float) >= config.psi) & (table["q"].to_numpy(float) <= config.q)
    return table.assign(state=np.where(judged, np.where(moved, "alarm", "calm"), table["state"].to_numpy(object)))


def _column(name: str, before: np.ndarray, late: np.ndarray) -> dict[str, Any]:
    seen, new = (values[np.isfinite(values)].astype(float) for values in (before, late))
    row: dict[str, Any] = dict(column=name, reference=len(seen), recent=len(new), effective=np.nan, psi=np.nan, level="unknown", ks=np.nan, p=np.nan, q=np.nan, state="unknown", reason="")
    if len(seen) < LEAST:
        return row | dict(reason=f"It had {len(seen)} values in training; {LEAST} are needed.")
    if len(new) < LEAST:
        gone = not len(new) and len(late) >= LEAST
        return row | dict(state="alarm", reason="It has no values any more.") if gone else row | dict(reason=f"It has {len(new)} new values; {LEAST} are needed.")
    moved, distance = distances(seen, new)
    effective = len(new) * independent_share(seen, len(new))
    row |= dict(effective=effective, psi=moved, level=level_of(moved), ks=distance)
    if effective < SLOWEST:
        return row | dict(reason=f"It is slow: the window holds {effective:.1f} independent values; {SLOWEST:g} are needed.")
    return row | dict(p=ks_p(distance, len(seen) * effective / len(new), effective), state="calm")


def distances(seen: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    """PSI over deciles of ``seen``, and the largest distance of both distribution functions.

    >>> distances(np.arange(100.0), np.arange(50.0, 150.0))[1]
    0.5
    """
    level = rank(np.concatenate((seen, new))).level
    scale, late = DriftReference(np.sort(level[: len(seen)]), int(level.max()) + 1), np.sort(level[len(seen) :])
    start = np.array([0])
    return float(scale.psi(late, start)[0]), float(scale.distances(late, start)[0])


def independent_share(seen: np.ndarray, window: int) -> float:
    """How many independent values each value of a stationary series is worth in a window of so many; at most 1, 0 where all are the same.

    The least of four, for one alone overlooks what is slow beneath noise or only in its spread: (1 − a) ÷ (1 + a), a the correlation of successive ranks, at
    least 0; variance ÷ (variance of window means × window), of ranks and of their distance from the middle; and (√(π ÷ 2) log 2 ÷ mean D)² ÷ window, D
    the distances of windows from all of ``seen``. Windows are shorter where ``seen`` does not hold ten, and left out under 500 values.

    >>> independent_share(np.repeat(np.arange(100.0), 50), 500) < 0.02
    True
    """
    level = rank(seen).level
    if not level.max(initial=0):
        return 0.0
    apart = pd.Series(seen).rank().to_numpy()
    apart = (apart - apart.mean()) / len(apart)
    link = max(float(apart[1:] @ apart[:-1]) / float(apart @ apart), 0.0)
    shares = [1.0, (1.0 - link) / (1.0 + link)]
    width = min(window, len(seen) // WINDOWS)
    if width < LEAST:
        return min(shares)
    shares += [_share_of_means(values, width) for values in (apart, np.abs(apart))]
    count = len(seen) // width
    tiles = np.sort(level[: count * width].reshape(count, width), axis=1).ravel()
    mean = float(DriftReference(np.sort(level), int(level.max()) + 1).distances(tiles, np.arange(count) * width).mean())
    return min(*shares, (MEAN_DISTANCE / mean) ** 2 / width)


def _share_of_means(values: np.ndarray, width: int) -> float:
    means = values[: len(values) // width * width].reshape(-1, width).mean(axis=1)
    spread, wander = float(values.var()), float(means.var(ddof=1))
    return spread / (wander * width) if wander > ROUNDING * spread else 1.0


def coverage_drift(y: np.ndarray, low: np.ndarray, high: np.ndarray, nominal: float, uniqueness: np.ndarray | None = None, config: DriftConfig | None = None) -> dict[str, Any]:
    """``count effective coverage nominal low high state reason``: the share of labels in their intervals, and the band in which it lies with
    ``config.band`` probability where each interval holds with ``nominal``: quantiles of the binomial distribution.

    ``uniqueness``: of each label, 1 where spans do not overlap; their sum is the effective count.
    """
    from scipy.stats import binom

    config = config or DriftConfig()
    count, effective = len(y), _effective(len(y), uniqueness)
    facts: dict[str, Any] = dict(count=count, effective=effective, coverage=None, nominal=nominal, low=None, high=None, state="unknown", reason="")
    if effective < LEAST:
        return facts | dict(reason=f"There are {effective:.0f} independent labels; {LEAST} are needed.")
    coverage, n = float(((y >= low) & (y <= high)).mean()), round(effective)
    ends = [float(binom.ppf(share, n, nominal)) / n for share in ((1 - config.band) / 2, (1 + config.band) / 2)]
    return facts | dict(coverage=coverage, low=ends[0], high=ends[1], state="calm" if ends[0] <= coverage <= ends[1] else "alarm")


def brier_drift(y: np.ndarray, p: np.ndarray, uniqueness: np.ndarray | None = None, config: DriftConfig | None = None, tested: pd.DataFrame | None = None) -> dict[str, Any]:
    """``count effective brier expected z state reason``: the Brier score against what the probabilities themselves promise, mean p (1 − p).

    Each outcome exceeds that by e = (p − y)² − p (1 − p), 0 on average where probabilities are true. No model's quite are, so ``tested`` (``y p uniqueness fold`` of
    the samples that it was tested on) says what its e was before: t = (mean e − mean e of the tests) ÷ √(variance of the folds' means (1 + 1 ÷ folds) + V ÷ effective −
    V ÷ effective of a fold), V the variance of e, at least that of independent outcomes; z is as far out as t with folds − 1 degrees of freedom, for a
    few folds tell little of how models differ. Without tests z = mean e ÷ √(mean p (1 − p) (1 − 2p)² ÷ effective). An alarm where z is above
    ``config.brier``. Source: Spiegelhalter (1986), Probabilistic prediction in patient management.
    """
    config = config or DriftConfig()
    effective = _effective(len(y), uniqueness)
    facts: dict[str, Any] = dict(count=len(y), effective=effective, brier=None, expected=None, z=None, state="unknown", reason="")
    if effective < LEAST:
        return facts | dict(reason=f"There are {effective:.0f} independent outcomes; {LEAST} are needed.")
    facts |= dict(brier=float(((p - y) ** 2).mean()), expected=expected_brier(p))
    excess = (p - y) ** 2 - p * (1 - p)
    variance = float((p * (1 - p) * (1 - 2 * p) ** 2).mean())
    usual, error, degrees = 0.0, variance / effective, math.inf
    if tested is not None and tested["uniqueness"].sum() >= LEAST:
        usual, error, degrees = _usual(tested, excess, effective)
    if error <= ROUNDING**2:
        return facts | dict(reason="Probabilities of 0, 0.5 and 1 have a Brier score that outcomes do not spread.")
    z = _normal((float(excess.mean()) - usual) / math.sqrt(error), degrees)
    return facts | dict(z=z, state="alarm" if z > config.brier else "calm")


def _normal(t: float, degrees: float) -> float:
    """As far out in the normal distribution as ``t`` is in Student's."""
    from scipy.stats import norm
    from scipy.stats import t as student

    return float(np.sign(t) * norm.isf(max(student.sf(abs(t), degrees), 1e-300))) if math.isfinite(degrees) else t


def _usual(tested: pd.DataFrame, excess: np.ndarray, effective: float) -> tuple[float, float, float]:
    """Mean e of the tests, the variance of what a new mean is apart from it, and the degrees of freedom of that."""
    p = tested["p"].to_numpy(float)
    before = tested.assign(e=(p - tested["y"].to_numpy(float)) ** 2 - p * (1 - p))
    folds = before.groupby("fold").agg(mean=("e", "mean"), effective=("uniqueness", "sum"))
    variance = float(np.concatenate((before["e"].to_numpy(float), excess)).var())
    within = float((variance / folds["effective"].clip(lower=1.0)).mean())
    alone = variance / effective + variance / float(before["uniqueness"].sum())
    if len(folds) < 2:
        return float(before["e"].mean()), alone, math.inf
    apart = float(folds["mean"].var(ddof=1)) * (1.0 + 1.0 / len(folds)) + variance / effective - within
    return float(before["e"].mean()), max(alone, apart), len(folds) - 1.0


def expected_brier(p: np.ndarray) -> float | None:
    """The Brier score that probabilities promise before their outcomes are known, if they are calibrated: mean p (1 − p); None of none.

    >>> expected_brier(np.array([0.5, 0.5]))
    0.25
    """
    return float((p * (1.0 - p)).mean()) if len(p) else None


def _effective(count: int, uniqueness: np.ndarray | None) -> float:
    return float(count) if uniqueness is None else float(min(np.sum(uniqueness), count))


def drift_verdict(columns: pd.DataFrame, coverage: Sequence[Mapping[str, Any]] = (), brier: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """``state`` (alarm, calm, unknown) and ``sentence``, ``alarms``: what was found, a sentence each."""
    alarms = [_of_column(row) for row in columns[columns["state"] == "alarm"].to_dict("records")]
    alarms += [
        f"Intervals of {row['nominal']:.0%} hold {row['coverage']:.1%} of {row['count']:,} labels, outside {row['low']:.1%} to {row['high']:.1%}.".replace("%", " %")
        for row in coverage if row["state"] == "alarm"
    ]  # fmt: skip
    alarms += [
        f"The Brier score{_of(row)} is {row['brier']:.3f} over {row['count']:,} outcomes, {row['z']:.1f} deviations above the {row['expected']:.3f} that its probabilities promise."
        for row in brier if row["state"] == "alarm"
    ]  # fmt: skip
    if alarms:
        more = f" ({len(alarms) - 1} more.)" if len(alarms) > 1 else ""
        return dict(state="alarm", sentence=f"Drift: {alarms[0][:1].lower()}{alarms[0][1:]}{more} Retraining would make a candidate; nothing is swapped.", alarms=alarms)
    judged = [row for row in [*columns.to_dict("records"), *coverage, *brier] if row["state"] == "calm"]
    if not judged:
        return dict(state="unknown", sentence="There is too little new data to judge drift by.", alarms=[])
    calm = int((columns["state"] == "calm").sum())
    return dict(state="calm", sentence=f"No drift: {calm} of {len(columns)} columns could be judged, and none left what it was in training.", alarms=[])


def _of(row: Mapping[str, Any]) -> str:
    return f" of {row['output']}" if row.get("output", "p") != "p" else ""


def _of_column(row: Mapping[str, Any]) -> str:
    if row["reason"]:
        return f"Column {row['column']}: {row['reason'][:1].lower()}{row['reason'][1:]}"
    q = f"q {row['q']:.1g}" if row["q"] >= 1e-12 else "q below 1e-12"
    where = f" of {row['instrument']}" if row.get("instrument") else ""
    return f"Column {row['column']}{where} has PSI {row['psi']:.2f} and a KS distance of {row['ks']:.2f} ({q}) from training."
