"""Learners of trees and lines, compared with the libraries they rest on and with their definitions."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from domain.errors import BadRequest
from domain.models.climatology import Climatology
from domain.models.fakeout import Fakeout
from domain.models.forest import Forest
from domain.models.histograms import in_threads
from domain.models.linear import Linear
from domain.models.no_change import NoChange
from domain.models.parity import parity
from domain.models.prior import Prior
from domain.models.quantile_forest import QuantileForest
from domain.models.quantiles import Quantiles
from domain.models.waiting import waited
from tests.domain.models.samples import samples

pytestmark = pytest.mark.xdist_group("learners")
TRAIN, REST = np.arange(700), np.arange(700, 900)


def ignore(share: float, loss: float | None = None) -> None:
    """Nobody watches."""


def fit(learner: Any, every: Any, seed: int = 3) -> Any:
    return learner.fit(every.take(TRAIN), every.take(REST), seed, ignore)


def test_prior_is_the_weighted_share_of_each_class():
    every = samples("classes")
    weight, y = every.weight[TRAIN], every.y[TRAIN]
    expected = [weight[y == number].sum() / weight.sum() for number in range(3)]
    np.testing.assert_allclose(fit(Prior(), every).predict(every.rows()[:1])[0], expected, rtol=1e-12)


def test_climatology_has_a_share_of_the_weight_under_each_level():
    every = samples("number")
    weight, y = every.weight[TRAIN], every.y[TRAIN]
    for level, value in zip((0.1, 0.5, 0.9), fit(Climatology(levels="0.1,0.5,0.9"), every).predict(every.rows()[:1])[0], strict=True):
        assert weight[y < value].sum() < level * weight.sum() <= weight[y <= value].sum() + 1e-9
    assert fit(Climatology(), every).predict(every.rows()[:1])[0, 0] == pytest.approx(np.average(y, weights=weight))


def test_no_change_is_zero_for_a_return_and_lies_evenly_around_it():
    every = samples("number")
    assert fit(NoChange(), every).predict(every.rows()[:1]).tolist() == [[0.0]]
    low, middle, high = fit(NoChange(levels="0.1,0.5,0.9"), every).predict(every.rows()[:1])[0]
    inside = np.abs(every.y[TRAIN]) <= high
    assert (low, middle) == (-high, 0.0) and np.average(inside, weights=every.weight[TRAIN]) == pytest.approx(0.8, abs=0.005)


def test_no_change_of_volatility_goes_by_the_column_of_present_volatility():
    from dataclasses import replace

    every = samples("number")
    column = np.nan_to_num(every.matrix[:, 2]).astype(np.float64)
    every = replace(every, columns=("atr_ratio(14, 100)", "b", "realised_volatility(20)@H1", "atr(14)", "e"), y=5.0 + 0.5 * column)
    known = np.isfinite(every.matrix[:, 2])
    np.testing.assert_allclose(fit(NoChange(), every).predict(every.rows())[known, 0], every.y[known], atol=0.02)
    assert NoChange(column="b").present(every.columns) == 1 and NoChange().present(("atr_ratio(14, 100)",)) is None
    with pytest.raises(BadRequest, match="there is no column 'c' of present volatility; there are atr_ratio"):
        fit(NoChange(column="c"), every)


def test_no_change_of_a_class_is_how_often_it_occurred_lately():
    every = samples()
    lately = every.y[TRAIN][-50:]
    assert fit(NoChange(recent=50), every).predict(every.rows()[:1])[0, 0] == pytest.approx((lately.sum() + 0.5) / 51)


def test_logistic_regression_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    for task in ("binary", "classes"):
        every = samples(task)
        fitted = fit(Linear(l2=2.0), every)
        z = fitted.standard(every.rows())
        other = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(z[TRAIN], every.y[TRAIN], sample_weight=every.weight[TRAIN]).predict_proba(z)
        np.testing.assert_allclose(fitted.predict(every.rows()), other[:, -len(fitted.outputs) :], atol=2e-4)


def test_ridge_regression_is_that_of_scikit_learn():
    from sklearn.linear_model import Ridge

    every = samples("number")
    fitted = fit(Linear(l2=3.0), every)
    z = fitted.standard(every.rows())
    other = Ridge(alpha=3.0).fit(z[TRAIN], every.y[TRAIN], sample_weight=every.weight[TRAIN])
    np.testing.assert_allclose(fitted.predict(every.rows())[:, 0], other.predict(z), rtol=1e-9)


def test_linear_quantiles_move_with_the_columns_and_cover_what_they_say():
    every = samples("number", count=3_000)
    train = every.take(np.arange(2_000))
    fitted = Linear(levels="0.1,0.9", l2=0.01).fit(train, train, 0, ignore)
    below = every.y[:, None] <= fitted.predict(every.rows())
    np.testing.assert_allclose(np.average(below[:2_000], axis=0, weights=train.weight), (0.1, 0.9), atol=0.001)
    np.testing.assert_allclose(below[2_000:].mean(axis=0), (0.1, 0.9), atol=0.03)
    assert (fitted.coefficients[:, 0] > 0.3e-3).all(), "y rises with the first column, by about 0.001 a unit"


def test_fakeout_is_what_lightgbm_grows_by_itself():
    import lightgbm

    every, learner = samples(), Fakeout(trees=25, patience=0)
    train = every.take(TRAIN)
    params = dict(objective="binary", learning_rate=0.05, num_leaves=15, min_data_in_leaf=50, feature_fraction=0.8, lambda_l2=1.0, seed=3, deterministic=True, force_row_wise=True, verbosity=-1, num_threads=1)
    plain = lightgbm.train(params, lightgbm.Dataset(train.rows(), train.y, weight=train.weight, params=params), 25)
    np.testing.assert_array_equal(fit(learner, every).predict(every.rows())[:, 0], plain.predict(every.rows()))


def test_two_threads_grow_the_same_trees_as_one(monkeypatch):
    from domain.models import boosting

    monkeypatch.setattr(boosting, "threads", lambda cells: 2)
    two = fit(Fakeout(trees=6, rows_share=0.7), samples()).texts[0]
    monkeypatch.setattr(boosting, "threads", lambda cells: 1)
    alone = fit(Fakeout(trees=6, rows_share=0.7), samples()).texts[0]
    assert two.replace("[num_threads: 2]", "[num_threads: 1]") == alone and "[num_threads: 2]" in two


def test_fakeout_reports_each_round_and_keeps_the_best():
    every, received = samples(), []
    fitted = Fakeout(trees=80, learning_rate=0.5, patience=5).fit(every.take(TRAIN), every.take(REST), 3, lambda share, loss=None: received.append((share, loss)))
    losses = [loss for _, loss in received if loss is not None]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 5 < 80, "it stops five rounds after the best"
    assert len(fitted.trees[0].roots) == best + 1
    p, rest = fitted.predict(every.rows()[REST])[:, 0], every.take(REST)
    assert losses[best] == pytest.approx(-np.average(np.where(rest.y > 0, np.log(p), np.log(1 - p)), weights=rest.weight))


def test_histogram_boosting_is_what_scikit_learn_grows_by_itself_and_stops_at_the_best_round():
    from sklearn.ensemble import HistGradientBoostingClassifier

    every = samples()
    train = every.take(TRAIN)
    fitted = fit(Fakeout(trees=20, patience=0, columns_share=1.0, engine="sklearn"), every)
    best = len(fitted.trees.roots)
    plain = HistGradientBoostingClassifier(learning_rate=0.05, max_iter=best, max_leaf_nodes=15, min_samples_leaf=50, l2_regularization=1.0, early_stopping=False, random_state=3)
    with in_threads(1):
        other = plain.fit(train.rows(), train.y, sample_weight=train.weight).predict_proba(every.rows())[:, 1]
    np.testing.assert_allclose(fitted.predict(every.rows())[:, 0], other, rtol=1e-12)


def test_where_lightgbm_cannot_be_loaded_scikit_learn_serves(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "lightgbm", None)
    assert fit(Fakeout(trees=5), samples()).files().keys() == {"learner.json", "trees.safetensors"}
    with pytest.raises(BadRequest, match="LightGBM cannot be loaded here; install libgomp"):
        fit(Fakeout(trees=5, engine="lightgbm"), samples())
    with pytest.raises(BadRequest, match="take another learner"):
        fit(Quantiles(), samples("number"))


def test_a_forest_grown_in_steps_is_the_forest_grown_at_once_and_balanced():
    from sklearn.ensemble import RandomForestClassifier

    every = samples("classes")
    train, y = every.take(TRAIN), every.y[TRAIN].astype(int)
    totals = np.bincount(y, weights=train.weight)
    weight = train.weight * (train.weight.sum() / (3 * totals))[y]
    plain = RandomForestClassifier(25, min_samples_leaf=20, random_state=3).fit(train.rows(), y, sample_weight=weight)
    np.testing.assert_allclose(fit(Forest(trees=25), every).predict(every.rows()), plain.predict_proba(every.rows()), atol=1e-12)


def test_a_class_that_does_not_occur_has_no_probability():
    every = samples("classes")
    rows = TRAIN[every.y[TRAIN] != 1]
    p = Forest(trees=5).fit(every.take(rows), every.take(REST), 3, ignore).predict(every.rows())
    assert (p[:, 1] == 0).all() and p.shape == (900, 3)


def test_each_quantile_is_lightgbms_own():
    import lightgbm

    every = samples("number")
    train = every.take(TRAIN)
    params = dict(objective="quantile", alpha=0.9, learning_rate=0.1, num_leaves=15, min_data_in_leaf=100, feature_fraction=0.8, lambda_l2=1.0, seed=3, deterministic=True, force_row_wise=True, verbosity=-1, num_threads=1)
    plain = lightgbm.train(params, lightgbm.Dataset(train.rows(), train.y, weight=train.weight, params=params), 10)
    fitted = fit(Quantiles(trees=10, patience=0, levels="0.1,0.9"), every)
    assert fitted.outputs == ("q_0.1", "q_0.9")
    np.testing.assert_array_equal(fitted.predict(every.rows())[:, 1], plain.predict(every.rows()))


def test_a_quantile_forest_weighs_labels_by_the_leaves_they_share_with_a_row():
    """By the definition, row by row, with every training row in every tree (Meinshausen 2006, section 3)."""
    every = samples("number", count=900)
    fitted = fit(QuantileForest(trees=7, min_leaf=15, levels="0.05,0.5,0.8"), every)
    train = every.take(TRAIN)
    inside, rows = fitted.trees.leaves(train.rows()), every.rows()[REST][:40]
    for leaves, quantiles in zip(fitted.trees.leaves(rows), fitted.predict(rows), strict=True):
        weight = np.zeros(len(train))
        for tree, leaf in enumerate(leaves):
            shares = np.where(inside[:, tree] == leaf, train.weight, 0.0)
            weight += shares / shares.sum() / 7
        order = np.argsort(train.y)
        reached = np.cumsum(weight[order])
        assert quantiles.tolist() == [train.y[order][np.flatnonzero(reached >= level - 1e-9)[0]] for level in (0.05, 0.5, 0.8)]


class Stop(Exception):
    """What a person's cancel raises in ``watch``."""


def test_a_call_that_cannot_be_interrupted_is_left_within_half_a_second():
    def stop(share: float, loss: float | None = None) -> None:
        raise Stop

    start = time.perf_counter()
    with pytest.raises(Stop):
        waited(lambda: time.sleep(1.5), stop)
    assert time.perf_counter() - start < 0.5


def test_a_fault_in_a_waited_call_is_raised_where_it_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        waited(lambda: 1 / 0, ignore)


def test_numbers_are_compared_by_the_spread_of_the_labels():
    every = samples("number")
    fitted = fit(Linear(), every)
    largest, holds = parity(fitted, every.rows(), every.y)
    assert holds and 0 < largest < 1e-9
    assert not parity(fitted, every.rows(), every.y * 1e-9)[1]


@pytest.mark.parametrize("levels", ("", "0.9,0.1", "0.5,1", "x"))
def test_levels_that_make_no_sense_are_refused(levels):
    for learner in (Quantiles, QuantileForest):
        with pytest.raises(BadRequest, match="levels is"):
            learner(levels=levels)


def test_a_line_is_the_same_whatever_the_number_of_threads():
    every, lines = samples("number", 20_000, 8), []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            lines.append(Linear(levels="0.1").fit(every, every.take(np.arange(0)), 3, ignore))
    assert lines[0].files() == lines[1].files()
