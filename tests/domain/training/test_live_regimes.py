"""Learned regimes bar by bar: at every bar what the walk over all bars gives there, taken up again or not."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.features import Context
from domain.live.tape import bars_in
from domain.training.live_regimes import LiveRegimes
from domain.training.regime_columns import planned, with_regimes
from tests.domain.training.test_regime_columns import OBSERVED, PLAN
from tests.domain.training.walked_bars import inputs, walk


@pytest.fixture(scope="module")
def whole():
    part = inputs(walk(400))
    return with_regimes(part, planned(PLAN, part, OBSERVED))


@pytest.fixture(scope="module")
def bars(whole):
    return bars_in("EURUSD H1", whole.series.bars, whole.context.ends(whole.series.bars))


def live(whole, bars):
    regimes = LiveRegimes(whole.regimes, lambda: whole.context)
    for bar in bars:
        regimes.ended(bar)
    return regimes


def test_at_every_bar_they_are_those_of_the_walk_over_all_bars(whole, bars):
    regimes, names = live(whole, ()), [*whole.extra]
    for k, bar in enumerate(bars, 1):
        regimes.ended(bar)
        if k % 37 == 0 or k in (150, 151, 301, 400):
            last = regimes.last(20)
            assert [*last] == (names if k > 150 else [])
            for name in last:
                np.testing.assert_array_equal(last[name], whole.extra[name].values[k - 20 : k])


def test_a_session_taken_up_late_has_the_same(whole, bars):
    late = live(whole, bars[:340]).last(60)
    for name, column in whole.extra.items():
        np.testing.assert_array_equal(late[name], column.values[280:340])


def test_bars_without_the_first_one_of_the_walk_are_refused(whole, bars):
    with pytest.raises(BadRequest, match="walking forward from the bar of 2024-01-08 00:00 UTC on, and these bars begin at 2024-01-08 02:00 without it"):
        live(whole, bars[2:])


def test_without_a_known_value_a_model_waits(whole):
    assert LiveRegimes(whole.regimes, Context).last(1) == {}
