"""What bars were like under their labels, against counting one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features.regimes import FitConfig, regime_statistics, spells, transition_shares
from domain.params import build

NAMES = ["calm", "trend", "panic", "never"]


def labels(seed: int, bars: int = 400) -> pd.Categorical:
    """Stretches of any length, some bars without a label; one of the names never comes."""
    random = np.random.default_rng(seed)
    codes = np.repeat(random.integers(-1, 3, bars), random.integers(1, 6, bars))[:bars]
    return pd.Categorical.from_codes(codes, categories=NAMES, ordered=True)


@pytest.mark.parametrize("seed", range(4))
def test_shares_spells_and_next_bars_are_those_counted_one_by_one(seed):
    states, close = labels(seed), np.exp(np.cumsum(np.random.default_rng(seed + 9).standard_normal(400) / 100))
    hour = 3_600 * 10**9
    table = regime_statistics(states, close, np.arange(1, 401) * hour).set_index("regime")
    words = [None if pd.isna(state) else state for state in states]
    for name in NAMES:
        at = [t for t in range(400) if words[t] == name]
        begun = [t for t in at if t == 0 or words[t - 1] != name]
        following = [np.log(close[t + 1] / close[t]) for t in at if t + 1 < 400]
        assert (table["bars"][name], table["spells"][name]) == (len(at), len(begun))
        if at:
            assert table["share"][name] == len(at) / sum(word is not None for word in words) and table["lasted"][name] == len(at) / len(begun)
            assert (table["next_bar"][name], table["volatility"][name]) == pytest.approx((np.mean(following), np.std(following) * np.sqrt(365.25 * 24)))
        else:
            assert np.isnan(table["next_bar"][name]) and np.isnan(table["lasted"][name])


def test_what_follows_is_counted_only_where_both_bars_have_a_label():
    states = labels(2)
    words, shares = list(states), transition_shares(states)
    pairs = [(a, b) for a, b in pairwise(words) if not pd.isna(a) and not pd.isna(b)]
    for k, name in enumerate(NAMES[:3]):
        full = sum(a == name for a, _ in pairs)
        assert shares[k].tolist() == pytest.approx([sum(pair == (name, other) for pair in pairs) / full for other in NAMES])
    assert np.isnan(shares[3]).all()


@pytest.mark.parametrize("most", [3, 20, 90, 1_000])
def test_stretches_are_all_there_or_no_more_than_requested(most):
    states = labels(5)
    table, size = spells(states, most)
    assert len(table) <= most and (table["last"] >= table["first"]).all() and (table["first"].iloc[1:].to_numpy() > table["last"].iloc[:-1].to_numpy()).all() and table["last"].max() <= 399
    if size == 1:
        drawn = pd.Series([None] * 400, dtype=object)
        for row in table.itertuples():
            drawn.iloc[row.first : row.last + 1] = row.regime
        assert [None if pd.isna(state) else state for state in states] == [None if pd.isna(state) else state for state in drawn]


def test_a_plan_in_days_is_as_many_bars_as_the_days_have():
    plan = build(FitConfig, dict(train=30, step=10, unit="days", states="by BIC"))
    assert plan.rows(2_400, 100.0) == (720, 240) and plan.refits(2_400, 100.0) == 7 and plan.number is None and build(FitConfig, dict(states=4)).number == 4
    with pytest.raises(BadRequest, match="is to be trained on 720 bars, and there are 700; train on fewer"):
        plan.rows(700, 700 / 24)
