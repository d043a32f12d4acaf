"""Monte Carlo paths of a run, drawn in parts: the summary does not depend on how the drawing was split."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from domain.analytics import MonteCarloConfig, draw, merge
from domain.analytics.histories import BINS, LARGEST_PART, POINTS, parts_of, sample_of, summary, thinned

R = np.random.default_rng(4).normal(0.1, 1.0, 300)
TS = pd.date_range("2024-01-08", periods=5, tz="UTC", freq="D")      # Monday to Friday
EQUITY = pd.DataFrame(dict(ts=TS, equity=[110.0, 99.0, 99.0, 108.9, 100.0]))


@pytest.mark.parametrize("parts", [2, 7])
def test_the_summary_of_merged_parts_equals_that_of_all_paths(parts):
    plan = MonteCarloConfig(paths=61, seed=9)
    paths = draw(R, plan)
    merged = merge([thinned(draw(R, plan, part=part, parts=parts)) for part in reversed(range(parts))])
    pd.testing.assert_frame_equal(merged, thinned(paths), check_exact=True)
    assert summary(merged, R, plan, "trades") == summary(paths, R, plan, "trades")


def test_the_fan_is_the_quantiles_of_all_paths_at_each_step():
    plan = MonteCarloConfig(paths=100, seed=2)
    points = draw(R, plan).filter(regex=r"^p\d").to_numpy()
    fan, steps = summary(draw(R, plan), R, plan, "trades")["fan"], np.rint(np.linspace(0, 300, 201))
    assert len(fan["step"]) == POINTS and (fan["step"][0], fan["step"][-1]) == (0, 300) and set(fan["step"]) <= set(steps)
    for k, step in enumerate(fan["step"]):
        assert fan["q25"][k] == pytest.approx(np.quantile(points[:, np.flatnonzero(steps == step)[0]], 0.25), abs=1e-6)


def test_the_summary_is_plain_and_bounded():
    result = summary(draw(R, MonteCarloConfig(paths=500)), R, MonteCarloConfig(paths=500), "trades")
    assert json.loads(json.dumps(result)) == result and len(json.dumps(result)) < 20_000
    assert len(result["falls"]["low"]) == BINS and sum(result["falls"]["paths"]) == result["figures"]["paths"] == 500


def test_trades_are_drawn_from_in_the_order_in_which_they_ended():
    trades = pd.DataFrame(dict(exit_ts=TS[[2, 0, 1, 3]], r=[3.0, 1.0, np.nan, 4.0]))
    sample, kind = sample_of(trades, EQUITY, 100.0)
    assert sample.tolist() == [1.0, 3.0, 4.0] and kind == "trades"


def test_without_two_trades_in_r_days_are_drawn_from_and_without_any_nothing():
    frame = pd.DataFrame(dict(exit_ts=TS[:1], r=[np.nan]))
    sample, kind = sample_of(frame, EQUITY, 100.0)
    assert kind == "days" and sample.round(9).tolist() == [0.1, -0.1, 0.0, 0.1, -0.081726354]
    assert not len(sample_of(frame.iloc[:0], EQUITY, 100.0)[0])


@pytest.mark.parametrize("steps", [2, 500, 20_000, 1_000_000])
def test_a_part_is_some_seconds_of_work(steps):
    for paths in (10, 1_000, 100_000):
        size = paths / parts_of(steps, paths)
        assert size <= LARGEST_PART and (size * steps < 2e8 or size <= 100)


def test_a_drawing_can_be_stopped_on_the_way():
    received = []

    def watch(share: float) -> None:
        received.append(share)
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(R, MonteCarloConfig(paths=200), watch=watch)
    assert received == sorted(received) and len(received) > 5 and received[-1] < 0.7
