"""Labels of bars against a slow reading of their definitions, shut markets, prices below 0, and what is left out."""

import itertools
import math

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.features import use
from domain.market.bars import frame
from domain.market.calendar import bar_ends, calendar
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues
from domain.training.columns import matrix_of
from domain.training.samples import NEVER, on_bars
from domain.training.targets import TargetParams
from tests.domain.training.walked_bars import DAY, MONDAY, inputs, walk

HOUR = DAY // 24
BODY = (use("body"),)


def slow(bars, ends, row, horizon, unit, target, spread=0.0):
    """A label and its end, or None."""
    last = row + horizon
    if unit == "minutes":
        until = ends[row] + horizon * 60_000_000_000
        shut = not calendar("fx").is_open(until - 1) and not any(start < until <= end for start, end in zip(bars["ts"].astype("int64"), ends, strict=True))
        last = max(k for k in range(len(ends)) if ends[k] <= until)
        if shut or until > ends[-1] or last == row:
            return None
    if last >= len(bars):
        return None
    price, close = bars["open"][row + 1], bars["close"]
    if target == "direction":
        move = close[last] - price
        return 1 + (move > spread + 1e-10) - (move < -spread - 1e-10), ends[last]
    if target == "return":
        return (math.log(close[last] / price), ends[last]) if min(close[last], price) > 0 else None
    path = [close[k] for k in range(row, last + 1)]
    return (math.sqrt(sum(math.log(b / a) ** 2 for a, b in itertools.pairwise(path))), ends[last]) if min(path) > 0 else None


@pytest.mark.parametrize("target", ["return", "volatility", "direction"])
@pytest.mark.parametrize("horizon,unit,every", [(1, "bars", 1), (5, "bars", 3), (60, "minutes", 1), (150, "minutes", 2), (2880, "minutes", 5)])
def test_labels_are_what_their_definitions_say(target, horizon, unit, every):
    bars = walk(220, seed=3)
    bars = bars.drop(index=[30, 31, 70]).reset_index(drop=True)       # holes while the market is open
    given = inputs(bars, uses=BODY, spread=0.0003)
    ends = bar_ends(bars["ts"].astype("int64").to_numpy(), Timeframe.named("H1"), "fx")
    created = on_bars([given], target, TargetParams(horizon, unit, every))
    expected = {row: slow(bars, ends, row, horizon, unit, target, 0.0003) for row in range(0, len(bars), every)}
    known = {row: label for row, label in expected.items() if label is not None}
    assert created.samples.start.tolist() == [ends[row] for row in known]
    assert created.samples.y == pytest.approx([label for label, _ in known.values()], abs=1e-12)
    assert created.samples.end.tolist() == [end for _, end in known.values()]
    assert sum(created.unlabelled.values()) == len(expected) - len(known)
    assert target != "direction" or horizon == 2880 or set(created.samples.y) == {0.0, 1.0, 2.0}


def test_the_weekend_shuts_the_market_and_the_last_hours_of_data_have_no_label():
    bars = walk(200)                                                # Monday 00:00 to Tuesday of the week after
    created = on_bars([inputs(bars, uses=BODY)], "return", TargetParams(120, "minutes"))
    assert created.unlabelled == {"end_of_data": 2, "market_shut": 2}        # two bars of Friday evening: 20:00 to 22:00 are followed by a shut market
    friday = MONDAY + 4 * DAY + 22 * HOUR
    assert friday - 2 * HOUR in created.samples.start and friday - HOUR not in created.samples.start and friday not in created.samples.start
    assert created.samples.end[created.samples.start == friday - 2 * HOUR].tolist() == [friday]


def test_a_price_below_zero_has_no_log_return_but_a_direction():
    days = np.array(["2020-04-15", "2020-04-16", "2020-04-17", "2020-04-20", "2020-04-21", "2020-04-22", "2020-04-23"], "datetime64[ns]").astype(np.int64)
    close = np.array([19.9, 19.9, 18.3, -37.63, 10.0, 13.8, 16.5])
    opens = np.array([20.1, 19.8, 19.5, 17.7, -14.0, 11.6, 13.0])
    bars = frame(days, open=opens, high=np.maximum(opens, close), low=np.minimum(opens, close), close=close)
    given = inputs(bars, name="CL=F", timeframe="D1", uses=BODY, spread=0.02)
    minutes = TargetParams(1440, "minutes")
    returns, direction = on_bars([given], "return", minutes), on_bars([given], "direction", minutes)
    assert returns.samples.y == pytest.approx([math.log(19.9 / 19.8), math.log(18.3 / 19.5), math.log(13.8 / 11.6), math.log(16.5 / 13.0)])
    assert returns.unlabelled == {"end_of_data": 1, "market_shut": 1, "price_not_above_zero": 1}        # Friday; Monday, whose next open is below 0
    assert direction.samples.y.tolist() == [2, 0, 2, 2, 2] and direction.unlabelled == {"end_of_data": 1, "market_shut": 1}
    assert np.isfinite(on_bars([given], "return", TargetParams(1)).samples.y).all()
    volatility = on_bars([given], "volatility", TargetParams(2))
    assert volatility.unlabelled["price_not_above_zero"] == 3 and len(volatility) == 2
    assert np.isnan(direction.samples.beside["return"][[i for i, start in enumerate(direction.samples.start) if start not in returns.samples.start]]).all()


def test_labels_of_the_other_targets_stand_beside():
    bars = walk(100)
    created = on_bars([inputs(bars, uses=BODY)], "volatility", TargetParams(4))
    other = on_bars([inputs(bars, uses=BODY)], "direction", TargetParams(4))
    assert created.samples.beside["direction"].tolist() == other.samples.y.tolist() and sorted(created.samples.beside) == ["direction", "return"]
    assert other.samples.task == "classes" and other.samples.classes == ("down", "flat", "up")


def test_uniqueness_counts_the_bars_of_the_span():
    created = on_bars([inputs(walk(40), uses=BODY)], "return", TargetParams(4))
    assert created.uniqueness[10] == pytest.approx(1 / 4)           # each of its four bars lies in four spans
    assert created.uniqueness[0] == pytest.approx(np.mean([1, 1 / 2, 1 / 3, 1 / 4]))
    assert on_bars([inputs(walk(40), uses=BODY)], "return", TargetParams(4, every=4)).uniqueness == pytest.approx(np.ones(9))


def test_columns_without_a_value_are_dropped_by_name_and_outside_ones_are_taken_as_known():
    bars, hours = walk(60), walk(60)["ts"].astype("int64").to_numpy()
    extra = {"p_calm": TimedValues(hours[[9, 29]] + HOUR, np.array([0.25, 0.75]))}
    given = inputs(bars, uses=(use("body"), use("mfi", window=14)), extra=extra)
    created = on_bars([given], "return", TargetParams(1))
    assert created.samples.columns == ("body", "p_calm") and created.dropped == ("mfi(14)",)
    column = created.samples.rows()[:, 1]
    assert np.isnan(column[:9]).all() and set(column[9:29]) == {0.25} and set(column[29:]) == {0.75}
    with pytest.raises(BadRequest, match="none of the 1 columns holds a value"):
        on_bars([inputs(bars, uses=(use("mfi", window=14),))], "return")
    kept = on_bars([given], "return", TargetParams(1), labelled=False)
    assert kept.samples.columns == ("body", "mfi(14)", "p_calm") and len(kept) == 46 and kept.samples.end[-1] == NEVER and np.isnan(kept.samples.y[-1])


def test_the_matrix_is_float32_made_once_and_shared():
    given = inputs(walk(300), uses=(use("mfi", window=14), use("body"), use("atr", window=14)))
    created = on_bars([given], "return", TargetParams(2))
    matrix = created.samples.matrix
    assert matrix.dtype == np.float32 and created.samples.take(np.arange(5)).matrix is matrix
    assert matrix.base is not None and matrix.base.shape == (300, 3)      # the dropped column's place is still there: nothing was copied to close the gap
    assert created.warm_up == 14
    assert np.array_equal(matrix[:, 0], matrix_of([given]).values[:, 0])


def test_bars_too_few_for_the_columns_are_refused_with_what_was_missing():
    with pytest.raises(BadRequest, match=r"none of the bars has a label for return \(end of data 2\); 14 lie in the warm-up of the columns, 14 bars"):
        on_bars([inputs(walk(16))], "return", TargetParams(5))


def test_instruments_of_different_columns_are_refused():
    with pytest.raises(BadRequest, match="do not have the same columns"):
        on_bars([inputs(walk(30), uses=BODY), inputs(walk(30), name="GBPUSD")], "return")
