"""The target by quantile of a feature, with block-bootstrap intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.laboratory.ranks import Ranked, bins
from domain.rounding import ROUNDING

CELLS = 8_192       # at most so many stretches are drawn from


@dataclass(frozen=True)
class Blocks:
    """Draws of a circular block bootstrap (Politis & Romano 1992), the same for every feature. ``cell``: the stretch of time each row lies in, −1 without
    a target. ``weights``: draws × cells, how often each is drawn. ``length``: of a block, in values of the target."""

    cell: np.ndarray
    weights: np.ndarray
    length: int


def blocks(target: np.ndarray, overlap: int, resamples: int = 500, seed: int = 0, length: int = 0, place: np.ndarray | None = None) -> Blocks:
    """Draws for a target of which ``overlap`` successive values may share time. ``length`` 0: the larger of twice the overlap and the cube root
    of the number of values; one shorter than the overlap is refused. ``place``: the moment of each row, where rows share one.

    Where there are more than 8,192 values blocks begin and end on whole stretches of equal length, so that a draw is a sum over stretches.
    """
    valid = np.isfinite(target)
    moments = np.unique(place[valid], return_inverse=True)[1] if place is not None else np.arange(valid.sum())
    n = int(moments.max(initial=-1)) + 1
    length = length or max(2 * overlap, math.ceil(n ** (1 / 3)), 1)
    if length < overlap:
        raise BadRequest(f"blocks of {length} values are shorter than the {overlap} that share time; take at least {overlap}, or 0 to have it chosen")
    size = max(-(-n // CELLS), 1)
    cells = max(-(-n // size), 1)
    wide = min(-(-length // size), cells)
    cell = np.full(len(target), -1, np.int64)
    cell[valid] = moments // size
    return Blocks(cell, _weights(cells, wide, resamples, seed), wide * size)


def _weights(cells: int, wide: int, resamples: int, seed: int) -> np.ndarray:
    per_draw = -(-cells // wide)
    starts = np.random.Generator(np.random.Philox(seed)).integers(0, cells, (resamples, per_draw)) + np.arange(resamples)[:, None] * 2 * cells
    edges = np.bincount(starts.ravel(), minlength=2 * cells * resamples) - np.bincount(starts.ravel() + wide, minlength=2 * cells * resamples + 1)[: 2 * cells * resamples]
    covered = np.cumsum(edges.reshape(resamples, 2 * cells), axis=1)
    return (covered[:, :cells] + covered[:, cells:]).astype(float)


def by_quantile(feature: Ranked, values: np.ndarray, target: np.ndarray, draws: Blocks, quantiles: int = 10, confidence: float = 0.95) -> tuple[pd.DataFrame, dict[str, float]]:
    """Two things. The table ``quantile, low, high, count, mean, mean_low, mean_high, win_rate, win_low, win_high``, quantile 1 holding the lowest values
    (``low`` to ``high``); and ``monotonicity, monotonicity_p, spread, spread_low, spread_high, spread_p``.

    Rows that have both. ``mean``: expectancy, in the target's unit; ``win_rate``: share above 0. Intervals are percentiles of the drawn means. Equal values
    share a quantile, so one may be empty: count 0 and NaN. ``monotonicity``: Spearman's correlation of quantile number and mean, its p of Student's t
    (as scipy's). ``spread``: mean of the highest quantile less that of the lowest; ``spread_p``: two-sided, normal, with the standard deviation of the draws.
    """
    placed = bins(feature, draws.cell >= 0, quantiles)
    rows = placed >= 0
    placed, cell, followed = placed[rows], draws.cell[rows], target[rows]
    cells = draws.weights.shape[1]
    sums = np.stack([_cells(placed, cell, weight, quantiles, cells) for weight in (None, followed, (followed > 0) * 1.0)])
    count, total, wins = sums.sum(axis=1)
    again = (draws.weights @ sums.transpose(1, 0, 2).reshape(cells, -1)).reshape(-1, 3, quantiles).transpose(1, 0, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, win, means, rates = total / count, wins / count, again[1] / again[0], again[2] / again[0]
    bounds = [(1 - confidence) / 2, (1 + confidence) / 2]
    (mean_low, mean_high), (win_low, win_high) = (_percentiles(estimates, bounds) for estimates in (means, rates))
    low, high = _edges(values[rows], placed, quantiles)
    table = pd.DataFrame(dict(
        quantile=np.arange(1, quantiles + 1), low=low, high=high, count=count.astype(np.int64), mean=mean, mean_low=mean_low, mean_high=mean_high,
        win_rate=win, win_low=win_low, win_high=win_high,
    ))  # fmt: skip
    return table, {**_monotonicity(mean), **_spread(mean, means, bounds)}


def _cells(placed: np.ndarray, cell: np.ndarray, weight: np.ndarray | None, quantiles: int, cells: int) -> np.ndarray:
    return np.bincount(cell * quantiles + placed, weight, minlength=cells * quantiles).reshape(cells, quantiles).astype(float)


def _percentiles(draws: np.ndarray, bounds: list[float]) -> np.ndarray:
    """Of each column, over the draws in which the quantile has a row; NaN where none has."""
    percentiles = np.full((2, draws.shape[1]), np.nan)
    for column in range(draws.shape[1]):
        finite = draws[np.isfinite(draws[:, column]), column]
        if len(finite):
            percentiles[:, column] = np.quantile(finite, bounds)
    return percentiles


def _edges(values: np.ndarray, placed: np.ndarray, quantiles: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(quantiles, np.inf), np.full(quantiles, -np.inf)
    np.minimum.at(low, placed, values)
    np.maximum.at(high, placed, values)
    return np.where(low <= high, low, np.nan), np.where(low <= high, high, np.nan)


def _monotonicity(mean: np.ndarray) -> dict[str, float]:
    filled = np.flatnonzero(np.isfinite(mean))
    if len(filled) < 3 or np.ptp(mean[filled]) == 0:
        return dict(monotonicity=np.nan, monotonicity_p=np.nan)
    from scipy.stats import spearmanr

    result = spearmanr(filled, mean[filled])
    return dict(monotonicity=float(result.statistic), monotonicity_p=float(result.pvalue))


def _spread(mean: np.ndarray, draws: np.ndarray, bounds: list[float]) -> dict[str, float]:
    filled = np.flatnonzero(np.isfinite(mean))
    if len(filled) < 2:
        return dict.fromkeys(("spread", "spread_low", "spread_high", "spread_p"), np.nan)
    apart = (draws[:, filled[-1]] - draws[:, filled[0]])[:, None]
    (low,), (high,) = _percentiles(apart, bounds)
    spread, deviation = float(mean[filled[-1]] - mean[filled[0]]), float(np.nanstd(apart))
    return dict(spread=spread, spread_low=float(low), spread_high=float(high), spread_p=math.erfc(abs(spread) / deviation / math.sqrt(2)) if deviation > ROUNDING * abs(spread) else np.nan)
