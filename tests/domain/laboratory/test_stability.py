"""Stability: each stretch of time and each group by itself, against scipy on its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from domain.analytics.groups import GROUPS
from domain.errors import BadRequest
from domain.laboratory.information import View, all_rows
from domain.laboratory.ranks import rank
from domain.laboratory.stability import agreement, by_label, labels_of, rolling, sessions, windows, years
from domain.market.bars import ts_of

from .makers import world


def test_years_and_regimes_have_the_coefficient_of_their_own_rows():
    frame = world(6_000, 0)
    y = frame["close"].pct_change().shift(-1).to_numpy()
    regime = pd.Series(np.where(np.arange(6_000) % 700 < 300, "calm", "wild")).where(np.arange(6_000) % 11 > 0, None)
    labels = dict(year=years(ts_of(frame)), regime=labels_of(regime))
    result = by_label(rank(frame["flips"].to_numpy()), {name: (View(rank(y), label.group, len(label.names)), label.names) for name, label in labels.items()})
    assert result["group"].tolist() == ["2019", "2020", "2021", "calm", "wild"]
    for row in result.itertuples():
        rows = (frame["ts"].dt.year.astype(str) == row.group) if row.label == "year" else regime == row.group
        own = frame.assign(y=y)[rows.to_numpy()].dropna()
        assert row.count == len(own) and row.ic == pytest.approx(spearmanr(own["flips"], own["y"]).statistic, abs=1e-12)
    assert (np.sign(result["ic"][:3]) == [-1, 1, -1]).all()


def test_rolling_windows_begin_half_a_window_after_each_other_and_are_ranked_anew():
    frame = world(2_000, 0)
    y = frame["close"].pct_change().shift(-1).to_numpy()
    x, place = frame["leads"].to_numpy(), np.arange(2_000)
    result = rolling(rank(x), [(View(rank(y), group, len(last)), last) for group, last in windows(place, rank(y), 400)])
    assert result["last"].tolist() == list(range(399, 1_999, 200))
    for row in result.itertuples():
        rows = slice(row.last - 399, row.last + 1)
        assert row.ic == pytest.approx(spearmanr(x[rows], y[rows], nan_policy="omit").statistic, abs=1e-12)


def test_windows_count_moments_that_have_a_target():
    y = np.where(np.arange(1_000) % 2 == 0, 1.0 * np.arange(1_000), np.nan)
    (group, last), _ = windows(np.arange(1_000), rank(y), 100)
    assert last.tolist() == [198, 398, 598, 798, 998] and (np.bincount(group[group >= 0]) == 100).all()
    with pytest.raises(BadRequest, match="at least 2"):
        windows(np.arange(1_000), rank(y), 1)


def test_a_series_shorter_than_a_window_has_none():
    y = np.arange(50.0)
    views = [(View(rank(y), group, len(last)), last) for group, last in windows(np.arange(50), rank(y), 100)]
    assert rolling(rank(y), views).empty


def test_sessions_are_those_of_the_tables_of_trades():
    ts = pd.Series(pd.date_range("2024-01-01", periods=48, freq="h", tz="UTC"))
    named = GROUPS["session"].label(pd.DataFrame(dict(entry_ts=ts)))
    result = sessions(ts.astype("int64").to_numpy() if ts.dt.unit == "ns" else ts.dt.as_unit("ns").astype("int64").to_numpy())
    assert [result.names[k] for k in result.group] == list(named)


def test_years_with_few_values_have_no_say_in_the_sign():
    by_year = pd.DataFrame(dict(count=[500, 20, 500, 500], ic=[0.1, -0.9, -0.1, 0.1]))
    assert agreement(by_year, 0.1) == (3, 2, 2)


def test_whole_is_one_group_of_all():
    assert all_rows(rank(np.arange(5.0))).groups.tolist() == [0] * 5
