"""Regimes as they would have been known: windows, names that last, and no later bar."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.features.regimes import fit, walk_forward
from tests.domain.features.regimes.reference import drawn

SEEN, TRUTH = drawn()


@pytest.fixture(scope="module")
def walk():
    return walk_forward(SEEN, 500, 300, restarts=2)


def test_every_bar_is_judged_by_a_model_of_earlier_bars(walk):
    assert np.isnan(walk.probabilities[:500]).all() and (np.asarray(walk.labels.codes)[:500] == -1).all()
    np.testing.assert_allclose(walk.probabilities[500:].sum(axis=1), 1.0)
    assert [(refit.first, refit.used_from, refit.used_to) for refit in walk.refits] == [(0, 500, 800), (300, 800, 1100), (600, 1100, 1400), (900, 1400, 1500)]
    for item in walk.refits:
        assert item.model.trained == (str(SEEN.index[item.first]), str(SEEN.index[item.used_from - 1]))
        np.testing.assert_array_equal(item.model.filtered(SEEN.iloc[item.first : item.used_to])[500:], walk.probabilities[item.used_from : item.used_to])
    assert (walk.probabilities[500:].argmax(axis=1) == TRUTH[500:]).mean() > 0.96


@pytest.mark.parametrize("kind", ["hmm", "mixture"])
@pytest.mark.parametrize("cut", [501, 799, 801, 1399])
def test_a_walk_knows_no_later_bar(walk, kind, cut):
    expected = walk if kind == "hmm" else walk_forward(SEEN, 500, 300, kind, restarts=2)
    part = walk_forward(SEEN.iloc[:cut], 500, 300, kind, restarts=2)
    np.testing.assert_array_equal(part.probabilities, expected.probabilities[:cut])


def test_the_gate_sees_a_model_of_all_bars():
    part, all_of_it = (fit(seen, restarts=2).filtered(seen) for seen in (SEEN.iloc[:900], SEEN))
    assert not np.array_equal(part, all_of_it[:900])


def test_names_last_from_refit_to_refit(walk):
    assert walk.names == ("calm", "trend", "panic") and all(refit.model.names == walk.names and refit.in_order for refit in walk.refits)
    assert np.isnan(walk.refits[0].agreement) and all(item.agreement > 0.95 and item.distance < 0.2 for item in walk.refits[1:])
    assert walk.stability == pytest.approx(np.mean([item.agreement for item in walk.refits[1:]]))
    assert walk.table["used_from"].tolist() == [500, 800, 1100, 1400]


def test_an_anchored_walk_keeps_its_first_bar():
    walk = walk_forward(SEEN.iloc[:1000], 500, 300, restarts=1, anchored=True)
    assert [refit.first for refit in walk.refits] == [0, 0] and walk.refits[1].model.rows == 800


def test_agreement_is_the_share_of_bars_on_which_both_say_the_same(walk):
    before, after = walk.refits[1], walk.refits[2]
    own = after.model.filtered(SEEN.iloc[600:1100]).argmax(axis=1)
    other = before.model.filtered(SEEN.iloc[300:1100])[300:].argmax(axis=1)
    assert after.agreement == (own == other).mean()


def test_a_window_without_a_model_keeps_the_one_before():
    dull = SEEN.copy()
    dull.iloc[300:800, 0] = 1.0
    walk = walk_forward(dull, 300, 500, restarts=1)
    assert walk.refits[1].model == walk.refits[0].model and walk.refits[1].remark.startswith("the model before was kept: log_volatility(48)")
    assert walk.refits[0].remark == "" and not np.isnan(walk.probabilities[300:]).any()


def test_too_few_bars_are_refused():
    with pytest.raises(BadRequest, match="leave none after a first window of 1500"):
        walk_forward(SEEN, 1500, 10)
    with pytest.raises(BadRequest, match="step at least 1"):
        walk_forward(SEEN, 100, 0)


def test_the_watch_of_a_walk_rises_to_the_whole():
    shares: list[float] = []
    walk_forward(SEEN.iloc[:900], 500, 300, restarts=1, watch=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0
