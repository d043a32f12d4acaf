"""``tidemark paper start`` with what ``tidemark backtest`` reads beside bars: the same bytes, after a death in the middle too, and refused by name otherwise."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.market.instrument import TABLE
from domain.trading.command import Command, write_commands
from tests.worker import outside as files
from tests.worker.dying import dying
from tests.worker.test_terminal_paper import STRATEGY, paper, refused
from tests.worker.test_terminal_paper import workspace as workspace
from tests.worker.test_terminal_tape import CONFIG, TIME, backtest, plain, same, walk
from worker.cli import app
from worker.store import session_asking as asking
from worker.terminal.here import desk


def session(folder, *more: object, name: str = "one") -> dict:
    return json.loads(paper("start", "--session", name, "--config", folder / "config.toml", "--out", folder / name, "--json", *more))


def session_that_dies(folder, monkeypatch, bars: int, *more: object) -> None:
    """One that dies after so many bars, and another process that goes on; it has trades on both sides of it."""
    with dying(monkeypatch, "dead", bars):
        session(folder, *more, "--speed", "1e9", name="dead")
    with desk().paper.store.read() as unit:
        before = unit.sessions.progress("dead").rows.get("trades", 0)
    paper("resume", "dead", "--out", folder / "dead")
    assert len(pd.read_csv(folder / "dead" / "trades.csv")) > before > 0


def signals_file(folder, frame, name="signals.csv", **columns):
    rows = np.random.default_rng(5).permutation(np.arange(45, len(frame) - 5, 6))
    table = pd.DataFrame(dict(ts=frame["ts"].iloc[rows].dt.strftime(TIME), side=np.where(rows % 4, "long", "short"), max_bars=4, tag=[f"t{row % 3}" for row in rows]))
    table.assign(**columns).to_csv(folder / name, index=False)
    return folder / name


def test_signals_give_the_backtest_of_the_files_and_of_the_tape(workspace):
    frame = walk(5, 120)
    bars, signals = plain(workspace, "m5.csv", frame), signals_file(workspace, frame)
    facts = session(workspace, "--replay", f"EURUSD M5={bars}", "--signals", signals)
    assert facts["trades"] == len(pd.read_csv(workspace / "one" / "trades.csv")) > 6
    signals.rename(workspace / "moved.csv")         # the session has its own
    same(workspace / "one", backtest(workspace, "files", "--bars", f"EURUSD M5={bars}", "--signals", workspace / "moved.csv"))
    same(workspace / "one", backtest(workspace, "tape", "--bars", workspace / "one" / "tape.csv", "--signals", workspace / "moved.csv"))
    assert "one is its backtest:" in paper("consistency", "one")
    with desk().paper.store.read() as unit:
        source = unit.sessions.get("one").source
        assert unit.sessions.frames() == {source["frames"]["EURUSD M5"], source["inputs"][0]["frame"]}      # no sweep takes them


def test_a_stopped_session_of_signals_is_the_backtest_of_its_tape_which_names_a_series_without_bars(workspace):
    frame = walk(5, 120)
    later, signals = frame.iloc[90:], signals_file(workspace, frame, instrument=["GBPUSD"] + ["EURUSD"] * 11)
    orders = [Command(int(frame["ts"][row].value) + 1, "ana", verb, arguments, "") for row, verb, arguments in ((60, "order", dict(instrument="GBPUSD", side="buy", lots=0.1)), (61, "order", dict(instrument="EURUSD", side="buy", lots=0.1)), (80, "stop", dict(close=True)))]
    (workspace / "given.csv").write_text(write_commands(orders))
    session(workspace, "--replay", f"EURUSD M5={plain(workspace, 'm5.csv', frame)}", "--replay", f"GBPUSD M5={plain(workspace, 'gbp.csv', later)}", "--signals", signals, "--commands", workspace / "given.csv")
    assert {-2} < set(pd.read_csv(workspace / "one" / "fills.csv")["order_id"])
    same(workspace / "one", backtest(workspace, "tape", "--bars", workspace / "one" / "tape.csv", "--commands", workspace / "one" / "commands.csv", "--signals", signals))


def outside(folder) -> list[object]:
    days = pd.bdate_range("2023-12-01", "2024-01-12")
    return ["--macro", f"DXY={files.series(folder / 'DX-Y.NYB.csv', 3, days)}", "--headlines", files.headlines(folder / "news.csv"), "--releases", files.calendar(folder / "calendar.csv"), "--utc"]


def judged(folder, out: str, *more: object):
    """A backtest under the rules of the session."""
    result = CliRunner().invoke(app, ["backtest", *map(str, more), "--config", str(folder / "config.toml"), "--out", str(folder / out), "--no-report"])
    if result.exception:
        raise result.exception
    return folder / out


def quantiles(folder, frame):
    """Forecasts at most bars, by their opens, as a file gives them."""
    levels = np.sort(np.random.default_rng(6).normal(0, 6e-4, (len(frame), 7)), axis=1)
    table = pd.DataFrame(levels, columns=["q05", "q10", "q25", "q50", "q75", "q90", "q95"]).assign(ts=frame["ts"].dt.strftime(TIME))
    table[np.arange(len(frame)) % 7 > 0].to_csv(folder / "quantiles.csv", index=False)
    return folder / "quantiles.csv"


def test_forecasts_and_finer_bars_are_stored_with_the_session(workspace, monkeypatch):
    """A strategy by quantiles, filled inside its bars by shorter ones; killed in the middle, its files moved away, and taken up."""
    (workspace / "config.toml").write_text(CONFIG + '[execution]\nintrabar = "magnify"\n')
    minutes = walk(1, 450, seed=8)
    parts = minutes.groupby(minutes["ts"].dt.floor("5min"))
    frame = pd.DataFrame(dict(open=parts["open"].first(), high=parts["high"].max(), low=parts["low"].min(), close=parts["close"].last())).reset_index()
    bars, finer, table = plain(workspace, "m5.csv", frame), plain(workspace, "m1.csv", minutes), quantiles(workspace, frame)
    request = ["--strategy", "aggressive", "--params", '{"horizon": 4, "costs": 0.5}']
    session_that_dies(workspace, monkeypatch, 50, "--replay", f"EURUSD M5={bars}", "--magnify", f"EURUSD={finer}", "--forecasts", table, *request)
    beside = ["--magnify", f"EURUSD={finer.rename(workspace / 'moved.csv')}", "--forecasts", table.rename(workspace / "away.csv"), *request]
    same(workspace / "dead", judged(workspace, "tape", "--bars", workspace / "dead" / "tape.csv", *beside))
    assert "dead is its backtest:" in paper("consistency", "dead")
    coarse = judged(workspace, "coarse", "--bars", workspace / "dead" / "tape.csv", *beside[2:])
    assert (coarse / "trades.csv").read_bytes() != (workspace / "dead" / "trades.csv").read_bytes(), "the finer bars decide something"


def test_a_scanner_trades_its_proposals(workspace, monkeypatch):
    """Written by tidemark scan, as a file; killed in the middle; a session of one that takes a model's chance, or of options beside it, is refused."""
    k = np.arange(240)
    m5 = walk(5, 240)
    swing = 0.002 * np.sin(k / 7.0)
    frame = m5.assign(**{name: np.round(m5[name] + swing, 5) for name in ("open", "high", "low", "close")})
    bars = plain(workspace, "m5.csv", frame)
    words = ["--strategy", "breakout", "--strategy", "momentum", "--params", '{"breakout": {"lookback": 5, "quiet": 0.0}}', "--fewest", "2", "--history", "30", "--max-es95", "900"]
    scanned = CliRunner().invoke(app, ["scan", "--bars", f"EURUSD={bars}", *words, "--config", str(workspace / "config.toml"), "--out", str(workspace / "scan")], catch_exceptions=False)
    assert scanned.exit_code == 0, scanned.output
    definition = workspace / "scan" / "scan.json"
    session_that_dies(workspace, monkeypatch, 150, "--replay", f"EURUSD M5={bars}", "--scan", definition)
    moved = definition.rename(workspace / "moved.json")
    same(workspace / "dead", judged(workspace, "tape", "--bars", workspace / "dead" / "tape.csv", "--scan", moved))
    assert "dead is its backtest:" in paper("consistency", "dead")
    decisions = pd.read_csv(workspace / "dead" / "decisions.csv")
    assert {"few_trades", "grade"} & set(decisions["reason"]) and (decisions["verdict"] == "placed").any()
    assert "--scan names its strategies" in refused("start", "--session", "x", "--replay", f"EURUSD M5={bars}", "--scan", moved, "--strategy", "momentum")
    assert "has no spec of a scan" in refused("start", "--session", "x", "--replay", f"EURUSD M5={bars}", "--scan", text_file(workspace, "{}"))
    assert "there is no scan abc123" in refused("start", "--session", "x", "--replay", f"EURUSD M5={bars}", "--scan", "abc123")


def text_file(folder, text: str):
    (folder / "text.json").write_text(text)
    return folder / "text.json"


def own_table(folder) -> None:
    """Instruments of the workspace: one that the shipped table has not."""
    row = TABLE.read_text(encoding="utf-8").partition("[EURUSD]")[2].partition("\n[")[0]
    (folder / "own.toml").write_text("[OWNPAIR]" + row.replace("contract = 100_000", "contract = 50_000"), encoding="utf-8")


def test_an_own_instrument_is_converted_along_a_pair_that_is_not_traded(workspace, monkeypatch):
    own_table(workspace)
    monkeypatch.setenv("TIDEMARK_DATA_INSTRUMENTS", str(workspace / "own.toml"))
    (workspace / "config.toml").write_text(CONFIG.replace("USD", "GBP"))
    bars, pair = plain(workspace, "m5.csv", walk(5, 55)), plain(workspace, "pair.csv", walk(15, 40, seed=4))
    session_that_dies(workspace, monkeypatch, 40, "--replay", f"OWNPAIR M5={bars}", "--rates", f"GBPUSD={pair}", *STRATEGY)
    moved = pair.rename(workspace / "moved.csv")
    same(workspace / "dead", judged(workspace, "tape", "--bars", workspace / "dead" / "tape.csv", "--rates", f"GBPUSD={moved}", *STRATEGY))
    assert "dead is its backtest:" in paper("consistency", "dead")


def test_external_data_reach_the_strategy_and_the_limit_news(workspace, monkeypatch):
    (workspace / "config.toml").write_text(CONFIG + "[limits]\nnews = 60.0\n")
    frame, request = walk(60, 110, start="2024-01-02T12:00Z"), [*outside(workspace), "--strategy", "sentiment_macro", "--params", '{"sentiment_least": 0.0, "dollar_window": 2, "dollar_most": 20.0, "release_minutes": 0.0, "half_life": 2.0, "max_bars": 3}']
    bars = plain(workspace, "h1.csv", frame)
    session_that_dies(workspace, monkeypatch, 60, "--replay", f"EURUSD H1={bars}", *request)
    same(workspace / "dead", judged(workspace, "tape", "--bars", workspace / "dead" / "tape.csv", *request))
    assert "dead is its backtest:" in paper("consistency", "dead")


def test_the_limit_news_holds_back_entries_of_signals(workspace):
    frame = walk(5, 160, start="2024-01-03T09:00Z")
    bars, signals = plain(workspace, "m5.csv", frame), signals_file(workspace, frame)
    (workspace / "config.toml").write_text(CONFIG + "[limits]\nnews = 60.0\n")
    session(workspace, "--replay", f"EURUSD M5={bars}", "--signals", signals, *outside(workspace)[-3:])
    same(workspace / "one", judged(workspace, "files", "--bars", f"EURUSD M5={bars}", "--signals", signals, *outside(workspace)[-3:]))
    assert (pd.read_csv(workspace / "one" / "decisions.csv")["reason"] == "limit_news").sum() > 2


REFUSED = [
    (("--model", "gold"), "no model named 'gold'"), (("--forecasts", "x.csv"), "--forecasts are for strategies that decide on them"),
    (("--magnify", "USDJPY=x.csv"), "--magnify names USDJPY, which no --bars names"), (("--each",), "--each: a session is one account"),
    (("--signals", "x.csv"), "give either --strategy NAME"), (("--rates", "EURUDS=x.csv"), "no instrument named 'EURUDS'"),
    (("--releases", "nowhere.csv"), "cannot be"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_what_no_session_takes_is_refused_by_name(workspace, words, sentence):
    bars = plain(workspace, "m5.csv", walk(5, 20))
    assert sentence in refused("start", "--session", "one", "--replay", f"EURUSD M5={bars}", *STRATEGY, *words)


def test_signals_that_a_session_cannot_trade_are_refused_before_it_is_there(workspace):
    frame = walk(5, 60)
    bars, between = plain(workspace, "m5.csv", frame), signals_file(workspace, frame.assign(ts=frame["ts"] + pd.Timedelta("1min")))
    request = ("start", "--session", "one", "--replay", f"EURUSD M5={bars}")
    assert "is not the open of a bar of EURUSD M5" in refused(*request, "--signals", between)
    assert "--params and --preset are of a strategy" in refused(*request, "--signals", between, "--params", '{"fast": 3}')
    assert "trail_kind quantile follows prices" in refused(*request, "--signals", signals_file(workspace, frame, trail_kind="quantile"))
    assert "--side and --to are for --replay" in refused("start", "--session", "one", "--feed", "oanda", "--instrument", "EURUSD", "--timeframe", "M5", "--side", "mid", "--to", "2024-01-03", *STRATEGY)
    assert json.loads(paper("list", "--json")) == []


def test_parameters_of_signals_are_not_offered(workspace):
    at = desk()
    with at.paper.store.unit() as unit:
        asking.start(unit, "live", dict(series=["EURUSD M5"], strategies=[dict(name="signals", params={}, series=[])], rules={}), dict(feed="oanda"), "ana")
    assert at.paper.refused("set", at.paper.row("live")) == "a table of signals has no parameters"
    assert at.paper.refused("pause", at.paper.row("live")) == ""
