"""Properties of the states of a fitted model: expected duration, frequency, and detection lag."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.features.regimes.base import RegimeModel
from domain.features.regimes.em import stationary

SIMULATED_BARS = 50_000      # bars that are drawn from a model to see how late its filter knows


class Detection(NamedTuple):
    """Per state: mean bars from the bar in which a visit began to the first that is labelled so, of visits that were noticed at all; the share of
    visits that ended before they were; and the share of bars labelled with the state they were in. NaN for a state that was not visited."""

    delay: np.ndarray
    missed: np.ndarray
    right: np.ndarray


def sojourns(model: RegimeModel) -> np.ndarray:
    """Bars that a visit to each state lasts on average: 1 ÷ (1 − p), p the probability of staying.

    >>> calm = ((0.25,),)
    >>> sojourns(RegimeModel("hmm", ("x",), ("low", "high"), (0.0,), (1.0,), ((0.0,), (1.0,)), (calm, calm), (0.5, 0.5), ((0.9, 0.1), (0.2, 0.8)))).round(6).tolist()
    [10.0, 5.0]
    """
    with np.errstate(divide="ignore"):
        return 1.0 / (1.0 - np.diag(np.array(model.transition)))


def shares(model: RegimeModel) -> np.ndarray:
    """The share of bars in each state in the long run."""
    return stationary(np.array(model.transition))


def detection(model: RegimeModel, bars: int = SIMULATED_BARS, seed: int = 0) -> Detection:
    """How late the filter knows, measured where the truth is known: on ``bars`` drawn from the model itself. The first visit and the last are left
    out. No real bar is used, so there is no hindsight; where the market differs from the model, the lag is longer."""
    states, observations = _simulated(model, bars, np.random.default_rng(seed))
    labels = model.filtered(observations).argmax(axis=1)
    begins = np.flatnonzero(np.diff(states)) + 1
    first, last = begins[:-1], begins[1:]
    noticed = _next_of(labels, states)[first]
    of, noticed_in_time, count = states[first], noticed < last, model.states
    visits, detected = (np.bincount(of[chosen], minlength=count) for chosen in (slice(None), noticed_in_time))
    late = np.bincount(of[noticed_in_time], (noticed - first)[noticed_in_time], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.bincount(states, minlength=count)
        return Detection(late / detected, 1 - detected / visits, np.bincount(states[labels == states], minlength=count) / inside)


def facts(model: RegimeModel, bars: int = SIMULATED_BARS, seed: int = 0) -> pd.DataFrame:
    """One row a state: ``state, share, sojourn, delay, missed, right`` and the mean of each column in its own unit.
    ``sojourn`` and ``delay`` are bars, the others shares; see ``sojourns``, ``shares`` and ``Detection``."""
    detected = detection(model, bars, seed)
    columns = dict(state=model.names, share=shares(model), sojourn=sojourns(model), delay=detected.delay, missed=detected.missed, right=detected.right)
    means = model.emissions()[0]
    return pd.DataFrame(columns | {name: means[:, k] for k, name in enumerate(model.columns)})


def _simulated(model: RegimeModel, bars: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """States along the transitions, and a row of each in the units of the columns."""
    from domain.features.kernels.forward import walk

    transition = np.array(model.transition)
    states = walk(np.cumsum(transition, axis=1), random.random(bars), int(np.argmax(shares(model))))
    means, covariances = model.emissions()
    noise = random.standard_normal((bars, len(model.columns)))
    return states, means[states] + np.einsum("tij,tj->ti", np.linalg.cholesky(covariances)[states], noise)


def _next_of(labels: np.ndarray, states: np.ndarray) -> np.ndarray:
    """The first place from each on at which the label is the state of that place."""
    places = np.full(len(states), len(states))
    for state in np.unique(states):
        at = np.append(np.flatnonzero(labels == state), len(states))
        own = np.flatnonzero(states == state)
        places[own] = at[np.searchsorted(at, own)]
    return places
