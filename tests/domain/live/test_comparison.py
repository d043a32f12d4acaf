"""The mean daily difference of two sessions, and its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.block_length import automatic_block
from domain.compliance.resampling import resampled_histories
from domain.errors import BadRequest
from domain.live.comparison import Account, compared, of_returns, shared_returns


def days(values, start="2026-01-05") -> pd.Series:
    return pd.Series(np.asarray(values, float), pd.bdate_range(start, periods=len(values)))


def curve(values, start="2026-01-05T12:00Z", balance=1_000.0, name="A") -> Account:
    ts = pd.date_range(start, periods=len(values), freq="D")
    return Account(name, balance, pd.DataFrame(dict(ts=ts, equity=np.asarray(values, float))))


def test_under_20_days_there_is_no_interval_and_the_sentence_says_so():
    result = of_returns(days([0.001] * 19), days([0.0] * 19), ("fast", "slow"))
    assert (result.days, result.low, result.high) == (19, None, None)
    assert result.sentence == "fast and slow share 19 days; an interval needs 20. So far fast returned 0.1000 % more a day."


def test_from_20_days_on_the_interval_is_that_of_the_stationary_bootstrap():
    draw = np.random.default_rng(1)
    a, b = days(draw.standard_normal(20) * 0.01), days(draw.standard_normal(20) * 0.01)
    result, apart = of_returns(a, b, seed=7), (a - b).to_numpy()
    again = apart[resampled_histories(20, 10_000, automatic_block(apart), np.random.default_rng(7))].mean(axis=1)
    assert result.mean == pytest.approx(apart.mean())
    assert (result.low, result.high) == pytest.approx(tuple(np.quantile(again, [0.025, 0.975])))
    assert "may be chance" in result.sentence


def test_a_clear_difference_is_called_one_and_the_seed_decides_the_draw():
    draw = np.random.default_rng(2)
    a, b = days(0.002 + draw.standard_normal(60) * 1e-4), days(draw.standard_normal(60) * 1e-4)
    result = of_returns(a, b)
    assert 0.0019 < result.low < result.mean < result.high < 0.0021
    assert "chance alone hardly explains it" in result.sentence
    assert of_returns(a, b) == result != of_returns(a, b, seed=1)


def test_days_that_only_one_has_are_left_out():
    assert of_returns(days([0.0] * 30), days([0.0] * 30, "2026-01-12")).days == 25
    with pytest.raises(BadRequest, match="A has two returns of one day"):
        of_returns(pd.concat([days([0.0]), days([0.0])]), days([0.0]))


def test_what_one_earned_before_the_other_began_does_not_count():
    early, late = curve([1_100.0, 2_000.0, 2_020.0]), curve([1_000.0, 1_010.0], "2026-01-06T12:00Z", name="B")
    a, b = shared_returns(early, late)
    assert a.index.equals(b.index)
    assert a.iloc[-1] == pytest.approx(0.01) == b.iloc[-1]
    assert compared(early, late).days == 2


def test_a_session_without_a_row_shares_no_day():
    empty = Account("B", 1_000.0, pd.DataFrame(dict(ts=pd.to_datetime([], utc=True), equity=[])))
    result = compared(curve([1_000.0]), empty)
    assert (result.days, result.mean) == (0, None)
    assert result.sentence == "A and B share 0 days; an interval needs 20."
