"""Gaussian mixtures, learned by scikit-learn's EM: each bar is classified on its own."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from domain.features.regimes.em import FLOOR, Learned, Parameters, Progress


def parameters_of(states: int, width: int) -> int:
    """Free parameters: weights, means and covariances.

    >>> parameters_of(2, 1)
    5
    """
    return states - 1 + states * width + states * width * (width + 1) // 2


def learn(rows: np.ndarray, lengths: np.ndarray, begin: Parameters, iterations: int, tolerance: float, progress: Progress) -> Learned:
    """EM from ``begin``, until a step gains less than ``tolerance`` nats or ``iterations`` are done. Stretches mean nothing to it."""
    precisions = np.linalg.inv(begin.covariances)
    machine = _watched()(
        len(begin.start), covariance_type="full", tol=tolerance / len(rows), reg_covar=FLOOR, max_iter=iterations, init_params="random_from_data", random_state=0,
        weights_init=begin.start / begin.start.sum(), means_init=begin.means, precisions_init=(precisions + precisions.swapaxes(1, 2)) / 2,
    )  # fmt: skip
    machine.progress = progress
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # that it did not converge in a few iterations
        machine.fit(rows)
    weights = machine.weights_ / machine.weights_.sum()
    return Learned(Parameters(weights, np.tile(weights, (len(weights), 1)), machine.means_, machine.covariances_), float(machine.lower_bound_) * len(rows))


@lru_cache
def _watched() -> Any:
    from sklearn.mixture import GaussianMixture

    class Watched(GaussianMixture):
        """scikit-learn's, which reports progress at each iteration."""

        progress: Progress

        def _m_step(self, *args: Any, **named: Any) -> None:
            self.progress()
            super()._m_step(*args, **named)

    return Watched
