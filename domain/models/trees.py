"""Ensembles of decision trees as plain arrays, whichever library grew them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from domain.errors import BadRequest

KINDS = dict(feature=np.int32, threshold=np.float64, left=np.int32, right=np.int32, missing_left=np.bool_, value=np.float64, cover=np.float64, roots=np.int64, base=np.float64)

ZERO = np.float32(1e-35)


@dataclass(frozen=True)
class Trees:
    """A row goes left where its feature is at most ``threshold``, or is NaN and ``missing_left``; the leaves that it comes to are added to ``base``.

    All trees' nodes one after another, those of a tree from ``roots[i]`` on, each before its children. ``left`` and ``right``: places in these
    arrays, −1 in a leaf. ``value``: nodes × outputs, read in leaves. ``cover``: weight of training rows in a node. ``base``: a number each output.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    cover: np.ndarray
    roots: np.ndarray
    base: np.ndarray
    columns: int

    @property
    def outputs(self) -> int:
        return self.value.shape[1]

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """float32 n × columns -> float64 n × outputs."""
        from domain.models.kernels.trees import sums

        return sums(rows, self.feature, self.threshold, self.left, self.right, self.missing_left, self.value, self.roots, self.base)

    def leaves(self, rows: np.ndarray) -> np.ndarray:
        """int32 n × trees: the node in which each row ends."""
        from domain.models.kernels.trees import leaves

        return leaves(rows, self.feature, self.threshold, self.left, self.right, self.missing_left, self.roots)

    def tree_of(self) -> np.ndarray:
        """The number of each node's tree."""
        return np.searchsorted(self.roots, np.arange(len(self.left)), side="right") - 1

    def place_in_tree(self) -> np.ndarray:
        """The number of each node within its tree."""
        return np.arange(len(self.left)) - self.roots[self.tree_of()]

    def splits(self) -> list[tuple[int, float]]:
        """Column and threshold of every split, each once."""
        inner = np.flatnonzero(self.left >= 0)
        return sorted({(int(self.feature[at]), float(self.threshold[at])) for at in inner})

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name).astype(kind) for name, kind in KINDS.items()}


def trees_from(arrays: Mapping[str, np.ndarray], columns: int) -> Trees:
    """Trees of stored arrays, once they are known to be trees: a walk through them ends, and inside them."""
    if any(name not in arrays or arrays[name].dtype != kind for name, kind in KINDS.items()):
        raise BadRequest("the arrays of this model are not those of trees; take the model from where it was exported")
    trees = Trees(**{name: arrays[name].copy() for name in KINDS}, columns=columns)      # arrays of a file cannot be written: another type to the compiler
    if not sound(trees):
        raise BadRequest("the arrays of this model are no trees: a child or a feature lies outside; take the model from where it was exported")
    return trees


def sound(trees: Trees) -> bool:
    """Whether each child stands after its parent in the same tree, and each feature is a column."""
    count = len(trees.left)
    per_node = (trees.feature, trees.threshold, trees.left, trees.right, trees.missing_left, trees.value, trees.cover)
    if any(len(array) != count for array in per_node) or trees.value.ndim != 2 or len(trees.base) != trees.outputs or not len(trees.roots):
        return False
    if trees.roots[0] != 0 or (np.diff(trees.roots) <= 0).any() or trees.roots[-1] >= count:
        return False
    inner, tree, places = trees.left >= 0, trees.tree_of(), np.arange(count)
    ends = np.append(trees.roots[1:], count)[tree]
    inside = [(side[inner] > places[inner]).all() and (side[inner] < ends[inner]).all() for side in (trees.left, trees.right)]
    return bool(all(inside) and ((trees.feature[inner] >= 0) & (trees.feature[inner] < trees.columns)).all())


def joined(trees: Sequence[Mapping[str, Any]], base: np.ndarray, columns: int) -> Trees:
    """Trees one after another; each has the arrays of ``Trees`` with children counted within it."""
    starts = np.cumsum([0, *(len(tree["left"]) for tree in trees)])
    moved = [dict(tree, **{side: np.where(tree[side] < 0, -1, tree[side] + start) for side in ("left", "right")}) for tree, start in zip(trees, starts, strict=False)]
    names = [field.name for field in fields(Trees) if field.name not in ("roots", "base", "columns")]
    arrays: dict[str, Any] = {name: np.concatenate([np.asarray(tree[name]) for tree in moved]).astype(KINDS[name]) for name in names}
    return Trees(**arrays, roots=starts[:-1].astype(np.int64), base=np.asarray(base, dtype=np.float64), columns=columns)


def of_lightgbm(text: str) -> Trees:
    """The trees of a LightGBM model's text. A feature without NaN in training takes NaN as 0, so it goes where 0 goes."""
    header, *sections = text.split("\nTree=")
    columns = int(_facts(header)["max_feature_idx"]) + 1
    return joined([_lightgbm_tree(_facts(section.split("\nend of trees")[0])) for section in sections], np.zeros(1), columns)


def _facts(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.splitlines() if "=" in line)


def _lightgbm_tree(facts: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Its inner nodes first, then its leaves; there a child is −1 − the number of a leaf."""
    leaves = np.array(facts["leaf_value"].split(), dtype=np.float64)
    inner = len(leaves) - 1
    leaf_cover = np.array(facts.get("leaf_count", "1").split() or ["1"], dtype=np.float64)
    if not inner:
        return leaf(leaves, leaf_cover)
    numbers = {name: np.array(facts[name].split(), dtype=np.float64) for name in ("split_feature", "threshold", "decision_type", "left_child", "right_child", "internal_count")}
    kinds = numbers["decision_type"].astype(np.int64)
    missing, default_left = (kinds >> 2) & 3, (kinds >> 1) & 1
    if (kinds & 1).any() or (missing == 1).any():
        raise BadRequest("this LightGBM model has categories, or takes 0 as missing; only models trained here can be read")
    pad = np.zeros(len(leaves))
    children = {side: np.where(numbers[f"{side}_child"] >= 0, numbers[f"{side}_child"], inner - 1 - numbers[f"{side}_child"]) for side in ("left", "right")}
    return dict(
        feature=np.append(numbers["split_feature"], pad),
        threshold=np.append(zeroed(numbers["threshold"]), pad),
        left=np.append(children["left"], pad - 1),
        right=np.append(children["right"], pad - 1),
        missing_left=np.append(np.where(missing == 2, default_left, numbers["threshold"] >= 0), pad),
        value=np.append(np.zeros(inner), leaves)[:, None],
        cover=np.append(numbers["internal_count"], leaf_cover),
    )


def zeroed(thresholds: np.ndarray) -> np.ndarray:
    """Thresholds that decide as LightGBM does, which takes a value no further than 1e-35 from 0 for 0."""
    below, tiny = np.nextafter(-ZERO, np.float32(-np.inf)), np.abs(thresholds) <= ZERO
    return np.where(tiny, np.where(thresholds < 0, np.float64(below), np.float64(ZERO)), thresholds)


def leaf(value: np.ndarray, cover: np.ndarray) -> dict[str, np.ndarray]:
    zero, none = np.zeros(1), -np.ones(1)
    return dict(feature=zero, threshold=zero, left=none, right=none, missing_left=zero, value=value[:, None], cover=cover[:1])


def of_forest(estimators: Sequence[Any], values: Sequence[np.ndarray], columns: int) -> Trees:
    """The trees of scikit-learn's forest: ``values`` are each tree's, nodes × outputs, and are averaged."""
    trees = []
    for estimator, value in zip(estimators, values, strict=True):
        tree = estimator.tree_
        leaf = tree.children_left < 0
        trees.append(dict(
            feature=np.where(leaf, 0, tree.feature), threshold=np.where(leaf, 0.0, tree.threshold), left=tree.children_left, right=tree.children_right,
            missing_left=np.where(leaf, 0, tree.missing_go_to_left), value=value / len(estimators), cover=tree.weighted_n_node_samples,
        ))  # fmt: skip
    return joined(trees, np.zeros(trees[0]["value"].shape[1]), columns)


def of_histograms(predictors: Sequence[Any], base: float, columns: int) -> Trees:
    """The trees of scikit-learn's histogram boosting, one a round."""
    trees = []
    for predictor in predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(dict(
            feature=np.where(leaf, 0, nodes["feature_idx"]), threshold=np.where(leaf, 0.0, nodes["num_threshold"]), left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
            right=np.where(leaf, -1, nodes["right"].astype(np.int64)), missing_left=np.where(leaf, 0, nodes["missing_go_to_left"]),
            value=np.where(leaf, nodes["value"], 0.0)[:, None], cover=nodes["count"].astype(np.float64),
        ))  # fmt: skip
    return joined(trees, np.array([base]), columns)
