"""A CSV of signals as people write it: what is wrong is named by row, column and value; a comma at the end of a row is no column."""

from __future__ import annotations

import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.trading.signal_file import read
from domain.trading.signals import read_signals

HEAD = "ts,side,stop_loss,tag\n"
GOOD = "2024-01-10T10:00:00Z,long,1.09,a\n"


def signals(tmp_path, text: str | bytes) -> pd.DataFrame:
    path = tmp_path / "signals.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_signals(read(path), ("EURUSD",))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + GOOD, HEAD + GOOD.replace("\n", ",\n"), HEAD.replace("\n", ",\n") + GOOD.replace("\n", ",\n"), HEAD.replace("\n", ",,\n") + GOOD, "\ufeff" + HEAD + GOOD,
        HEAD.replace(",", ", ") + GOOD, HEAD + GOOD.replace("T", " ").replace("Z", ""), HEAD + GOOD.replace("10:00:00Z", "12:00+02:00"), HEAD + GOOD.replace("T10:00:00Z", "T10:00Z"),
    ],
    ids=range(9),
)  # fmt: skip
def test_one_signal_is_read_however_it_is_written(tmp_path, text):
    (row,) = signals(tmp_path, text).to_dict("records")
    assert row["ts"] == pd.Timestamp("2024-01-10T10:00Z") and (row["side"], row["stop_loss"], row["tag"]) == (1, 1.09, "a")


@pytest.mark.parametrize(
    "text, sentence",
    [
        (HEAD + "10.01.2024 10:00,long,1.09,a\n", "row 1 of the signals: ts is '10.01.2024 10:00'; write it in ISO 8601, such as 2024-01-31T08:00Z"),
        (HEAD + GOOD + "1704880800,long,1.09,a\n", "row 2 of the signals: ts is '1704880800', which looks like a count since 1970 (in seconds 2024-01-10T10:00:00Z)"),
        (HEAD + "1704880800000,long,1.09,a\n", "(in milliseconds 2024-01-10T10:00:00Z)"),
        (HEAD + ",long,1.09,a\n", "row 1 of the signals: ts is empty"),
        (HEAD + "9999-01-01,long,1.09,a\n", "row 1 of the signals: ts is '9999-01-01'"),
        (HEAD + GOOD + "2024-01-10T10:05:00Z,up,1.09,a\n", "row 2 of the signals: side is 'up'; it must be long or short"),
        (HEAD + "2024-01-10T10:00:00Z,long,1.09x,a\n", "row 1 of the signals: stop_loss is '1.09x'; it must be a number"),
        (HEAD.replace("stop_loss", "stop_los") + GOOD, "no signal column named 'stop_los'; did you mean 'stop_loss'?"),
        ("ts,side,side\n2024-01-10T10:00:00Z,long,long\n", "have the column side twice"),
        (HEAD + GOOD.replace("\n", ",extra\n"), "row 1 of the signals has the value 'extra' beyond its last column, tag"),
        (HEAD + GOOD.replace("\n", ",b,c\n"), "line 2 has more cells than the 4 columns"),
        ("ts;side\n2024-01-10T10:00:00Z;long\n", "are separated by ;; separate the columns by commas"),
        ("", "are empty; the first line names the columns"),
        (b"ts,side\n\xff\xfe,long\n", "are not a CSV in UTF-8"),
        ("side\nlong\n", "the signals have no column 'ts'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, sentence):
    with pytest.raises(BadRequest) as refused:
        signals(tmp_path, text)
    message = str(refused.value)
    assert sentence in message
    for word in ("pandas", "format=", "dayfirst", "Error tokenizing", "codec", "nan"):
        assert word not in message


def test_a_table_of_numbers_is_refused_as_a_file_is():
    with pytest.raises(BadRequest, match="row 1 of the signals: ts is '1704880800', which looks like a count since 1970"):
        read_signals(pd.DataFrame(dict(ts=[1704880800], side=["long"])), ("EURUSD",))


def test_a_file_without_rows_has_no_signals(tmp_path):
    assert len(signals(tmp_path, HEAD)) == 0
