"""The filter written from its sentence, slowly: what is known of the state at a bar is what was known before, led through the transitions,
times how well each state explains the bar, over the sum of that."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from domain.features.regimes import RegimeModel


def gaussian(row: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    apart = row - mean
    return float(np.exp(-apart @ np.linalg.inv(covariance) @ apart / 2) / np.sqrt(np.linalg.det(2 * np.pi * covariance)))


def filtered(model: RegimeModel, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Probabilities, and the log likelihood of rows in scaled units."""
    belief, computed, likelihood = np.array(model.start), [], 0.0
    transition = np.tile(model.start, (model.states, 1)) if model.kind == "mixture" else np.array(model.transition)
    for t, row in enumerate((rows - np.array(model.centre)) / np.array(model.spread)):
        expected = belief if t == 0 else belief @ transition
        if np.isfinite(row).all():
            joint = expected * [gaussian(row, np.array(mean), np.array(covariance)) for mean, covariance in zip(model.means, model.covariances, strict=True)]
            likelihood += np.log(joint.sum())
            expected = joint / joint.sum()
        belief = expected
        computed.append(belief)
    return np.array(computed), likelihood


def smoothed(model: RegimeModel, rows: np.ndarray) -> np.ndarray:
    """What hindsight says: filtered probabilities led back from the last row. Source: Kim (1994)."""
    forward, transition = model.filtered(rows), np.array(model.transition)
    computed = [forward[-1]]
    for belief in forward[-2::-1]:
        computed.append(belief * (transition @ (computed[-1] / (belief @ transition))))
    return np.array(computed[::-1])


def model(states: int = 3, width: int = 2, seed: int = 0, kind: str = "hmm") -> RegimeModel:
    random = np.random.default_rng(seed)
    roots = random.normal(size=(states, width, width))
    covariances = [root @ root.T + 0.3 * np.eye(width) for root in roots]
    transition = random.dirichlet(np.ones(states), states) * 0.2 + 0.8 * np.eye(states)
    return RegimeModel(
        kind, tuple(f"c{k}" for k in range(width)), tuple(f"s{k}" for k in range(states)), plain(random.normal(size=width)), plain(random.uniform(0.5, 2, width)),
        matrix(random.normal(scale=2, size=(states, width))), tuple(matrix((covariance + covariance.T) / 2) for covariance in covariances), plain(random.dirichlet(np.ones(states))), matrix(transition),
    )  # fmt: skip


@lru_cache
def drawn(length: int = 1_500, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    """Observations of two columns, of a market that is calm, trends or panics in stretches, and the truth."""
    random = np.random.default_rng(seed)
    state, states = 0, np.empty(length, np.int64)
    for t in range(length):
        state = state if random.random() < 0.97 else int(random.integers(3))
        states[t] = state
    means, deviations = np.array([[-8.0, 0.2], [-7.0, 0.6], [-5.5, 0.3]]), np.array([[0.3, 0.1], [0.3, 0.1], [0.6, 0.15]])
    values = means[states] + deviations[states] * random.normal(size=(length, 2))
    return pd.DataFrame(values, columns=["log_volatility(48)", "straight"], index=pd.date_range("2024-01-01", periods=length, freq="h", tz="UTC")), states


def plain(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def matrix(values: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(plain(value) for value in values)
