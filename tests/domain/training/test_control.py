"""The control: exact where labels are exchangeable, red where the pipeline saw what it may not."""

from __future__ import annotations

import numpy as np
import pytest

from domain.training.control import control, control_folds, permuted, pooled_auc
from tests.domain.training.predicted import fold, result, sample_set


def folds_of(n: int = 3, size: int = 200):
    return [fold(k, np.arange(k * size), np.arange(k * size, (k + 1) * size)) for k in range(n)]


def of_labels(y: np.ndarray, folds, score, task: str = "binary", name: str = "p", classes: tuple[str, ...] = ()):
    """The control of predictions that ``score`` makes from the true labels of a fold."""
    samples = sample_set(y, task=task, classes=classes)
    return control([result(each.number, samples, each.parts["test"], {name: score(y[each.parts["test"]])}) for each in folds], task, classes)


def test_labels_and_r_are_permuted_together_and_nothing_else_is():
    import dataclasses

    @dataclasses.dataclass(frozen=True)
    class Set:
        samples: object
        r: np.ndarray

    y = np.arange(50.0)
    whole = Set(sample_set(y).samples, y * 2)
    drawn = permuted(whole, 4)
    assert sorted(drawn.samples.y) == list(y) and (drawn.samples.y != y).any() and (drawn.r == drawn.samples.y * 2).all()
    assert drawn.samples.start is whole.samples.start and (permuted(whole, 4).samples.y == drawn.samples.y).all()
    assert (permuted(whole, 5).samples.y != drawn.samples.y).any()


def test_folds_of_the_control_test_no_sample_twice():
    from itertools import combinations

    groups = np.split(np.arange(60), 6)
    folds = [fold(k, [], np.concatenate([groups[g] for g in pair])) for k, pair in enumerate(combinations(range(6), 2))]
    chosen = control_folds(folds)
    tested = np.concatenate([each.parts["test"] for each in chosen])
    assert len(chosen) == 3 and len(np.unique(tested)) == len(tested) == 60
    assert [each.number for each in control_folds(folds_of(9))] == [0, 4, 8] and len(control_folds(folds_of(2))) == 2


def test_the_error_of_a_pooled_auc_is_that_of_permuted_labels():
    """Over 2,000 permutations: mean 0.5, and the standard error that is given; ties too."""
    draw = np.random.default_rng(0)
    parts = [(draw.uniform(size=40) < 0.3, draw.normal(size=40)), (draw.uniform(size=25) < 0.6, draw.integers(0, 3, 25) * 1.0)]
    values = [pooled_auc([(draw.permutation(y), score) for y, score in parts]) for _ in range(2_000)]
    areas, errors = np.array(values).T
    assert np.ptp(errors) < 1e-12 and areas.std() == pytest.approx(errors[0], rel=0.06) and abs(areas.mean() - 0.5) < 4 * errors[0] / 2_000**0.5


def test_one_fold_has_the_auc_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    draw = np.random.default_rng(2)
    y, score = draw.uniform(size=80) < 0.4, draw.normal(size=80)
    assert pooled_auc([(y, score)])[0] == pytest.approx(roc_auc_score(y, score))


def test_folds_are_compared_within_themselves():
    """A prior that differs between folds knows nothing, though over all rows it would put folds in order."""
    y = np.array([0.0] * 150 + [1.0] * 50 + [0.0] * 50 + [1.0] * 150)
    answer = of_labels(y, folds_of(2), lambda labels: np.full(len(labels), labels.mean()))
    assert answer["state"] == "green" and answer["auc"] == 0.5


def test_noise_is_green_and_a_glimpse_of_the_labels_is_red():
    draw = np.random.default_rng(7)
    y = (draw.uniform(size=600) < 0.5) * 1.0
    green = of_labels(y, folds_of(), lambda labels: draw.uniform(size=len(labels)))
    assert green["state"] == "green" and abs(green["auc"] - 0.5) <= 4 * green["auc_error"] and green["rows"] == 600 and green["folds"] == 3
    red = of_labels(y, folds_of(), lambda labels: draw.uniform(size=len(labels)) + 0.4 * labels)
    assert red["state"] == "red" and "leaks" in red["sentence"] and red["auc"] > 0.6
    upside = of_labels(y, folds_of(), lambda labels: draw.uniform(size=len(labels)) - 0.4 * labels)
    assert upside["state"] == "red" and upside["auc"] < 0.4


def test_numbers_are_judged_by_their_rank_correlation():
    draw = np.random.default_rng(9)
    y = draw.normal(size=600)
    green = of_labels(y, folds_of(), lambda labels: draw.normal(size=len(labels)), "number", "value")
    assert green["state"] == "green" and green["ic_error"] == pytest.approx(600**-0.5) and green["auc"] is None
    red = of_labels(y, folds_of(), lambda labels: draw.normal(size=len(labels)) + 0.5 * labels, "number", "q_0.5")
    assert red["state"] == "red" and red["rank_ic"] > 0.3


def test_of_classes_the_furthest_counts():
    draw = np.random.default_rng(11)
    y = draw.integers(0, 3, 600) * 1.0
    samples, names = sample_set(y, task="classes", classes=("down", "flat", "up")), ("down", "flat", "up")

    def answer(known: float):
        results = []
        for each in folds_of():
            rows = each.parts["test"]
            p = draw.uniform(size=(len(rows), 3))
            p[:, 2] += known * (y[rows] == 2)
            results.append(result(each.number, samples, rows, {f"p_{name}": p[:, k] for k, name in enumerate(names)}))
        return control(results, "classes", names)

    assert answer(0.0)["state"] == "green" and answer(0.5)["state"] == "red"


def test_nothing_to_measure_is_open_not_green():
    assert control([], "binary")["state"] == "open"
    only = of_labels(np.ones(200), folds_of(1), lambda labels: np.linspace(0, 1, len(labels)))
    assert only["state"] == "open" and only["auc"] is None and only["auc_error"] is None
