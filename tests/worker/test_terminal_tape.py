"""``tidemark backtest`` on bars as they were traded: their own ends, several series in a file, several timeframes in an account, history before --from."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from worker.cli import app

CONFIG = '[account]\nbalance = 10000.0\ncurrency = "USD"\n[costs]\nspread = 0.0002\n'
TIME = "%Y-%m-%dT%H:%M:%SZ"


def walk(minutes: int, count: int, seed: int = 1, start: str = "2024-01-02T00:00Z") -> pd.DataFrame:
    steps = np.random.default_rng(seed).normal(0, 2e-4, (count, 4)).cumsum(axis=1)
    opens = 1.1 + np.r_[0, steps[:-1, -1].cumsum()]
    prices = np.round(opens[:, None] + np.c_[np.zeros(count), steps], 5)
    ts = pd.date_range(start, periods=count, freq=f"{minutes}min")
    return pd.DataFrame(dict(ts=ts, open=prices[:, 0], high=prices.max(axis=1), low=prices.min(axis=1), close=prices[:, -1]))


def tape(folder, *series: tuple[str, int, pd.DataFrame], name: str = "tape.csv"):
    """A file as a session writes it."""
    parts = [frame.assign(series=text, end=frame["ts"] + pd.Timedelta(minutes, "min"), place=k) for k, (text, minutes, frame) in enumerate(series)]
    rows = pd.concat(parts).sort_values(["end", "place"], kind="stable").drop(columns="place")
    rows = rows.assign(volume="", spread=0.0001, recovered=0, ts=rows["ts"].dt.strftime(TIME), end=rows["end"].dt.strftime(TIME))
    rows[["series", "ts", "end", "open", "high", "low", "close", "volume", "spread", "recovered"]].to_csv(folder / name, index=False)
    return folder / name


def plain(folder, name: str, frame: pd.DataFrame):
    frame.assign(ts=frame["ts"].dt.strftime(TIME), spread=0.0001).to_csv(folder / name, index=False)
    return folder / name


def backtest(folder, out: str, *more: object):
    (folder / "config.toml").write_text(CONFIG)
    result = CliRunner().invoke(app, ["backtest", *map(str, more), "--config", str(folder / "config.toml"), "--out", str(folder / out), "--no-report"])
    if result.exception:
        raise result.exception
    return folder / out


def same(a, b) -> None:
    for name in ("trades.csv", "fills.csv", "equity.csv"):
        assert (a / name).read_bytes() == (b / name).read_bytes(), name


STRATEGY = ("--strategy", "simple_ma", "--params", '{"fast": 5, "slow": 12}')


def test_a_tape_of_several_timeframes_is_one_account_and_equals_its_files(tmp_path):
    short, long = walk(5, 600), walk(60, 50, seed=2)
    one = backtest(tmp_path, "tape", "--bars", tape(tmp_path, ("EURUSD H1", 60, long), ("EURUSD M5", 5, short)), *STRATEGY)
    m5, h1 = plain(tmp_path, "m5.csv", short), plain(tmp_path, "h1.csv", long)
    same(one, backtest(tmp_path, "named", "--bars", f"EURUSD H1={h1}", "--bars", f"EURUSD M5={m5}", *STRATEGY))
    same(one, backtest(tmp_path, "listed", "--bars", f"EURUSD={h1}", "--bars", f"EURUSD={m5}", "--timeframe", "M5,H1", *STRATEGY))
    assert len(pd.read_csv(one / "trades.csv")) > 20
    assert json.loads((one / "report.json").read_text())["bars"] == 650


def test_the_end_of_a_bar_is_what_the_file_says(tmp_path):
    frame = walk(5, 40)
    frame["end"] = (frame["ts"] + pd.Timedelta("4min")).dt.strftime(TIME)
    out = backtest(tmp_path, "out", "--bars", plain(tmp_path, "ends.csv", frame), "--instrument", "EURUSD", "--timeframe", "M5", *STRATEGY)
    assert pd.read_csv(out / "equity.csv")["ts"].tolist() == frame["end"].tolist()


def test_a_bar_that_opened_late_ends_when_it_was_due(tmp_path):
    frame = walk(5, 40)
    path = tape(tmp_path, ("EURUSD M5", 5, frame))
    due, late = (f"EURUSD M5,{frame['ts'][20] + pd.Timedelta(seconds, 's'):{TIME}}," for seconds in (0, 7))
    path.write_text(path.read_text().replace(due, late))
    out = backtest(tmp_path, "out", "--bars", path, *STRATEGY)
    assert pd.read_csv(out / "equity.csv")["ts"].tolist() == (frame["ts"] + pd.Timedelta("5min")).dt.strftime(TIME).tolist()


def test_earlier_bars_of_a_tape_are_history_on_which_nothing_is_decided(tmp_path):
    frame = walk(5, 300)
    path, start = tape(tmp_path, ("EURUSD M5", 5, frame)), f"{frame['ts'][100]:{TIME}}"
    out = backtest(tmp_path, "out", "--bars", path, "--from", start, *STRATEGY)
    assert pd.read_csv(out / "equity.csv")["ts"].iloc[0] == f"{frame['ts'][101]:{TIME}}"
    assert (pd.read_csv(out / "trades.csv")["entry_ts"] > start).all()
    assert json.loads((out / "report.json").read_text())["bars_of_history"] == {"EURUSD": 100}


HEADER = "series,ts,end,open,high,low,close\n"
ROW = "EURUSD M5,2024-01-02T00:00:00Z,2024-01-02T00:05:00Z,1.1,1.2,1.0,1.1\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ROW + ROW, "EURUSD M5: row 1 (2024-01-02 00:00): is not after the row before it; sort the bars and merge duplicates"),
        (ROW.replace("00:05", "00:00"), "EURUSD M5: row 0 (2024-01-02 00:00): ends before it begins, or as it does"),
        (ROW + ROW.replace("00:05", "00:09").replace("00:00:00", "00:04:00"), "ends after the next bar opens"),
        (ROW.replace("00:05", "00:07"), "the bar of 2024-01-02 00:00:00 ends at 2024-01-02 00:07:00, which is longer than M5; give the timeframe that the bars have"),
        (ROW.replace("1.2", "0.9"), "the open 1.1 is above the high 0.9"),
        (ROW.replace("1.2", ""), "the high is not a number"),
        (ROW.replace("1.2", "x"), "row 1 of "),
        (ROW.replace("1.2", "x"), ": high is 'x'; it must be a number"),
        (ROW.replace("2024-01-02T00:05:00Z", "soon"), ": end is 'soon', which is no time; write it like 2024-01-31T08:00:00Z"),
        (ROW.replace("EURUSD M5", "EURUSD"), "names the series 'EURUSD'; write an instrument and a timeframe, as in EURUSD M5"),
        (ROW.replace("EURUSD M5", ""), "series is empty; write an instrument and a timeframe, as in EURUSD M5"),
        (ROW.replace("EURUSD M5", "EURUSE M5"), "no instrument named 'EURUSE'"),
        ("", "holds no bars; give a file with at least one"),
    ],
)
def test_a_bad_tape_is_refused_by_a_sentence(tmp_path, text, sentence):
    (tmp_path / "tape.csv").write_text(HEADER + text)
    with pytest.raises(Exception, match=r"\w") as refused:
        backtest(tmp_path, "out", "--bars", tmp_path / "tape.csv", *STRATEGY)
    assert sentence in str(refused.value)


def test_signals_do_not_say_which_timeframe_they_mean(tmp_path):
    signals = tmp_path / "signals.csv"
    signals.write_text("ts,side\n2024-01-02T00:00:00Z,long\n")
    with pytest.raises(Exception, match="EURUSD is traded in several timeframes"):
        backtest(tmp_path, "out", "--bars", tape(tmp_path, ("EURUSD M5", 5, walk(5, 30)), ("EURUSD H1", 60, walk(60, 5))), "--signals", signals)


def test_a_file_that_names_its_series_takes_no_name(tmp_path):
    path = tape(tmp_path, ("EURUSD M5", 5, walk(5, 30)))
    with pytest.raises(Exception, match="names its instruments; give --bars"):
        backtest(tmp_path, "out", "--bars", f"EURUSD={path}", *STRATEGY)
    with pytest.raises(Exception, match="--bars gives EURUSD M5 twice; give it once"):
        backtest(tmp_path, "out", "--bars", path, "--bars", path, *STRATEGY)
