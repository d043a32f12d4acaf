"""Fitted models of LightGBM: a text for each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from domain.errors import BadRequest
from domain.models.boosting import some_lightgbm, threads
from domain.models.files import Files, opened, sealed
from domain.models.flat import Flat, flat_of
from domain.models.rows import checked_rows
from domain.models.tree_sum import TreeSum, tree_sum_from
from domain.models.trees import Trees, of_lightgbm

FEW = 8         # rows up to which they are walked here, one after another: a call of the library costs as much as many rows


@dataclass(frozen=True)
class Boosted:
    """``texts``: LightGBM's text for each output. ``link``: sigmoid for a probability, identity for a number."""

    learner: str
    outputs: tuple[str, ...]
    texts: tuple[str, ...]
    link: Literal["identity", "sigmoid"]
    columns: int
    spread: float = 1.0
    bars: int = 1

    @cached_property
    def boosters(self) -> list[Any]:
        library = some_lightgbm()
        return [library.Booster(model_str=text) for text in self.texts]

    @cached_property
    def trees(self) -> list[Trees]:
        return [of_lightgbm(text) for text in self.texts]

    @cached_property
    def flat(self) -> Flat:
        return flat_of(self.trees)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        rows = checked_rows(rows, self.columns)
        if not len(rows):
            return np.empty((0, len(self.outputs)))
        if len(rows) <= FEW and self.link == "identity":
            return self.flat.sums(rows)
        return np.stack([booster.predict(rows, num_threads=threads(rows.size)) for booster in self.boosters], axis=1)

    @property
    def explained(self) -> int:
        """The output that ``score`` and ``contributions`` are of: the probability, or the level nearest to the median."""
        levels = [float(output.removeprefix("q_")) for output in self.outputs] if len(self.outputs) > 1 else [0.5]
        return int(np.argmin(np.abs(np.array(levels) - 0.5)))

    def score(self, rows: np.ndarray) -> np.ndarray:
        """float64 n: log-odds of a probability, or the quantile nearest to the median."""
        rows = checked_rows(rows, self.columns)
        return self.boosters[self.explained].predict(rows, raw_score=True, num_threads=threads(rows.size))

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """TreeSHAP (Lundberg et al. 2020), by LightGBM."""
        rows = checked_rows(rows, self.columns)
        return self.boosters[self.explained].predict(rows, pred_contrib=True, num_threads=threads(rows.size))

    def splits(self) -> list[tuple[int, float]]:
        return sorted({split for trees in self.trees for split in trees.splits()})

    def files(self) -> dict[str, bytes]:
        facts = dict(form="lightgbm", outputs=self.outputs, link=self.link, columns=self.columns, spread=self.spread)
        return sealed(self.learner, facts, {name: text.encode() for name, text in zip(names(self.outputs), self.texts, strict=True)})

    def onnx(self) -> bytes:
        from domain.models.export import trees

        return trees(self.trees, self.outputs, self.link)


def names(outputs: Sequence[str]) -> list[str]:
    """
    >>> names(("p",)), names(("q_0.1", "q_0.9"))
    (['p.lightgbm.txt'], ['q_0.1.lightgbm.txt', 'q_0.9.lightgbm.txt'])
    """
    return [f"{output}.lightgbm.txt" for output in outputs]


def load_boosted(learner: str, files: Files) -> Boosted | TreeSum:
    facts = opened(files, learner)
    if facts["form"] == "trees":
        return tree_sum_from(learner, facts, files)
    outputs = tuple(facts["outputs"])
    if set(names(outputs)) != set(facts["sha256"]):
        raise BadRequest(f"the files of this {learner} are not those of its outputs; take the model from where it was exported")
    return Boosted(learner, outputs, tuple(files[name].decode() for name in names(outputs)), facts["link"], facts["columns"], facts["spread"])
