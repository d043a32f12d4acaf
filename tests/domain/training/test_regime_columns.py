"""Learned regimes as columns: walking forward, the same on later bars, and never from bars that begin elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.training.asking import question_of
from domain.training.columns import matrix_of
from domain.training.question import question_from
from domain.training.regime_columns import planned, regimes_learnt, with_regimes
from tests.domain.training.walked_bars import inputs, walk

PLAN = dict(kind="mixture", states="2", train=150, step=150, restarts=2)
OBSERVED = ("log_atr_share(5)",)


def regimes(count: int):
    part = inputs(walk(400).iloc[:count])
    return with_regimes(part, planned(PLAN, part, OBSERVED))


@pytest.fixture(scope="module")
def both():
    return regimes(300), regimes(400)


def test_a_state_is_a_column_that_later_bars_do_not_change_and_that_begins_after_the_first_window(both):
    matrices = [matrix_of([part]) for part in both]
    assert matrices[0].columns[-2:] == ("regime_state_1", "regime_state_2")
    early, late = (matrix.values[:300, -2:] for matrix in matrices)
    np.testing.assert_array_equal(early, late)
    assert np.isnan(early[:150]).all() and np.isfinite(early[150:]).all()
    np.testing.assert_allclose(early[150:].sum(axis=1), 1, atol=1e-6)


def test_a_question_says_how_they_were_made_and_a_model_makes_them_again_on_its_bars(both):
    part, later = both
    request = question_of([part], "return", "linear", scheme_params=dict(train=5, validation=1, calibration=1, test=1))
    plain = question_of([inputs(walk(400).iloc[:300])], "return", "linear", scheme_params=dict(train=5, validation=1, calibration=1, test=1))
    assert request.hash != plain.hash and "regimes" not in plain.data[0]
    read = question_from(json.loads(json.dumps(request.values())))
    assert read.hash == request.hash
    (again,) = regimes_learnt(read.data, [inputs(walk(400))])
    assert matrix_of([again]).values[:, -1].tobytes() == matrix_of([later]).values[:, -1].tobytes()
    with pytest.raises(BadRequest, match="walking forward from the bar of 2024-01-08 00:00 UTC on, and these bars begin at 2024-01-08 02:00 without it"):
        regimes_learnt(read.data, [inputs(walk(400).iloc[2:].reset_index(drop=True))])


def test_a_stored_walk_serves_as_long_as_it_reaches_the_last_bar_and_is_walked_on_where_not(both):
    part, later = both
    stored = pd.DataFrame(dict(end=pd.to_datetime(part.context.ends(part.series.bars), utc=True), p_calm=0.25, label="calm"))
    served = with_regimes(inputs(walk(400).iloc[:300]), part.regimes, stored)
    assert [*served.extra] == ["regime_calm"] and (served.extra["regime_calm"].values == 0.25).all()
    walked = with_regimes(inputs(walk(400)), part.regimes, stored)
    assert [*walked.extra] == ["regime_state_1", "regime_state_2"]
    np.testing.assert_array_equal(walked.extra["regime_state_1"].values, later.extra["regime_state_1"].values)
