"""``tidemark backtest``: the fixed contract, by the worked examples of docs/execution.md and by what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.trading.task import COUNTS, EQUITY, FILLS, TRADES
from worker.cli import app

START = pd.Timestamp("2024-01-02T10:00Z")
FLAT = (1.1, 1.1, 1.1, 1.1)
FIRST = (1.1000, 1.1010, 1.0995, 1.1005)
CONFIG = '[account]\nbalance = 10000.0\ncurrency = "USD"\n[costs]\nspread = 0.0002\n'


def bars_file(folder: Path, *rows: tuple[float, float, float, float], name: str = "bars.csv", step: str = "5min") -> Path:
    ts = pd.date_range(START, periods=len(rows), freq=step)
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"])
    frame.insert(0, "ts", ts.strftime("%Y-%m-%dT%H:%M:%SZ"))
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def signals_file(folder: Path, *rows: dict) -> Path:
    path = folder / "signals.csv"
    pd.DataFrame([{"ts": START.strftime("%Y-%m-%dT%H:%M:%SZ"), **row} for row in rows]).to_csv(path, index=False)
    return path


def run(folder: Path, bars: list[tuple], signal: dict, *more: str, config: str = CONFIG, instrument: str = "EURUSD"):
    (folder / "config.toml").write_text(config)
    arguments = ["backtest", "--bars", str(bars_file(folder, *bars)), "--instrument", instrument, "--timeframe", "M5", "--side", "bid"]
    arguments += ["--signals", str(signals_file(folder, signal)), "--config", str(folder / "config.toml"), "--out", str(folder / "out"), *more]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None, result.exception
    return pd.read_csv(folder / "out" / "trades.csv"), json.loads((folder / "out" / "report.json").read_text())


EXAMPLES = [
    # bars after the first, signal, intrabar, net, r, exit reason
    ("1", [FIRST, (1.1005, 1.1045, 1.1000, 1.1030)], dict(side="long", stop_loss=1.0980, target_1=1.1040), "pessimistic", 380.0, 1.7273, "target_1"),
    ("2 pessimistic", [FIRST, (1.1005, 1.1045, 1.0975, 1.1030)], dict(side="long", stop_loss=1.0980, target_1=1.1040), "pessimistic", -220.0, -1.0, "stop_loss"),
    ("2 optimistic", [FIRST, (1.1005, 1.1045, 1.0975, 1.1030)], dict(side="long", stop_loss=1.0980, target_1=1.1040), "optimistic", 380.0, 1.7273, "target_1"),
    ("2 path", [FIRST, (1.1005, 1.1045, 1.0975, 1.1030)], dict(side="long", stop_loss=1.0980, target_1=1.1040), "path", -220.0, -1.0, "stop_loss"),
    ("3", [FIRST, (1.0970, 1.1045, 1.0960, 1.1030)], dict(side="long", stop_loss=1.0980, target_1=1.1040), "pessimistic", -320.0, -1.4545, "stop_loss"),
    ("4", [FIRST, (1.1005, 1.1018, 1.0990, 1.1000)], dict(side="short", stop_loss=1.1020), "pessimistic", -200.0, -1.0, "stop_loss"),
    (
        "5", [FIRST, (1.1005, 1.1025, 1.1003, 1.1020), (1.1015, 1.1016, 1.0995, 1.1000)],
        dict(side="long", stop_loss=1.0982, target_1=1.1022, fraction_1=0.5, target_2=1.1042, fraction_2=0.5, break_even_r=1.0, break_even_offset=0.0),
        "pessimistic", 100.0, 0.5, "break_even",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("bars", "signal", "intrabar", "net", "r", "reason"), [example[1:] for example in EXAMPLES], ids=[example[0] for example in EXAMPLES])
def test_worked_example(tmp_path, bars, signal, intrabar, net, r, reason):
    trades, report = run(tmp_path, [FLAT, *bars], signal | dict(lots=1.0), config=CONFIG + f'[execution]\nintrabar = "{intrabar}"\n')
    assert trades["pnl"].tolist() == [pytest.approx(net, abs=1e-6)]
    assert trades["r"].iloc[0] == pytest.approx(r, abs=1e-4)
    assert trades["exit_reason"].iloc[0] == reason
    assert report["entries"] == 1


def test_worked_example_2_has_the_same_low_whatever_came_first(tmp_path):
    for intrabar in ("pessimistic", "optimistic", "path"):
        run(tmp_path, [FLAT, FIRST, (1.1005, 1.1045, 1.0975, 1.1030)], dict(side="long", stop_loss=1.0980, target_1=1.1040, lots=1.0), config=CONFIG + f'[execution]\nintrabar = "{intrabar}"\n')
        assert pd.read_csv(tmp_path / "out" / "equity.csv")["equity_low"].iloc[2] == pytest.approx(9780.0)


def test_worked_example_6_sizes_by_risk(tmp_path):
    config = CONFIG + '[sizing]\nkind = "fraction_at_risk"\nvalue = 0.01\n'
    bars = [(1.1000, 1.1000, 1.1000, 1.1000), (1.1000, 1.1000, 1.1000, 1.1000)]
    trades, _ = run(tmp_path, bars, dict(side="long", stop_loss=1.0980), config=config)     # expected entry 1.1002, distance 0.0022
    assert trades["lots"].tolist() == [0.45]


def test_worked_example_6_converts_yen(tmp_path):
    config = '[account]\nbalance = 10000.0\n[costs]\nspread = 0.0\n[sizing]\nkind = "risk"\nvalue = 0.01\n'
    bars = [(110.0, 110.0, 110.0, 110.0)] * 2
    trades, _ = run(tmp_path, bars, dict(side="long", stop_loss=109.78), config=config, instrument="USDJPY")
    assert trades["lots"].tolist() == [0.5]


def test_what_is_written_has_the_columns_of_the_page(tmp_path):
    _, report = run(tmp_path, [FLAT, *EXAMPLES[0][1]], EXAMPLES[0][2])
    for name, columns in (("trades", TRADES), ("fills", FILLS), ("equity", EQUITY)):
        assert tuple(pd.read_csv(tmp_path / "out" / f"{name}.csv", nrows=0).columns) == columns
    assert set(report["counts"]) == set(COUNTS)
    assert report["manifest"]["code"] and report["manifest"]["spec"]["account"]["balance"] == "10000.0"


def test_the_equity_curve_may_be_parquet_or_left_out(tmp_path):
    run(tmp_path, [FLAT, *EXAMPLES[0][1]], EXAMPLES[0][2], "--equity", "parquet")
    assert tuple(pd.read_parquet(tmp_path / "out" / "equity.parquet").columns) == EQUITY
    other = tmp_path / "other"
    other.mkdir()
    run(other, [FLAT, *EXAMPLES[0][1]], EXAMPLES[0][2], "--equity", "none", "--no-report")
    assert sorted(path.name for path in (other / "out").iterdir()) == ["fills.csv", "report.json", "trades.csv"]


def test_the_same_question_gives_the_same_bytes(tmp_path):
    files = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        run(folder, [FLAT, *EXAMPLES[6][1]], EXAMPLES[6][2])
        files.append({path.name: path.read_bytes() for path in (folder / "out").iterdir()})
    assert files[0] == files[1]


def test_several_instruments_share_one_account(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG)
    euro, pound = bars_file(tmp_path, FLAT, *EXAMPLES[0][1]), bars_file(tmp_path, FLAT, *EXAMPLES[0][1], name="pound.csv")
    signals = signals_file(tmp_path, dict(side="long", stop_loss=1.0980, target_1=1.1040, lots=0.1, instrument="EURUSD"), dict(side="long", stop_loss=1.0980, target_1=1.1040, lots=0.2, instrument="GBPUSD"))
    arguments = ["backtest", "--bars", f"EURUSD={euro}", "--bars", f"GBPUSD={pound}", "--timeframe", "M5", "--signals", str(signals), "--config", str(tmp_path / "config.toml"), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert pd.read_csv(tmp_path / "out" / "trades.csv")["pnl"].tolist() == [pytest.approx(38.0), pytest.approx(76.0)]


def test_magnify_and_rates_are_read(tmp_path):
    (tmp_path / "config.toml").write_text('[account]\ncurrency = "EUR"\n[costs]\nspread = 0.0002\n[execution]\nintrabar = "magnify"\n')
    bars = bars_file(tmp_path, FLAT, FIRST, (1.1005, 1.1045, 1.0975, 1.1030))
    minutes = [FLAT] * 5 + [FIRST] + [(1.1005,) * 4] * 4 + [(1.1005, 1.1045, 1.1005, 1.1040), (1.1040, 1.1040, 1.0975, 1.1030)]
    finer = bars_file(tmp_path, *minutes, name="minutes.csv", step="1min")
    rates = bars_file(tmp_path, FLAT, FLAT, FLAT, name="rates.csv")
    signals = signals_file(tmp_path, dict(side="long", stop_loss=1.0980, target_1=1.1040, lots=0.1))
    arguments = ["backtest", "--bars", str(bars), "--instrument", "EURUSD", "--timeframe", "M5", "--signals", str(signals), "--config", str(tmp_path / "config.toml"), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, [*arguments, "--magnify", str(finer), "--rates", f"EURUSD={rates}"]).exit_code == 0
    trades = pd.read_csv(tmp_path / "out" / "trades.csv")
    assert trades["exit_reason"].tolist() == ["target_1"]
    assert trades["pnl"].iloc[0] == pytest.approx(38.0 / 1.10, rel=2e-3)


REFUSED = [
    (dict(signal=dict(side="long", stop_los=1.0)), "no signal column named 'stop_los'; did you mean 'stop_loss'?"),
    (dict(signal=dict(side="long", ts="2024-01-02T10:01:00Z")), "2024-01-02 10:01:00 UTC is not the open of a bar of EURUSD M5"),
    (dict(signal=dict(side="sideways")), "side is 'sideways'; it must be long or short"),
    (dict(signal=dict(side="long", order="stop")), "a stop or limit order needs one"),
    (dict(signal=dict(side="long", valid_bars=0)), "valid_bars is 0.0; it must be a whole number above 0"),
    (dict(signal=dict(side="long", lots=-1)), "lots is -1.0; it must be above 0"),
    (dict(signal=dict(side="long", target_1=1.2, target_2=1.3)), "with several targets each needs one"),
    (dict(signal=dict(side="long", trail_kind="quantile")), "Use points, percent or atr"),
    (dict(signal=dict(side="long"), config="[account]\nbalanse = 1.0\n"), "no key in [account] named 'balanse'; did you mean 'balance'?"),
    (dict(signal=dict(side="long"), config="[acount]\nbalance = 1.0\n"), "did you mean 'account'?"),
    (dict(signal=dict(side="long"), config="[costs]\nslippage_kind = \"atrr\"\n"), "did you mean 'atr'?"),
    (dict(signal=dict(side="long"), instrument="EURUDS"), "no instrument named 'EURUDS'; did you mean 'EURUSD'?"),
    (dict(signal=dict(side="long"), config='[account]\ncurrency = "GBP"\n'), "no conversion rate USD→GBP"),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=[sentence[:40] for _, sentence in REFUSED])
def test_an_invalid_request_is_reported_in_a_sentence(tmp_path, arguments, sentence):
    with pytest.raises(Exception) as refused:
        run(tmp_path, [FLAT, FIRST, FIRST], arguments["signal"], config=arguments.get("config", CONFIG), instrument=arguments.get("instrument", "EURUSD"))
    assert sentence in str(refused.value)


def test_a_refusal_is_one_line_and_exit_status_2(tmp_path):
    completed = subprocess.run([sys.executable, "-m", "worker.cli", "backtest", "--bars", "none.csv", "--instrument", "EURUSD", "--timeframe", "M5", "--strategy", "breakout", "--out", str(tmp_path)], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (completed.returncode, completed.stderr.strip()) == (2, "tidemark: there is no file none.csv")


def test_bars_that_break_the_contract_are_refused(tmp_path):
    path = bars_file(tmp_path, FLAT, (1.1, 1.0, 1.2, 1.1), FLAT)
    (tmp_path / "config.toml").write_text(CONFIG)
    result = CliRunner().invoke(app, ["backtest", "--bars", str(path), "--instrument", "EURUSD", "--timeframe", "M5", "--strategy", "breakout", "--out", str(tmp_path / "out")])
    assert "above the high" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_limits_are_rules_of_the_file_too(tmp_path):
    config = CONFIG + '[limits]\nblackout = "00:00-00:00 UTC"\n'
    trades, report = run(tmp_path, [FLAT, FIRST, FIRST], dict(side="long", stop_loss=1.0980, lots=1.0), config=config)
    assert trades.empty and report["counts"]["blackout"] == 1 and report["manifest"]["spec"]["limits"]["blackout"] == "00:00-00:00 UTC"
    assert any("Risk limits rejected 1 entry" in remark for remark in report["remarks"])


def test_each_series_on_an_account_of_its_own_is_each_of_them_alone(tmp_path):
    import numpy as np

    def run_into(folder: str, *words: str):
        arguments = ["backtest", *words, "--timeframe", "M5", "--strategy", "breakout", "--params", '{"lookback": 10, "quiet": 0.0}', "--out", str(tmp_path / folder), "--no-report", "--json"]
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None, result.exception
        return json.loads(result.stdout)

    files = {}
    for seed, name in enumerate(("EURUSD", "GBPUSD")):
        walk = 1.1 + np.cumsum(np.random.default_rng(seed).normal(0, 0.0006, 700))
        rows = [(a, max(a, b) + 0.0002, min(a, b) - 0.0002, b) for a, b in pairwise(walk)]
        files[name] = ["--bars", f"{name}={bars_file(tmp_path, *rows, name=f'{name}.csv')}"]
    both = run_into("each", *files["EURUSD"], *files["GBPUSD"], "--each")
    for name in files:
        alone = run_into(f"alone {name}", *files[name])
        assert both[name]["metrics"] == alone["metrics"] and alone["metrics"]["trades"] > 3
        assert (tmp_path / "each" / name / "trades.csv").read_bytes() == (tmp_path / f"alone {name}" / "trades.csv").read_bytes()
    result = CliRunner().invoke(app, ["backtest", *files["EURUSD"], "--timeframe", "M5", "--signals", str(signals_file(tmp_path, dict(side="long"))), "--each", "--out", str(tmp_path / "no")])
    assert "split the signals by instrument" in str(result.exception)


def hours(folder: Path, count: int = 400) -> Path:
    rng = np.random.default_rng(5)
    close = 1.1 + np.cumsum(rng.normal(0.0, 5e-4, count))
    return bars_file(folder, *((c, c + 3e-4, c - 3e-4, c) for c in close), step="1h")


def backtested(folder: Path, bars: Path, out: str, *more: str) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    arguments = ["backtest", "--bars", str(bars), "--instrument", "EURUSD", "--timeframe", "H1", "--out", str(folder / out), "--no-report", "--json", *more]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None, result.exception
    return json.loads((folder / out / "report.json").read_text()), *(pd.read_csv(folder / out / f"{name}.csv", parse_dates=[ts]) for name, ts in (("trades", "entry_ts"), ("equity", "ts")))


def test_a_period_starts_warm(tmp_path):
    bars, arguments = hours(tmp_path), ("--strategy", "simple_ma", "--params", '{"fast": 5, "slow": 20}')
    start, end = START + pd.Timedelta(hours=100), START + pd.Timedelta(hours=300)
    _, every, _ = backtested(tmp_path, bars, "whole", *arguments)
    report, trades, equity = backtested(tmp_path, bars, "part", *arguments, "--from", f"{start:%Y-%m-%dT%H:%M}", "--to", f"{end:%Y-%m-%dT%H:%M}")
    within = every[(every["entry_ts"] > start) & (every["entry_ts"] < end)]
    assert trades["entry_ts"].tolist()[1:] == within["entry_ts"].tolist()[1:] and len(trades) > 5
    assert equity["ts"].iloc[0] == start + pd.Timedelta(hours=1) and equity["ts"].iloc[-1] == end and report["bars"] == 200
    assert report["bars_of_history"] == {"EURUSD": 100} and report["history"] == "Features used 100 bars of history before the period; the strategy needs 19."
    assert report["manifest"]["spec"]["data"][0]["history"] == 100
    cold, *_ = backtested(tmp_path, bars, "cold", *arguments, "--from", f"{START + pd.Timedelta(hours=3):%Y-%m-%dT%H:%M}")
    assert cold["history"].endswith("the strategy needs 19, so it cannot decide on the first 16 bars.")


def test_signals_outside_the_period_are_left_out(tmp_path):
    bars, at = hours(tmp_path), [START + pd.Timedelta(hours=k) for k in (10, 150, 350)]
    path = tmp_path / "signals.csv"
    pd.DataFrame(dict(ts=[f"{ts:%Y-%m-%dT%H:%M:%SZ}" for ts in at], side="long", max_bars=3)).to_csv(path, index=False)
    period = ("--from", f"{START + pd.Timedelta(hours=100):%Y-%m-%dT%H:%M}", "--to", f"{START + pd.Timedelta(hours=200):%Y-%m-%dT%H:%M}")
    report, trades, _ = backtested(tmp_path, bars, "out", "--signals", str(path), *period)
    assert report["signals"] == len(trades) == 1 and trades["entry_ts"].iloc[0] == at[1] + pd.Timedelta(hours=1)


@pytest.mark.parametrize(
    "more, sentence",
    [
        (("--from", "2024-02-01", "--to", "2024-01-01"), "the period must end after it begins"), (("--from", "2030-01-01"), "EURUSD H1 has no bar in the chosen period"),
        (("--from", "01.02.2024"), "--from is '01.02.2024', which is not a time"), (("--bars", "EURUSD=other.csv"), "--bars gives EURUSD twice"),
        (("--magnify", "EURUSD=a.csv", "--magnify", "EURUSD=b.csv"), "--magnify gives EURUSD twice"), (("--rates", "USDJPY=bars.csv", "--rates", "USDJPY=bars.csv"), "--rates gives USDJPY twice"),
    ],
)  # fmt: skip
def test_a_period_or_a_name_that_makes_no_sense_is_refused(tmp_path, monkeypatch, more, sentence):
    monkeypatch.chdir(tmp_path)
    arguments = ["backtest", "--bars", f"EURUSD={hours(tmp_path)}", "--timeframe", "H1", "--strategy", "simple_ma", "--out", str(tmp_path / "out"), *more]
    result = CliRunner().invoke(app, arguments)
    assert sentence in str(result.exception)
