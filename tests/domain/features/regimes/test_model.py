"""A model in a file, and what a model says of its states."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.features.regimes import Candidate, RegimeModel, aligned, detection, distances, facts, hellinger, shares, sojourns
from tests.domain.features.regimes.reference import matrix, model, plain

FULL = replace(
    model(), seed=7, log_likelihood=-1 / 3, bic=0.1 + 0.2, rows=12, trained=("2024-01-01", "2024-02-01"),
    candidates=(Candidate(2, -1.5, 2.5, ""), Candidate(3, None, None, "a state holds 0.5 rows")), versions=(("hmmlearn", "0.3.3"),),
)  # fmt: skip


@pytest.mark.parametrize("kind", ["hmm", "mixture"])
def test_a_file_gives_the_very_same_model(kind):
    full = replace(FULL, kind=kind)
    again = RegimeModel.from_json(full.to_json())
    assert again == full and again.to_json() == full.to_json()
    rows = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_array_equal(again.filtered(rows), full.filtered(rows))


def changed(**values) -> str:
    return json.dumps(json.loads(FULL.to_json()) | values)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[1]", "a regime model says 'tidemark regimes 1'"),
        (changed(what="tidemark regimes 2"), "'tidemark regimes 2'; a regime model says"),
        (json.dumps({"what": "tidemark regimes 1"}), "lacks"),
        (changed(colour="red"), "unknown colour"),
        (changed(kind="oracle"), "kind is 'oracle'"),
        (changed(names=["a", "a", "b"]), "a name of their own"),
        (changed(start=[0.5, 0.4, 0.2]), "start do not add up"),
        (changed(transition=[[1.2, -0.1, -0.1], [0, 1, 0], [0, 0, 1]]), "transition do not add up"),
        (changed(means=[[0.0, 1.0]]), "means is not 3 × 2 numbers"),
        (changed(centre=[0.0, float("nan")]), "centre is not 2 numbers"),
        (changed(spread=[0.0, 1.0]), "no spread"),
        (changed(covariances=[[[1.0, 2.0], [2.0, 1.0]]] * 3), "positive definite"),
        (changed(seed="x"), "is damaged"),
    ],
)
def test_what_is_no_model_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(BadRequest, match=sentence):
        RegimeModel.from_json(text)


def test_stays_and_shares_are_those_of_a_long_walk():
    model_ = replace(model(2, 1), transition=((0.9, 0.1), (0.3, 0.7)))
    np.testing.assert_allclose(sojourns(model_), [10.0, 10 / 3])
    np.testing.assert_allclose(shares(model_), [0.75, 0.25])
    np.testing.assert_allclose(shares(model_) @ np.array(model_.transition), shares(model_))


def test_states_far_apart_are_known_at_once_and_like_ones_late_or_never():
    narrow, transition = ((1e-4,),), ((0.95, 0.05), (0.1, 0.9))
    apart = replace(model(2, 1), means=((0.0,), (5.0,)), covariances=(narrow, narrow), transition=transition, start=(2 / 3, 1 / 3))
    near = replace(apart, covariances=(((40.0,),), ((40.0,),)))
    at_once, late = detection(apart, 20_000), detection(near, 20_000)
    assert at_once.delay.tolist() == [0.0, 0.0] and at_once.missed.tolist() == [0.0, 0.0] and at_once.right.tolist() == [1.0, 1.0]
    assert late.delay[1] > 2 and late.missed[1] > 0.2 and late.right[1] < 0.7
    assert detection(near, 20_000)[0].tolist() == late.delay.tolist()


def test_the_delay_is_counted_from_the_first_bar_of_a_visit():
    """One column that says nothing at the first bar of a visit cannot be drawn; so the definition is held by a slow count on what is drawn."""
    from domain.features.regimes.model_facts import _simulated

    model_ = replace(model(3, 1, seed=5), start=plain(np.full(3, 1 / 3)))
    states, rows = _simulated(model_, 3_000, np.random.default_rng(0))
    labels, delays, missed, visits = model_.filtered(rows).argmax(axis=1), [[], [], []], [0, 0, 0], [0, 0, 0]
    begins = [t for t in range(1, 3_000) if states[t] != states[t - 1]]
    for begin, end in pairwise(begins):
        state = states[begin]
        visits[state] += 1
        seen = [t for t in range(begin, end) if labels[t] == state]
        missed[state] += not seen
        delays[state] += [seen[0] - begin] if seen else []
    result = detection(model_, 3_000)
    np.testing.assert_allclose(result.delay, [np.mean(some) for some in delays])
    np.testing.assert_allclose(result.missed, np.array(missed) / visits)


def test_the_table_of_facts_speaks_the_columns_units():
    table = facts(FULL, 2_000)
    assert table["state"].tolist() == ["s0", "s1", "s2"]
    assert table["share"].sum() == pytest.approx(1.0)
    wanted = np.array(FULL.centre) + np.array(FULL.means) * np.array(FULL.spread)
    np.testing.assert_allclose(table[["c0", "c1"]].to_numpy(), wanted)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_states_find_themselves_again_whatever_their_order_and_scale(order):
    twice = replace(FULL, spread=plain(np.array(FULL.spread) * 2), means=matrix(np.array(FULL.means) / 2), covariances=tuple(matrix(np.array(covariance) / 4) for covariance in FULL.covariances))
    again, apart = aligned(twice.reordered(order, ("x", "y", "z")), FULL)
    assert again.names == FULL.names
    np.testing.assert_allclose(apart, 0.0, atol=1e-7)
    np.testing.assert_allclose(again.transition, FULL.transition)
    np.testing.assert_allclose(again.start, FULL.start)


def test_the_distance_is_that_of_the_overlap():
    """Bhattacharyya's coefficient is ∫ √(p q): by a sum over a fine grid."""
    model_ = replace(model(2, 1), centre=(1.0,), spread=(2.0,))
    grid = np.linspace(-60, 60, 200_001)
    means, covariances = model_.emissions()
    density = [np.exp(-((grid - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance) for mean, variance in zip(means[:, 0], covariances[:, 0, 0], strict=True)]
    overlap = np.sqrt(density[0] * density[1]).sum() * (grid[1] - grid[0])
    assert np.exp(-distances(model_, model_)[0, 1]) == pytest.approx(overlap, rel=1e-6)
    assert hellinger(distances(model_, model_))[0, 1] == pytest.approx(np.sqrt(1 - overlap), rel=1e-6)


def test_models_of_different_make_are_not_paired():
    with pytest.raises(BadRequest, match="cannot be paired"):
        aligned(model(2, 2), FULL)
