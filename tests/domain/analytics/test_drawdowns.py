"""Drawdowns against a loop written from the sentence, and against a published run."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from domain.analytics import drawdown_table, measure, underwater
from domain.errors import UnknownName
from tests.domain.analytics.makers import ORACLES, curve, fills, oracle, trades

GOOG = "backtesting_py/goog_smacross_expected.json"


def slow(values: list[float], lows: list[float], start: float) -> list[tuple[float, int, int, int | None]]:
    """share, peak row, trough row, recovery row of each fall, in the order of time: walked row by row."""
    drawdowns, peak, at = [], max(start, values[0]), 0
    depth, trough = min(lows[0] / peak - 1, 0.0), 0
    for row in range(1, len(values)):
        if values[row] >= peak:
            if depth < 0:
                drawdowns.append((depth, at, trough, row))
            peak, at, depth, trough = values[row], row, 0.0, row
        share = min(lows[row] / peak - 1, 0.0)
        if share < depth:
            depth, trough = share, row
    return [*drawdowns, (depth, at, trough, None)] if depth < 0 else drawdowns


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["equity", "equity_low"])
def test_the_table_equals_a_walk_over_the_rows(seed, name):
    rng = np.random.default_rng(seed)
    values = np.round(1000 + np.cumsum(rng.integers(-3, 4, 80)), 0)
    lows = values - rng.integers(0, 5, 80)
    frame = curve(*values, low=list(lows))
    walked = slow(list(values), list(lows if name == "equity_low" else values), 1000.0)
    table = drawdown_table(frame, 1000.0, name, most=100)
    wanted = sorted(walked, key=lambda drawdown: drawdown[0])
    assert table["share"].tolist() == pytest.approx([drawdown[0] for drawdown in wanted])
    row_of = {ts: row for row, ts in enumerate(frame["ts"])}
    got = {(row_of[drawdown.peak_ts], row_of[drawdown.trough_ts], None if pd.isna(drawdown.recovery_ts) else row_of[drawdown.recovery_ts]) for drawdown in table.itertuples()}
    assert got == {drawdown[1:] for drawdown in walked}
    for drawdown in table.itertuples():
        end = row_of.get(drawdown.recovery_ts, 79)
        assert drawdown.days == end - row_of[drawdown.peak_ts] and drawdown.fall_days == row_of[drawdown.trough_ts] - row_of[drawdown.peak_ts]
        assert drawdown.recovery_days == (end - row_of[drawdown.trough_ts] if drawdown.recovery_ts in row_of else pytest.approx(np.nan, nan_ok=True))


def test_only_the_deepest_drawdowns_are_listed_and_ranked():
    rng = np.random.default_rng(3)
    frame = curve(*(1000 + np.cumsum(rng.normal(0.5, 3, 400))))
    table, complete = drawdown_table(frame, 1000.0, most=5), drawdown_table(frame, 1000.0, most=1_000)
    assert len(complete) > 20 and table["rank"].tolist() == [1, 2, 3, 4, 5]
    pd.testing.assert_frame_equal(table, complete.head(5))


def test_the_curve_under_water_ends_the_same_way_for_money_and_share():
    frame = underwater(curve(900.0, 1200.0, 600.0, 1300.0), 1000.0)
    assert frame["share"].tolist() == pytest.approx([-0.1, 0.0, -0.5, 0.0])
    assert frame["money"].tolist() == pytest.approx([-100.0, 0.0, -600.0, 0.0])


def test_the_deepest_of_each_curve_is_the_headline_figure():
    rng = np.random.default_rng(8)
    values = 1000 + np.cumsum(rng.normal(0, 5, 300))
    frame = curve(*values, low=list(values - rng.uniform(0, 9, 300))).assign(balance=np.round(values, -1))
    trade = trades(np.array([1.0]))
    metrics = measure(trade, fills(trade), frame, 1000.0)
    for name, key in (("equity", "max_drawdown"), ("equity_low", "max_drawdown_low"), ("balance", "max_drawdown_closed")):
        assert drawdown_table(frame, 1000.0, name)["share"].iloc[0] == pytest.approx(metrics[key])
        assert underwater(frame, 1000.0, name)["share"].min() == pytest.approx(metrics[key])
    assert drawdown_table(frame, 1000.0, most=1_000)["days"].max() == pytest.approx(metrics["longest_drawdown"])


def test_nothing_under_water_is_no_row():
    assert drawdown_table(curve(1000.0, 1001.0, 1001.0), 1000.0).empty
    assert drawdown_table(curve(), 1000.0).empty and underwater(curve(), 1000.0).empty


def test_an_unknown_curve_names_the_near_one():
    with pytest.raises(UnknownName, match="did you mean 'equity_low'"):
        drawdown_table(curve(1.0), 1.0, "equity_lov")


@pytest.mark.data
@oracle(GOOG)
def test_a_published_run_has_its_drawdown_and_its_days():
    expected = json.loads((ORACLES / GOOG).read_text())["expected"]
    frame = pd.read_csv(ORACLES / "backtesting_py/goog_smacross_equity.csv.gz", index_col=0, parse_dates=True)
    frame = pd.DataFrame(dict(ts=frame.index.tz_localize("UTC"), equity=frame["Equity"].to_numpy()))
    table = drawdown_table(frame, 10_000.0, most=1_000)
    assert 100 * table["share"].iloc[0] == pytest.approx(expected["Max. Drawdown [%]"], rel=1e-9)
    assert table["days"].max() == float(expected["Max. Drawdown Duration"].split()[0])
    assert 100 * table["share"].mean() == pytest.approx(expected["Avg. Drawdown [%]"], rel=1e-9)
