"""Shared parts of the regime learners: initial values of EM, its result, and the checks on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

FLOOR = 1e-4        # least variance of a state in any direction, of a scaled column's 1: a state cannot shrink to a point
RAREST = 1e-6       # least probability of a transition: no state is left for good, and none is out of reach
STAY = 0.95         # probability of staying in a state where EM begins
SAMPLE = 4_000      # rows that a random beginning is grouped on
Progress = Callable[[], None]


class Parameters(NamedTuple):
    """A model of scaled rows: shares of the states, transitions, means and covariances."""

    start: np.ndarray
    transition: np.ndarray
    means: np.ndarray
    covariances: np.ndarray


class Learned(NamedTuple):
    """Where EM stands: ``score`` is the log likelihood of the rows, before the last step."""

    parameters: Parameters
    score: float


class Collapsed(Exception):
    """EM left a state without rows or without width. Never leaves this package."""


def beginning(rows: np.ndarray, states: int, number: int, random: np.random.Generator) -> Parameters:
    """Where EM begins: number 0 cuts the first column into equal shares, the others group a sample about random rows."""
    if number == 0:
        edges = np.quantile(rows[:, 0], np.arange(1, states) / states)
        return _of_groups(rows, np.searchsorted(edges, rows[:, 0], side="right"), states)
    sample = rows if len(rows) <= SAMPLE else rows[np.sort(random.choice(len(rows), SAMPLE, replace=False))]
    return _of_groups(sample, _groups(sample, states, random), states)


def sticky(states: int, stay: float = STAY) -> np.ndarray:
    return np.where(np.eye(states, dtype=bool), stay, (1 - stay) / (states - 1))


def floored(transition: np.ndarray) -> np.ndarray:
    """No transition is impossible, rows add up to 1."""
    raised = np.maximum(transition, RAREST)
    return raised / raised.sum(axis=-1, keepdims=True)


def stationary(transition: np.ndarray) -> np.ndarray:
    """The shares of time that each state has in the long run: π with π P = π.

    >>> stationary(np.array([[0.9, 0.1], [0.2, 0.8]])).round(6).tolist()
    [0.666667, 0.333333]
    """
    states = len(transition)
    shares = np.maximum(np.linalg.solve((np.eye(states) - transition + 1.0).T, np.ones(states)), 0.0)
    return shares / shares.sum()


def widened(covariances: np.ndarray) -> np.ndarray:
    """The nearest covariances whose variance is FLOOR or more in every direction."""
    if not np.isfinite(covariances).all():
        raise Collapsed("a state was left without bars")
    values, directions = np.linalg.eigh(covariances)
    raised = (directions * np.maximum(values, FLOOR)[:, None, :]) @ directions.swapaxes(1, 2)
    return (raised + raised.swapaxes(1, 2)) / 2


def _groups(rows: np.ndarray, states: int, random: np.random.Generator, rounds: int = 5) -> np.ndarray:
    """k-means++ and a few rounds of k-means. Source: Arthur and Vassilvitskii (2007)."""
    centres = rows[[random.integers(len(rows))]]
    while len(centres) < states:
        apart = _squares(rows, centres).min(axis=1)
        total = apart.sum()
        chosen = random.choice(len(rows), p=apart / total) if total > 0 else random.integers(len(rows))
        centres = np.vstack([centres, rows[chosen]])
    for _ in range(rounds):
        group = _squares(rows, centres).argmin(axis=1)
        centres = np.array([rows[group == k].mean(axis=0) if (group == k).any() else centres[k] for k in range(states)])
    return _squares(rows, centres).argmin(axis=1)


def _squares(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.stack([((rows - centre) ** 2).sum(axis=1) for centre in centres], axis=1)


def _of_groups(rows: np.ndarray, group: np.ndarray, states: int) -> Parameters:
    """Each group's mean, share and covariance, the covariance led halfway to that of all."""
    width = rows.shape[1]
    total = np.cov(rows.T).reshape(width, width)
    means, covariances, shares = np.empty((states, width)), np.empty((states, width, width)), np.empty(states)
    for k in range(states):
        own = rows[group == k]
        means[k] = own.mean(axis=0) if len(own) else rows.mean(axis=0)
        covariances[k] = (np.cov(own.T).reshape(width, width) + total) / 2 if len(own) > width else total
        shares[k] = max(len(own), 1)
    return Parameters(shares / shares.sum(), sticky(states), means, widened(covariances))
