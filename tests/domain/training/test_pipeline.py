"""A fold: what is fitted on which part, and that its outputs know nothing of their own labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.training.pipeline import baselines_of, fit_fold, fit_pipeline, load_pipeline
from domain.training.question import Fitting, question_from
from domain.training.splits import WalkForward, folds
from tests.domain.training.drawn_samples import HOUR, SCHEME, binary_set, number_set, question_of


@pytest.fixture(scope="module")
def binary():
    listing = binary_set()
    return listing, folds(listing.samples.start, listing.samples.end, WalkForward(**SCHEME))


@pytest.fixture(scope="module")
def number():
    listing = number_set()
    return listing, folds(listing.samples.start, listing.samples.end, WalkForward(**SCHEME))


def test_a_fold_predicts_its_test_part_and_nothing_else(binary):
    listing, parts = binary
    result = fit_fold(listing, parts[0], question_of())
    frame = result.predictions
    assert frame["sample"].tolist() == parts[0].parts["test"].tolist() and (frame["fold"] == 0).all()
    assert [*frame] == ["fold", "path", "sample", "start", "end", "y", "p", "raw_p", "r", "taken", "size"]
    assert np.array_equal(frame["y"], listing.samples.y[frame["sample"]]) and np.array_equal(frame["r"], listing.r[frame["sample"]])
    assert set(result.baselines) == {"prior", "no_change"} and result.sizes["test"] == len(frame)     # linear is the learner itself here
    prior, names = result.baselines["prior"]
    assert names == ("p",) and np.allclose(prior, listing.samples.y[parts[0].parts["train"]].mean(), atol=0.01)
    assert frame["r"][frame["taken"]].mean() > frame["r"].mean() + 0.2


def test_labels_of_the_test_part_change_no_output(binary):
    listing, parts = binary
    y = listing.samples.y.copy()
    y[parts[0].parts["test"]] = 1 - y[parts[0].parts["test"]]
    other = replace(listing, samples=replace(listing.samples, y=y), r=np.where(y > 0, 1.0, -1.0))
    first, second = (fit_fold(each, parts[0], question_of(), baselines=False).predictions for each in (listing, other))
    assert np.array_equal(first[["p", "raw_p", "taken", "size"]], second[["p", "raw_p", "taken", "size"]])


def test_columns_after_the_last_label_change_no_model(binary):
    listing, parts = binary
    fold = parts[0]
    matrix = listing.samples.matrix.copy()
    matrix[listing.samples.at[fold.parts["calibration"]].max() + 1:] = 1e6
    other = replace(listing, samples=replace(listing.samples, matrix=matrix))
    assert fit_pipeline(listing, fold, question_of()).files() == fit_pipeline(other, fold, question_of()).files()


def test_a_model_that_was_stored_gives_the_same_numbers_and_in_any_order(binary):
    listing, parts = binary
    pipeline = fit_pipeline(listing, parts[0], question_of(fitting=Fitting(filter="share", share=0.4, size="meta")))
    again = load_pipeline(pipeline.files())
    expected = pipeline.predict(listing.samples)
    assert again.predict(listing.samples).equals(expected) and again.files() == pipeline.files()
    order = np.random.default_rng(1).permutation(len(listing))
    assert pipeline.predict(listing.samples.take(order)).equals(expected.iloc[order].reset_index(drop=True))
    assert (expected["size"][expected["taken"]] > 0).all() and (expected["size"][~expected["taken"]] == 0).all()


def test_onnx_gives_the_same_decisions(binary):
    listing, parts = binary
    pipeline = fit_pipeline(listing, parts[0], question_of())
    native, served = pipeline.predict(listing.samples), pipeline.predict(listing.samples, "onnx")
    assert np.abs(native["raw_p"] - served["raw_p"]).max() < 1e-6 and (native["taken"] == served["taken"]).mean() > 0.999


def test_quantiles_are_in_order_with_margins_by_labels_that_have_ended(number):
    listing, parts = number
    question = question_of("return", params=dict(levels="0.1,0.5,0.9"), fitting=Fitting(conformal="adaptive", gamma=0.05))
    result = fit_fold(listing, parts[1], question, baselines=False)
    frame = result.predictions
    assert (np.diff(frame[["q_0.1", "q_0.5", "q_0.9"]], axis=1) >= 0).all()
    assert not np.array_equal(frame["q_0.1"], frame["raw_q_0.1"])
    until = 100
    y = listing.samples.y.copy()
    y[frame["sample"].to_numpy()[until:]] = 1e3
    late = fit_fold(replace(listing, samples=replace(listing.samples, y=y)), parts[1], question, baselines=False).predictions
    same = frame["start"] < frame["end"].iloc[until]
    outputs = ["q_0.1", "q_0.5", "q_0.9"]
    assert np.array_equal(frame.loc[same, outputs], late.loc[same, outputs]) and not np.array_equal(frame[outputs], late[outputs])


def test_a_stored_state_goes_on_with_labels_after_its_own(number):
    listing, parts = number
    question = question_of("return", params=dict(levels="0.1,0.9"), fitting=Fitting(gamma=0.05))
    pipeline = load_pipeline(fit_pipeline(listing, parts[0], question).files())
    expected = fit_fold(listing, parts[0], question, baselines=False).predictions
    rows = parts[0].parts["test"]
    assert np.array_equal(pipeline.predict(listing.samples.take(rows))[["q_0.1", "q_0.9"]], expected[["q_0.1", "q_0.9"]])
    every = pipeline.predict(listing.samples)
    inside = listing.samples.start <= pipeline.until
    frozen = pipeline.calibrated(pipeline.raw(listing.samples), listing.samples, np.zeros(len(listing), bool))[0]
    assert np.array_equal(every.loc[inside, ["q_0.1", "q_0.9"]], frozen[inside])       # labels that it was fitted to move nothing


def test_baselines_have_the_levels_of_the_learner():
    question = question_of("return", params=dict(levels="0.1,0.9"), learner="linear")
    assert baselines_of(question) == {"climatology": {"levels": "0.1,0.9"}, "no_change": {"levels": "0.1,0.9"}}
    assert set(baselines_of(question_of(learner="fakeout"))) == {"prior", "no_change", "linear"}


def test_what_cannot_be_learnt_is_refused_in_a_sentence(binary):
    listing, parts = binary
    train = parts[0].parts["train"]
    with pytest.raises(BadRequest, match="fold 0 trains on 20 samples; it needs at least 50"):
        fit_fold(listing, replace(parts[0], parts={**parts[0].parts, "train": train[:20]}), question_of())
    y = listing.samples.y.copy()
    y[train] = 1.0
    with pytest.raises(BadRequest, match=r"one class only: all its .* labels are yes"):
        fit_fold(replace(listing, samples=replace(listing.samples, y=y)), parts[0], question_of())
    with pytest.raises(BadRequest, match=r"the learner fakeout learns .* and not return; learners of return are .*linear"):
        fit_fold(listing, parts[0], question_of("return", learner="fakeout"))
    with pytest.raises(BadRequest, match="size = meta needs"):
        fit_pipeline(replace(listing, r=np.ones(len(listing))), parts[0], question_of(fitting=Fitting(size="meta")))


def test_a_question_in_json_is_the_same_question():
    question = question_of(fitting=Fitting(half_life=30.0))
    again = question_from(question.values())
    assert again.hash == question.hash and again.fitting == question.fitting and again.family == "breakout"
    assert len({question.hash, replace(question, seed=1).hash, replace(question, shuffle_labels=True).hash, replace(question, fitting=Fitting()).hash}) == 4


def test_a_stack_learns_from_forecasts_outside_of_each_block(binary):
    from domain.models.stack import Stack, apart, load

    listing, parts = binary
    train = listing.samples.take(parts[0].parts["train"])
    near = apart(train, np.arange(100, 200), 24 * HOUR)
    assert near.max() + 1 == len(train) and not set(near) & set(range(98, 202 + 24))        # labels of two hours, a day of embargo
    fitted = Stack(members="linear,prior", blocks=4).fit(train, train.take(np.zeros(0, np.int64)), 0, lambda share, loss=None: None)
    rows = listing.samples.take(parts[0].parts["test"]).rows()
    p = fitted.predict(rows)[:, 0]
    assert np.array_equal(load(fitted.files()).predict(rows)[:, 0], p)
    y = listing.samples.y[parts[0].parts["test"]]
    assert p[y > 0].mean() > p[y <= 0].mean() + 0.15
