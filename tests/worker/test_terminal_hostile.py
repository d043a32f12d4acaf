"""Hostile input of a user or a file: a short printable message, and no traceback."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import TidemarkError
from worker.cli import app

LONGEST = 2_001     # letters of a sentence
RUBBISH = {
    "picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "random": Random(1).randbytes(40_000), "deep json": b'{"a":' * 5_000, "deep toml": b"a = " + b"[" * 5_000,
    "digits": b'{"fast": ' + b"9" * 6_000 + b"}", "toml digits": b"a = " + b"9" * 6_000, "nul": b'{"fast": "a\\u0000b"}', "nuls": bytes(5_000), "quotes": b'"' * 140_000,
}  # fmt: skip
GOOD = {
    "headlines.csv": "time,headline\n2024-01-10T09:00:00Z,hello\n", "releases.csv": "time,event,country,impact\n2024-01-10T09:00:00Z,CPI,USD,high\n",
    "series.csv": "DATE,VIXCLS\n2024-01-10,12.1\n", "signals.csv": "ts,side\n2024-01-10T10:00:00Z,long\n", "bars.csv": "ts,open,high,low,close\n2024-01-10T10:00:00Z,1.1,1.1,1.1,1.1\n",
}  # fmt: skip


def bars(folder: Path) -> Path:
    ts = pd.date_range("2024-01-10T09:00Z", periods=60, freq="h").strftime("%Y-%m-%dT%H:%M:%SZ")
    pd.DataFrame(dict(ts=ts, open=1.1, high=1.1, low=1.1, close=1.1)).to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def backtest(folder: Path, *words: object) -> list[object]:
    return ["backtest", "--bars", bars(folder), "--instrument", "EURUSD", "--timeframe", "H1", "--out", folder / "out", "--no-report", *words]


def compute(folder: Path, *words: object) -> list[object]:
    return ["features", "compute", "--bars", bars(folder), "--instrument", "EURUSD", "--out", folder / "f.csv", "--columns", "body", *words]


def sentence_of(words: list[object]) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(done.exception, TidemarkError), (words, done.exception)
    text = str(done.exception)
    assert len(text) <= LONGEST and text.replace("\n", " ").isprintable(), text[:200]
    return text


@pytest.mark.parametrize("kind", RUBBISH)
def test_rubbish_in_place_of_a_file_or_an_option_is_a_sentence(tmp_path, kind):
    for name in ("x.csv", "x.json", "x.toml", "x.parquet"):
        (tmp_path / name).write_bytes(RUBBISH[kind])
    sentence_of(backtest(tmp_path, "--strategy", "simple_ma", "--params", RUBBISH[kind].decode("latin-1")))
    sentence_of(backtest(tmp_path, "--strategy", "simple_ma", "--config", tmp_path / "x.toml"))
    sentence_of(backtest(tmp_path, "--signals", tmp_path / "x.csv"))
    sentence_of(["regimes", "filter", "--model", tmp_path / "x.json", "--bars", bars(tmp_path), "--out", tmp_path / "f.csv"])
    for option, name in (("--headlines", "x.csv"), ("--releases", "x.csv"), ("--releases", "x.json"), ("--macro", "VIX={}/x.csv"), ("--macro", "VIX={}/x.parquet")):
        sentence_of(compute(tmp_path, option, name.format(tmp_path) if "=" in name else tmp_path / name))
    for name in ("x.csv", "x.parquet"):
        sentence_of(["features", "compute", "--bars", tmp_path / name, "--instrument", "EURUSD", "--out", tmp_path / "f.csv", "--columns", "body"])


@pytest.mark.parametrize("name", GOOD)
def test_rubbish_after_good_rows_is_a_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(GOOD[name].encode() + Random(2).randbytes(40_000))
    words = {
        "headlines.csv": compute(tmp_path, "--headlines", tmp_path / name), "releases.csv": compute(tmp_path, "--releases", tmp_path / name), "series.csv": compute(tmp_path, "--macro", f"VIX={tmp_path / name}"),
        "signals.csv": backtest(tmp_path, "--signals", tmp_path / name), "bars.csv": ["features", "compute", "--bars", tmp_path / name, "--instrument", "EURUSD", "--out", tmp_path / "f.csv", "--columns", "body"],
    }  # fmt: skip
    sentence_of(words[name])


def test_a_picture_among_outside_data_is_called_binary_data(tmp_path):
    from domain.outside.recognise import recognise

    (tmp_path / "x.csv").write_bytes(RUBBISH["picture"])
    with pytest.raises(TidemarkError, match=r"x.csv is binary data. A series has"):
        recognise(tmp_path / "x.csv")


@pytest.mark.parametrize("path", ["x" * 5_000, "~nobody-here/x"], ids=["long", "nobody"])
def test_what_cannot_be_a_path_or_a_name_is_a_sentence(tmp_path, path):
    sentence_of(["features", "compute", "--bars", path, "--instrument", "EURUSD", "--out", tmp_path / "f.csv", "--columns", "body"])
    for option in ("--config", "--strategy", "--rates"):
        sentence_of(backtest(tmp_path, "--strategy", "simple_ma", option, f"GBPUSD={path}" if option == "--rates" else path))
    for words in (backtest(tmp_path, "--signals", path), compute(tmp_path, "--headlines", path), compute(tmp_path, "--macro", f"VIX={path}"), compute(tmp_path, path)):
        sentence_of(words)
    sentence_of(["regimes", "filter", "--model", path, "--bars", bars(tmp_path), "--out", tmp_path / "f.csv"])
    sentence_of(["features", "check", "--bars", bars(tmp_path), "--module", path])
