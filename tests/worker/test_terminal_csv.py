"""Tables of the terminal: quick, and to the letter what pandas writes."""

from __future__ import annotations

import pandas as pd

from worker.terminal import csv


def test_frames_are_written_as_pandas_would(tmp_path):
    frame = pd.DataFrame({
        "ts": pd.to_datetime(["2024-01-01T00:00:01Z", None, "2024-12-31T23:55:00Z"], utc=True), "tag": pd.Categorical(["a", None, "b"]),
        "price": [1.0, float("nan"), 0.1 + 0.2], "lots": [0.0, -2.5, 1e17], "count": [1, -2, 3], "flag": [True, False, True],
    })  # fmt: skip
    for name, tags in (("plain", ["a", None, "b"]), ("quoted", ['a,"b', None, "c\nd"])):
        csv.write(frame.assign(tag=pd.Categorical(tags)), tmp_path / f"{name}.csv")
        expected = frame.assign(tag=tags, ts=frame["ts"].dt.strftime(csv.TIME)).to_csv(index=False)
        assert (tmp_path / f"{name}.csv").read_text() == expected
    csv.write(frame.iloc[:0], tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "ts,tag,price,lots,count,flag\n"
