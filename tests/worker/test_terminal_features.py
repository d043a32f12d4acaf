"""``tidemark features``: from files to files, and the gate with its exit status."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import TidemarkError
from domain.features import FEATURES, Context, closes, compute, parse
from domain.market import instrument
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues
from domain.strategies import STRATEGIES
from domain.venues.synthetic import RegimeSwitching, generate
from worker.cli import app

START, END = datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 2, 5, tzinfo=UTC)
M30, H4 = Timeframe.named("M30"), Timeframe.named("H4")
MODULE = '''
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.features import feature, use
from domain.strategies.base import strategy


@feature(unit="ratio", source="a whole-sample z-score")
def module_zscore(close):
    return (close - close.mean()) / close.std()


@feature(unit="price", source="the next close")
def module_next(close):
    return np.append(close[1:], np.nan)


@feature(unit="price", source="mean of all closes so far", warm_up=0)
def module_mean(close):
    return np.cumsum(close) / np.arange(1, len(close) + 1)


@strategy("module_strategy")
@dataclass(frozen=True)
class Own:
    """Buys below the mean."""

    def features(self):
        return (use("module_mean"),)

    def signals(self, frame):
        at = np.flatnonzero(frame["close"].to_numpy() < frame["module_mean"].to_numpy())
        return pd.DataFrame(dict(ts=frame["ts"].array[at], side=1, stop_loss=frame["close"].to_numpy()[at] - 0.01))
'''


def bars_of(name: str, timeframe: Timeframe, seed: int) -> pd.DataFrame:
    return generate(RegimeSwitching(), instrument(name), timeframe, START, END, seed=seed)


@pytest.fixture
def files(tmp_path) -> Path:
    """Bars of three kinds and a daily series; what a module registers is taken off afterwards."""
    for name, frame in (("eurusd", bars_of("EURUSD", M30, 1)), ("longer", bars_of("EURUSD", H4, 2)), ("gbpusd", bars_of("GBPUSD", M30, 3))):
        frame.assign(ts=frame["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(tmp_path / f"{name}.csv", index=False)
    days = pd.date_range("2023-06-01", "2024-02-01", tz="UTC")
    pd.DataFrame(dict(ts=days.strftime("%Y-%m-%d"), value=100 + np.arange(len(days)) ** 0.5)).to_csv(tmp_path / "dxy.csv", index=False)
    (tmp_path / "mine.py").write_text(MODULE)
    yield tmp_path
    for registry in (FEATURES, STRATEGIES):
        for name in [name for name in registry if name.startswith("module_")]:
            del registry._things[name]


def run(*words: object):
    return CliRunner().invoke(app, ["features", *map(str, words)])


def of_the_file(files: Path):
    return "--bars", files / "eurusd.csv", "--instrument", "EURUSD", "--timeframe", "M30"


def test_columns_of_a_file_are_what_the_engine_gives(files):
    texts = ["atr(14)", "macd(12, 26)", "atr(14)@H4", "sma(5)@H1", "correlation(20, GBPUSD)", "dollar_zscore(60)"]
    words = [*of_the_file(files), "--columns", *texts, "--htf", f"H4={files / 'longer.csv'}", "--other", f"GBPUSD={files / 'gbpusd.csv'}", "--macro", f"DXY={files / 'dxy.csv'}"]
    for name in ("out.parquet", "out.csv"):
        done = run("compute", *words, "--out", files / name, "--json")
        assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["columns"] == 6
    frame, csv = pd.read_parquet(files / "out.parquet"), pd.read_csv(files / "out.csv")
    bars, beside = bars_of("EURUSD", M30, 1), bars_of("GBPUSD", M30, 3)
    days = pd.date_range("2023-06-01", "2024-02-01", tz="UTC")
    dxy = TimedValues(days.as_unit("ns").astype("int64").to_numpy(), 100 + np.arange(len(days)) ** 0.5)
    context = Context(instrument("EURUSD"), M30, {"GBPUSD": closes(beside, instrument("GBPUSD"), M30)}, {"DXY": dxy}, longer={"H4": bars_of("EURUSD", H4, 2)})
    expected = compute(bars, map(parse, texts), context)
    assert list(frame) == list(csv) == ["ts", *texts] and (frame["ts"] == expected["ts"]).all()
    for text in texts:
        np.testing.assert_allclose(frame[text], expected[text], rtol=1e-12, err_msg=text)
        np.testing.assert_array_equal(csv[text], frame[text])
        assert frame[text].notna().any(), text


def test_a_recipe_is_computed_and_what_has_no_value_is_stated(files):
    done = run("compute", *of_the_file(files), "--recipe", "cross", "--out", files / "out.parquet")
    assert done.exit_code == 0 and "correlation(50, first)" in done.output and len(pd.read_parquet(files / "out.parquet").columns) == 1 + len(json.loads(run("recipes", "cross", "--json").stdout)["columns"])


def test_recipes_and_features_are_listed():
    assert {"basic", "full", "vector50"} <= {row["recipe"] for row in json.loads(run("recipes", "--json").stdout)}
    assert len(run("recipes", "vector50").stdout.splitlines()) == 50
    listed = json.loads(run("list", "--json").stdout)
    assert {row["name"] for row in listed} == set(FEATURES) and next(row for row in listed if row["name"] == "atr")["params"] == "window=14"


def test_a_module_is_checked_and_its_leaks_are_named_with_bar_and_size(files):
    done = run("check", "--module", files / "mine.py", *of_the_file(files))
    assert done.exit_code == 1, done.output
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("2 of ") and sum("has look-ahead bias" in line for line in lines[:-1]) == 2
    (z,), (shift,) = ([line for line in lines if line.startswith(name)] for name in ("module_zscore has", "module_next has"))
    close, output = bars_of("EURUSD", M30, 1)["close"].to_numpy(), json.loads(run("check", "--recipe", "returns", *of_the_file(files), "--json").stdout)
    assert output["green"] and "it moves altogether, and at 1 bar" in shift
    bar, cut, size = int(z.split("at bar ")[1].split()[0]), int(z.split("the bars from ")[1].split()[0]), float(z.split("it moves by ")[1].split(",")[0])
    seen, unseen = ((part[bar] - part.mean()) / part.std() for part in (close, close[:cut]))
    assert size == pytest.approx(abs(seen - unseen), rel=1e-5)


def test_what_is_chosen_of_a_module_is_checked_alone(files):
    green = run("check", "--module", files / "mine.py", "--strategy", "module_strategy", *of_the_file(files))
    assert green.exit_code == 0 and "no look-ahead" in green.stdout and "module_zscore" not in green.stdout, green.output
    mean = run("check", "--columns", "module_mean@H4", *of_the_file(files), "--json")
    assert mean.exit_code == 0 and json.loads(mean.stdout)["checked"] == ["module_mean@H4"]


def test_a_module_that_is_broken_or_empty_says_so(files):
    for text, sentence in (("x = (", "other.py, line 1: SyntaxError"), ("import nosuchthing", "No module named 'nosuchthing'"), ("x = 1", "defines no feature and no strategy")):
        (files / "other.py").write_text(text)
        done = run("check", "--module", files / "other.py", *of_the_file(files))
        assert isinstance(done.exception, TidemarkError) and sentence in str(done.exception)


def test_a_built_in_strategy_is_green(files):
    done = run("check", "--strategy", "breakout", "--params", '{"lookback": 12}', *of_the_file(files), "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["green"] and "channel_high(12)" in json.loads(done.stdout)["checked"]


@pytest.mark.parametrize("words, sentence", [
    (["check"], "nothing is chosen"),
    (["check", "--columns", "atrr(14)"], "did you mean 'atr'"),
    (["check", "--recipe", "basik"], "did you mean 'basic'"),
    (["check", "--recipe", "basic", "--columns", "body"], "either --recipe or --columns"),
    (["check", "--strategy", "breakout", "--params", "{"], "--params is not JSON"),
    (["check", "--module", "nosuch.py"], "there is no Python file nosuch.py"),
    (["check", "--columns", "body", "--htf", "H1"], "write --htf TIMEFRAME=FILE"),
    (["check", "--columns", "body", "--htf", "M15=x.csv"], "is not longer than the bars, which are M30"),
    (["check", "--columns", "body", "--macro", "DXY=nosuch.csv"], "nosuch.csv cannot be read: No such file"),
    (["compute", "--columns", "body", "--out", "x.json"], "it must end in .parquet or .csv"),
])  # fmt: skip
def test_what_cannot_be_done_is_reported(files, words, sentence):
    done = run(words[0], *of_the_file(files), *words[1:])
    assert isinstance(done.exception, TidemarkError) and sentence in str(done.exception)
