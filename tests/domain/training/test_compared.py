"""Daily losses against baselines: which losses, which days, and intervals that hold what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.training.compared import against_baselines, daily, interval, paired_losses
from domain.training.scores import outputs_of

from .predicted import result, sample_set

RNG = np.random.default_rng


def frame(**columns):
    return pd.DataFrame({name.replace("q_", "q_0."): np.asarray(values, float) for name, values in columns.items()})


def test_quantiles_are_compared_at_the_levels_that_both_have():
    model, baseline = frame(y=[1.0], q_1=[0.0], q_5=[0.5], q_9=[2.0]), frame(y=[1.0], q_1=[0.0], q_9=[1.0])
    name, first, second = paired_losses(model, baseline, outputs_of(list(model), "number"))
    assert name == "pinball" and first.tolist() == pytest.approx([(0.1 + 0.1) / 2]) and second.tolist() == pytest.approx([(0.1 + 0.0) / 2])


def test_what_shares_no_quantiles_is_compared_by_its_point():
    model, value = frame(y=[1.0], q_5=[0.5]), frame(y=[1.0], value=[3.0])
    assert paired_losses(model, value, outputs_of(list(model), "number"))[0::1][0] == "absolute error"
    assert [values.tolist() for values in paired_losses(model, value, outputs_of(list(model), "number"))[1:]] == [[0.5], [2.0]]
    assert paired_losses(value, value, outputs_of(list(value), "number"))[0] == "squared error"


def test_a_day_is_the_mean_of_its_samples_and_a_sample_that_of_its_paths():
    rows = pd.DataFrame(dict(sample=[0, 0, 1, 2], start=pd.to_datetime(["2020-01-01 05:00", "2020-01-01 05:00", "2020-01-01 23:59", "2020-01-02 00:00"], utc=True)))
    days, means = daily(rows, np.array([1.0, 3.0, 4.0, 7.0]))
    assert days.tolist() == [18262, 18263] and means.ravel().tolist() == [3.0, 7.0]


def judged(better: float, days: int = 60, seed: int = 0) -> dict:
    """A model whose p is nearer to the truth than the baseline's 0.5 by ``better``."""
    draw = RNG(seed)
    y = (draw.uniform(size=4 * days) < 0.5) * 1.0
    samples = sample_set(y)
    p = np.clip(0.5 + better * (y - 0.5) + draw.normal(0, 0.05, len(y)), 0, 1)
    own = result(0, samples, np.arange(len(y)), dict(p=p), baselines=dict(prior=(np.full((len(y), 1), 0.5), ("p",))))
    (row,) = against_baselines([own], outputs_of(["p"], "binary"))
    return row


def test_better_worse_and_undecided():
    better, worse, none = judged(0.3), judged(-0.3), judged(0.0, days=15)
    assert better["state"] == "better" and 0 < better["low"] < better["gain"] < better["high"] and better["days"] == 60
    assert better["gain"] == pytest.approx(better["baseline"] - better["model"]) and better["baseline"] == 0.25
    assert worse["state"] == "worse" and worse["high"] < 0
    assert none["state"] == "unknown" and none["gain"] is None and none["reason"] == "There are 15 days with predictions; 20 are needed."


def test_a_model_that_is_its_baseline_is_undecided():
    y = RNG(1).uniform(size=200)
    samples = sample_set(y, task="number")
    own = result(0, samples, np.arange(200), dict(value=np.zeros(200)), baselines=dict(no_change=(np.zeros((200, 1)), ("value",))))
    (row,) = against_baselines([own], outputs_of(["value"], "number"))
    assert (row["state"], row["gain"], row["low"], row["high"], row["loss"]) == ("undecided", 0.0, 0.0, 0.0, "squared error")


def test_a_baseline_that_some_folds_lack_is_compared_where_it_is():
    y = RNG(2).uniform(size=200)
    samples = sample_set(y, task="number")
    there, rows = dict(linear=(np.full((100, 1), 0.5), ("value",))), np.arange(100)
    results = [result(0, samples, rows, dict(value=y[:100]), baselines=there), result(1, samples, rows + 100, dict(value=y[100:] + 9))]
    (row,) = against_baselines(results, outputs_of(["value"], "number"))
    assert row["model"] == 0.0 and row["days"] == 25


def test_intervals_hold_the_mean_in_95_of_100_also_of_dependent_days():
    """60 series of 200 days, each the mean of five successive draws: blocks of 15 lose a little of the 95 %; days drawn alone hold it in about 60 %."""
    draw, kernel, hits, alone = RNG(3), np.ones(5) / 5, 0, 0
    for turn in range(60):
        days = np.convolve(draw.normal(size=204), kernel, "valid")
        for block in (15, 1):
            low, high = interval(days, np.ones(200), block, turn, 300)
            hits, alone = hits + (block == 15) * (low <= 0 <= high), alone + (block == 1) * (low <= 0 <= high)
    assert 49 <= hits <= 60 and alone < 45
