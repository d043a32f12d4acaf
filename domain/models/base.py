"""What a learner is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

import numpy as np

from domain.registry import Registry

Class = TypeVar("Class", bound=type)
Task = Literal["binary", "classes", "number"]
Watch = Callable[..., None]         # (share of the fit, 0 to 1, loss on validation or None, or a ``Loss``); it may raise to stop
LEARNERS: Registry[type] = Registry("learner")


class Loss(float):
    """A loss of one of several models that a learner fits one after another: it makes a curve of its own.

    >>> loss = Loss(0.25, "q_0.1")
    >>> loss + 1.0, loss.of
    (1.25, 'q_0.1')
    """

    of: str

    def __new__(cls, value: float, of: str) -> Loss:
        loss = super().__new__(cls, value)
        loss.of = of
        return loss


def part_of(watch: Watch, number: int, names: Sequence[str]) -> Watch:
    """``watch`` of the fit of one model, ``names[number]``, of several that are fitted one after another.

    >>> part_of(lambda share, loss=None: print(share, loss, loss.of), 1, ("q_0.1", "q_0.9"))(0.5, 0.25)
    0.75 0.25 q_0.9
    """

    def part(share: float, loss: float | None = None) -> None:
        of = " ".join(filter(None, (names[number], getattr(loss, "of", ""))))
        watch((number + share) / len(names), None if loss is None else Loss(loss, of))

    return part


def learner(name: str, *, targets: tuple[str, ...], bars: int = 1) -> Callable[[Class], Class]:
    """Register a frozen dataclass of ``param`` fields under ``name``. ``targets``: names of targets that it can learn.
    ``bars``: rows of history that it looks at, or 0 where one of its parameters says so (``bars``)."""

    def register(cls: Class) -> Class:
        cls.name, cls.targets, cls.sees = name, targets, bars  # type: ignore[attr-defined]
        LEARNERS.add(name, cls)
        return cls

    return register


@dataclass(frozen=True)
class Samples:
    """Some rows of a matrix that all folds share, with their labels; ``matrix`` is never copied as a whole.

    ``matrix``: float32, bars × columns, NaN where nothing is known. ``at``: the row of each sample. ``y``: float64, a number, or the index of
    a class in ``classes``. ``start``, ``end``: int64 ns UTC, the deciding bar's end and the time at which the label is known. ``weight``: mean 1
    over what is trained on. ``instrument``: index of each sample's instrument. ``first``: the matrix's first row of that instrument, so that a
    window of history never reaches into another one. ``beside``: labels of other targets over the same spans, by the target's name, NaN where there is
    none; what learns several things at once takes them.
    """

    matrix: np.ndarray
    columns: tuple[str, ...]
    at: np.ndarray
    y: np.ndarray
    start: np.ndarray
    end: np.ndarray
    weight: np.ndarray
    instrument: np.ndarray
    first: np.ndarray
    task: Task = "number"
    classes: tuple[str, ...] = ()
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: np.ndarray) -> Samples:
        """Those samples, in that order; the matrix stays the same one."""
        picked = {name: getattr(self, name)[rows] for name in ("at", "y", "start", "end", "weight", "instrument", "first")}
        return replace(self, **picked, beside={name: values[rows] for name, values in self.beside.items()})

    def rows(self) -> np.ndarray:
        """float32, samples × columns: each sample's own row.

        >>> matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
        >>> zero = np.zeros(2, dtype=np.int64)
        >>> samples = Samples(matrix, ("a", "b"), np.array([2, 0]), zero * 0.0, zero, zero, zero + 1.0, zero, zero)
        >>> samples.rows().tolist()
        [[4.0, 5.0], [0.0, 1.0]]
        """
        return self.matrix[self.at]

    def window(self, bars: int) -> np.ndarray:
        """float32, samples × bars × columns, oldest row first; NaN where the instrument's rows do not reach back so far.

        >>> matrix = np.arange(3, dtype=np.float32).reshape(3, 1)
        >>> zero = np.zeros(1, dtype=np.int64)
        >>> Samples(matrix, ("a",), np.array([1]), zero * 0.0, zero, zero, zero + 1.0, zero, zero).window(3)[0, :, 0].tolist()
        [nan, 0.0, 1.0]
        """
        wanted = self.at[:, None] - np.arange(bars - 1, -1, -1)[None, :]
        windows = self.matrix[np.maximum(wanted, 0)]
        windows[wanted < self.first[:, None]] = np.nan
        return windows


class Learner(Protocol):
    """Before it has seen data: a frozen dataclass of ``param`` fields under ``@learner(name, targets=…)``."""

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Fitted:
        """Weights are ``train.weight``. ``validation`` stops early and is never trained on; it may be empty. ``watch(share, loss)`` may raise to stop."""


class Fitted(Protocol):
    """After it has seen data; immutable.

    ``outputs``: names of the columns of ``predict``: ``p`` (binary), ``p_CLASS`` each (classes), ``value`` or ``q_0.1`` … (number).
    ``bars``: rows of history that it looks at; 1 but for sequences.
    """

    @property
    def outputs(self) -> tuple[str, ...]: ...

    @property
    def bars(self) -> int: ...

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """float32 n × columns (n × bars × columns where ``bars`` > 1) -> float64 n × outputs. One row or a million: the same."""

    def files(self) -> dict[str, bytes]:
        """Everything that ``load(files)`` of the learner's module needs to give the same numbers: text or plain arrays, nothing that runs when it is read."""

    def onnx(self) -> bytes | None:
        """The model as ONNX, input ``rows`` (float32), output ``outputs`` (float32); None where its operators do not exist."""

    def contributions(self, rows: np.ndarray) -> np.ndarray | None:
        """float64 n × (columns + 1), adding up to the score of a row, the base value last; None where there are none."""
