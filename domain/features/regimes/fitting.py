"""Regime models from observations: several beginnings, the number of states by BIC, the same model for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed, unknown
from domain.features.regimes import hmm, mixture
from domain.features.regimes.base import FEWEST, KINDS, MOST, Candidate, Matrix, RegimeModel, Row, rows_of
from domain.features.regimes.em import FLOOR, Collapsed, Learned, Parameters, Progress, beginning, widened

LEARNERS: dict[str, Any] = {"hmm": hmm, "mixture": mixture}
SHORT, LONG = 10, 200       # iterations from every beginning, and on from the best of them
FINALISTS = 2
TOLERANCE = 1e-5            # nats a row: EM ends when a step gains less
RARELY = 1e-3               # of a row, added to each count of what followed what: a label that never came still has shares
NAMES = ("calm", "trend", "panic")
VOLATILITIES = {        # columns by whose mean states are named: the calmest first
    "log_volatility", "log_atr_share", "realised_volatility", "return_deviation", "parkinson", "garman_klass", "yang_zhang", "true_range", "atr", "atr_share",
    "atr_ratio", "bollinger_width", "seasonal_volatility", "volatility_rank",
}  # fmt: skip
Watch = Callable[[float], None]


class TrainingRows(NamedTuple):
    """The training rows: scaled, unknown ones left out, in stretches without a gap."""

    rows: np.ndarray
    lengths: np.ndarray
    centre: np.ndarray
    spread: np.ndarray


def fit(
    observations: pd.DataFrame, kind: str = "hmm", states: int | None = 3, seed: int = 0, restarts: int = 5, *, before: RegimeModel | None = None, watch: Watch = lambda share: None
) -> RegimeModel:  # fmt: skip
    """The most likely model of these rows that EM finds.

    Each column is scaled by its mean and deviation over the known rows, which the model keeps; a row with an unknown value is left out and ends
    a stretch. EM runs a few steps from each of ``restarts`` beginnings, and on to its end from the best two. ``states`` None: the number from 2 to
    6 with the least BIC (it leans to many where columns overlap in time, as windows do). States stand in the order of their mean in the first
    column. Three of them are called calm, trend and panic where that column is a volatility, else they are state 1 and so on: see ``names_of``.
    ``before``: a model that is one more beginning. ``watch`` receives the share done and may raise to stop. The same rows and seed give the same model, whatever the threads.
    """
    numbers = _state_counts(kind, states, restarts)
    columns = tuple(str(name) for name in observations)
    table = rows_of(observations, columns)
    material = _material(table, columns, kind, numbers)
    progress = _Iterations(watch, len(numbers) * ((restarts + (before is not None)) * SHORT + FINALISTS * LONG))
    models: dict[int, RegimeModel] = {}
    candidates = []
    with _one_thread():
        for step, number in enumerate(numbers):
            progress.at(step / len(numbers))
            try:
                parameters = _best(material, kind, number, seed, restarts, before, progress)
            except Collapsed as fault:
                candidates.append(Candidate(number, None, None, str(fault)))
                continue
            models[number] = _model(parameters, material, table, kind, columns, seed)
            candidates.append(Candidate(number, models[number].log_likelihood, models[number].bic, ""))
    if not models:
        raise BadRequest(f"these {len(material.rows)} rows hold no {_range_text(numbers)} states: {candidates[-1].remark}; ask for fewer states, other columns or more bars")
    watch(1.0)
    best = min(models.values(), key=lambda model: model.bic)
    return _finished(best, observations, candidates)


def names_of(states: int, first: str) -> tuple[str, ...]:
    """Names of states in the order of their mean in the column ``first``: calm and panic are names for a volatility only.

    >>> names_of(3, "log_volatility(48)"), names_of(3, "log_return(1)"), names_of(2, "atr_share(14)@H1")
    (('calm', 'trend', 'panic'), ('state 1', 'state 2', 'state 3'), ('state 1', 'state 2'))
    """
    is_volatility = states == len(NAMES) and first.partition("(")[0].partition("@")[0] in VOLATILITIES
    return NAMES if is_volatility else tuple(f"state {k + 1}" for k in range(states))


class _Iterations:
    """Iterations as a share of all there may be."""

    def __init__(self, watch: Watch, most: int) -> None:
        self.watch, self.most, self.done = watch, most, 0.0

    def at(self, share: float) -> None:
        self.done = share * self.most

    def __call__(self) -> None:
        self.done += 1
        self.watch(min(self.done / self.most, 1.0))


def _state_counts(kind: str, states: int | None, restarts: int) -> Sequence[int]:
    if kind not in KINDS:
        raise unknown("kind of regime model", kind, KINDS)
    if states is not None and not (isinstance(states, int) and FEWEST <= states <= MOST):
        raise BadRequest(f"states is {states}; it must be a whole number from {FEWEST} to {MOST}, or empty to let BIC choose")
    if restarts < 1:
        raise BadRequest(f"restarts is {restarts}; it must be at least 1")
    return range(FEWEST, MOST + 1) if states is None else [states]


def _range_text(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _material(table: np.ndarray, columns: Sequence[str], kind: str, numbers: Sequence[int]) -> TrainingRows:
    if not columns:
        raise BadRequest("a regime model needs at least one column")
    finite = np.isfinite(table)
    empty = [name for name, some in zip(columns, finite.any(axis=0), strict=True) if not some]
    if empty:
        raise BadRequest(f"{listed(empty)} {'has' if len(empty) == 1 else 'have'} no known value in these {len(table)} rows; leave it out")
    complete = finite.all(axis=1)
    needed = 3 * LEARNERS[kind].parameters_of(numbers[0], len(columns))
    if complete.sum() < needed:
        raise BadRequest(f"{complete.sum()} of {len(table)} rows are known in every column; {numbers[0]} states of {len(columns)} columns need {needed} at least")
    rows = table[complete]
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    flat = [name for name, deviation, at in zip(columns, spread, centre, strict=True) if not deviation > 1e-9 * max(abs(at), 1e-300)]
    if flat:
        raise BadRequest(f"{listed(flat)} {'does' if len(flat) == 1 else 'do'} not vary in these rows; leave it out")
    edges = np.flatnonzero(np.diff(np.concatenate(([False], complete, [False])).astype(np.int8)))
    return TrainingRows(np.ascontiguousarray((rows - centre) / spread), edges[1::2] - edges[::2], centre, spread)


def _best(material: TrainingRows, kind: str, states: int, seed: int, restarts: int, before: RegimeModel | None, progress: Progress) -> Parameters:
    """The parameters of the most probable finalist in which every state is valid."""
    random = np.random.default_rng([seed, states])
    begins = [beginning(material.rows, states, number, random) for number in range(restarts)]
    if before is not None and before.states == states and before.kind == kind:
        begins.append(_carried_over(before, material))
    fault: Collapsed = Collapsed("EM found nothing")
    learned: list[Learned] = []
    for begin in begins:
        try:
            learned.append(_learned(material, kind, begin, SHORT, progress))
        except Collapsed as error:
            fault = error
    finals: list[Learned] = []
    for candidate in sorted(learned, key=lambda candidate: -candidate.score):
        if len(finals) == FINALISTS:
            break
        try:
            finals.append(_sound(_learned(material, kind, candidate.parameters, LONG, progress), material))
        except Collapsed as error:
            fault = error
    if not finals:
        raise fault
    return max(finals, key=lambda candidate: candidate.score).parameters


def _learned(material: TrainingRows, kind: str, begin: Parameters, iterations: int, progress: Progress) -> Learned:
    return LEARNERS[kind].learn(material.rows, material.lengths, begin, iterations, TOLERANCE * len(material.rows), progress)


def _sound(learned: Learned, material: TrainingRows) -> Learned:
    """Refuses a state that has shrunk to nothing in some direction, or that hardly any row is in."""
    narrow = np.linalg.eigvalsh(learned.parameters.covariances).min(axis=1) <= 2 * FLOOR
    if narrow.any():
        raise Collapsed("a state has shrunk until it has no width in some direction, as where two columns say the same or one holds a single value again and again")
    rows_held, fewest = learned.parameters.start * len(material.rows), 5 * (material.rows.shape[1] + 1)
    if rows_held.min() < fewest:
        raise Collapsed(f"a state holds {rows_held.min():.1f} rows; it takes {fewest} to know one")
    return learned


def _carried_over(before: RegimeModel, material: TrainingRows) -> Parameters:
    means, covariances = before.emissions()
    scale = np.outer(material.spread, material.spread)
    return Parameters(np.array(before.start), np.array(before.transition), (means - material.centre) / material.spread, widened(covariances / scale))


def _model(parameters: Parameters, material: TrainingRows, table: np.ndarray, kind: str, columns: tuple[str, ...], seed: int) -> RegimeModel:
    """The model with its states in order, and the likelihood that its own filter gives the training rows."""
    order, states = np.argsort(parameters.means[:, 0], kind="stable"), len(parameters.start)
    start, transition = parameters.start[order], parameters.transition[np.ix_(order, order)]
    model = RegimeModel(
        kind, columns, names_of(states, columns[0]), _row(material.centre), _row(material.spread), _matrix(parameters.means[order]),
        tuple(_matrix(covariance) for covariance in parameters.covariances[order]), _row(start), _matrix(transition), seed, rows=len(material.rows), versions=_versions(),
    )  # fmt: skip
    follow = model.follow()
    probabilities = follow.extend(table)
    if kind == "mixture":
        transition = _followed(np.argmax(probabilities, axis=1), np.isfinite(table).all(axis=1), states)
    bic = -2 * follow.log_likelihood + LEARNERS[kind].parameters_of(states, len(columns)) * np.log(len(material.rows))
    return replace(model, transition=_matrix(transition), log_likelihood=float(follow.log_likelihood), bic=float(bic))


def _followed(labels: np.ndarray, complete: np.ndarray, states: int) -> np.ndarray:
    """How often each label followed each, from one known row to the next."""
    adjacent = complete[1:] & complete[:-1]
    counts = np.bincount(labels[:-1][adjacent] * states + labels[1:][adjacent], minlength=states * states).reshape(states, states)
    return (counts + RARELY) / (counts + RARELY).sum(axis=1, keepdims=True)


def _finished(model: RegimeModel, observations: pd.DataFrame, candidates: list[Candidate]) -> RegimeModel:
    first, last = (str(observations.index[k]) for k in (0, -1))
    return replace(model, trained=(first, last), candidates=tuple(candidates))


def _one_thread() -> Any:
    """One thread of BLAS: sums then come in one order."""
    from sklearn.utils.parallel import _get_threadpool_controller

    return _get_threadpool_controller().limit(limits=1, user_api="blas")


def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in ("hmmlearn", "numpy", "scikit-learn", "scipy"))


def _row(values: np.ndarray) -> Row:
    return tuple(float(value) for value in values)


def _matrix(values: np.ndarray) -> Matrix:
    return tuple(_row(value) for value in values)
