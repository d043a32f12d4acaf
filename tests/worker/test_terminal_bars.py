"""Commands on files read the clock, the timeframe, the side, and prices of the instrument's magnitude."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import TidemarkError
from worker.cli import app

SIGNALS = "ts,side,order\n2024-01-10T22:00:00,long,market\n2024-01-11T01:00:00,long,exit\n"


def mt5(folder: Path, name: str = "bars.csv", hours: int = 12) -> Path:
    stamps = pd.date_range("2024-01-10 18:00", periods=hours, freq="h")
    rows = [f"{t:%Y.%m.%d}\t{t:%H:%M:%S}\t1.10000\t1.10000\t1.10000\t1.10000\t100\t0\t10" for t in stamps]
    (folder / name).write_text("<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n" + "\n".join(rows) + "\n")
    return folder / name


def own(folder: Path, name: str, freq: str, count: int = 40, start: str = "2024-01-10T09:00Z", price: float = 1.1, zone: str = "Z", **columns: float) -> Path:
    frame = pd.DataFrame(dict(ts=pd.date_range(start, periods=count, freq=freq).strftime(f"%Y-%m-%dT%H:%M:%S{zone}"), open=price, high=price, low=price, close=price, **columns))
    frame.to_csv(folder / name, index=False)
    return folder / name


def refused(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(done.exception, TidemarkError), (done.exception, done.output)
    return str(done.exception)


def backtest(folder: Path, *words: object, signals: str = SIGNALS) -> list[object]:
    (folder / "signals.csv").write_text(signals)
    (folder / "rules.toml").write_text("[costs]\nswap_long = -6.5\nspread = 0.0001\n")
    return ["backtest", *words, "--signals", folder / "signals.csv", "--config", folder / "rules.toml", "--out", folder / "out", "--no-report"]


VERBS = [
    ("features", "compute", "--columns", "body", "--out", "f.csv"), ("features", "check", "--columns", "body"), ("regimes", "fit", "--out", "m.json"),
    ("regimes", "walk-forward", "--out", "w.csv"),
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb[:2]))
def test_a_file_on_a_server_clock_is_never_taken_for_utc(tmp_path, verb):
    sentence = refused(*verb, "--bars", mt5(tmp_path), "--instrument", "EURUSD")
    assert "MetaTrader 5 export, on a clock of its own" in sentence and "tidemark data import" in sentence and "--clock" in sentence


def test_a_backtest_on_a_server_clock_is_refused_for_every_file_that_it_reads(tmp_path):
    server, plain, fine = mt5(tmp_path), own(tmp_path, "h1.csv", "1h", start="2024-01-10T18:00Z"), mt5(tmp_path, "fine.csv")
    for words in (["--bars", server], ["--bars", plain, "--rates", f"GBPUSD={server}"], ["--bars", plain, "--magnify", fine]):
        assert "on a clock of its own" in refused(*backtest(tmp_path, *words, "--instrument", "EURUSD", "--timeframe", "H1"))


def test_a_backtest_reads_a_server_clock_that_it_is_reported_and_pays_three_nights_on_wednesday(tmp_path):
    done = CliRunner().invoke(app, [str(word) for word in backtest(tmp_path, "--bars", mt5(tmp_path), "--instrument", "EURUSD", "--timeframe", "H1", "--clock", "mt5_us")])
    assert done.exception is None, done.exception
    trades = pd.read_csv(tmp_path / "out" / "trades.csv")
    assert trades[["entry_ts", "exit_ts", "swap"]].values.tolist() == [["2024-01-10T21:00:00Z", "2024-01-11T00:00:00Z", -19.5]]


def test_our_own_formats_without_a_zone_are_utc_and_a_clock_that_changes_nothing_is_refused(tmp_path):
    naive, aware = own(tmp_path, "naive.csv", "1h", zone=""), own(tmp_path, "aware.csv", "1h")
    for words, first in (((naive,), "2024-01-10T09:00:00Z"), ((naive, "--clock", "UTC+2"), "2024-01-10T07:00:00Z")):
        done = CliRunner().invoke(app, ["features", "compute", "--instrument", "EURUSD", "--columns", "body", "--out", str(tmp_path / "f.csv"), "--bars", *map(str, words)])
        assert done.exception is None and (tmp_path / "f.csv").read_text().splitlines()[1].startswith(first)
    assert "every file says its own clock" in refused("features", "compute", "--instrument", "EURUSD", "--columns", "body", "--out", tmp_path / "f.csv", "--bars", aware, "--clock", "UTC+2")


@pytest.mark.parametrize("words", [
    ("--bars", "GBPUSD={h1}"), ("--bars", "EURUSD={m5}", "--bars", "GBPUSD={h1}"), ("--bars", "EURUSD={m1}"),
], ids=("coarser", "one of two", "finer"))  # fmt: skip
def test_a_backtest_compares_the_timeframe_with_every_file_of_bars(tmp_path, words):
    files = dict(h1=own(tmp_path, "gbpusd_h1.csv", "1h", 3), m5=own(tmp_path, "m5.csv", "5min"), m1=own(tmp_path, "gbpusd_h1.csv" if "{m1}" in words[-1] else "m1.csv", "1min"))
    sentence = refused(*backtest(tmp_path, *(word.format(**files) for word in words), "--timeframe", "M5"))
    assert sentence.startswith(f"bars of gbpusd_h1.csv are {'M1' if '{m1}' in words[-1] else 'H1'} apart, not M5")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb[:2]))
def test_every_verb_compares_the_timeframe_with_the_bars(tmp_path, verb):
    bars = own(tmp_path, "gbpusd_h1.csv", "1h", 3)
    assert "bars of gbpusd_h1.csv are H1 apart, not M1" in refused(*verb, "--bars", bars, "--instrument", "GBPUSD", "--timeframe", "M1")


def test_longer_bars_and_bars_to_magnify_are_compared_too(tmp_path):
    m5, h1, odd = own(tmp_path, "m5.csv", "5min"), own(tmp_path, "h1.csv", "1h"), own(tmp_path, "odd.csv", "7min")
    compute = ["features", "compute", "--instrument", "EURUSD", "--columns", "body", "--out", tmp_path / "f.csv", "--bars", m5]
    assert "bars of h1.csv are H1 apart, not H4" in refused(*compute, "--htf", f"H4={h1}")
    assert "most bars of odd.csv are 7 minutes apart, which is no timeframe" in refused(*compute, "--other", f"GBPUSD={odd}")
    assert "the bars of --magnify are H1, not finer than M5" in refused(*backtest(tmp_path, "--bars", m5, "--instrument", "EURUSD", "--timeframe", "M5", "--magnify", h1))


def test_a_rate_counts_when_its_bar_has_ended(tmp_path):
    own(tmp_path, "eurgbp.csv", "5min", 24, "2024-01-10T10:00Z", 0.86)
    table = pd.read_csv(tmp_path / "eurgbp.csv")
    table.loc[table.index >= 6, ["open", "high", "low", "close"]] = 0.87
    table.to_csv(tmp_path / "eurgbp.csv", index=False)
    pd.DataFrame(dict(ts=["2024-01-10T09:00:00Z", "2024-01-10T10:00:00Z", "2024-01-10T11:00:00Z"], open=[1.25, 1.25, 2.0], high=[1.25, 2.0, 2.0], low=[1.25, 1.25, 2.0], close=[1.25, 2.0, 2.0])).to_csv(tmp_path / "rate.csv", index=False)
    signals = "ts,side,order\n2024-01-10T10:00:00Z,long,market\n2024-01-10T10:25:00Z,long,exit\n"
    words = backtest(tmp_path, "--bars", tmp_path / "eurgbp.csv", "--instrument", "EURGBP", "--timeframe", "M5", "--rates", f"GBPUSD={tmp_path / 'rate.csv'}", signals=signals)
    (tmp_path / "rules.toml").write_text("[costs]\nspread = 0.0\n")
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None, done.exception
    assert pd.read_csv(tmp_path / "out" / "trades.csv")["pnl"].tolist() == [pytest.approx(1_250.0)]


def test_the_side_is_what_the_file_says(tmp_path):
    ask, mid = own(tmp_path, "EURUSD_ask.csv", "1h"), own(tmp_path, "EURUSD_mid.csv", "1h")
    assert "quotes the ask" in refused(*backtest(tmp_path, "--bars", ask, "--instrument", "EURUSD", "--timeframe", "H1"))
    assert "not bid" in refused(*backtest(tmp_path, "--bars", mid, "--instrument", "EURUSD", "--timeframe", "H1", "--side", "bid"))
    signals = "ts,side,order\n2024-01-10T10:00:00Z,long,market\n"
    done = CliRunner().invoke(app, [str(word) for word in backtest(tmp_path, "--bars", mid, "--instrument", "EURUSD", "--timeframe", "H1", signals=signals)])
    assert done.exception is None and "mid prices" in done.output


def test_prices_and_spreads_of_another_size_are_refused(tmp_path):
    compute = ["features", "compute", "--instrument", "EURUSD", "--columns", "body", "--out", tmp_path / "f.csv", "--bars"]
    assert "EURUSD usually trades at about 1.1" in refused(*compute, own(tmp_path, "small.csv", "1h", price=0.0011))
    assert "EURUSD usually trades at about 1.1" in refused(*compute, own(tmp_path, "huge.csv", "1h", price=1e308))
    assert "the median spread is 13" in refused(*compute, own(tmp_path, "points.csv", "1h", spread=13.0))
    table = pd.read_csv(own(tmp_path, "one.csv", "1h"))
    table.loc[20, ["open", "high", "low", "close"]] = 1e308
    table.to_csv(tmp_path / "one.csv", index=False)
    assert "the bar at 2024-01-11T05:00Z has a price of another order of magnitude, 1e+308" in refused(*compute, tmp_path / "one.csv")


def test_an_hourly_file_with_daily_years_is_refused_with_the_date_to_import_from(tmp_path):
    daily, hourly = own(tmp_path, "d.csv", "B", 300, "2022-01-03T00:00Z"), own(tmp_path, "h.csv", "1h", 2_000, "2023-02-27T00:00Z")
    pd.concat([pd.read_csv(daily), pd.read_csv(hourly)]).to_csv(tmp_path / "both.csv", index=False)
    sentence = refused("features", "compute", "--instrument", "EURUSD", "--columns", "body", "--out", tmp_path / "f.csv", "--bars", tmp_path / "both.csv")
    assert "bars there are D1 apart, not H1" in sentence and "--from 2023-02-27" in sentence
