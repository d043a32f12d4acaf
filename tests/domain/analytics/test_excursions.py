"""The surface of stops and targets against a loop over trades."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import excursion_points, stop_target_surface
from domain.errors import BadRequest
from tests.domain.analytics.makers import trades

RNG = np.random.default_rng(9)
R = np.clip(RNG.normal(0.1, 1.2, 300), -1.2, 4.0).round(2)
RUN = trades(R, costs=6.0, swap=-1.0, mae_r=np.maximum(-R, 0) + RNG.uniform(0, 0.8, 300).round(1), mfe_r=np.maximum(R, 0) + RNG.uniform(0, 2, 300).round(1))


def slow(run: pd.DataFrame, stop: float, target: float, optimistic: bool) -> float:
    total = 0.0
    for trade in run.itertuples():
        paid = (trade.costs - trade.swap) / 100.0
        stopped, reached = trade.mae_r >= stop, trade.mfe_r >= target
        if stopped and not (reached and optimistic):
            total += -stop - paid
        elif reached:
            total += target - paid
        else:
            total += trade.r
    return total / len(run)


def test_each_cell_is_what_a_loop_over_the_trades_gives():
    surface = stop_target_surface(RUN, stops=(0.5, 0.8, 1.0, 9.0), targets=(0.5, 1.5, 99.0))
    assert len(surface) == 12
    for cell in surface.itertuples():
        assert cell.expectancy_r == pytest.approx(slow(RUN, cell.stop, cell.target, optimistic=False))
        assert cell.optimistic_r == pytest.approx(slow(RUN, cell.stop, cell.target, optimistic=True))
        stopped, reached = RUN["mae_r"] >= cell.stop, RUN["mfe_r"] >= cell.target
        assert (cell.stopped, cell.reached) == (pytest.approx(stopped.mean()), pytest.approx((reached & ~stopped).mean()))
        assert (cell.both, cell.kept) == (pytest.approx((reached & stopped).mean()), pytest.approx((~reached & ~stopped).mean()))
        assert cell.per_risk == pytest.approx(cell.expectancy_r / cell.stop)


def test_a_stop_and_target_that_nobody_reached_leave_the_run_as_it_was():
    cell = stop_target_surface(RUN, stops=(99.0,), targets=(99.0,)).iloc[0]
    assert cell["expectancy_r"] == pytest.approx(RUN["r"].mean()) and cell["kept"] == 1.0


def test_trades_without_r_are_left_out_and_nothing_left_is_no_row():
    half = RUN.assign(r=np.where(np.arange(300) % 2, RUN["r"], np.nan))
    pd.testing.assert_frame_equal(stop_target_surface(half), stop_target_surface(RUN[1::2]))
    assert stop_target_surface(RUN.assign(r=np.nan)).empty
    with pytest.raises(BadRequest, match="above 0"):
        stop_target_surface(RUN, stops=(0.0, 1.0))


def test_points_include_the_extremes_and_never_exceed_the_limit():
    points = excursion_points(RUN, most=100)
    assert len(points) <= 100 and points["trade_id"].is_monotonic_increasing and points["trade_id"].is_unique
    for name in ("mae_r", "mfe_r", "r"):
        assert (points[name].min(), points[name].max()) == (RUN[name].min(), RUN[name].max())
    pd.testing.assert_frame_equal(points, excursion_points(RUN, most=100))
    every_point = excursion_points(RUN)
    assert len(every_point) == 300 and (every_point["won"] == (RUN["pnl"] > 0)).all()
