"""R and equity with and without a filter, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from domain.training.equity import curve, daily_r, decisions, deflated, equity_of, filter_gain, spread
from domain.training.protocols import Tried

from .predicted import result, sample_set


def frame(r, taken, size=None, hours: float = 24.0, span: float = 1.0, path: int = 0):
    r = np.asarray(r, float)
    outputs = dict(p=np.zeros(len(r)), taken=np.asarray(taken, bool)) | ({} if size is None else dict(size=np.asarray(size, float)))
    return result(0, sample_set(r > 0, r, hours=hours, span=span), np.arange(len(r)), outputs, path).predictions


def test_decisions_by_hand():
    row = decisions(frame([2.0, -1.0, -1.0, np.nan], [True, False, True, True]))
    assert row == dict(signals=3, taken=2, mean_r=0.0, mean_r_taken=0.5, sum_r=0.0, sum_r_taken=1.0, win_rate=pytest.approx(1 / 3), win_rate_taken=0.5)


def test_sizes_weigh_what_is_taken():
    row = decisions(frame([2.0, -1.0], [True, True], [0.5, 0.25]))
    assert row["sum_r_taken"] == 0.75 and row["mean_r_taken"] == 1.0


def test_nothing_taken_has_no_mean_and_not_zero():
    row = decisions(frame([2.0, -1.0], [False, False]))
    assert row["taken"] == 0 and row["sum_r_taken"] == 0.0 and row["mean_r_taken"] is None and row["win_rate_taken"] is None
    assert filter_gain(frame([2.0, -1.0], [False, False]))["reason"] == "No signal was taken."


def test_daily_r_lies_on_the_day_of_its_end_and_quiet_weekdays_are_zero():
    """Signals on Monday, Tuesday … 2020-01-06 on, known 30 hours later; the weekend is left out, Saturday's result is not."""
    by_day = daily_r(frame([1.0, 2.0, -1.0, -1.0, 4.0], [True, False, True, True, True], hours=24, span=30))
    assert by_day["without"].tolist() == [0.0, 1.0, 2.0, -1.0, -1.0, 4.0] and by_day["with"].tolist() == [0.0, 1.0, 0.0, -1.0, -1.0, 4.0]
    points = curve(by_day)
    assert points[0]["day"] == "2020-01-06" and points[-1] == {"day": "2020-01-11", "without": 5.0, "with": 3.0}
    figures = equity_of(by_day)
    assert figures["with"]["max_drawdown_r"] == 2.0 and figures["without"]["sum_r"] == 5.0 and figures["days"] == 6
    assert [point["with"] for point in curve(by_day, 2)] == [0.0, 3.0]


def test_the_deflated_ratio_is_that_of_the_daily_r():
    from domain.analytics.returns import kurtosis, skewness
    from domain.analytics.significance import deflated_sharpe

    r = np.random.default_rng(0).normal(0.1, 1.0, 250)
    by_day = daily_r(frame(r, r > -9, hours=24, span=1))
    values = by_day["with"].to_numpy()
    figures = deflated(by_day, Tried(50, 0.01))
    assert figures.dsr == pytest.approx(deflated_sharpe(values.mean() / values.std(ddof=1), len(values), 50, 0.01, skewness(values), kurtosis(values)))
    assert figures.dsr < deflated(by_day, Tried(1)).dsr


def test_the_gain_of_a_filter_that_knows_and_of_one_that_does_not():
    draw = np.random.default_rng(1)
    r = draw.normal(-0.1, 1.0, 400)
    knows, guesses = (filter_gain(frame(r, taken, hours=6)) for taken in (r + draw.normal(0, 1, 400) > 0, draw.uniform(size=400) < 0.5))
    assert knows["gain"] > knows["low"] > 0.3 and knows["days"] == 100
    assert guesses["low"] < 0 < guesses["high"]
    taken = r > 0.2
    exact = filter_gain(frame(r, taken, hours=6))
    assert exact["gain"] == pytest.approx(r[taken].mean() - r.mean())


def test_a_spread_of_nothing_is_nothing():
    assert spread([None]) == dict(low=None, median=None, high=None)
