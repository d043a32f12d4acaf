"""Signals: what a strategy makes and what a person writes are read to the same table, and refused in the same words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.trading.signals import NUMBERS, SIGNAL_COLUMNS, read_signals
from tests.reference.cases import as_read, case

TS = pd.date_range("2024-01-02T10:00", periods=3, freq="5min", tz="UTC", unit="ns")
SIDES = {1: "long", -1: "short", 0: ""}


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame({"ts": TS, "side": "long", **columns})


def read(given: pd.DataFrame) -> pd.DataFrame:
    return read_signals(given, ("EURUSD",))


def as_text(signals: pd.DataFrame) -> pd.DataFrame:
    """As in a file: times in ISO 8601, numbers in the shortest text, empty cells empty."""
    text = signals.assign(ts=signals["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), side=signals["side"].map(SIDES))
    for name in NUMBERS:
        text[name] = ["" if np.isnan(x) else repr(x) for x in signals[name].tolist()]
    return text.astype("str")


def same(frame: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Columns of words hold the same words, whatever keeps them; all others are equal in type too."""
    pd.testing.assert_frame_equal(*(table_.astype({name: object for name in table_ if isinstance(table_[name].dtype, pd.StringDtype)}) for table_ in (frame, wanted)))


@pytest.mark.parametrize("seed", range(0, 120, 10))
def test_text_and_typed_columns_are_read_to_the_same_table(seed):
    for task in case(seed).tasks:
        names, typed = (task.instrument.name,), task.signals.assign(side=task.signals["side"].map(SIDES))
        same(read_signals(typed, names), as_read(task))
        same(read_signals(as_text(task.signals), names), as_read(task))
        same(read_signals(typed.astype(object), names), as_read(task))


@pytest.mark.parametrize("seed", range(0, 120, 10))
def test_columns_without_a_value_may_as_well_be_left_out(seed):
    for task in case(seed).tasks:
        typed = task.signals.assign(side=task.signals["side"].map(SIDES))
        given = [name for name in typed if name in ("ts", "side") or not (typed[name].isna() | (typed[name] == "")).all()]
        same(read_signals(typed[given], (task.instrument.name,)), as_read(task))


@pytest.mark.parametrize("side", [[1, -1, 1], [1.0, -1.0, 1.0], ["BUY", " Sell", "+1"], ["1.0", "-1", "long"], pd.Categorical(["long", "short", "long"])], ids=str)
def test_a_side_is_a_number_or_a_word(side):
    assert read(table(side=side))["side"].tolist() == [1, -1, 1]


def test_what_is_read_is_not_what_was_given():
    given = table(stop_loss=1.0)
    signals = read(given)
    given.loc[:, "stop_loss"] = 2.0
    assert signals["stop_loss"].tolist() == [1.0] * 3


def test_a_number_that_is_left_out_takes_no_memory_and_cannot_be_written_to():
    missing = read(table())["target_1"].to_numpy()
    assert missing.strides == (0,) and not missing.flags.writeable


def test_every_column_is_there_and_rows_keep_their_order_and_index():
    signals = read(table(tag=["b", "a", "b"]).iloc[[2, 0]])
    assert set(signals) == set(SIGNAL_COLUMNS) and signals.index.tolist() == [2, 0] and signals["tag"].tolist() == ["b", "b"]
    assert set(signals["order"]) == {"market"} and set(signals["instrument"]) == {"EURUSD"}


def test_no_rows_are_no_signals():
    assert len(read(table().iloc[:0])) == 0


REFUSED = [     # each in typed columns and as text
    (dict(stop_loss=[1.0, "x", 1.0]), "row 2 of the signals: stop_loss is 'x'; it must be a number"),
    (dict(stop_loss=[1.0, np.inf, 1.0]), "row 2 of the signals: stop_loss is inf; it must be finite"),
    (dict(side=["long", "up", "long"]), "row 2 of the signals: side is 'up'; it must be long or short"),
    (dict(side=[1, 2, 1]), "row 2 of the signals: side is '2'; it must be long or short"),
    (dict(order=["", "exit", "leave"]), "row 3 of the signals: order is 'leave'; it must be market or stop or limit or exit"),
    (dict(order=["market", "limit", "market"], price=[np.nan, np.nan, 1.0]), "row 2 of the signals: price is empty; it must be a price: a stop or limit order needs one"),
    (dict(valid_bars=1e30), "row 1 of the signals: valid_bars is 1e+30; it must be at most 1,000,000,000"),
    (dict(max_bars=[1.0, 2.5, 3.0]), "row 2 of the signals: max_bars is 2.5; it must be a whole number above 0"),
    (dict(grid_spacing=0.1, grid_max_adds=-1.0, grid_basket_target=0.1), "row 1 of the signals: grid_max_adds is -1.0; it must be a whole number above 0"),
    (dict(lots=[1.0, 1.0, 0.0]), "row 3 of the signals: lots is 0.0; it must be above 0"),
    (dict(trail_start_r=[0.0, -1.0, 0.0]), "row 2 of the signals: trail_start_r is -1.0; it must be 0 or more"),
    (dict(target_1=1.2, target_2=[np.nan, 1.3, np.nan]), "row 2 of the signals: fraction_1 is empty; it must be the share of the lots that target_1 closes"),
    (dict(fraction_2=0.5), "row 1 of the signals: fraction_2 is 0.5; it must be empty, as there is no target_2"),
    (dict(target_1=1.2, fraction_1=1.5), "row 1 of the signals: fraction_1 is 1.5; it must be above 0 and at most 1"),
    (dict(target_1=1.2, fraction_1=0.7, target_2=1.3, fraction_2=0.7), "it must be such that all fractions add up to at most 1"),
    (dict(target_1=1.2, target_r_1=1.0), "row 1 of the signals: target_r_1 is 1.0; it must be empty where target_1 is given"),
    (dict(trail_kind=["", "atr", ""]), "row 2 of the signals: trail_value is empty; it must be given with trail_kind points, percent or atr"),
    (dict(trail_kind="slow"), "trail_kind is 'slow'; it must be points or percent or atr or quantile"),
    (dict(grid_spacing=[np.nan, 0.1, np.nan]), "row 2 of the signals: grid_max_adds is empty; it must be given: a grid needs spacing, max_adds and basket_target"),
    (dict(grid_spacing=0.1, grid_max_adds=2.0, grid_basket_target=0.1, break_even_r=1.0), "it must be without targets, break-even or trail"),
    (dict(instrument=["EURUSD", "EURUDS", "EURUSD"]), "no instrument among the bars named 'EURUDS'; did you mean 'EURUSD'?"),
    (dict(ts=["2024-01-02T10:00Z", "noon", ""]), "row 2 of the signals: ts is 'noon'; write it in ISO 8601"),
]


@pytest.mark.parametrize(("columns", "sentence"), REFUSED, ids=[sentence[:60] for _, sentence in REFUSED])
def test_what_is_wrong_is_named_with_its_row(columns, sentence):
    given = table(**columns)
    text = given.apply(lambda column: column.map(lambda cell: "" if cell is None or cell != cell else str(cell)))
    for frame in (given, text.astype("str")):
        with pytest.raises(BadRequest) as refused:
            read(frame)
        assert sentence in str(refused.value)


def test_with_several_instruments_each_row_names_its_own():
    with pytest.raises(BadRequest, match="have no column 'instrument', and there are 2: EURUSD, GBPUSD"):
        read_signals(table(), ("EURUSD", "GBPUSD"))
