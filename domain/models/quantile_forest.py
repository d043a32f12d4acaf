"""Quantile regression forest: the labels of training, weighted by how often they share a leaf with a row (Meinshausen 2006)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from domain.errors import BadRequest
from domain.models.base import Samples, Watch, learner
from domain.models.files import Files, opened, packed, sealed, unpacked
from domain.models.growing import Growing, grown
from domain.models.levels import columns_of, levels_of
from domain.models.rows import checked_rows, needs
from domain.models.trees import Trees, of_forest, trees_from
from domain.models.waiting import waited
from domain.params import param

FILE = "forest.safetensors"
LABELS = dict(labels=np.float64, weight=np.float64, members=np.int32, size=np.int32)


@learner("quantile_forest", targets=("r", "return", "volatility"))
@dataclass(frozen=True)
class QuantileForest:
    """A forest whose leaves keep the labels that fell into them; a quantile is one of those labels, so levels never cross."""

    levels: str = param("0.1,0.5,0.9", title="Levels", help="levels of the quantiles, ascending")
    trees: int = param(100, low=1, high=2_000, title="Trees", help="number of trees")
    min_leaf: int = param(20, low=1, high=100_000, unit="samples", title="Samples in a leaf", help="least samples of a leaf")
    columns_share: float = param(0.33, low=0.01, high=1.0, title="Share of columns", help="share of the columns tried at each split, drawn at random")
    rows_share: float = param(1.0, low=0.01, high=1.0, title="Share of rows", help="size of each tree's bootstrap sample, as a share of the samples")

    def __post_init__(self) -> None:
        levels_of(self.levels)

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> LeafLabels:
        from sklearn.ensemble import RandomForestRegressor

        needs(train, 2, "quantile_forest")
        rows = train.rows()
        model = grown(RandomForestRegressor, Growing(self.trees, self.min_leaf, self.columns_share, self.rows_share), rows, train.y, train.weight, seed, watch)
        trees = of_forest(model.estimators_, [tree.tree_.value[:, :, 0] for tree in model.estimators_], len(train.columns))
        return waited(lambda: labelled(trees, rows, train.y, train.weight, levels_of(self.levels)), watch, 1.0)


@dataclass(frozen=True)
class LeafLabels:
    """``labels``: those of training, ascending, and their ``weight``. ``members``: for each leaf, in the order of the nodes, the places of its labels;
    ``size``: how many of them each node has, 0 where it is no leaf."""

    levels: tuple[float, ...]
    trees: Trees
    labels: np.ndarray
    weight: np.ndarray
    members: np.ndarray
    size: np.ndarray
    bars: int = 1

    @property
    def outputs(self) -> tuple[str, ...]:
        return columns_of(self.levels)

    @property
    def columns(self) -> int:
        return self.trees.columns

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """F(y) = Σ weights of labels up to y; a label's weight is the mean over the trees of its share in the row's leaf. The quantile is the smallest
        label at which F reaches the level."""
        from domain.models.kernels.leaf_labels import quantiles

        leaves = self.trees.leaves(checked_rows(rows, self.columns))
        starts = np.concatenate([[0], np.cumsum(self.size, dtype=np.int64)])
        return quantiles(leaves, starts, self.members, self.weight, self.labels, np.array(self.levels))

    def files(self) -> dict[str, bytes]:
        arrays = self.trees.arrays() | {name: getattr(self, name) for name in LABELS}
        return sealed("quantile_forest", dict(form="leaf labels", levels=self.levels, columns=self.columns), {FILE: packed(arrays)})

    def onnx(self) -> None:
        """None: ONNX has no operator for quantiles of the labels in leaves."""
        return None

    def contributions(self, rows: np.ndarray) -> None:
        """None: a quantile is no sum of the leaves."""
        return None


def labelled(trees: Trees, rows: np.ndarray, y: np.ndarray, weight: np.ndarray, levels: tuple[float, ...]) -> LeafLabels:
    """Every training row goes through every tree, those too that the tree did not grow from."""
    order, members, size = np.argsort(y, kind="stable"), [], np.zeros(len(trees.left), dtype=np.int32)
    for root in trees.roots:
        leaves = replace(trees, roots=np.array([root])).leaves(rows)[order, 0]
        members.append(np.argsort(leaves, kind="stable").astype(np.int32))
        size += np.bincount(leaves, minlength=len(size)).astype(np.int32)
    return LeafLabels(levels, trees, y[order], weight[order].astype(np.float64), np.concatenate(members), size)


def load(files: Files) -> LeafLabels:
    facts = opened(files, "quantile_forest")
    arrays = unpacked(files[FILE])
    trees = trees_from(arrays, facts["columns"])
    if not fitting(trees, arrays):
        raise BadRequest("the labels of this quantile_forest do not fit its leaves; take the model from where it was exported")
    labels, weight, members, size = (arrays[name].copy() for name in LABELS)      # arrays of a file cannot be written: another type to the compiler
    return LeafLabels(tuple(facts["levels"]), trees, labels, weight, members, size)


def fitting(trees: Trees, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the leaves' labels exist."""
    if any(name not in arrays or arrays[name].dtype != kind for name, kind in LABELS.items()):
        return False
    labels, weight, members, size = (arrays[name] for name in LABELS)
    if len(size) != len(trees.left) or len(weight) != len(labels) or (size < 0).any() or size.sum() != len(members):
        return False
    return bool(len(members) and members.min() >= 0 and members.max() < len(labels) and (size[trees.left < 0] > 0).all())
