"""Falls that are found in one pass, part by part, are those of whole columns."""

from __future__ import annotations

import numpy as np
import pytest

from domain.analytics import falls
from domain.analytics.falls import falls_of


def of_whole_columns(ts, equity, low, balance, start):
    peak, closed = (np.maximum(np.maximum.accumulate(values), start) for values in (equity, balance))
    highs = np.flatnonzero(equity >= peak)
    spells = highs if len(highs) and highs[0] == 0 else np.concatenate(([0], highs))
    shares = [min(float((values / highest).min()) - 1.0, 0.0) for values, highest in ((equity, peak), (low, peak), (balance, closed))]
    return (*shares, float((peak - equity).max()), int(np.diff(np.append(ts[spells], ts[-1])).max()), float(peak[-1]))


@pytest.mark.parametrize("drift", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("seed", range(12))
def test_parts_give_what_whole_columns_give(seed, drift, monkeypatch):
    monkeypatch.setattr(falls, "PART", 7)
    rng = np.random.default_rng(seed)
    ts, equity = np.cumsum(rng.integers(1, 5, 60)), 100.0 + np.cumsum(np.round(rng.normal(drift, 1.0, 60), 1))
    columns = ts, equity, equity - rng.random(60), np.round(equity)
    assert tuple(falls_of(*columns, 100.0)) == of_whole_columns(*columns, 100.0)


def test_a_row_without_a_value_leaves_no_value():
    equity = np.array([100.0, np.nan, 90.0])
    fallen = falls_of(np.arange(3), equity, equity, equity, 100.0)
    assert np.isnan([fallen.equity, fallen.low, fallen.balance, fallen.money]).all()


def test_a_curve_that_begins_with_nothing_has_no_share():
    nothing = np.zeros(3)
    with np.errstate(all="ignore"):
        assert np.isnan([falls_of(np.arange(3), nothing, nothing, nothing, 0.0).equity]).all()
