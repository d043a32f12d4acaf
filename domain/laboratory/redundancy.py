"""Redundant features and feature selection: rank correlations, clusters, variance inflation, and a proposal with a reason for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.params import param

CHUNK = 1 << 15
SINGULAR = 1e-9


@dataclass(frozen=True)
class Thresholds:
    """Limits by which features are proposed."""

    least: int = param(5, low=1, high=20, unit="features", title="Min. features", help="minimum number of features to propose, the last of them with a caveat")
    most: int = param(20, low=1, high=200, unit="features", title="Max. features", help="maximum number of features to propose")
    discovery: float = param(0.1, low=0.0, high=1.0, unit="share", help="false discovery rate (Benjamini–Hochberg) up to which a feature is significant")
    correlation: float = param(0.8, low=0.1, high=1.0, unit="|rho|", help="rank correlation from which two features are redundant")
    inflation: float = param(10.0, low=1.0, high=1_000.0, unit="VIF", help="variance inflation above which a feature is a combination of kept ones")
    agreement: float = param(0.6, low=0.0, high=1.0, unit="share", help="share of years that must have the same sign as the whole")
    years: int = param(3, low=2, high=50, unit="years", help="minimum number of years to judge stability")
    psi: float = param(0.25, low=0.0, high=100.0, unit="PSI", help="drift from which a feature is dropped")
    missing: float = param(0.5, low=0.0, high=1.0, unit="share", help="share of missing values above which a feature is not evaluated")


def correlations(score: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each pair of columns over the rows both have; ``score``: rows × features, each column's ranks in any scale, NaN for none.

    Each column is ranked once, over its own values, so where two miss different rows it departs a little from ranking each pair anew. 0 for a
    pair without common rows or with a column that does not vary, 1 on the diagonal.

    >>> correlations(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])).round(9).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    count, plain, square, cross = np.zeros((4, score.shape[1], score.shape[1]))
    for first in range(0, len(score), CHUNK):
        part = score[first : first + CHUNK].astype(float)
        valid = np.isfinite(part) * 1.0
        part = np.nan_to_num(part)
        count += valid.T @ valid
        plain += part.T @ valid
        square += (part * part).T @ valid
        cross += part.T @ part
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = count * square - plain**2
        rho = (count * cross - plain * plain.T) / np.sqrt(variance * variance.T)
    rho = np.where(np.isfinite(rho) & (count > 2), np.clip(rho, -1.0, 1.0), 0.0)
    np.fill_diagonal(rho, 1.0)
    return rho


def clusters(rho: np.ndarray, correlation: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """For each feature the number of its cluster from 1, in the order of the features, and its place in an order that puts what is alike side by side.

    Average linkage on 1 − |rho|, cut where features of two clusters are on average less correlated than ``correlation``.

    >>> clusters(np.array([[1.0, 0.1, -0.9], [0.1, 1.0, 0.0], [-0.9, 0.0, 1.0]]))[0].tolist()
    [1, 2, 1]
    """
    if len(rho) < 2:
        return np.ones(len(rho), np.int64), np.arange(len(rho))
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = 1.0 - np.abs((rho + rho.T) / 2)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    number = fcluster(tree, 1.0 - correlation, "distance")
    first_seen = {name: k + 1 for k, name in enumerate(dict.fromkeys(number.tolist()))}
    return np.array([first_seen[name] for name in number.tolist()]), np.argsort(leaves_list(tree))


def inflation(rho: np.ndarray) -> np.ndarray:
    """Variance inflation of each feature, 1 ÷ (1 − R²) of its ranks on those of all others: the diagonal of the inverse correlation matrix; inf for one that
    others make up wholly.

    >>> inflation(np.array([[1.0, 0.6], [0.6, 1.0]])).round(4).tolist(), inflation(np.ones((2, 2))).tolist()
    ([1.5625, 1.5625], [inf, inf])
    """
    if not len(rho):
        return np.zeros(0)
    values, vectors = np.linalg.eigh((rho + rho.T) / 2)
    share = vectors**2
    lost = values < SINGULAR
    factors = share[:, ~lost] @ (1.0 / values[~lost])
    return np.where(share[:, lost].sum(axis=1) > SINGULAR, np.inf, np.maximum(factors, 1.0))


def propose(summary: pd.DataFrame, rho: np.ndarray, thresholds: Thresholds = Thresholds()) -> pd.DataFrame:
    """``feature, verdict, fault, with, reason``: what to keep of the features of ``summary``, in its order.

    ``verdict``: keep, reserve (kept to reach the minimum number, in spite of its fault) or drop; ``fault``: values, information, unstable, drift,
    redundant, inflation, surplus, or nothing; ``with``: the kept feature that a redundant one repeats. ``summary`` has ``feature, missing, p, q, ic,
    information_q, years, agreeing, sign_changes, psi``. Each has the first of these faults that applies, from the most to the least informative feature:
    too few values; no information after Benjamini–Hochberg, neither in rank (``q``) nor in mutual information; a sign that does not hold from year
    to year (where its rank correlation is significant); a strong drift; a correlated kept feature; a combination of kept ones (VIF); enough are kept.
    """
    rows = summary.to_dict("records")
    order = sorted(range(len(rows)), key=lambda k: (_worst_last(rows[k]["q"]), _worst_last(rows[k]["p"]), -abs(_number(rows[k]["ic"])), _worst_last(rows[k]["information_q"]), k))
    faults = {k: own_fault(rows[k], thresholds) for k in range(len(rows))}
    chosen: list[int] = []
    others: dict[int, str] = {}
    for k in (k for k in order if faults[k] is None):
        faults[k] = _fault_among(k, chosen, rho, rows, thresholds)
        if faults[k] is None:
            chosen.append(k)
        elif faults[k][0] == "redundant":     # type: ignore[index]
            others[k] = rows[_nearest(k, chosen, rho)]["feature"]
    reserve = _reserve(order, chosen, faults, rho, thresholds)
    return pd.DataFrame([_row(rows[k], faults[k], k in reserve, others.get(k, ""), thresholds) for k in range(len(rows))], columns=["feature", "verdict", "fault", "with", "reason"])


def own_fault(row: dict, thresholds: Thresholds) -> tuple[str, str] | None:
    """The fault of a feature on its own, as a key and a sentence."""
    if not row["missing"] <= thresholds.missing or not (np.isfinite(row["q"]) or np.isfinite(row["information_q"])):
        return "values", f"it has no value at {row['missing']:.0%} of the rows, or does not vary"
    in_rank, in_any = row["q"] <= thresholds.discovery, row["information_q"] <= thresholds.discovery
    if not in_rank and not in_any:
        return "information", f"no information is left after Benjamini–Hochberg ({_q(row)}; the limit is {thresholds.discovery:g})"
    if in_rank and row["years"] >= thresholds.years and row["agreeing"] < thresholds.agreement * row["years"]:
        return "unstable", f"its sign holds in {row['agreeing']:.0f} of {row['years']:.0f} years only and changes {row['sign_changes']:.0f} times"
    if row["psi"] >= thresholds.psi:
        return "drift", f"the distribution of its recent values differs (PSI {row['psi']:.2f}; {thresholds.psi:g} is too much)"
    return None


def _fault_among(k: int, chosen: list[int], rho: np.ndarray, rows: list[dict], thresholds: Thresholds) -> tuple[str, str] | None:
    """The fault of a feature relative to the kept ones."""
    if not chosen:
        return None
    near = _nearest(k, chosen, rho)
    if abs(rho[k, near]) >= thresholds.correlation:
        return "redundant", f"it repeats {rows[near]['feature']} (rho {rho[k, near]:.2f}), which is at least as informative"
    mixed = float(inflation(rho[np.ix_([*chosen, k], [*chosen, k])])[-1])
    if mixed > thresholds.inflation:
        return "inflation", f"it is a combination of the {len(chosen)} features kept before it (VIF {mixed:.1f}; {thresholds.inflation:g} is too much)"
    if len(chosen) >= thresholds.most:
        return "surplus", f"{thresholds.most} more informative features are kept already"
    return None


def _nearest(k: int, chosen: list[int], rho: np.ndarray) -> int:
    return max(chosen, key=lambda other: abs(rho[k, other]))


def _reserve(order: list[int], chosen: list[int], fault_of: dict[int, tuple[str, str] | None], rho: np.ndarray, thresholds: Thresholds) -> set[int]:
    """Features that fill up the minimum number: first informative ones that are unstable or drift, then the most informative of the rest; never redundant ones."""
    extra: list[int] = []
    for faults in (("unstable", "drift"), ("information",)):
        for k in order:
            fault = fault_of[k]
            wanted = len(chosen) + len(extra) < min(thresholds.least, thresholds.most) and fault is not None and fault[0] in faults
            if wanted and all(abs(rho[k, other]) < thresholds.correlation for other in (*chosen, *extra)):
                extra.append(k)
    return set(extra)


def _row(row: dict, fault: tuple[str, str] | None, reserve: bool, other: str, thresholds: Thresholds) -> tuple[str, str, str, str, str]:
    if fault is None:
        return row["feature"], "keep", "", "", f"Kept: it holds {_information_words(row, thresholds)} ({_q(row)}) that no feature kept before it has."
    if reserve:
        return row["feature"], "reserve", fault[0], "", f"Kept only to reach the minimum number, although {fault[1]}."
    return row["feature"], "drop", fault[0], other, f"Dropped: {fault[1]}."


def _information_words(row: dict, thresholds: Thresholds) -> str:
    return "information on the direction of the target" if row["q"] <= thresholds.discovery else "information on the size or shape of the target, not on its direction,"


def _q(row: dict) -> str:
    def text(q: float) -> str:
        return "unknown" if not np.isfinite(q) else f"{q:.2g}"

    return f"IC {_number(row['ic']):+.3f} with q {text(row['q'])}, mutual information with q {text(row['information_q'])}"


def _number(value: float) -> float:
    return float(value) if np.isfinite(value) else 0.0


def _worst_last(value: float) -> float:
    return float(value) if np.isfinite(value) else np.inf
