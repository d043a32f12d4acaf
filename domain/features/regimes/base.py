"""A fitted regime model: Gaussians on scaled columns, how one state follows another, and the filter that gives the state probabilities at each bar.

Only filtered probabilities are exposed: those of a bar use that bar and earlier ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed, unknown
from domain.parsing import json_of

SCHEMA = "tidemark regimes 1"
KINDS = ("hmm", "mixture")
FEWEST, MOST = 2, 6             # states

Row = tuple[float, ...]
Matrix = tuple[Row, ...]


class Candidate(NamedTuple):
    """A number of states that was tried: its BIC, None where ``remark`` says why there is none."""

    states: int
    log_likelihood: float | None
    bic: float | None
    remark: str


class Packed(NamedTuple):
    """The model as the compiled filter takes it."""

    centre: np.ndarray
    spread: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    constants: np.ndarray
    log_start: np.ndarray
    transition: np.ndarray
    log_transition: np.ndarray


@dataclass(frozen=True)
class RegimeModel:
    """``means`` and ``covariances`` are of (column − ``centre``) ÷ ``spread``, mean and deviation of the rows it was trained on.

    ``start``: what is believed before the first bar, the stationary shares of ``transition``; of a mixture, its weights.
    ``transition``: from each state (row) to each at the next bar. A mixture has no memory and judges each bar alone: there it is the share of
    labels that followed each label in training, for those who want to know how long states last, and its probabilities do not use it.
    ``log_likelihood``: of the training rows, in nats; ``bic``: −2 log likelihood + free parameters × ln(rows), smaller is better.
    """

    kind: str
    columns: tuple[str, ...]
    names: tuple[str, ...]              # of the states
    centre: Row
    spread: Row
    means: Matrix
    covariances: tuple[Matrix, ...]
    start: Row
    transition: Matrix
    seed: int = 0
    log_likelihood: float = 0.0
    bic: float = 0.0
    rows: int = 0                       # known rows it was trained on
    trained: tuple[str, str] = ("", "")     # its first and its last row: times, or places where rows have no time
    candidates: tuple[Candidate, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    @property
    def states(self) -> int:
        return len(self.names)

    @cached_property
    def packed(self) -> Packed:
        from domain.features.kernels.forward import triangles

        factors, constants = triangles(np.array(self.covariances))
        start, transition = np.array(self.start), np.array(self.transition)
        if self.kind == "mixture":
            transition = np.tile(start, (self.states, 1))
        with np.errstate(divide="ignore"):
            return Packed(np.array(self.centre), np.array(self.spread), np.array(self.means), factors, constants, np.log(start), transition, np.log(transition))

    def filtered(self, observations: pd.DataFrame | np.ndarray) -> np.ndarray:
        """The probability of each state (column) at each row, given that row and those before it. A row with an unknown value leaves what was
        expected of it; rows before the first known one have the start, led through the transitions.

        >>> calm = ((0.25,),)
        >>> model = RegimeModel("hmm", ("x",), ("low", "high"), (0.0,), (1.0,), ((0.0,), (1.0,)), (calm, calm), (0.5, 0.5), ((0.9, 0.1), (0.2, 0.8)))
        >>> model.filtered(np.array([[0.0], [np.nan], [1.0]])).round(4).tolist()
        [[0.8808, 0.1192], [0.8166, 0.1834], [0.3137, 0.6863]]
        """
        return self.follow().extend(observations)

    def labels(self, probabilities: np.ndarray) -> pd.Categorical:
        """The most probable state at each row, the first of equals; none where probabilities are NaN.

        >>> calm = ((0.25,),)
        >>> model = RegimeModel("hmm", ("x",), ("low", "high"), (0.0,), (1.0,), ((0.0,), (1.0,)), (calm, calm), (0.5, 0.5), ((0.9, 0.1), (0.2, 0.8)))
        >>> list(model.labels(np.array([[0.2, 0.8], [0.5, 0.5]])))
        ['high', 'low']
        """
        return labelled(probabilities, self.names)

    def follow(self, belief: Sequence[Sequence[float]] | None = None) -> RegimeFilter:
        """A filter that goes bar by bar, from the beginning or from the belief that another one left."""
        return RegimeFilter(self, belief)

    def emissions(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of each state in the units of the columns."""
        spread = np.array(self.spread)
        return np.array(self.centre) + np.array(self.means) * spread, np.array(self.covariances) * np.outer(spread, spread)

    def reordered(self, order: Sequence[int], names: Sequence[str]) -> RegimeModel:
        """The same model, its states in another order and under these names."""
        rows = [int(k) for k in order]
        return replace(
            self, names=tuple(names), means=tuple(self.means[k] for k in rows), covariances=tuple(self.covariances[k] for k in rows),
            start=tuple(self.start[k] for k in rows), transition=tuple(tuple(self.transition[k][j] for j in rows) for k in rows),
        )  # fmt: skip

    def to_json(self) -> str:
        """All of it as plain numbers and words; ``from_json`` gives the very same model."""
        return json.dumps({"what": SCHEMA} | asdict(self) | {"candidates": [candidate._asdict() for candidate in self.candidates]}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> RegimeModel:
        """
        >>> RegimeModel.from_json('{"what": "tidemark bars 1"}')
        Traceback (most recent call last):
        ...
        domain.errors.BadRequest: this says it is 'tidemark bars 1'; a regime model says 'tidemark regimes 1'
        """
        document = json_of(text, "this regime model")
        schema = document.get("what") if isinstance(document, dict) else None
        if schema != SCHEMA:
            raise BadRequest(f"this says it is {schema!r}; a regime model says {SCHEMA!r}")
        return _read(cls, document)


class RegimeFilter:
    """What is believed after the latest bar; a bar more costs the same however many came before, and gives the bits the whole would."""

    def __init__(self, model: RegimeModel, belief: Sequence[Sequence[float]] | None = None) -> None:
        self.model, self.log_likelihood = model, 0.0
        self._belief = np.full((2, model.states), np.nan) if belief is None else np.array(belief, np.float64)
        if self._belief.shape != (2, model.states):
            raise BadRequest(f"this belief is of shape {self._belief.shape}; one of this model has 2 rows, logarithms and probabilities, of {model.states} states")

    @property
    def belief(self) -> list[list[float]]:
        """Logarithms and probabilities of the states after the latest bar, NaN before the first: plain numbers, which can be stored and continued from."""
        return self._belief.tolist()

    def append(self, row: Mapping[str, float] | Sequence[float]) -> np.ndarray:
        """The probabilities at a bar that has just closed."""
        values = [row[name] for name in self.model.columns] if isinstance(row, Mapping) else row
        return self.extend(np.array([values], np.float64))[0]

    def extend(self, observations: pd.DataFrame | np.ndarray) -> np.ndarray:
        """The probabilities at each of the next rows."""
        from domain.features.kernels.forward import forward

        probabilities, likelihood = forward(rows_of(observations, self.model.columns), *self.model.packed, self._belief)
        self.log_likelihood += likelihood
        return probabilities


def rows_of(observations: pd.DataFrame | np.ndarray, columns: Sequence[str]) -> np.ndarray:
    """The named columns as a table of float64, row by row in memory."""
    if isinstance(observations, pd.DataFrame):
        for name in columns:
            if name not in observations:
                raise unknown("column of the observations", name, observations.columns)
        observations = observations[list(columns)].to_numpy(np.float64)
    if observations.ndim != 2 or observations.shape[1] != len(columns):
        raise BadRequest(f"the observations are of shape {observations.shape}; the model needs {len(columns)} columns: {listed(columns, 8)}")
    return np.ascontiguousarray(observations, np.float64)


def labelled(probabilities: np.ndarray, names: Sequence[str]) -> pd.Categorical:
    """The name of the greatest of each row; none where a row is NaN."""
    codes = np.where(np.isnan(probabilities[:, 0]), -1, np.argmax(probabilities, axis=1))
    return pd.Categorical.from_codes(codes, categories=list(names), ordered=True)


def _read(cls: type[RegimeModel], document: dict[str, Any]) -> RegimeModel:
    wanted = {field.name for field in fields(cls)}
    missing, more = sorted(wanted - set(document)), sorted(set(document) - wanted - {"what"})
    if missing or more:
        raise BadRequest(f"this regime model {'lacks ' + listed(missing) if missing else 'has an unknown ' + listed(more)}; the model file is incompatible with this version")
    try:
        candidates = tuple(Candidate(int(item["states"]), _maybe(item["log_likelihood"]), _maybe(item["bic"]), str(item["remark"])) for item in document["candidates"])
        return cls(
            kind=str(document["kind"]), columns=_words(document["columns"]), names=_words(document["names"]), centre=_row(document["centre"]), spread=_row(document["spread"]),
            means=_matrix(document["means"]), covariances=tuple(_matrix(item) for item in document["covariances"]), start=_row(document["start"]), transition=_matrix(document["transition"]),
            seed=int(document["seed"]), log_likelihood=float(document["log_likelihood"]), bic=float(document["bic"]), rows=int(document["rows"]),
            trained=(str(document["trained"][0]), str(document["trained"][1])), candidates=candidates, versions=tuple((str(a), str(b)) for a, b in document["versions"]),
        )  # fmt: skip
    except (TypeError, ValueError, KeyError, IndexError):
        raise BadRequest("this regime model is damaged: a value in it has the wrong type or length; fit it again") from None


def _words(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def _row(values: Any) -> Row:
    return tuple(float(value) for value in values)


def _matrix(rows: Any) -> Matrix:
    return tuple(_row(row) for row in rows)


def _maybe(value: Any) -> float | None:
    return None if value is None else float(value)


def _check(model: RegimeModel) -> None:
    for fault in _faults(model):
        raise BadRequest(f"this is no regime model: {fault}")


def _faults(model: RegimeModel) -> Iterator[str]:
    states, width = len(model.names), len(model.columns)
    if model.kind not in KINDS:
        yield f"its kind is {model.kind!r}, not one of {', '.join(KINDS)}"
    if not FEWEST <= states <= MOST or len(set(model.names)) < states or not width:
        yield f"it has {states} states, {listed(model.names, 9)}, and {width} columns; {FEWEST} to {MOST} states have each a name of their own"
    shapes = dict(centre=(width,), spread=(width,), means=(states, width), covariances=(states, width, width), start=(states,), transition=(states, states))
    for name, shape in shapes.items():
        try:
            values = np.array(getattr(model, name), np.float64)
        except ValueError:
            values = np.zeros(0)
        if values.shape != shape or not np.isfinite(values).all():
            yield f"{name} is not {' × '.join(map(str, shape))} numbers"
    for name in ("start", "transition"):
        shares = np.array(getattr(model, name))
        if (shares < 0).any() or not np.allclose(shares.sum(axis=-1), 1.0, rtol=0, atol=1e-9):
            yield f"the probabilities of {name} do not add up to 1"
    if min(model.spread) <= 0:
        yield "a column has no spread"
    covariances = np.array(model.covariances)
    if not np.allclose(covariances, covariances.swapaxes(1, 2), rtol=1e-9, atol=0) or (np.linalg.eigvalsh(covariances) <= 0).any():
        yield "a covariance is not positive definite"
