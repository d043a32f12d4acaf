"""One model watched on bars after its training: what is compared with what, and what must stay out of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.training.drift import DriftConfig
from domain.training.pipeline import fit_pipeline
from domain.training.splits import next_fold
from domain.training.train import samples_of, scheme_of
from domain.training.watching import watched

from .predicted import question
from .walked_bars import inputs, walk

LEARNT, ALL = 1_500, 2_300
SCHEME = dict(train=30, validation=5, calibration=25, test=10, embargo=2.0)


def model(target: str, learner: str, params: dict | None = None, **more):
    """The question, its pipeline on the first 1,500 hours, what it learnt from, all 2,300 hours, and since when it learnt."""
    bars = walk(ALL, seed=3)
    request = question(target=target, learner=learner, learner_params=params or {}, columns=("atr(14)", "log_return(1)"), strategy="", scheme_params=SCHEME, target_params=dict(horizon=4, every=2) | more)
    learnt = (inputs(bars.iloc[:LEARNT], spread=0.0002),)
    result = samples_of(request, learnt)
    fold = next_fold(result.samples.start, result.samples.end, scheme_of(request))
    since = int(result.samples.start[np.concatenate([fold.parts[part] for part in ("train", "validation", "calibration")])].min())
    return request, fit_pipeline(result, fold, request), learnt, bars, since


@pytest.fixture(scope="module")
def returns():
    return model("return", "linear", dict(levels="0.1,0.5,0.9"))


def test_new_bars_alone_are_looked_at_and_intervals_are_counted(returns):
    request, pipeline, learnt, bars, since = returns
    columns, facts = watched(request, pipeline, learnt, (inputs(bars, spread=0.0002),), since)
    ends = pd.DatetimeIndex(bars["ts"]).as_unit("ns").asi8 + 3_600_000_000_000
    assert facts["bars"] == dict(EURUSD=int((ends > pipeline.until).sum())) and columns["column"].tolist() == ["atr(14)", "log_return(1)"]
    assert columns["reference"].tolist() == [int(((ends >= since) & (ends <= pipeline.until)).sum())] * 2 and columns["recent"].tolist() == [500, 500]
    (row,) = facts["coverage"]
    assert row["nominal"] == pytest.approx(0.8) and row["count"] == facts["labelled"] and 0.7 < row["coverage"] < 0.9 and row["effective"] < 0.6 * row["count"]
    assert facts["state"] == "calm" and facts["brier"] == [] and facts["expected_brier"] is None and facts["samples"] >= facts["labelled"] > 300


def test_a_column_that_moved_is_named(returns):
    request, pipeline, learnt, bars, since = returns
    wild = bars.copy()
    middle = wild["close"].iloc[LEARNT]
    for name in ("open", "high", "low", "close"):
        wild.loc[wild.index[LEARNT:], name] = middle + 4 * (wild[name].iloc[LEARNT:] - middle)
    columns, facts = watched(request, pipeline, learnt, (inputs(wild, spread=0.0002),), since)
    assert facts["state"] == "alarm" and "log_return(1) of EURUSD" in " ".join(facts["alarms"])
    assert columns.set_index("column").loc["log_return(1)", "state"] == "alarm"


def test_too_few_new_bars_are_unknown(returns):
    request, pipeline, learnt, bars, since = returns
    _, facts = watched(request, pipeline, learnt, (inputs(bars.iloc[: LEARNT + 20], spread=0.0002),), since)
    assert facts["state"] == "unknown" and facts["coverage"][0]["state"] == "unknown"


def test_probabilities_of_classes_are_checked_each_and_expected_before_their_outcomes():
    request, pipeline, learnt, bars, since = model("direction", "linear")
    _, facts = watched(request, pipeline, learnt, (inputs(bars, spread=0.0002),), since, DriftConfig(window=400))
    assert [row["output"] for row in facts["brier"]] == ["p_down", "p_flat", "p_up"] and facts["samples"] == 400
    assert facts["expected_brier"] == pytest.approx(sum(row["expected"] for row in facts["brier"]), abs=0.02) and facts["labelled"] in (398, 399)
    assert all(row["z"] is not None and row["brier"] > 0 for row in facts["brier"])


def test_later_bars_do_not_change_what_was_known(returns):
    """The check of the first 1,900 bars is the same whatever came after: made again from a longer file cut there."""
    request, pipeline, learnt, bars, since = returns
    first, again = (watched(request, pipeline, learnt, (inputs(part, spread=0.0002),), since) for part in (bars.iloc[:1_900], pd.concat([bars.iloc[:1_900]])))
    assert first[1] == again[1] and first[0].equals(again[0])
