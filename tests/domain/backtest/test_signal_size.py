"""``size``, the share of the sizer's lots that a signal asks for: worked by hand, by the kernel and by the reference implementation."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from domain.backtest.decision_size import SizeInputs, sized
from domain.errors import BadRequest
from domain.market.instrument import instrument
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.signals import read_signals
from tests.reference.worked import BAR_1, BEFORE, bars_of, task_of

AT_RISK = Sizing("fraction_at_risk", 0.01)      # 10,000 at 1 % over 0.0022 x 100,000: 0.4545 lots
NONE = float("nan")


def long(**cells):
    return task_of(bars_of(BEFORE, BAR_1, BAR_1), {"at": 0, "side": "long", "stop_loss": 1.0980, **cells})


@pytest.mark.parametrize(("cells", "lots"), [({}, 0.45), ({"size": 1.0}, 0.45), ({"size": 0.5}, 0.22), ({"size": 2.0}, 0.90), ({"lots": 0.3, "size": 0.5}, 0.15), ({"lots": 0.3}, 0.3)], ids=str)
def test_example_14_a_share_of_the_lots(run, cells, lots):
    """0.5 x 0.4545 = 0.2272 and 2 x 0.4545 = 0.9090 lots, rounded down."""
    assert run(long(**cells), sizing=AT_RISK).fills["lots"].iloc[0] == lots
    inputs = SizeInputs(10_000, 1.1002, 1.0980, 1.0, NONE, (), cells.get("lots", NONE), cells.get("size", 1.0))
    assert sized(AT_RISK, instrument("EURUSD"), inputs).lots == lots


def test_the_share_is_taken_before_rounding(run):
    """0.995 x 0.4545 = 0.4523, that is 0.45 lots; 0.995 of the rounded 0.45 would be 0.44."""
    assert run(long(size=0.995), sizing=AT_RISK).fills["lots"].iloc[0] == 0.45


def test_nothing_of_a_size_is_no_size_and_little_is_below_the_minimum(run):
    for size, reason in ((0.0, "no_size"), (0.02, "below_min_lot")):
        outcome = run(long(size=size), sizing=AT_RISK)
        assert outcome.trades.empty and outcome.counts[reason] == 1
        assert outcome.reviews[["verdict", "reason"]].to_numpy().tolist() == [["refused", reason]]


@pytest.mark.parametrize("sizing", [Sizing("fixed_lots", 1.0), AT_RISK], ids=["fixed", "risk"])
def test_a_signal_of_no_size_is_that_also_where_its_tag_is_taken(run, sizing):
    """The position holds the tag for all bars; of the three later signals one asks for nothing."""
    bars = bars_of(BEFORE, BAR_1, *[BAR_1] * 6)
    rows = [{"at": at, "side": "long", "stop_loss": 1.0980, "size": size} for at, size in ((0, 1.0), (2, 1.0), (3, 0.0), (4, 0.5))]
    outcome = run(task_of(bars, *rows), sizing=sizing)
    assert len(outcome.trades) == 1 and (outcome.counts["duplicate_tag"], outcome.counts["no_size"]) == (2, 1)


def test_limits_and_the_maximum_lot_apply_to_what_is_left(run):
    """Ten times a lot is a million: over 3 times the equity, so 0.27 lots are left of it; half a lot shrinks to the same, a tenth passes whole."""
    for size, lots in ((10.0, 0.27), (0.5, 0.27), (0.1, 0.1)):
        outcome = run(long(size=size), sizing=Sizing("fixed_lots", 1.0), limits=Limits(max_leverage=3.0))
        assert outcome.fills["lots"].iloc[0] == lots and outcome.counts["shrunk_leverage"] == (size > 0.1)
    task = long(size=10.0)
    capped = dataclasses.replace(task, instrument=dataclasses.replace(task.instrument, max_lot=0.8))
    outcome = run(capped, sizing=Sizing("fixed_lots", 0.1), balance=1e6)
    assert outcome.fills["lots"].iloc[0] == 0.8 and outcome.counts["over_max_lot"] == 1


def test_profit_is_proportional_to_the_size_and_r_is_not(run):
    bars = bars_of(BEFORE, BAR_1, (1.1005, 1.1045, 1.1000, 1.1030))
    one, quarter = (run(task_of(bars, {"at": 0, "side": "long", "stop_loss": 1.0980, "target_1": 1.1040, "size": size})).trades.iloc[0] for size in (1.0, 0.25))
    assert one["pnl"] == pytest.approx(380.0) and quarter["pnl"] == pytest.approx(95.0) and one["r"] == pytest.approx(quarter["r"])


@pytest.mark.parametrize("cell", [-0.1, 10.5, "half"])
def test_a_share_out_of_bounds_is_refused_by_row(cell):
    table = pd.DataFrame(dict(ts=pd.date_range("2024-01-02", periods=2, tz="UTC"), side="long", size=["1", str(cell)]))
    with pytest.raises(BadRequest, match=r"row 2 of the signals: size is"):
        read_signals(table, ("EURUSD",))


def test_an_absent_or_empty_size_is_one(run):
    absent, empty, given = (run(long(**cells), sizing=AT_RISK) for cells in ({}, {"size": np.nan}, {"size": 1.0}))
    for other in (empty, given):
        for name in ("fills", "trades", "equity", "reviews"):
            pd.testing.assert_frame_equal(getattr(absent, name), getattr(other, name))
