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
    if train < FEWEST or step < 1:
        raise BadRequest(f"a window of {train} rows every {step}; train must be at least {FEWEST}, step at least 1")
    starts = range(train, len(observations), step)
    if not starts:
        raise BadRequest(f"{len(observations)} rows leave none after a first window of {train}; give more bars or a shorter window")
    parts, refits = list[np.ndarray](), list[Refit]()
    for number, used_from in enumerate(starts):
        first, used_to = 0 if anchored else used_from - train, min(used_from + step, len(observations))
        part = _part(watch, number, len(starts))
        refit = _refit(observations, first, used_from, used_to, refits[-1] if refits else None, (kind, states, seed, restarts), part)
        refits.append(refit)
        parts.append(refit.model.filtered(observations.iloc[refit.first : used_to])[used_from - refit.first :])
    before = np.full((train, refits[0].model.states), np.nan)
    return WalkForward(np.concatenate([before, *parts]), tuple(refits))


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
