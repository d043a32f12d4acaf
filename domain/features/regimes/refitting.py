"""Regimes as they would have been known: a model is fitted on a window, used on the bars after it, and refitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.regimes.alignment import aligned
from domain.features.regimes.base import FEWEST, RegimeModel, labelled
from domain.features.regimes.fitting import Watch, fit


@dataclass(frozen=True)
class Refit:
    """A model and the rows it was trained on (``first`` to ``used_from`` − 1) and used on (``used_from`` to ``used_to`` − 1).

    ``distance``: mean of Hellinger's distances between its states and those of the model before, 0 (the same) to 1. ``agreement``: share of the rows
    up to ``used_from`` that both models have seen on which both filters give the same label. ``in_order``: the names, carried over from model to
    model, still stand in the order of the first column. ``remark``: why the model before was kept, where it was.
    """

    model: RegimeModel
    first: int
    used_from: int
    used_to: int
    distance: float
    agreement: float
    in_order: bool
    remark: str


@dataclass(frozen=True)
class WalkForward:
    """``probabilities``: filtered, of each state (column) at each row, made by a model of earlier rows alone; NaN before the first one."""

    probabilities: np.ndarray
    refits: tuple[Refit, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.refits[0].model.names

    @property
    def labels(self) -> pd.Categorical:
        """The most probable state at each row; none before the first model."""
        return labelled(self.probabilities, self.names)

    @property
    def stability(self) -> float:
        """Mean agreement of each model with the one before it, 0 to 1: 1 means that refitting renames nothing. NaN for a single model."""
        return _mean([refit.agreement for refit in self.refits[1:]])

    @property
    def table(self) -> pd.DataFrame:
        """One row a refit."""
        names = ("first", "used_from", "used_to", "distance", "agreement", "in_order", "remark")
        return pd.DataFrame([{name: getattr(refit, name) for name in names} | dict(bic=refit.model.bic, log_likelihood=refit.model.log_likelihood) for refit in self.refits])


def walk_forward(
    observations: pd.DataFrame, train: int, step: int, kind: str = "hmm", states: int | None = 3, seed: int = 0, restarts: int = 5, *,
    anchored: bool = False, watch: Watch = lambda share: None,
) -> WalkForward:  # fmt: skip
    """Filtered probabilities of every row from number ``train`` on, each by the latest model, which has seen none but earlier rows.

    A model is fitted on the ``train`` rows before it (``anchored``: on all before it) every ``step`` rows; its filter starts with its window, so
    that it knows where it stands when it is used. States of each refit are paired with those of the model before by what they emit, and bear its
    names. ``states`` None: BIC chooses in the first window, and later ones keep its number. A window on which no model is found keeps the one before.
    """
    walker = Walker(train, step, kind, states, seed, restarts, anchored=anchored)
    if len(observations) <= train:
        raise BadRequest(f"{len(observations)} rows leave none after a first window of {train}; give more bars or a shorter window")
    walker.fit(observations, watch)
    return WalkForward(walker.probabilities(observations), tuple(walker.refits))


class Walker:
    """The models of ``walk_forward``, each fitted once its window is there."""

    def __init__(self, train: int, step: int, kind: str = "hmm", states: int | None = 3, seed: int = 0, restarts: int = 5, *, anchored: bool = False) -> None:
        if train < FEWEST or step < 1:
            raise BadRequest(f"a window of {train} rows every {step}; train must be at least {FEWEST}, step at least 1")
        self._train, self._step, self._anchored, self._options = train, step, anchored, (kind, states, seed, restarts)
        self.refits: list[Refit] = []

    def fit(self, observations: pd.DataFrame, watch: Watch = lambda share: None) -> None:
        """The models that these rows allow; those of earlier rows, which the rows must begin with, stay."""
        starts = range(self._train, len(observations), self._step)
        for number, used_from in enumerate(starts[len(self.refits) :], len(self.refits)):
            first, used_to = 0 if self._anchored else used_from - self._train, min(used_from + self._step, len(observations))
            self.refits.append(_refit(observations, first, used_from, used_to, self.refits[-1] if self.refits else None, self._options, _part(watch, number, len(starts))))

    def probabilities(self, observations: pd.DataFrame, since: int = 0) -> np.ndarray:
        """Of the rows from number ``since`` on; NaN before the first model is used."""
        parts = [np.full((max(self._train - since, 0), self.refits[0].model.states), np.nan)]
        for refit in self.refits:
            used_to = min(refit.used_from + self._step, len(observations))
            if used_to > since:
                parts.append(refit.model.filtered(observations.iloc[refit.first : used_to])[max(refit.used_from, since) - refit.first :])
        return np.concatenate(parts)


def _part(watch: Watch, number: int, count: int) -> Callable[[float], None]:
    return lambda share: watch((number + share) / count)


def _refit(observations: pd.DataFrame, first: int, used_from: int, used_to: int, last: Refit | None, options: tuple[str, int | None, int, int], watch: Watch) -> Refit:
    kind, states, seed, restarts = options
    window = observations.iloc[first:used_from]
    if last is None:
        return Refit(fit(window, kind, states, seed, restarts, watch=watch), first, used_from, used_to, np.nan, np.nan, True, "")
    try:
        fitted = fit(window, kind, last.model.states, seed, restarts, before=last.model, watch=watch)
    except BadRequest as fault:
        return Refit(last.model, last.first, used_from, used_to, 0.0, 1.0, last.in_order, f"the model before was kept: {fault}")
    model, apart = aligned(fitted, last.model)
    agreement = _agreement(observations, model, first, last, used_from)
    means = model.emissions()[0][:, 0]
    return Refit(model, first, used_from, used_to, float(apart.mean()), agreement, bool((np.diff(means) >= 0).all()), "")


def _agreement(observations: pd.DataFrame, model: RegimeModel, first: int, last: Refit, until: int) -> float:
    since = max(first, last.first)
    own, other = (fitted.filtered(observations.iloc[start:until])[since - start :].argmax(axis=1) for fitted, start in ((model, first), (last.model, last.first)))
    return float((own == other).mean())


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else np.nan
