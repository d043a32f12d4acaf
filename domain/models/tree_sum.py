"""Fitted models that are sums of trees kept as arrays: forests, and what scikit-learn's histogram boosting grew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from domain.errors import BadRequest
from domain.models.files import Files, packed, sealed, unpacked
from domain.models.line import linked
from domain.models.rows import checked_rows
from domain.models.trees import Trees, trees_from

FILE = "trees.safetensors"


@dataclass(frozen=True)
class TreeSum:
    """``link``: identity where leaves are probabilities, sigmoid where they are log-odds."""

    learner: str
    outputs: tuple[str, ...]
    trees: Trees
    link: Literal["identity", "sigmoid"]
    bars: int = 1

    @property
    def columns(self) -> int:
        return self.trees.columns

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return linked(self.trees.sums(checked_rows(rows, self.columns)), self.link)

    def score(self, rows: np.ndarray) -> np.ndarray:
        """float64 n: the first output, before the link."""
        return self.trees.sums(checked_rows(rows, self.columns))[:, 0]

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """TreeSHAP of the first output."""
        from domain.models.explain import contributions

        return contributions(self.trees, checked_rows(rows, self.columns))

    def splits(self) -> list[tuple[int, float]]:
        return self.trees.splits()

    def files(self) -> dict[str, bytes]:
        return sealed(self.learner, dict(form="trees", outputs=self.outputs, link=self.link, columns=self.columns), {FILE: packed(self.trees.arrays())})

    def onnx(self) -> bytes:
        from domain.models.export import trees

        return trees([self.trees], self.outputs, self.link)


def tree_sum_from(learner: str, facts: Mapping[str, Any], files: Files) -> TreeSum:
    """The model whose facts ``opened`` gave."""
    trees = trees_from(unpacked(files[FILE]), facts["columns"])
    if trees.outputs != len(facts["outputs"]):
        raise BadRequest(f"the trees of this {learner} have {trees.outputs} outputs and not {len(facts['outputs'])}; take the model from where it was exported")
    return TreeSum(learner, tuple(facts["outputs"]), trees, facts["link"])
