"""Trees as arrays: ways of NaN and zero, ONNX, TreeSHAP, and arrays that are no trees."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.models.explain import contributions
from domain.models.export import rounded_down, trees
from domain.models.fakeout import Fakeout
from domain.models.forest import Forest
from domain.models.parity import parity, probes
from domain.models.quantiles import Quantiles
from domain.models.served import Served
from domain.models.trees import Trees, joined, of_lightgbm, trees_from
from tests.domain.models.samples import samples
from tests.domain.models.test_learners import ignore

pytestmark = pytest.mark.xdist_group("learners")


def fitted(learner: Any, task: str = "binary") -> Any:
    every = samples(task)
    return learner.fit(every.take(np.arange(700)), every.take(np.arange(700, 900)), 3, ignore)


def stump(threshold: float, missing_left: bool) -> Trees:
    """−1 up to the threshold, 1 above it."""
    tree = dict(feature=[0, 0, 0], threshold=[threshold, 0, 0], left=np.array([1, -1, -1]), right=np.array([2, -1, -1]), missing_left=[missing_left, 0, 0], value=[[0.0], [-1.0], [1.0]], cover=[4.0, 3.0, 1.0])
    return joined([tree], np.zeros(1), 1)


@pytest.mark.parametrize("missing_left", (True, False))
@pytest.mark.parametrize("threshold", (0.1, 1 / 3, -0.7, 1e-40, 0.0, -0.0, 1e308, -1e308, 3.4028234663852886e38, np.inf, -np.inf))
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_a_threshold_that_is_no_float32_parts_the_same_rows_in_onnx(threshold, missing_left):
    near = np.float32(threshold)
    rows = np.array([np.nextafter(near, np.float32(-9)), near, np.nextafter(near, np.float32(9)), np.nan, np.inf, -np.inf, 0.0, -0.0], dtype=np.float32)[:, None]
    expected = [-1.0 if value <= threshold or (np.isnan(value) and missing_left) else 1.0 for value in rows[:, 0].astype(np.float64)]
    tree = stump(threshold, missing_left)
    assert tree.sums(rows)[:, 0].tolist() == expected
    assert Served(trees([tree], ["value"]), 1).predict(rows)[:, 0].tolist() == expected


def test_no_node_of_onnx_carries_a_flag_for_nan():
    """A flag costs a test in every node of every row."""
    import onnx

    model = fitted(Forest(trees=4))
    assert model.trees.missing_left.any()
    given = {each.name: each for node in onnx.load_from_string(model.onnx()).graph.node for each in node.attribute}
    assert not any(given["nodes_missing_value_tracks_true"].ints)
    assert np.array_equal(Served(model.onnx(), 1).predict(samples().rows()), model.predict(samples().rows()).astype(np.float32))


def test_a_threshold_rounded_to_the_nearest_float32_would_part_other_rows():
    """What the usual converters do: the parity check finds it."""
    model = fitted(Fakeout(trees=12))
    wrong = [replace(model.trees[0], threshold=model.trees[0].threshold.astype(np.float32).astype(np.float64))]

    class Wrong:
        outputs, bars, predict, splits = model.outputs, 1, model.predict, model.splits

        def onnx(self) -> bytes:
            return trees(wrong, model.outputs, "sigmoid")

    rows = samples().rows()
    assert parity(model, rows)[1]
    assert not parity(Wrong(), rows)[1]  # type: ignore[arg-type]
    assert not parity(model, rows, model=Wrong().onnx())[1], "the ONNX that is stored is the one that is tried"


def test_numbers_are_rounded_down():
    random = np.random.default_rng(0)
    numbers = random.normal(size=1_000) * 10.0 ** random.integers(-300, 300, 1_000)
    down = rounded_down(numbers).astype(np.float64)
    assert (down <= numbers).all()
    with np.errstate(over="ignore"):
        assert (np.nextafter(down.astype(np.float32), np.float32(np.inf)).astype(np.float64) > numbers).all()


def test_lightgbm_takes_tiny_numbers_for_zero_and_so_do_the_trees():
    model = fitted(Fakeout(trees=40, patience=0, min_leaf=5))
    rows = samples().rows()[:200].copy()
    tiny = np.float32([1e-35, -1e-35, 1e-38, -1e-38, 0.0, -0.0, np.nextafter(np.float32(1e-35), np.float32(1)), -np.nextafter(np.float32(1e-35), np.float32(1))])
    for value in tiny:
        rows[:, 1] = value
        np.testing.assert_allclose(of_lightgbm(model.texts[0]).sums(rows)[:, 0], model.score(rows), rtol=0, atol=1e-14)


def test_a_column_without_gaps_in_training_takes_a_gap_as_lightgbm_does():
    every = samples()
    every = replace(every, matrix=np.nan_to_num(every.matrix, nan=0.3))
    model = Fakeout(trees=20).fit(every.take(np.arange(700)), every.take(np.arange(700, 900)), 3, ignore)
    rows = every.rows()[:100].copy()
    rows[:, 0] = np.nan
    np.testing.assert_allclose(of_lightgbm(model.texts[0]).sums(rows)[:, 0], model.score(rows), rtol=0, atol=1e-14)
    assert parity(model, rows)[1]


def test_contributions_are_those_of_lightgbm():
    model = fitted(Fakeout(trees=15, leaves=12, min_leaf=10))
    rows = samples().rows()[:60]
    np.testing.assert_allclose(contributions(model.trees[0], rows), model.contributions(rows), atol=1e-9)


def test_contributions_are_the_shapley_values_of_the_columns():
    """By the definition: over all coalitions, a column outside sends a row both ways by the training rows that went there."""
    model = fitted(Forest(trees=3, min_leaf=30))
    rows = samples().rows()[:4]
    for row, shares in zip(rows, model.contributions(rows), strict=True):
        for column in range(5):
            others = [name for name in range(5) if name != column]
            value = 0.0
            for size in range(5):
                for coalition in combinations(others, size):
                    part = factorial(size) * factorial(4 - size) / factorial(5)
                    value += part * (expected(model.trees, row, {*coalition, column}) - expected(model.trees, row, set(coalition)))
            assert shares[column] == pytest.approx(value, abs=1e-12)
        assert shares[5] == pytest.approx(expected(model.trees, row, set()))


def expected(trees: Trees, row: np.ndarray, known: set[int]) -> float:
    def at(node: int) -> float:
        left, right = trees.left[node], trees.right[node]
        if left < 0:
            return float(trees.value[node, 0])
        if trees.feature[node] not in known:
            return (trees.cover[left] * at(left) + trees.cover[right] * at(right)) / trees.cover[node]
        value = float(row[trees.feature[node]])
        return at(left if value <= trees.threshold[node] or (np.isnan(value) and trees.missing_left[node]) else right)

    return sum(at(root) for root in trees.roots)


@pytest.mark.parametrize(("name", "value"), [("left", 0), ("right", 99), ("feature", 7), ("feature", -1)])
def test_arrays_that_are_no_trees_are_refused(name, value):
    arrays = stump(0.5, True).arrays()
    assert trees_from(arrays, 1).columns == 1
    arrays[name] = arrays[name].copy()
    arrays[name][0] = value
    with pytest.raises(BadRequest, match="no trees"):
        trees_from(arrays, 1)
    with pytest.raises(BadRequest, match="not those of trees"):
        trees_from({**arrays, "left": arrays["left"].astype(np.int64)}, 1)


def test_a_few_rows_are_walked_to_the_last_bit_as_lightgbm_sums_them():
    """On random rows, on and beside every threshold, where columns are unknown, infinite, zero or nearly so."""
    every = samples("number")
    model = Quantiles(trees=25, leaves=12, min_leaf=3, patience=0).fit(every.take(np.arange(600)), every.take(np.arange(600, 700)), 3, ignore)
    rows = np.concatenate([*probes(model, every.rows()[700:]), odd(every.rows()[:200])])
    rows = rows[np.random.default_rng(0).permutation(len(rows))[:2_000]]
    together = np.stack([booster.predict(rows, num_threads=1) for booster in model.boosters], axis=1)
    np.testing.assert_array_equal(model.flat.sums(rows), together)
    np.testing.assert_array_equal(np.concatenate([model.predict(rows[at : at + 1]) for at in range(50)]), model.predict(rows)[:50])


def odd(rows: np.ndarray) -> np.ndarray:
    """Rows of which a column each is infinite, zero, or nearly so."""
    values = np.float32([np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 1e-38, np.finfo(np.float32).max])
    part = rows.copy()
    part[np.arange(len(part)), np.arange(len(part)) % part.shape[1]] = values[np.arange(len(part)) % len(values)]
    return part


def test_a_tree_that_never_split_is_walked_too():
    every = samples("number", 40)
    model = Quantiles(trees=3, min_leaf=100, patience=0).fit(every, every.take(np.arange(0)), 3, ignore)
    np.testing.assert_array_equal(model.predict(every.rows()[:2]), model.predict(every.rows())[:2])
