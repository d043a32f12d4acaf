"""Exported tables contain no formula, whatever a user or a file wrote; numbers keep their sign."""

from __future__ import annotations

import csv as reader
import io

import pandas as pd
import pytest

from worker.cells import csv_of, safe, safe_text
from worker.terminal import csv

SIGNS = "=+-@|%\uff1d\uff0b\uff0d\uff20\uff5c\uff05"
BEFORE = ["", " ", "   ", "\t", "\u00a0", "\u200b", "\ufeff", "\u2060", "\u3000", "\u200e \u00ad", "\x00", "\x0b", "\r", "\n", "\r\n", "ok\n", "ok\r", "ok\u2028 ", "ok\n\u00a0"]


@pytest.mark.parametrize("before", BEFORE, ids=repr)
def test_what_begins_a_formula_on_any_line_gets_an_apostrophe(before):
    for sign in SIGNS:
        text = f"{before}{sign}cmd|' /C calc'!A0"
        assert safe_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["12", "a=b", "macd(12, -26)", "EURUSD M15", "10:30", "", "3 - 2", "\u2212 1", "'=1", "\u2014", "a\nb - c"])
def test_plain_words_stay(text):
    assert safe_text(text) == text


def test_titles_second_lines_and_every_kind_of_column(tmp_path):
    frame = pd.DataFrame({
        "=title": ["=1", "ok"], "kind": pd.Categorical(["@a", "b"]), "mixed": [-1.0, "-x"], "lines": ["a\n=b", "c"], "pnl": [-1.5, 2.0],
        "ts": pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True), "flag": [True, False], "lists": [["=1"], []], "none": [None, "+1+1"],
    })  # fmt: skip
    rows = list(reader.reader(io.StringIO(csv_of(frame).decode())))
    assert rows == [
        ["'=title", "kind", "mixed", "lines", "pnl", "ts", "flag", "lists", "none"],
        ["'=1", "'@a", "-1.0", "'a\n=b", "-1.5", "2024-01-01T00:00:00Z", "True", "['=1']", ""],
        ["ok", "b", "'-x", "c", "2.0", "2024-01-02T00:00:00Z", "False", "[]", "'+1+1"],
    ]
    csv.write(frame.drop(columns=["mixed", "lists"]), tmp_path / "terminal.csv")
    written = list(reader.reader((tmp_path / "terminal.csv").open(newline="")))
    assert [row[:2] for row in written] == [["'=title", "kind"], ["'=1", "'@a"], ["ok", "b"]] and written[1][2] == "'a\n=b"


def test_what_is_safe_is_the_same_object_of_numbers():
    frame = pd.DataFrame({"pnl": [-1.5], "tag": pd.Categorical(["a"])})
    assert safe(frame).equals(frame) and safe(frame)["tag"].dtype == frame["tag"].dtype
