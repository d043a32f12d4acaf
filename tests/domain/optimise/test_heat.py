"""A plateau is high ground that is level: against the sentence, cell by cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.optimise import between, combinations, heat


def slow(cells: dict, x: int, y: int) -> float:
    near = [cells[i, j] for i in (x - 1, x, x + 1) for j in (y - 1, y, y + 1) if not np.isnan(cells.get((i, j), np.nan))]
    if np.isnan(cells[x, y]) or len(near) < 3:
        return np.nan
    mean = sum(near) / len(near)
    return mean - (sum((value - mean) ** 2 for value in near) / len(near)) ** 0.5


@pytest.mark.parametrize("seed", range(20))
def test_a_plateau_is_the_mean_of_the_neighbours_less_their_spread(seed):
    rng = np.random.default_rng(seed)
    wide, high = rng.integers(1, 7, 2)
    rows = [dict(a=i * 5, b=j / 4, sharpe=rng.normal() if rng.random() > 0.2 else np.nan) for i in range(wide) for j in range(high) if rng.random() > 0.1]
    if not rows:
        rows = [dict(a=0, b=0.0, sharpe=1.0)]
    xs, ys = sorted({row["a"] for row in rows}), sorted({row["b"] for row in rows})
    cells = {(xs.index(row["a"]), ys.index(row["b"])): row["sharpe"] for row in rows}
    for cell in heat(pd.DataFrame(rows).sample(frac=1.0, random_state=seed), "a", "b", "sharpe").itertuples():
        at = xs.index(cell.x), ys.index(cell.y)
        assert cell.plateau == pytest.approx(slow(cells, *at), nan_ok=True) and cell.value == pytest.approx(cells[at], nan_ok=True)


def test_a_lonely_peak_is_no_plateau():
    table = pd.DataFrame([dict(a=i, b=j, sharpe=3.0 if (i, j) == (1, 1) else 1.0 if i > 4 else 0.0) for i in range(8) for j in range(8)])
    cells = heat(table, "a", "b", "sharpe").set_index(["x", "y"])
    assert cells["value"].idxmax() == (1, 1) and cells["plateau"].idxmax()[0] > 5 and cells.loc[(6, 3), "plateau"] == 1.0


def test_other_parameters_are_fixed_or_their_median_is_shown():
    table = pd.DataFrame([dict(a=i, b=j, c=k, net_return=float(k)) for i in range(3) for j in range(3) for k in (1, 2, 9)])
    cells = heat(table, "a", "b", "net_return")
    assert set(cells["value"]) == {2.0} and set(cells["points"]) == {3}
    assert set(heat(table, "a", "b", "net_return", {"c": 9})["value"]) == {9.0}


def test_what_is_not_in_the_table_is_named():
    with pytest.raises(UnknownName, match="did you mean 'sharpe'"):
        heat(pd.DataFrame(dict(a=[1], b=[1], sharpe=[1.0])), "a", "b", "sharp")
    with pytest.raises(BadRequest, match="choose two parameters"):
        heat(pd.DataFrame(dict(a=[1], sharpe=[1.0])), "a", "a", "sharpe")


def test_a_range_is_exact_in_decimals():
    assert between(0.1, 1.0, 0.1) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0] and between(1, 10, 4) == [1, 5, 9]


def test_a_grid_out_of_bounds_or_too_large_is_refused():
    with pytest.raises(BadRequest, match="lookback is 1 bars"):
        combinations("breakout", {"lookback": [1, 20]})
    with pytest.raises(BadRequest, match="it must have between 1 and 100,000"):
        combinations("breakout", {"lookback": list(range(2, 1_002)), "atr_window": list(range(2, 202))})
    with pytest.raises(BadRequest, match="it must have between 1 and"):
        combinations("breakout", {})
