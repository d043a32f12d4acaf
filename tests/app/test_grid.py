"""Tables that people filter: a column without a number filter is text, times included."""

from __future__ import annotations

from app.backtest import trades
from app.data import dataset
from app.kit.grid import column_of, right


def options(columns) -> dict:
    return {field: column_of(field, title, own, filters=True) for field, (title, own) in columns.items()}


def test_times_are_filtered_as_the_text_that_is_shown():
    """AgGrid infers a date type from text such as 2019-01-08 14:30, and its date filter then matches nothing."""
    for columns in (options(trades.columns("USD", 5, several=True)), options(dataset.COLUMNS)):
        for name in {"entry_ts", "exit_ts", "first", "last", "side", "source"} & set(columns):
            assert (columns[name]["cellDataType"], columns[name]["filter"]) == ("text", "agTextColumnFilter"), name


def test_numbers_are_filtered_as_numbers():
    columns = {name: one for chosen in trades.SETS for name, one in options(trades.columns("USD", 5, several=False, chosen=chosen)).items()}
    for name in ("trade_id", "entry_price", "exit_price", "pips", "spread", "slippage", "commission", "swap", "pnl", "cumulative", "r", "mae_r", "mfe_r", "mae", "mfe", "hours"):
        assert (columns[name]["cellDataType"], columns[name]["filter"]) == ("number", "agNumberColumnFilter"), name
    assert "instrument" not in columns and column_of("x", "X", right(1, width=60), False)["width"] == 60


def test_a_column_is_no_narrower_than_its_title():
    assert column_of("holds", "Sign-consistent years", dict(width=62), False)["width"] > 126 < column_of("holds", "Sign-consistent years", dict(minWidth=62, flex=1), False)["minWidth"]


def test_a_sum_of_money_has_its_currency():
    for chosen in trades.SETS:
        titles = {name: title for name, (title, _) in trades.columns("USD", 5, several=False, chosen=chosen).items()}
        assert all(title.endswith(", USD") for name, title in titles.items() if name in ("pnl", "cumulative", "mae", "mfe")), titles
