"""Gaussian hidden Markov models, learned by hmmlearn's EM. Its smoothed states are never used: they depend on later bars."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from domain.features.regimes.em import Learned, Parameters, Progress, floored, stationary, widened


def parameters_of(states: int, width: int) -> int:
    """Free parameters: transitions, means and covariances; the start follows from the transitions.

    >>> parameters_of(2, 1)
    6
    """
    return states * (states - 1) + states * width + states * width * (width + 1) // 2


def learn(rows: np.ndarray, lengths: np.ndarray, begin: Parameters, iterations: int, tolerance: float, progress: Progress) -> Learned:
    """EM from ``begin`` over stretches of rows, until a step gains less than ``tolerance`` nats or ``iterations`` are done."""
    machine = _floored()(len(begin.start), covariance_type="full", n_iter=iterations, tol=tolerance, params="stmc", init_params="", covars_prior=0.0, implementation="scaling")
    machine.startprob_, machine.transmat_, machine.means_, machine._covars_ = floored(begin.start), floored(begin.transition), begin.means, begin.covariances
    machine.n_features, machine.progress = rows.shape[1], progress
    machine.monitor_ = _monitor()(tolerance, iterations, False)
    machine.fit(rows, lengths)
    return Learned(Parameters(stationary(machine.transmat_), machine.transmat_, machine.means_, machine._covars_), float(machine.monitor_.history[-1]))


@lru_cache
def _monitor() -> Any:
    from hmmlearn.base import ConvergenceMonitor

    class Quiet(ConvergenceMonitor):
        """hmmlearn's, without its warning: a floor may cost a step a little likelihood."""

        def report(self, log_prob: float) -> None:
            self.history.append(log_prob)
            self.iter += 1

    return Quiet


@lru_cache
def _floored() -> Any:
    from hmmlearn.hmm import GaussianHMM

    from domain.features.kernels.forward import all_densities, triangles

    class Floored(GaussianHMM):
        """hmmlearn's, with floors under variances and transitions, and densities that cannot underflow: each bar's are divided by their greatest,
        and the likelihood gets that back."""

        progress: Progress
        startprob_: np.ndarray
        transmat_: np.ndarray
        _covars_: np.ndarray

        def _estep_begin(self) -> None:
            self.progress()
            self.taken_off = 0.0

        def _compute_log_likelihood(self, rows: np.ndarray) -> np.ndarray:
            zeros, ones = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
            log_densities = all_densities(rows, zeros, ones, self.means_, *triangles(self._covars_))
            top = log_densities.max(axis=1)
            self.taken_off += float(top.sum())
            return log_densities - top[:, None]

        def _compute_lower_bound(self, likelihood: float) -> float:
            return likelihood + self.taken_off

        def _do_mstep(self, statistics: dict[str, np.ndarray]) -> None:
            with np.errstate(all="ignore"):
                super()._do_mstep(statistics)
            self._covars_ = widened(self._covars_)
            self.startprob_, self.transmat_ = floored(self.startprob_), floored(self.transmat_)

    return Floored
