"""What is known of the state at each bar: against a slow filter, published vectors and an independent library, and never from the future."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features.regimes import RegimeModel
from tests.domain.features.regimes import reference

ORACLES = Path(os.environ.get("TIDEMARK_DATA", ""), "oracles")
CUTS = (1, 2, 57, 399)
KINDS = ("hmm", "mixture")


def rows(width: int, length: int = 400) -> np.ndarray:
    rng = np.random.default_rng(length + width)
    computed = rng.normal(scale=2.0, size=(length, width))
    computed[rng.random(length) < 0.05, 0] = np.nan
    computed[:3] = np.nan
    computed[200:230] = np.nan
    return computed


def oracle(name: str):
    return pytest.mark.skipif(not (ORACLES / name).is_file(), reason=f"TIDEMARK_DATA names no folder with oracles/{name}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("states", "width"), [(2, 1), (3, 4), (6, 5)])
def test_the_filter_is_the_slow_one(kind, states, width):
    model, seen = reference.model(states, width, seed=states, kind=kind), rows(width)
    follow = model.follow()
    result, (wanted, likelihood) = follow.extend(seen), reference.filtered(model, seen)
    np.testing.assert_allclose(result, wanted, atol=1e-12)
    np.testing.assert_allclose(result.sum(axis=1), 1.0, rtol=1e-14)
    assert follow.log_likelihood == pytest.approx(likelihood, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_bar_by_bar_gives_the_same_bits_as_all_at_once(kind):
    model, seen = reference.model(kind=kind), rows(2)
    follow = model.follow()
    np.testing.assert_array_equal([follow.append(row) for row in seen], model.filtered(seen))


def test_a_kept_belief_goes_on_where_it_stopped():
    model, seen = reference.model(), rows(2)
    first = model.follow()
    first.extend(seen[:150])
    stored = json.loads(json.dumps(first.belief))
    np.testing.assert_array_equal(model.follow(stored).extend(seen[150:]), model.filtered(seen)[150:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", CUTS)
def test_the_filter_knows_no_later_bar(kind, cut):
    model, seen = reference.model(kind=kind), rows(2)
    np.testing.assert_array_equal(model.filtered(seen[:cut]), model.filtered(seen)[:cut])


def test_the_gate_sees_smoothing():
    """hmmlearn's predict_proba looks back from the end: of the same model it says something else of the past when it has seen more."""
    from hmmlearn.hmm import GaussianHMM

    model, seen = replace(reference.model(2, 1), centre=(0.0,), spread=(1.0,)), np.random.default_rng(2).normal(size=(300, 1))
    theirs = GaussianHMM(2, "full")
    theirs.startprob_, theirs.transmat_, theirs.means_, theirs.covars_ = (np.array(item) for item in (model.start, model.transition, model.means, model.covariances))
    part, full = theirs.predict_proba(seen[:150]), theirs.predict_proba(seen)
    assert max(np.abs(theirs.predict_proba(seen[:cut]) - full[:cut]).max() for cut in range(20, 300, 10)) > 1e-3
    np.testing.assert_allclose(model.filtered(seen)[-1], full[-1], atol=1e-12)         # at the last bar there is no later one
    np.testing.assert_allclose(model.filtered(seen[:150])[-1], part[-1], atol=1e-12)
    np.testing.assert_allclose(reference.smoothed(model, seen), full, atol=1e-10)
    follow = model.follow()
    follow.extend(seen)
    assert follow.log_likelihood == pytest.approx(theirs.score(seen), rel=1e-12)


def test_an_unknown_bar_leaves_what_was_expected():
    model = reference.model()
    result = model.filtered(np.array([[np.nan, 1.0], [0.3, 0.1], [np.nan, np.nan], [0.2, np.inf]]))
    transition = np.array(model.transition)
    np.testing.assert_allclose(result[0], model.start, rtol=1e-14)
    np.testing.assert_allclose(result[2], result[1] @ transition, rtol=1e-13)
    np.testing.assert_allclose(result[3], result[2] @ transition, rtol=1e-13)


def test_what_is_too_small_for_a_float_is_not_lost():
    """A state 1e-400 as likely as the others is the only way into the third: in probabilities it would be gone."""
    unit = ((1.0,),)
    model = RegimeModel(
        "hmm", ("x",), ("a", "b", "c"), (0.0,), (1.0,), ((0.0,), (50.0,), (200.0,)), (unit, unit, unit), (0.5, 0.5, 0.0), ((1.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.0, 0.0, 1.0))
    )
    result = model.filtered(np.array([[0.0], [0.0], [200.0]]))
    assert result[1].tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(result[2], [0.0, 0.0, 1.0], atol=1e-12)
    assert np.isfinite(model.filtered(np.array([[1e160], [1e308], [0.0]]))).all()


def in_logarithms(model: RegimeModel, seen: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities, by the sentence and never in probabilities."""
    with np.errstate(divide="ignore"):
        belief, transition, computed = np.log(model.start), np.log(model.transition), []
    for t, value in enumerate(seen[:, 0]):
        expected = belief if t == 0 else np.logaddexp.reduce(belief[:, None] + transition, axis=0)
        joint = expected - [(value - mean[0]) ** 2 / 2 / covariance[0][0] + np.log(covariance[0][0]) / 2 for mean, covariance in zip(model.means, model.covariances, strict=True)]
        belief = joint - np.logaddexp.reduce(joint)
        computed.append(belief)
    return np.array(computed)


@pytest.mark.parametrize("leaving", [0.01, 0.0])
def test_a_state_that_was_all_but_excluded_comes_back(leaving):
    """Stretches of bars that make the other state less likely than any float, then its own: with a way back, and with none but the small doubt that was left."""
    unit = ((1.0,),)
    stay = 1 - leaving
    model = RegimeModel("hmm", ("x",), ("low", "high"), (0.0,), (1.0,), ((0.0,), (20.0,)), (unit, unit), (0.5, 0.5), ((stay, leaving), (leaving, stay)))
    seen = np.repeat([0.3, 10.2, 19.0, 60.0, 9.9, -1.0], [9, 300, 7, 3, 40, 25])[:, None] + np.random.default_rng(5).normal(scale=0.5, size=(384, 1))
    follow, wanted = model.follow(), in_logarithms(model, seen)
    bar_by_bar = np.array([follow.append(row) for row in seen])
    np.testing.assert_allclose(bar_by_bar, np.exp(wanted), rtol=1e-10, atol=1e-300)
    assert wanted.min() < -700 and np.ptp(wanted[:, 0]) > 700, "both ways of reckoning are needed"
    np.testing.assert_allclose(follow.belief[0], wanted[-1], rtol=1e-12, atol=1e-12)
    full = model.follow()
    np.testing.assert_array_equal(full.extend(seen), bar_by_bar)
    assert full.belief == follow.belief and full.log_likelihood == follow.log_likelihood


def test_a_mixture_judges_each_bar_alone_as_scikit_learn_does():
    from sklearn.mixture import GaussianMixture

    model = replace(reference.model(kind="mixture"), centre=(0.0, 0.0), spread=(1.0, 1.0))
    theirs = GaussianMixture(3, weights_init=model.start)
    theirs.weights_, theirs.means_ = np.array(model.start), np.array(model.means)
    theirs.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(np.array(model.covariances)))
    seen = np.random.default_rng(3).normal(scale=2.0, size=(200, 2))
    np.testing.assert_allclose(model.filtered(seen), theirs.predict_proba(seen), atol=1e-10)
    np.testing.assert_allclose(model.filtered(seen[::-1]), model.filtered(seen)[::-1], atol=1e-13)


@pytest.mark.data
@oracle("hmm_forward_backward_wikipedia.json")
def test_the_umbrella_example():
    """The emissions of the example are a table, so this holds what the filter does with them, not the densities."""
    from domain.features.kernels.forward import expect, weigh

    message = json.loads((ORACLES / "hmm_forward_backward_wikipedia.json").read_text())
    start, transition, emission = (np.array(message[name]) for name in ("startprob", "transmat", "frameprob"))
    belief, expected, likelihood, forward = np.full((2, 2), np.nan), np.empty(2), 0.0, []
    for row in emission:
        expect(np.log(start), transition, np.log(transition), belief, expected)
        likelihood += weigh(expected, np.log(row), belief)
        forward.append(belief[1] * np.exp(likelihood))
    np.testing.assert_allclose(forward, message["expected"]["forward"], atol=6e-5)
    assert likelihood == pytest.approx(message["expected"]["loglik"], abs=6e-5)
    first = np.array(forward[0]) * message["expected"]["backward"][0]
    assert first[0] / first.sum() == pytest.approx(message["expected"]["posteriors_t0_state0"], abs=1e-4)


@pytest.mark.data
@oracle("hmm_gaussian_goog.json")
def test_two_states_on_google_equal_hmmlearn():
    message = json.loads((ORACLES / "hmm_gaussian_goog.json").read_text())
    closes = pd.read_csv(ORACLES / "backtesting_py" / "GOOG.csv")["Close"].to_numpy()
    returns = np.diff(np.log(closes))[:, None]
    assert len(returns) == message["n"]
    variances = [((item**2,),) for item in message["std"]]
    model = RegimeModel(
        "hmm", ("return",), ("state 1", "state 2"), (0.0,), (1.0,), tuple((item,) for item in message["means"]), tuple(variances), tuple(message["startprob"]), reference.matrix(np.array(message["transmat"]))
    )
    follow = model.follow()
    result = follow.extend(returns)
    assert follow.log_likelihood == pytest.approx(message["loglik"], rel=1e-12)
    assert result[-1, 1] == pytest.approx(message["posterior_state1_last10"][-1], rel=1e-9)
    hindsight = reference.smoothed(model, returns)[:, 1]
    np.testing.assert_allclose(hindsight[:10], message["posterior_state1_first10"], rtol=1e-9)
    np.testing.assert_allclose(hindsight[-10:], message["posterior_state1_last10"], rtol=1e-9)
    assert np.abs(result[:10, 1] - message["posterior_state1_first10"]).max() > 0.05        # hindsight is not what was known


def test_columns_are_found_by_name_and_a_missing_one_is_named():
    model, seen = reference.model(), rows(2)
    frame = pd.DataFrame(dict(c1=seen[:, 1], more=0.0, c0=seen[:, 0]))
    np.testing.assert_array_equal(model.filtered(frame), model.filtered(seen))
    assert model.follow().append(dict(c1=0.1, c0=0.2)).tolist() == model.filtered(np.array([[0.2, 0.1]]))[0].tolist()
    with pytest.raises(UnknownName, match="no column of the observations named 'c0'"):
        model.filtered(frame.drop(columns="c0"))
    with pytest.raises(BadRequest, match="needs 2 columns: c0, c1"):
        model.filtered(seen[:, :1])
