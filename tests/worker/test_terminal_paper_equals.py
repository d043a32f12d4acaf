"""``tidemark paper``: a session is the backtest of its files, and of its tape and commands, to the last byte."""

from __future__ import annotations

import pandas as pd

from domain.trading.command import Command, write_commands
from tests.worker.test_terminal_paper import FILES, STRATEGY, paper, start
from tests.worker.test_terminal_paper import workspace as workspace
from tests.worker.test_terminal_tape import TIME, backtest, plain, same, walk


def test_a_session_of_two_timeframes_equals_the_backtest_of_its_files_and_of_its_tape(workspace):
    bars = [f"EURUSD M5={plain(workspace, 'm5.csv', walk(5, 200))}", f"EURUSD H1={plain(workspace, 'h1.csv', walk(60, 17, seed=2))}"]
    begin = f"{walk(5, 200)['ts'][40]:{TIME}}"
    facts = start(workspace, *[word for each in bars for word in ("--replay", each)], "--from", begin)
    assert (facts["state"], facts["written"], facts["price_age"]) == ("finished", list(FILES), None)
    assert facts["trades"] == len(pd.read_csv(workspace / "one" / "trades.csv")) > 5
    same(workspace / "one", backtest(workspace, "files", *[word for each in bars for word in ("--bars", each)], *STRATEGY, "--from", begin))
    same(workspace / "one", backtest(workspace, "tape", "--bars", workspace / "one" / "tape.csv", "--commands", workspace / "one" / "commands.csv", *STRATEGY, "--from", begin))


RULES = """account = 10000
[day]
reset = "00:00"
tz = "Europe/Prague"
[daily]
basis = "balance"
amount = "0.6 %"
watch = "equity"
effect = "DAY_LOCK"
comparator = "<="
buffer = 25
"""


def test_a_session_that_keeps_a_rule_set_equals_the_backtest_that_keeps_it(workspace):
    (workspace / "own.toml").write_text(RULES)
    bars = f"EURUSD M5={plain(workspace, 'm5.csv', walk(5, 200))}"
    start(workspace, "--replay", bars, "--rules", workspace / "own.toml")
    same(workspace / "one", backtest(workspace, "tape", "--bars", workspace / "one" / "tape.csv", "--rules", workspace / "own.toml", *STRATEGY))
    refused = pd.read_csv(workspace / "one" / "decisions.csv").query("reason == 'limit_headroom'")
    assert len(refused) and (refused["value"] + refused["buffer"] > refused["allowed"]).all() and set(refused["buffer"]) == {25.0}


REQUEST = [
    (30, "order", dict(instrument="EURUSD", side="buy", lots=0.3)), (33, "close", dict(share=0.5, side="long")), (40, "halt", dict(keep=True)), (48, "release", {}), (60, "set", dict(parameters=dict(fast=4))),
    (70, "pause", {}), (80, "continue", {}), (90, "blackout", dict(add="08:00-08:30 UTC")), (110, "disable", {}), (120, "enable", {}), (140, "stop", dict(close=True)),
]  # fmt: skip


def test_commands_of_a_file_are_worked_at_their_times_and_stand_on_the_tape(workspace):
    frame = walk(5, 150)
    given = [Command(int(frame["ts"][row].value) + 1_000_000_000, "bob", verb, arguments, "why") for row, verb, arguments in REQUEST]
    (workspace / "given.csv").write_text(write_commands(given))
    bars = plain(workspace, "m5.csv", frame)
    assert start(workspace, "--replay", f"EURUSD M5={bars}", "--commands", workspace / "given.csv")["state"] == "stopped"
    assert (workspace / "one" / "commands.csv").read_text() == (workspace / "given.csv").read_text()
    assert 0.3 in pd.read_csv(workspace / "one" / "trades.csv")["lots"].tolist()
    assert {"manual"} <= set(pd.read_csv(workspace / "one" / "fills.csv")["reason"])
    same(workspace / "one", backtest(workspace, "tape", "--bars", workspace / "one" / "tape.csv", "--commands", workspace / "one" / "commands.csv", *STRATEGY))
    assert "one is its backtest:" in paper("consistency", "one")


def test_bad_bars_are_dropped_counted_and_named(workspace):
    frame = walk(5, 60)
    bad = pd.concat([frame.iloc[:30], frame.iloc[[10, 29]], frame.iloc[[30]].assign(high=0.5), frame.iloc[31:]], ignore_index=True)
    facts = start(workspace, "--replay", f"EURUSD M5={plain(workspace, 'm5.csv', bad)}")
    assert (facts["state"], facts["bars"], facts["dropped"]) == ("finished", 59, 3)
    same(workspace / "one", backtest(workspace, "tape", "--bars", workspace / "one" / "tape.csv", *STRATEGY))
