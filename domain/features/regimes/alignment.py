"""Alignment of the states of two models: the pairing with the least distance between their emissions."""

from __future__ import annotations

import numpy as np

from domain.errors import BadRequest
from domain.features.regimes.base import RegimeModel


def distances(model: RegimeModel, other: RegimeModel) -> np.ndarray:
    """Bhattacharyya's distance between each state of ``model`` (row) and each of ``other``, in the units of the columns:
    ⅛ Δᵀ S⁻¹ Δ + ½ ln(|S| ÷ √(|A| |B|)), S the mean of the covariances A and B. 0 for equal ones, without bound for those far apart.
    Source: Bhattacharyya (1943). It does not change when columns are scaled."""
    (means, covariances), (other_means, other_covariances) = model.emissions(), other.emissions()
    between = (covariances[:, None] + other_covariances[None]) / 2
    apart = means[:, None] - other_means[None]
    squares = np.einsum("ijk,ijk->ij", apart, np.linalg.solve(between, apart[..., None])[..., 0])
    volumes = (np.linalg.slogdet(model)[1] for model in (between, covariances[:, None], other_covariances[None]))
    pooled, first, second = volumes
    return np.maximum(squares / 8 + (pooled - (first + second) / 2) / 2, 0.0)


def hellinger(distance: np.ndarray) -> np.ndarray:
    """Hellinger's distance, 0 for equal Gaussians and 1 for those that share nothing, from Bhattacharyya's: √(1 − e^(−distance)).

    >>> hellinger(np.array([0.0, np.log(2)])).round(6).tolist()
    [0.0, 0.707107]
    """
    return np.sqrt(-np.expm1(-distance))


def aligned(model: RegimeModel, reference: RegimeModel) -> tuple[RegimeModel, np.ndarray]:
    """``model`` with its states in the order of ``reference`` and under its names, each paired with its counterpart, and Hellinger's distance
    of each pair. Of all pairings the one with the least sum of Bhattacharyya's distances (Hungarian method: Kuhn 1955)."""
    from scipy.optimize import linear_sum_assignment

    if model.columns != reference.columns or model.states != reference.states:
        raise BadRequest(
            f"a model of {model.states} states on {', '.join(model.columns)} cannot be paired with one of {reference.states} on {', '.join(reference.columns)}"
        )
    apart = distances(reference, model)
    rows, order = linear_sum_assignment(apart)
    return model.reordered(order, reference.names), hellinger(apart[rows, order])
