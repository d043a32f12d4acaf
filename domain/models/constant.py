"""A model that says the same whatever the row: what a forecast without columns comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.models.files import Files, opened, sealed
from domain.models.rows import checked_rows


@dataclass(frozen=True)
class Constant:
    """``values``: a number for each output. ``columns``: how many a row has. ``spread``: interquartile range of the labels."""

    learner: str
    outputs: tuple[str, ...]
    values: tuple[float, ...]
    columns: int
    spread: float = 1.0
    bars: int = 1

    @classmethod
    def of(cls, learner: str, outputs: tuple[str, ...], values: Sequence[float] | np.ndarray, columns: int, spread: float = 1.0) -> Constant:
        return cls(learner, outputs, tuple(float(value) for value in values), columns, spread)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.tile(np.array(self.values), (len(checked_rows(rows, self.columns)), 1))

    def score(self, rows: np.ndarray) -> np.ndarray:
        return self.predict(rows)[:, 0]

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """No column contributes; the base value is the first output."""
        shares = np.zeros((len(rows), self.columns + 1))
        shares[:, -1] = self.values[0]
        return shares

    def files(self) -> dict[str, bytes]:
        return sealed(self.learner, dict(form="constant", outputs=self.outputs, values=self.values, columns=self.columns, spread=self.spread))

    def onnx(self) -> bytes:
        from domain.models.export import constant

        return constant(np.array(self.values), self.columns, self.outputs)


def load_constant(learner: str, files: Files) -> Constant:
    facts = opened(files, learner)
    return Constant.of(learner, tuple(facts["outputs"]), facts["values"], facts["columns"], facts["spread"])
