"""Tuning: what is chosen, what is given up, and that an interrupted tuning goes on as it would have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.models.base import Samples
from domain.optimise import Dimension
from domain.training import tune as tuning
from domain.training.question import Question
from domain.training.search_space import Tuning, space_of
from domain.training.splits import Fold
from domain.training.tune import mean_loss, question_at, trial, tune
from domain.training.tuned import places, smoothed, tuned

QUESTION = Question((), ("", ""), "volatility", {}, "lstm", {}, ())
SPACE = {"learning_rate": {"low": 0.0001, "high": 0.1, "log": True}, "units": [8, 64]}
FOLDS = tuple(Fold(k, {"train": np.arange(100), "validation": np.arange(100, 140), "calibration": np.arange(0), "test": np.arange(0)}, np.arange(0)) for k in range(3))
NOTHING = Samples(np.zeros((1, 1), np.float32), ("a",), *[np.zeros(0)] * 7)


@pytest.fixture
def valley(monkeypatch):
    """A loss with its lowest place at a rate of 0.003 and 40 units, the same in each fold but for a tenth of its number; the folds that were fitted."""
    fitted: list[tuple[int, float]] = []

    def loss(listing, fold, question, watch=None):
        rate, width = question.learner_params["learning_rate"], question.learner_params["units"]
        fitted.append((fold.number, rate))
        return (np.log10(rate) - np.log10(0.003)) ** 2 + ((width - 40) / 30) ** 2 + 0.1 * fold.number

    monkeypatch.setattr(tuning, "validation_loss", loss)
    return fitted


def test_the_valley_is_found_and_every_trial_is_a_row(valley):
    result = tune(QUESTION, NOTHING, FOLDS, SPACE, Tuning(trials=40, seed=1))
    assert len(result.table) == 40 and result.table["number"].tolist() == list(range(40)) and result.table["chosen"].sum() == 1
    assert abs(np.log10(result.params["learning_rate"]) - np.log10(0.003)) < 0.5 and abs(result.params["units"] - 40) < 12
    complete = result.table[result.table["loss"].notna()]
    rate, width = complete["learning_rate"].to_numpy(), complete["units"].to_numpy()
    assert np.allclose(complete["loss"], (np.log10(rate) - np.log10(0.003)) ** 2 + ((width - 40) / 30) ** 2 + 0.1)     # folds 0, 1, 2: 0.1 on average


def test_trials_are_given_up_by_fold_and_cost_no_more_folds(valley):
    result = tune(QUESTION, NOTHING, FOLDS, SPACE, Tuning(trials=30, seed=1))
    given_up = result.table[result.table["given_up"]]
    assert len(given_up) and given_up["loss"].isna().all() and given_up["folds"].between(1, 2).all()
    assert len(valley) == result.table["folds"].sum() < 90
    assert not result.table["given_up"].iloc[:5].any()
    whole = tune(QUESTION, NOTHING, FOLDS, SPACE, Tuning(trials=10, seed=1, prune=False))
    assert whole.table["folds"].eq(3).all()


def test_given_its_trials_again_a_tuning_goes_on_as_it_would_have(valley):
    settings = Tuning(trials=16, batch=4, seed=3)
    space = space_of("lstm", SPACE)
    whole = tune(QUESTION, NOTHING, FOLDS, SPACE, settings)
    again, points, results = tuning.suggestions_of(settings, space), [], []
    for first in (0, 4):                                    # two batches, then the process dies
        batch = again.batch()
        news = [trial(QUESTION, NOTHING, FOLDS, first + k, point, tuning.to_beat(results, 3)) for k, point in enumerate(batch)]
        again.learn(news)
        points, results = points + batch, results + news
    later, reported = tuning.suggestions_of(settings, space), list(results)
    for first in (0, 4):
        assert later.batch() == points[first : first + 4]
        later.learn(reported[first : first + 4])
    while batch := later.batch():
        news = [trial(QUESTION, NOTHING, FOLDS, len(results) + k, point, tuning.to_beat(results, 3)) for k, point in enumerate(batch)]
        later.learn(news)
        points, results = points + batch, results + news
    pd.testing.assert_frame_equal(tuned(points, results, space).table, whole.table)


def test_a_lucky_trial_among_bad_ones_is_not_chosen():
    """At 0.9 one trial of 0.1 has neighbours of 1; at 0.1 to 0.3 all are 0.3. The best alone is the first, the best neighbourhood the second."""
    at = [0.10, 0.15, 0.20, 0.25, 0.30, 0.80, 0.85, 0.90, 0.95, 1.00]
    loss = [0.3, 0.3, 0.3, 0.3, 0.3, 1.0, 1.0, 0.1, 1.0, 1.0]
    results = [tuning.TrialResult(k, (-value,), (), False, dict(loss=value, folds=3.0)) for k, value in enumerate(loss)]
    chosen = tuned([dict(x=x) for x in at], results, [Dimension("x", 0.0, 1.0)])
    assert chosen.params["x"] in at[:5] and chosen.table["loss"].idxmin() == 7
    assert chosen.table["nearest"].iloc[7] == pytest.approx((4 * 1.0 + 0.1) / 5)


def test_neighbours_are_measured_on_the_axes_as_they_are_searched():
    space = [Dimension("learning_rate", 0.001, 1.0, log=True), Dimension("kind", choices=("a", "b"))]
    at = places([dict(learning_rate=0.001, kind="a"), dict(learning_rate=1.0, kind="a"), dict(learning_rate=0.001, kind="b"), dict(learning_rate=0.0316228, kind="a")], space)
    far = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2))
    assert far[0].round(4).tolist() == [0.0, 1.0, 0.7071, 0.5]
    assert smoothed(np.zeros((2, 1)), np.array([1.0, 3.0])).tolist() == [2.0, 2.0]


def test_heat_maps_have_a_cell_of_the_mean_place_and_higher_is_better(valley):
    result = tune(QUESTION, NOTHING, FOLDS, SPACE, Tuning(trials=60, sampler="random", prune=False, seed=2))
    (pair, cells), = result.maps().items()
    assert pair == ("learning_rate", "units") and cells["points"].sum() == 60 and cells["x"].nunique() <= 8 and cells["y"].nunique() <= 8
    best = cells.loc[cells["value"].idxmax()]
    assert 0.001 < best["x"] < 0.01 and 25 < best["y"] < 55


def test_losses_by_hand():
    """log loss −ln 0.8 and −ln 0.5; squares of 1 and 2; pinball at 0.1 and 0.9 of errors 1 and −1 around crossed quantiles, that are put in order first."""
    def samples(task, y, classes=()):
        zero = np.zeros(len(y), np.int64)
        return Samples(np.zeros((1, 1), np.float32), ("a",), zero, np.array(y, float), zero, zero, zero + 1.0, zero, zero, task, classes)

    assert mean_loss(samples("binary", [1, 0]), ("p",), np.array([[0.8], [0.5]])) == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)
    assert mean_loss(samples("classes", [2], ("a", "b", "c")), ("p_a", "p_b", "p_c"), np.array([[0.2, 0.3, 0.5]])) == pytest.approx(np.log(2))
    assert mean_loss(samples("number", [1, 0]), ("value",), np.array([[0.0], [2.0]])) == pytest.approx(2.5)
    assert mean_loss(samples("number", [0.0]), ("q_0.1", "q_0.9"), np.array([[1.0, -1.0]])) == pytest.approx(0.1)


def test_what_cannot_be_tuned_is_refused(valley):
    with pytest.raises(UnknownName, match="no parameter to search named 'learning_rat'; did you mean 'learning_rate'"):
        space_of("lstm", {"learning_rat": [0.1, 0.2]})
    empty = Fold(1, {**FOLDS[0].parts, "validation": np.arange(5)}, np.arange(0))
    with pytest.raises(BadRequest, match="fold 1 validates on 5 samples; tuning needs at least 30"):
        tune(QUESTION, NOTHING, (FOLDS[0], empty), SPACE, Tuning(trials=2))
    refused = trial(QUESTION, NOTHING, FOLDS, 0, {"units": 10**9}, None)
    assert refused.values is None and "units" in refused.refused and not valley
    with pytest.raises(BadRequest, match="no combination could be tried: units"):
        tuned([{"units": 10**9}], [refused], [Dimension("units", 8, 64, integer=True)])


def test_weights_and_half_life_may_be_searched_too():
    request = question_at(QUESTION, {"half_life": 100.0, "learning_rate": 0.01})
    assert request.fitting.half_life == 100.0 and request.learner_params == {"learning_rate": 0.01} and request.hash != QUESTION.hash
