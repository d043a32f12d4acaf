"""Losses of single predictions: pinball, Brier, logarithmic, absolute and squared; NaN nowhere, for what has no value is not passed to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMALLEST = float(np.finfo(np.float64).eps)      # a probability further out is taken for this one, as scikit-learn does


def pinball(y: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """samples × levels: (y − q) τ where y ≥ q, else (q − y) (1 − τ), in the unit of y. Source: Koenker & Bassett (1978).

    >>> pinball(np.array([1.0, -1.0]), np.zeros((2, 1)), [0.9]).ravel().round(12).tolist()
    [0.9, 0.1]
    """
    apart = y[:, None] - quantiles
    share = np.asarray(levels, float)[None, :]
    return np.maximum(share * apart, (share - 1.0) * apart)


def crps(y: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Of each sample, twice the integral of its pinball loss over the levels, by trapezia, 0 at the levels 0 and 1: so each level counts for the levels that it
    stands for, however unequal they are. Source: Gneiting & Raftery (2007).

    >>> crps(np.array([1.0]), np.zeros((1, 2)), [0.25, 0.5]).round(12).tolist()     # 2 (0.25 × 0.25 + 0.375 × 0.5)
    [0.5]
    """
    order = np.argsort(levels)
    edges = np.concatenate([[0.0], np.asarray(levels, float)[order], [1.0]])
    return pinball(y, quantiles, levels)[:, order] @ (edges[2:] - edges[:-2])


def brier(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Of each sample, from 0: (p − y)² for one probability (``p`` one-dimensional), else the sum over classes of (p − [y is it])². Source: Brier (1950).

    >>> brier(np.array([1.0]), np.array([0.25])).tolist(), brier(np.array([0.0]), np.array([[0.25, 0.75]])).tolist()
    ([0.5625], [1.125])
    """
    if p.ndim == 1:
        return (p - y) ** 2
    return ((p - (np.arange(p.shape[1])[None, :] == y[:, None])) ** 2).sum(axis=1)


def log_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Of each sample, in nats: −log of the probability that its class was given; shapes as for ``brier``.

    >>> log_loss(np.array([1.0, 0.0]), np.array([0.5, 0.75])).round(6).tolist()
    [0.693147, 1.386294]
    """
    given = np.where(y > 0.5, p, 1.0 - p) if p.ndim == 1 else p[np.arange(len(y)), y.astype(np.int64)] / p.sum(axis=1)
    return -np.log(np.clip(given, SMALLEST, 1.0 - SMALLEST))
