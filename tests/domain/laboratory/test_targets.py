"""Targets from their sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.laboratory.targets import forward_return, trade_outcomes

from .makers import world


@pytest.mark.parametrize(("start", "first"), [("open", 1), ("close", 0)])
def test_a_forward_return_runs_from_where_it_says_to_the_close_so_many_bars_on(start, first):
    bars = world(200, 0)
    result = forward_return(bars, 5, start).values
    for row in range(195):
        assert result[row] == pytest.approx(np.log(bars["close"][row + 5] / bars[start][row + first]), abs=1e-15)
    assert np.isnan(result[195:]).all()


def test_a_forward_return_says_how_many_values_share_time_and_holds_other_horizons():
    target = forward_return(world(200, 0), 5, horizons=(1, 20))
    assert target.overlap == 5 and sorted(target.others) == [1, 5, 20] and "share 4 bars" in target.note
    np.testing.assert_array_equal(target.others[5], target.values)


@pytest.mark.parametrize("start", ["open", "close"])
@pytest.mark.parametrize("bars", [1, 20, 25])
def test_a_horizon_beyond_the_bars_has_no_return(start, bars):
    assert np.isnan(forward_return(world(bars, 0), 25, start, ()).values).all()


def test_no_instrument_looks_into_the_next():
    a, b = world(100, 0, seed=1), world(100, 0, seed=2)
    both = pd.concat([a.assign(instrument="A"), b.assign(instrument="B")], ignore_index=True)
    np.testing.assert_array_equal(forward_return(both, 7).values, np.r_[forward_return(a, 7).values, forward_return(b, 7).values])


def test_rows_of_an_instrument_that_do_not_stand_together_are_refused():
    mixed = world(4, 0).assign(instrument=["A", "B", "A", "B"])
    with pytest.raises(BadRequest, match="do not stand together"):
        forward_return(mixed, 1)


def test_a_price_at_or_below_zero_has_no_return():
    bars = pd.DataFrame(dict(open=[1.0, 1.0, -1.0, 1.0], close=[1.0, 0.0, 1.0, 1.0]))
    assert np.isnan(forward_return(bars, 1).values).tolist() == [True, True, False, True]


def trades(frame: pd.DataFrame, entries: list[int], leaves: list[int], r: list[float], minutes: int = 0) -> pd.DataFrame:
    ts = frame["ts"]
    return pd.DataFrame(dict(entry_ts=ts.iloc[entries].to_numpy() + pd.Timedelta(minutes=minutes), exit_ts=ts.iloc[leaves].to_numpy(), r=r)).astype(
        dict(entry_ts="datetime64[ns, UTC]", exit_ts="datetime64[ns, UTC]")
    )


@pytest.mark.parametrize("minutes", [0, 17])
def test_an_outcome_stands_at_the_bar_that_had_closed_before_the_entry(minutes):
    frame = world(30, 0)
    target = trade_outcomes(frame, trades(frame, [5, 9, 9, 20], [7, 12, 15, 25], [1.5, -1.0, 2.0, np.nan], minutes))
    assert np.flatnonzero(np.isfinite(target.values)).tolist() == [4, 8]
    assert target.values[[4, 8]].tolist() == [1.5, 0.5]


def test_trades_that_run_at_once_are_counted_as_overlap():
    frame = world(60, 0)
    assert trade_outcomes(frame, trades(frame, [5, 10, 15], [9, 14, 20], [1.0, 1.0, 1.0])).overlap == 1
    assert trade_outcomes(frame, trades(frame, [5, 6, 7, 30], [20, 12, 14, 31], [1.0] * 4)).overlap == 3


def test_outcomes_stand_at_their_own_instrument():
    frame = pd.concat([world(50, 0).assign(instrument=name) for name in "AB"], ignore_index=True)
    table = trades(world(50, 0), [5, 10], [7, 12], [1.0, 2.0]).assign(instrument=["B", "A"])
    assert np.flatnonzero(np.isfinite(trade_outcomes(frame, table).values)).tolist() == [9, 54]


def test_trades_of_another_time_are_refused():
    frame = world(50, 0)
    early = trades(frame, [5], [7], [1.0]).assign(entry_ts=pd.Timestamp("2001-01-01", tz="UTC"))
    with pytest.raises(BadRequest, match="none of the 1 trades"):
        trade_outcomes(frame, early)
