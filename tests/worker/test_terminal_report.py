"""``tidemark backtest`` writes a report beside its tables and prints the head of it."""

from __future__ import annotations

import hashlib
import json
import math

from typer.testing import CliRunner

from tests.worker.test_terminal_backtest import CONFIG, EXAMPLES, FLAT, bars_file, signals_file
from worker.cli import app


def output_of(folder, *more: str):
    bars, signal = EXAMPLES[0][1:3]
    (folder / "config.toml").write_text(CONFIG)
    arguments = ["backtest", "--bars", str(bars_file(folder, FLAT, *bars)), "--instrument", "EURUSD", "--timeframe", "M5", "--signals", str(signals_file(folder, signal | dict(lots=1.0)))]
    result = CliRunner().invoke(app, [*arguments, "--config", str(folder / "config.toml"), "--out", str(folder / "out"), *more])
    assert result.exception is None, result.exception
    return result.stdout


def test_the_report_stands_beside_the_tables_and_names_them_by_hash(tmp_path):
    output = output_of(tmp_path, "--equity", "none")
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["drawdown.svg", "equity.svg", "fills.csv", "report.html", "report.json", "report.txt", "trades.csv"]
    page = (out / "report.html").read_text()
    for name in ("trades.csv", "fills.csv"):
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() in page
    assert 'class="line"' in page, "the curve is drawn though its rows are not written"
    for word in ("own signals", "EURUSD M5", "Profit factor", "+380.00 USD", "Only 1 trade", "trials", "report.html"):
        assert word in output, word


def test_report_json_says_at_its_end_what_may_be_believed_and_that_trials_are_not_counted(tmp_path):
    output_of(tmp_path, "--no-report")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert list(report) == ["counts", "ambiguous_bars", "signals", "entries", "bars", "bars_of_history", "history", "benchmark", "metrics", "remarks", "manifest", "belief", "trials"]
    assert report["trials"]["counted"] is False and report["trials"]["sentence"].startswith("uncounted trials possible: ")
    assert report["remarks"] == [remark["sentence"] for remark in report["belief"]["remarks"]] and report["belief"]["questions"][0]["key"] == "execution"
    assert not (tmp_path / "out" / "report.html").exists()


def test_json_is_all_that_is_printed_where_requested(tmp_path):
    assert math.isclose(json.loads(output_of(tmp_path, "--json"))["metrics"]["net_profit"], 380.0)


def test_the_same_files_give_the_same_report(tmp_path):
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        output_of(tmp_path / name)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name / "out").iterdir()})
    assert contents[0] == contents[1] and len(contents[0]) == 8
