"""Similar moments: the nearest by a slow search, and never one whose outcome was not yet known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.laboratory.similar import similar
from domain.laboratory.targets import forward_return

from .makers import world

COLUMNS = ["leads", "flips", "slow", "noise00", "noise01"]


@pytest.mark.parametrize("chosen", [120, 500, 1_999, -1])
@pytest.mark.parametrize("horizon", [1, 12])
def test_no_match_is_from_the_future_nor_had_an_outcome_in_it(chosen, horizon):
    frame = world(2_000, 2)
    result = similar(frame, COLUMNS, horizon, chosen, 20)
    assert (result.matches["row"] + horizon <= chosen % 2_000).all()
    assert np.isfinite(result.matches["followed"]).all()


def test_nothing_after_the_chosen_bar_changes_anything():
    frame = world(2_000, 2)
    changed = frame.copy()
    changed.loc[1_001:, [*COLUMNS, "open", "close"]] *= -7.0
    for other in (changed, frame.iloc[:1_001]):
        a, b = similar(frame, COLUMNS, 8, 1_000), similar(other, COLUMNS, 8, 1_000)
        for name in ("matches", "paths", "followed", "distribution"):
            pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name))


def test_the_matches_are_those_of_a_slow_search():
    frame, chosen, horizon = world(1_500, 2), 1_400, 12
    past = frame.iloc[50 : chosen - horizon + 1]
    mean, spread = past[COLUMNS].mean(), past[COLUMNS].std(ddof=0)
    z = ((frame[COLUMNS] - mean) / spread).clip(-5, 5)
    distance = np.sqrt(((z.loc[past.index] - z.loc[chosen]) ** 2).sum(axis=1)).sort_values()
    expected: list[int] = []
    for row in distance.index:
        if all(abs(row - other) >= horizon for other in expected):
            expected.append(row)
    result = similar(frame, COLUMNS, horizon, chosen, 30)
    assert result.matches["row"].tolist() == expected[:30]
    np.testing.assert_allclose(result.matches["distance"], distance[expected[:30]], rtol=1e-4)
    np.testing.assert_allclose(result.matches["followed"], forward_return(frame, horizon).values[expected[:30]])
    assert (result.matches["ts"].to_numpy() == frame["ts"].to_numpy()[expected[:30]]).all()


def test_matches_share_no_time_even_where_many_are_near():
    frame = world(2_000, 0).assign(slow=np.sin(np.arange(2_000) / 150))
    rows = np.sort(similar(frame, ["slow"], 20, count=40).matches["row"])
    assert len(rows) == 40 and np.diff(rows).min() >= 20


def test_fewer_matches_than_requested_are_reported():
    result = similar(world(400, 2), COLUMNS, 30, count=50)
    assert len(result.matches) < 12 and any("could be found" in note for note in result.notes)


def test_paths_begin_before_the_match_and_end_with_its_outcome():
    frame = world(1_000, 2)
    result = similar(frame, COLUMNS, 8, 900, 5, "close", 16)
    path = result.paths[result.paths["rank"] == 3].set_index("step")["value"]
    row = result.matches["row"][2]
    assert path.index.tolist() == list(range(-16, 9)) and path[0] == 0.0
    assert path[8] == pytest.approx(result.matches["followed"][2]) and path[-5] == pytest.approx(np.log(frame["close"][row - 5] / frame["close"][row]))
    assert result.paths[result.paths["rank"] == 0]["step"].tolist() == list(range(-16, 1))


def test_what_followed_is_reported_beside_what_follows_any_moment():
    frame = world(3_000, 2)
    result = similar(frame, COLUMNS, 8, count=60)
    figures = result.followed.set_index("figure")
    returns = result.matches["followed"]
    assert figures.loc["mean", "matches"] == pytest.approx(returns.mean()) and figures.loc["share_up", "matches"] == pytest.approx((returns > 0).mean())
    assert figures.loc["count", "all"] == 3_000 - 50 - 8 and figures.loc["q05", "matches"] == pytest.approx(np.quantile(returns, 0.05))
    np.testing.assert_allclose(result.distribution[["matches", "all"]].sum(), 1.0)


def test_matches_may_come_from_other_instruments_by_the_clock():
    a, b = world(1_000, 2, seed=1), world(1_000, 2, seed=2)
    both = pd.concat([a.assign(instrument="A"), b.assign(instrument="B")], ignore_index=True)
    result = similar(both, COLUMNS, 10, 700, 40).matches
    assert set(result["instrument"]) == {"A", "B"}
    assert (result["row"] % 1_000 + 10 <= 700).all()
    assert np.diff(np.sort(result["row"] % 1_000)).min() >= 10


def test_columns_that_say_nothing_at_the_chosen_bar_are_left_out_and_reported():
    frame = world(1_000, 2).assign(flat=1.0)
    frame.loc[999, "slow"] = np.nan
    result = similar(frame, [*COLUMNS, "flat"], 5)
    assert result.columns == ("leads", "flips", "noise00", "noise01") and any("slow, flat" in note for note in result.notes)


def test_one_wild_value_does_not_decide():
    frame = world(1_000, 2)
    wild = frame.copy()
    wild.loc[999, "noise00"] = 1e9
    assert similar(wild, COLUMNS, 5).matches["distance"].max() < 12


@pytest.mark.parametrize(("choice", "message"), [
    (dict(chosen=55), "at least 50 are needed"), (dict(chosen=4_000), "1000 rows"), (dict(horizon=0), "at least 1"), (dict(method="trees"), "no method named 'trees'"),
])  # fmt: skip
def test_what_cannot_be_answered_is_stated(choice, message):
    with pytest.raises(BadRequest, match=message):
        similar(world(1_000, 2), COLUMNS, **{"horizon": 5, **choice})


def test_an_unknown_column_is_given_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'leads'"):
        similar(world(1_000, 2), ["lead"], 5)


def test_faiss_finds_the_same_where_it_is_installed():
    pytest.importorskip("faiss", reason="faiss is optional")
    frame = world(2_000, 2)
    a, b = (similar(frame, COLUMNS, 8, method=method).matches for method in ("faiss", "sklearn"))
    assert a["row"].tolist() == b["row"].tolist()


def test_faiss_is_requested_in_words_where_it_is_not_installed(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadRequest, match="install faiss-cpu"):
        similar(world(1_000, 2), COLUMNS, 5, method="faiss")
