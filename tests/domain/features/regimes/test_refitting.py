"""Regimes as they would have been known: windows, names that last, and no later bar."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.features.regimes import fit, walk_forward
from tests.domain.features.regimes.reference import drawn

SEEN, TRUTH = drawn()


@pytest.fixture(scope="module")
def whole():
    return walk_forward(SEEN, 500, 300, restarts=2)


def test_every_bar_is_judged_by_a_model_of_earlier_bars(whole):
    assert np.isnan(whole.probabilities[:500]).all() and (np.asarray(whole.labels.codes)[:500] == -1).all()
    np.testing.assert_allclose(whole.probabilities[500:].sum(axis=1), 1.0)
    assert [(refit.first, refit.used_from, refit.used_to) for refit in whole.refits] == [(0, 500, 800), (300, 800, 1100), (600, 1100, 1400), (900, 1400, 1500)]
    for one in whole.refits:
        assert one.model.trained == (str(SEEN.index[one.first]), str(SEEN.index[one.used_from - 1]))
        np.testing.assert_array_equal(one.model.filtered(SEEN.iloc[one.first : one.used_to])[500:], whole.probabilities[one.used_from : one.used_to])
    assert (whole.probabilities[500:].argmax(axis=1) == TRUTH[500:]).mean() > 0.96


@pytest.mark.parametrize("kind", ["hmm", "mixture"])
@pytest.mark.parametrize("cut", [501, 799, 801, 1399])
def test_a_walk_knows_no_later_bar(whole, kind, cut):
    known = whole if kind == "hmm" else walk_forward(SEEN, 500, 300, kind, restarts=2)
    part = walk_forward(SEEN.iloc[:cut], 500, 300, kind, restarts=2)
    np.testing.assert_array_equal(part.probabilities, known.probabilities[:cut])


def test_the_gate_sees_a_model_of_all_bars():
    part, all_of_it = (fit(seen, restarts=2).filtered(seen) for seen in (SEEN.iloc[:900], SEEN))
    assert not np.array_equal(part, all_of_it[:900])


def test_names_last_from_refit_to_refit(whole):
    assert whole.names == ("calm", "trend", "panic") and all(refit.model.names == whole.names and refit.in_order for refit in whole.refits)
    assert np.isnan(whole.refits[0].agreement) and all(one.agreement > 0.95 and one.distance < 0.2 for one in whole.refits[1:])
    assert whole.stability == pytest.approx(np.mean([one.agreement for one in whole.refits[1:]]))
    assert whole.table["used_from"].tolist() == [500, 800, 1100, 1400]


def test_an_anchored_walk_keeps_its_first_bar():
    walk = walk_forward(SEEN.iloc[:1000], 500, 300, restarts=1, anchored=True)
    assert [refit.first for refit in walk.refits] == [0, 0] and walk.refits[1].model.rows == 800


def test_agreement_is_the_share_of_bars_on_which_both_say_the_same(whole):
    before, after = whole.refits[1], whole.refits[2]
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
    heard: list[float] = []
    walk_forward(SEEN.iloc[:900], 500, 300, restarts=1, watch=heard.append)
    assert heard == sorted(heard) and heard[-1] == 1.0
