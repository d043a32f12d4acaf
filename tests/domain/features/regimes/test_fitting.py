"""Models are found again in what was drawn from them, are the same for a seed, and are refused where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features.regimes import RegimeModel, fit, hmm, mixture
from domain.features.regimes.em import FLOOR, beginning, floored, stationary, sticky, widened
from tests.domain.features.regimes.reference import drawn, filtered

SEEN, TRUTH = drawn()


@pytest.fixture(scope="module", params=["hmm", "mixture"])
def model(request) -> RegimeModel:
    return fit(SEEN, request.param, seed=4, restarts=3)


def test_regimes_are_found_again_and_named_from_the_calmest(model):
    assert model.names == ("calm", "trend", "panic")
    right = (model.filtered(SEEN).argmax(axis=1) == TRUTH).mean()
    assert right > (0.97 if model.kind == "hmm" else 0.92)
    np.testing.assert_allclose(model.emissions()[0][:, 0], [-8.0, -7.0, -5.5], atol=0.15)
    np.testing.assert_allclose(np.diag(np.array(model.transition)), 0.98, atol=0.02 if model.kind == "hmm" else 0.2)
    np.testing.assert_allclose(model.start, np.bincount(TRUTH) / len(TRUTH), atol=0.06)


def test_states_have_plain_names_where_the_first_column_is_no_volatility():
    """The mean of a return says nothing of calm or panic: a crash is the state with the lowest one."""
    others = SEEN.set_axis(["log_return(1)", "straight"], axis=1)
    assert fit(others, seed=4, restarts=2).names == ("state 1", "state 2", "state 3")
    assert fit(SEEN.set_axis(["yang_zhang(20)@H1", "straight"], axis=1), seed=4, restarts=2).names == ("calm", "trend", "panic")


def test_memory_helps(model):
    """On the same rows the model with memory is right more often than the one without."""
    with_memory, without = (fit(SEEN, kind, restarts=2).filtered(SEEN).argmax(axis=1) == TRUTH for kind in ("hmm", "mixture"))
    assert with_memory.mean() > without.mean()


def test_the_likelihood_and_bic_that_are_reported_are_those_of_its_filter(model):
    likelihood = filtered(model, SEEN.to_numpy())[1]
    free = 3 * 2 + 3 * 3 + (3 * 2 if model.kind == "hmm" else 2)
    assert model.log_likelihood == pytest.approx(likelihood, rel=1e-10)
    assert model.bic == pytest.approx(-2 * likelihood + free * np.log(len(SEEN)), rel=1e-10)
    assert model.rows == len(SEEN) and model.trained == (str(SEEN.index[0]), str(SEEN.index[-1]))


def test_the_same_seed_gives_the_same_model(model):
    assert fit(SEEN.copy(), model.kind, seed=4, restarts=3) == model
    assert replace(fit(SEEN * 1.0, model.kind, seed=4, restarts=3), seed=0) == replace(model, seed=0)


def test_a_models_columns_may_have_any_unit(model):
    other = fit(SEEN * [1000.0, 0.01] + [5.0, -3.0], model.kind, seed=4, restarts=3)
    np.testing.assert_allclose(other.means, model.means, atol=1e-6)
    np.testing.assert_allclose(other.filtered(SEEN * [1000.0, 0.01] + [5.0, -3.0]), model.filtered(SEEN), atol=1e-6)


@pytest.mark.parametrize("kind", ["hmm", "mixture"])
def test_bic_finds_the_number_of_states(kind):
    model = fit(SEEN, kind, states=None, restarts=2)
    assert model.states == 3 and [item.states for item in model.candidates] == [2, 3, 4, 5, 6]
    bic_of = {candidate.states: candidate.bic for candidate in model.candidates if candidate.bic is not None}
    assert min(bic_of, key=bic_of.__getitem__) == 3 and bic_of[3] == model.bic
    assert all(item.remark for item in model.candidates if item.bic is None)


def test_rows_that_are_not_known_are_left_out():
    holed = SEEN.copy()
    holed.iloc[:50, 0] = np.nan
    holed.iloc[700:720, 1] = np.inf
    model = fit(holed, restarts=2)
    assert model.rows == len(SEEN) - 70
    assert model.centre[0] == pytest.approx(np.delete(SEEN["log_volatility(48)"].to_numpy(), np.r_[:50, 700:720]).mean())
    assert (model.filtered(SEEN).argmax(axis=1) == TRUTH).mean() > 0.97


def test_em_climbs_to_where_hmmlearn_climbs():
    """From one beginning, without a floor in reach, ours is hmmlearn's own EM."""
    from hmmlearn.hmm import GaussianHMM

    rows = ((SEEN - SEEN.mean()) / SEEN.std()).to_numpy()
    begin = beginning(rows, 3, 0, np.random.default_rng(0))
    theirs = GaussianHMM(3, "full", n_iter=15, tol=0, init_params="", covars_prior=0.0)
    theirs.startprob_, theirs.transmat_, theirs.means_, theirs.covars_ = floored(begin.start), floored(begin.transition), begin.means, begin.covariances
    theirs.fit(rows, [500, 1000])
    ours = hmm.learn(rows, np.array([500, 1000]), begin, 15, 0.0, lambda: None)
    np.testing.assert_allclose(ours.parameters.means, theirs.means_, rtol=1e-6)
    np.testing.assert_allclose(ours.parameters.covariances, theirs.covars_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.parameters.transition, theirs.transmat_, atol=1e-5)
    assert ours.score == pytest.approx(theirs.monitor_.history[-1], rel=1e-8)


def test_every_step_of_em_gains():
    rows = ((SEEN - SEEN.mean()) / SEEN.std()).to_numpy()
    for learner in (hmm, mixture):
        begin = beginning(rows, 4, 1, np.random.default_rng(0))
        scores = [learner.learn(rows, np.array([len(rows)]), begin, steps, 0.0, lambda: None).score for steps in (1, 2, 4, 8, 16)]
        assert scores == sorted(scores) and scores[-1] > scores[0]


@pytest.mark.parametrize(
    ("seen", "requested", "sentence"),
    [
        (SEEN, dict(kind="oracle"), "no kind of regime model named 'oracle'"),
        (SEEN, dict(states=7), "states is 7"),
        (SEEN, dict(states=1), "states is 1"),
        (SEEN, dict(restarts=0), "restarts is 0"),
        (SEEN.iloc[:40], {}, "40 of 40 rows are known in every column"),
        (SEEN.assign(volatility=1.5), {}, "volatility does not vary"),
        (SEEN.assign(other=np.nan), {}, "other has no known value"),
        (SEEN[[]], {}, "needs at least one column"),
        (SEEN.assign(twice=2 * SEEN["log_volatility(48)"]), {}, "hold no 3 states: a state has shrunk"),
        (pd.DataFrame(dict(x=np.r_[np.random.default_rng(0).normal(size=300), 1e3, 1.01e3, 1.02e3])), dict(states=2), "has shrunk|a state holds"),
    ],
)
@pytest.mark.parametrize("kind", ["hmm", "mixture"])
def test_what_cannot_be_fitted_is_refused_with_a_sentence(kind, seen, requested, sentence):
    with pytest.raises((BadRequest, UnknownName), match=sentence):
        fit(seen, **({"kind": kind} | requested))


def test_the_likeliest_model_is_passed_over_where_a_state_is_a_single_value():
    seen = pd.DataFrame(dict(x=np.r_[np.zeros(200), np.random.default_rng(0).normal(size=200)]))
    model = fit(seen, "mixture", states=2)
    assert np.array(model.covariances).min() > 100 * FLOOR
    narrow = replace(model, means=((-model.centre[0] / model.spread[0],), (0.0,)), covariances=(((FLOOR,),), ((2.0,),)), start=(0.5, 0.5))
    collapsed = narrow.follow()
    collapsed.extend(seen)
    assert collapsed.log_likelihood > model.log_likelihood + 100
    with pytest.raises(BadRequest, match="has shrunk"):
        fit(seen, "hmm", states=2)


class Stop(ValueError):
    pass


@pytest.mark.parametrize("kind", ["hmm", "mixture"])
def test_a_watch_hears_the_share_that_is_done_and_may_stop(kind):
    shares: list[float] = []
    fit(SEEN, kind, restarts=2, watch=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 10

    def stop(share: float) -> None:
        if share > 0:
            raise Stop

    with pytest.raises(Stop):
        fit(SEEN, kind, watch=stop)


def test_the_small_tools_keep_their_word():
    shares = stationary(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]]))
    np.testing.assert_allclose(shares @ np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]]), shares, atol=1e-15)
    assert (floored(np.eye(3)) > 0).all() and np.allclose(floored(np.eye(3)).sum(axis=1), 1) and np.allclose(sticky(4).sum(axis=1), 1)
    flat = widened(np.array([[[1.0, 1.0], [1.0, 1.0]]]))
    assert np.linalg.eigvalsh(flat).min() == pytest.approx(FLOOR)
