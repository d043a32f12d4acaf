"""The whole laboratory on a world in which it is known what each column tells."""

from __future__ import annotations

import io
import json
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.laboratory import Findings, StudyConfig, Target, examine, forward_return, trade_outcomes

from .makers import world

FEATURES = ["leads", "copy", "flips", "moved", "shape", "slow", *(f"noise{k:02d}" for k in range(12))]
QUICK = StudyConfig(resamples=100)


@lru_cache
def findings() -> Findings:
    frame = world()
    regime = np.where(np.arange(len(frame)) % 900 < 400, "calm", "wild")
    return examine(frame, FEATURES, forward_return(frame, 1, horizons=(1, 4, 16)), {"regime": regime}, QUICK)


def test_what_tells_is_found_and_noise_is_not():
    summary = findings().summary.set_index("feature")
    assert (summary.loc[["leads", "copy", "moved"], "q"] < 1e-4).all()
    assert summary.loc["leads", "verdict"] == "keep" and summary.loc["leads", "monotonicity"] > 0.9 and summary.loc["leads", "spread_low"] > 0
    noise = summary.filter(regex="noise|slow", axis=0)
    assert ((noise["q"] < 0.1) | (noise["information_q"] < 0.1)).sum() <= 3      # of 13, at a tenth of false ones in each of two tests
    assert summary.loc[["leads", "copy", "moved"], "q"].max() < noise["q"].min() / 100


def test_a_copy_is_dropped_for_what_it_repeats():
    row = findings().proposal.set_index("feature").loc["copy"]
    assert (row["verdict"], row["fault"], row["with"]) == ("drop", "redundant", "leads") and "leads" in row["reason"]
    number = findings().redundancy.set_index("feature")["cluster"]
    assert number["leads"] == number["copy"] and (number == number["leads"]).sum() == 2


def test_a_feature_that_drifted_is_flagged_and_its_months_show_when():
    drift = findings().drift.set_index("feature")["drift"]
    assert drift["moved"] == "strong" and (drift.drop(["moved", "slow"]) == "none").all()
    history = findings().drift_history
    months = history[history["feature"] == "moved"].set_index("month")["psi"]
    assert months["2020-06"] < 0.5 and months["2024-03"] > 1.0
    assert findings().proposal.set_index("feature").loc["moved", "fault"] == "drift"


def test_a_feature_whose_sign_turns_is_unstable():
    row = findings().summary.set_index("feature").loc["flips"]
    assert row["years"] >= 5 and row["sign_changes"] >= 4
    assert row["fault"] in ("unstable", "information")
    periods = findings().periods.query("feature == 'flips' and label == 'year'").set_index("group")["ic"]
    assert periods["2020"] > 0 > periods["2021"]


def test_what_tells_of_the_size_alone_is_seen_by_mutual_information_alone():
    row = findings().summary.set_index("feature").loc["shape"]
    assert row["information_q"] < 0.01 and row["q"] > 0.1 and row["verdict"] == "keep" and "size or shape" in row["reason"]


def test_what_tells_of_the_next_bar_tells_less_of_many():
    decay = findings().decay.query("feature == 'leads'").set_index("horizon")["ic"]
    assert decay[1] > decay[4] > decay[16] > 0


def test_the_tables_hold_a_row_for_each_thing_looked_at():
    result = findings()
    n = len(FEATURES)
    sizes = {name: len(table) for name, table in result.frames().items()}
    assert sizes["summary"] == sizes["drift"] == sizes["proposal"] == n and sizes["quantiles"] == 10 * n and sizes["decay"] == 3 * n and sizes["correlation"] == n * n
    assert set(result.periods["label"]) == {"year", "session", "regime"} and sizes["periods"] == n * (6 + 5 + 2)
    assert len(result.rolling.query("feature == 'slow'")) == 23 and result.rolling["ts"].dt.tz is not None
    assert any("18 features were tried" in note for note in result.notes)


def test_every_table_goes_through_parquet_and_json():
    for table in findings().frames().values():
        place = io.BytesIO()
        table.to_parquet(place)
        pd.testing.assert_frame_equal(pd.read_parquet(place), table)
        assert len(json.loads(table.to_json(orient="records", date_format="iso"))) == len(table)


def test_more_tried_elsewhere_leaves_less():
    frame = world(4_000, 3)
    few, many = (examine(frame, ["leads", "noise00"], forward_return(frame, 1, horizons=()), plan=StudyConfig(resamples=100, tried=tried)).summary for tried in (0, 500))
    np.testing.assert_array_equal(few["p"], many["p"])
    assert (many["q"] >= few["q"]).all() and many["q"][0] == pytest.approx(min(500 * few["p"].min(), 1.0))


def test_the_same_seed_finds_the_same():
    frame = world(3_000, 2)
    a, b, other = (examine(frame, FEATURES[:4], forward_return(frame, 4, horizons=()), plan=StudyConfig(resamples=100, seed=seed)) for seed in (1, 1, 2))
    for name, table in a.frames().items():
        pd.testing.assert_frame_equal(table, b.frames()[name])
    assert not a.quantiles["mean_low"].equals(other.quantiles["mean_low"])


def test_progress_rises_from_nothing_to_all():
    shares: list[float] = []
    frame = world(2_000, 2)
    examine(frame, FEATURES[:5], forward_return(frame, 1, horizons=()), plan=QUICK, watch=shares.append)
    assert shares[0] == 0.0 and shares[-1] == 1.0 and shares == sorted(shares) and len(shares) > 20


class Stopped(Exception):
    pass


def test_whoever_watches_may_stop_it():
    def stop(share: float) -> None:
        if share > 0.3:
            raise Stopped

    frame = world(2_000, 2)
    with pytest.raises(Stopped):
        examine(frame, FEATURES[:5], forward_return(frame, 1, horizons=()), plan=QUICK, watch=stop)


def test_outcomes_of_trades_are_a_target_too():
    frame, rng = world(), np.random.default_rng(8)
    rows = np.sort(rng.choice(np.arange(60, 11_900), 1_500, replace=False))
    r = np.where(rng.random(1_500) < 0.4 + 0.12 * frame["leads"].to_numpy()[rows], 1.8, -1.0)
    trades = pd.DataFrame(dict(entry_ts=frame["ts"].to_numpy()[rows + 1], exit_ts=frame["ts"].to_numpy()[rows + 4], r=r))
    trades = trades.assign(**{name: pd.to_datetime(trades[name], utc=True) for name in ("entry_ts", "exit_ts")})
    result = examine(frame, ["leads", "noise00", "noise01"], trade_outcomes(frame, trades), plan=QUICK)
    table = result.quantiles.query("feature == 'leads'")
    assert table["count"].sum() == 1_500 and table["win_rate"].iloc[-1] > 0.5 > table["win_rate"].iloc[0] and result.decay.empty
    assert result.summary["q"][0] < 1e-4 and "in R" in result.notes[0]


def test_two_instruments_of_other_units_are_looked_at_together():
    a, b = world(3_000, 2, seed=1), world(3_000, 2, seed=2)
    b[["leads", "open", "close"]] *= 1e4
    both = pd.concat([a.assign(instrument="A"), b.assign(instrument="B")], ignore_index=True)
    result = examine(both, ["leads", "noise00"], forward_return(both, 1, horizons=(1, 4)), plan=QUICK)
    assert result.information["count"].tolist() == [2 * (3_000 - 51)] * 2
    assert result.summary["ic"][0] == pytest.approx(np.mean([examine(frame, ["leads"], forward_return(frame, 1, horizons=()), plan=QUICK).summary["ic"][0] for frame in (a, b)]), abs=0.01)
    assert any("2 instruments" in note for note in result.notes)


def test_a_market_and_its_copy_prove_no_more_than_one():
    single = world(3_000, 2)
    twice = pd.concat([single.assign(instrument=name) for name in "AB"], ignore_index=True)
    a, b = (examine(frame, ["leads", "noise00"], forward_return(frame, 1, horizons=()), plan=QUICK) for frame in (single, twice))
    np.testing.assert_allclose(b.summary["t"], a.summary["t"], rtol=1e-6)
    np.testing.assert_allclose(b.quantiles["mean_low"], a.quantiles["mean_low"], rtol=1e-6, atol=1e-12)


def test_a_feature_without_values_is_dropped_and_disturbs_no_other():
    frame = world(3_000, 2).assign(empty=np.nan, flat=2.0)
    result = examine(frame, ["leads", "empty", "flat"], forward_return(frame, 1), plan=QUICK).summary.set_index("feature")
    assert result["fault"].tolist() == ["", "values", "values"] and result.loc["leads", "verdict"] == "keep"


def test_what_cannot_be_looked_at_is_stated():
    frame = world(500, 2)
    target = forward_return(frame, 1)
    with pytest.raises(UnknownName, match="did you mean 'leads'"):
        examine(frame, ["lead"], target)
    with pytest.raises(BadRequest, match="each once"):
        examine(frame, ["leads", "leads"], target)
    with pytest.raises(BadRequest, match="make it from this frame"):
        examine(frame.iloc[:-1], ["leads"], target)
    with pytest.raises(BadRequest, match="at least 100"):
        examine(frame, ["leads"], Target("nothing", "R", np.full(500, np.nan), 1, ""))
    with pytest.raises(BadRequest, match="order of time"):
        examine(frame.iloc[::-1], ["leads"], target)
    with pytest.raises(BadRequest, match="no column ts"):
        examine(frame.drop(columns="ts"), ["leads"], target)
