"""Two runs side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import METRICS, compare_metrics, compare_specs, first_difference, measure
from tests.domain.analytics.makers import equity, fills, trades

RUN = trades(np.random.default_rng(14).normal(0.1, 1, 40))
FILLS = fills(RUN)


def test_figures_are_side_by_side_with_their_difference():
    other = trades(np.random.default_rng(15).normal(0.3, 1, 50))
    a, b = (measure(run, fills(run), equity(run), 10_000.0) for run in (RUN, other))
    table = compare_metrics(a, b).set_index("key")
    assert set(table.index) == set(METRICS) and table["family"].iloc[0] == "result"
    assert table.loc["trades", ["a", "b", "difference"]].tolist() == [40.0, 50.0, 10.0]
    assert np.isnan(compare_metrics(a, {**b, "sharpe": None}).set_index("key").loc["sharpe", "difference"])
    assert (compare_metrics(a, a)["difference"].dropna() == 0).all()


def test_specs_differ_where_any_leaf_does():
    a = dict(strategy=dict(name="breakout", params=dict(lookback=20, stop=2.0)), datasets=["x", "y"], costs=dict(spread=None), seed=float("nan"))
    b = dict(strategy=dict(name="breakout", params=dict(lookback=55, stop=2.0)), datasets=["x"], costs=dict(spread=0.1, extra=1), seed=float("nan"))
    assert compare_specs(a, b).to_numpy().tolist() == [["strategy.params.lookback", "20", "55"], ["datasets[1]", "y", ""], ["costs.spread", "None", "0.1"], ["costs.extra", "", "1"]]
    assert compare_specs(a, a).empty


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("price", 9.5, "price is 1.1 in the first and 9.5 in the second"), ("reason", "limit", "reason is market in the first and limit in the second"), ("lots", 2.0, "lots is 1.0 in the first and 2.0 in the second")],
)
def test_the_first_fill_that_differs_is_named_with_its_column(column, value, words):
    other = FILLS.copy()
    other.loc[[16, 30], column] = value
    difference = first_difference(FILLS, other)
    assert (difference.row, difference.column, difference.b) == (17, column, value) and words in difference.sentence
    assert difference.sentence.startswith("Fill 17 (2024-01-02 18:00:00 UTC, EURUSD buy)")


def test_the_earliest_row_counts_and_what_moved_with_it_is_named():
    other = FILLS.copy()
    other.loc[20, "lots"] = 3.0
    other["ts"] = other["ts"].where(other.index != 4, other["ts"] + pd.Timedelta("5min"))
    other.loc[4, ["price", "spread_cost"]] = [1.5, 0.0]
    difference = first_difference(FILLS, other)
    assert (difference.row, difference.column, difference.a, difference.b) == (5, "ts", "2024-01-02 12:00:00 UTC", "2024-01-02 12:05:00 UTC")
    assert difference.sentence.endswith("Price, spread cost differ too.")


def test_fills_that_only_one_run_has_are_named():
    difference = first_difference(FILLS, FILLS.iloc[:70])
    assert (difference.row, difference.b) == (71, None) and "The first 70 fills are the same; fill 71" in difference.sentence and "in the first only, which has 10 more" in difference.sentence
    assert "in the second only" in first_difference(FILLS.iloc[:0], FILLS).sentence


def test_the_same_fills_are_the_same_however_they_are_stored(tmp_path):
    FILLS.to_parquet(tmp_path / "fills.parquet")
    assert first_difference(FILLS, pd.read_parquet(tmp_path / "fills.parquet")) is None
    words = [name for name in FILLS if not pd.api.types.is_numeric_dtype(FILLS[name]) and name not in ("ts", "bar_ts")]
    assert first_difference(FILLS, FILLS.astype({name: "category" for name in words})) is None
    gaps = FILLS.assign(price=np.nan)
    assert first_difference(gaps, gaps.copy()) is None and first_difference(gaps, FILLS).column == "price"
    assert first_difference(FILLS, FILLS.assign(price=np.nextafter(FILLS["price"], 9.0))).row == 1


def test_a_column_that_only_one_run_has_is_named_last():
    assert first_difference(FILLS, FILLS.assign(venue="x")).sentence == "Only one of the two has the column venue."
