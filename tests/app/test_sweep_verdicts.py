"""What the pages of a sweep, a search and a walk-forward say of a loss: never a word of praise."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from app.sweeps import sweep, walk
from worker.desk.luck import Luck

LUCKY = Luck(100, 1.2, 0.99)
PBO = SimpleNamespace(pbo=0.03, splits=12_870, probability_of_loss=0.9)
RUN = SimpleNamespace(summary=dict(combinations=16), spec=dict(strategy="breakout"))
SHARPE = SimpleNamespace(key="sharpe", title="Sharpe", unit="ratio")


@pytest.mark.parametrize("best", [-4.3, 0.0])
def test_the_least_of_losses_is_no_result(best):
    row = dict(sharpe=best)
    assert sweep._word(LUCKY, PBO, row)[2] == "No profitable combination"
    assert sweep.overfit(PBO, row) == "Overfitting was not evaluated: no combination is profitable."
    assert "zero-edge" not in sweep._sentence(RUN, LUCKY, row) and "Deflated" not in sweep._sentence(RUN, LUCKY, row)


def test_of_a_profit_every_test_is_reported():
    row = dict(sharpe=2.0)
    assert sweep._word(LUCKY, PBO, row)[2] not in ("No profitable combination", "No result")
    assert "0.03" in sweep.overfit(PBO, row) and "Deflated Sharpe ratio 0.99" in sweep._sentence(RUN, LUCKY, row)


@pytest.mark.parametrize(("figure", "value", "profit"), [("sharpe", -4.0, False), ("sharpe", 0.5, True), ("profit_factor", 0.8, False), ("profit_factor", 1.2, True), ("max_drawdown", -0.1, False), ("win_rate", 0.4, False)])
def test_neighbours_are_good_only_where_they_earn(figure, value, profit):
    assert sweep.profits(figure, value) is profit


def test_a_plateau_of_losses_is_similar_not_good():
    cells = pd.DataFrame([(x, y, -5.0 + (x == 2 and y == 2), -5.5 + (x == 2 and y == 2)) for x in (1, 2, 3) for y in (1, 2, 3)], columns=["x", "y", "value", "plateau"])
    parameters = {name: SimpleNamespace(name=name, title="", unit="", choices=()) for name in ("a", "b")}
    level = cells.loc[cells["plateau"].idxmax()]
    assert "neighbouring cells are similar" in sweep.map_sentence(SHARPE, cells, level, parameters, "a", "b")
    better = cells.assign(value=cells["value"] + 9, plateau=cells["plateau"] + 9)
    assert "neighbouring cells are profitable too" in sweep.map_sentence(SHARPE, better, better.loc[better["plateau"].idxmax()], parameters, "a", "b")


def test_a_walk_that_earned_nothing_in_sample_keeps_nothing():
    assert walk._word(-0.3, None, 4)[2] == "Unprofitable out of sample"
    assert walk._word(0.3, None, 4)[0] == "gray" and walk._word(0.3, 0.2, 4)[0] == "orange" and walk._word(0.3, 0.8, 4)[0] == "green"
