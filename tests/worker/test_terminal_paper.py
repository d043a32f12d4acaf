"""``tidemark paper``: a session in the foreground equals a backtest of its tape and commands, goes on after a death, and takes every command."""

from __future__ import annotations

import json
import os

import pytest
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.worker.test_terminal_tape import CONFIG, plain, walk
from worker.cli import app
from worker.owner import MACHINE, began
from worker.store import Filter
from worker.store import session_asking as asking
from worker.store.sessions import lease_of
from worker.terminal import paper_run
from worker.terminal.here import desk

FILES = ("trades.csv", "fills.csv", "equity.csv", "decisions.csv", "tape.csv", "commands.csv")
STRATEGY = ("--strategy", "simple_ma", "--params", '{"fast": 3, "slow": 7}')
SERIES = dict(series=["EURUSD M5"], strategies=[dict(name="simple_ma", params={}, series=[])], rules={})


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("TIDEMARK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TIDEMARK_STORAGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TIDEMARK_APP_USER", "ana")
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def paper(*words: object) -> str:
    result = CliRunner().invoke(app, ["paper", *map(str, words)])
    if result.exception:
        raise result.exception
    return result.stdout


def start(folder, *more: object, name: str = "one") -> dict:
    return json.loads(paper("start", "--session", name, *STRATEGY, "--config", folder / "config.toml", "--out", folder / name, "--json", *more))


def refused(*words: object) -> str:
    with pytest.raises(BadRequest) as refusal:
        paper(*words)
    return str(refusal.value)


def waiting() -> object:
    """A session that nobody works on, which takes commands."""
    at = desk()
    with at.paper.store.unit() as unit:
        asking.start(unit, "live", SERIES, dict(feed="oanda"), "ana")
    return at


def test_a_session_that_died_goes_on_and_one_that_is_over_writes_its_files_again(workspace):
    frame = walk(5, 120)
    start(workspace, "--replay", f"EURUSD M5={plain(workspace, 'm5.csv', frame)}")
    assert "there is a session named 'one' already" in refused("start", "--session", "one", "--replay", f"EURUSD M5={workspace / 'm5.csv'}", *STRATEGY)
    paper("resume", "one", "--out", workspace / "again")
    for file in FILES:
        assert (workspace / "again" / file).read_bytes() == (workspace / "one" / file).read_bytes()
    assert "no session named 'two'" in refused("resume", "two")


def test_a_session_in_use_is_refused(workspace):
    at = waiting()
    with at.paper.store.unit() as unit:
        unit.leases.take(lease_of("live"), f"here:{os.getpid()}:{MACHINE}-{began(os.getpid())}-x")
    assert f"the session live is in use by the process {os.getpid()} on here" in refused("resume", "live")


COMMANDS = [
    (("pause", "--reason", "lunch"), "pause", {}),
    (("continue",), "continue", {}),
    (("order", "--instrument", "EURUSD", "--side", "buy", "--lots", "0.2", "--stop", "1.0", "--target", "1.2"), "order", dict(instrument="EURUSD", side="buy", lots=0.2, stop=1.0, target=1.2)),
    (("close", "--instrument", "EURUSD", "--side", "long", "--share", "0.5"), "close", dict(instrument="EURUSD", side="long", share=0.5)),
    (("close",), "close", {}),
    (("close-all",), "close-all", {}),
    (("set", "--params", '{"fast": 9}'), "set", dict(parameters=dict(fast=9))),
    (("enable", "--strategy", "simple_ma"), "enable", dict(strategy="simple_ma")),
    (("disable",), "disable", {}),
    (("blackout", "--add", "12:25-12:35 UTC"), "blackout", dict(add="12:25-12:35 UTC")),
    (("approve", "--order", "3"), "approve", dict(order=3)),
    (("stop", "--close"), "stop", dict(close=True)),
]


def test_every_verb_is_a_command_that_waits_for_whoever_works_on_the_session(workspace):
    at = waiting()
    for (verb, *more), _, _ in COMMANDS:
        paper(verb, "live", *more)
    with at.paper.store.read() as unit:
        request = [(each.command, dict(each.arguments)) for each in unit.session_commands.waiting()]
        assert {each.who for each in unit.session_commands.waiting()} == {"ana"}
    assert request == [(verb, arguments) for _, verb, arguments in COMMANDS]
    shown = json.loads(paper("show", "live", "--json"))
    assert (shown["state"], shown["commands_waiting"], shown["bars"], shown["positions"]) == ("ready", len(COMMANDS), 0, [])
    assert json.loads(paper("list", "--json"))[0]["name"] == "live"
    assert "Waiting" not in paper("list") and "live" in paper("list")


def test_the_kill_switch_is_set_for_one_and_for_all_and_lifted_with_a_reason(workspace):
    at = waiting()
    paper("halt", "live", "--keep", "--reason", "news")
    paper("halt")
    assert [(each.name, each.flatten, each.reason) for each in at.paper.halts()] == [("", True, "no reason given"), ("live", False, "news")]
    assert "say why" in refused("release", "live")
    paper("release", "live", "--reason", "over")
    paper("release", "--reason", "over")
    assert not at.paper.halts()
    assert "no kill switch is set" in refused("release", "--reason", "again")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((), "give either --replay FILE or --feed oanda|mt5"),
        (("--feed", "oanda"), "--feed needs instruments"),
        (("--feed", "ib", "--instrument", "EURUSD"), "no feed named 'ib'; there are mt5, oanda"),
        (("--feed", "oanda", "--instrument", "EURUSD"), "--timeframe is missing"),
        (("--replay", "x.csv", "--broker", "ib"), "no broker named 'ib'; there are mt5, oanda, paper"),
        (("--replay", "x.csv", "--mode", "yes"), "no mode named 'yes'; there are approve, auto"),
        (("--replay", "x.csv", "--speed", "0"), "--speed is '0'; it must be a number above 0, times real time, or max"),
        (("--replay", "EURUSD=x.csv", "--timeframe", "M5"), "there is no file x.csv"),
    ],
)
def test_what_cannot_be_started_is_refused_by_a_sentence(workspace, more, sentence):
    assert sentence in refused("start", "--session", "x", *STRATEGY, *more)
    assert not (workspace / "home" / "tidemark.db").exists() or json.loads(paper("list", "--json")) == []


@pytest.mark.parametrize(("verb", "more", "sentence"), [("close", ("--share", "0"), "share is 0"), ("order", ("--side", "buy", "--lots", "1"), "an order names no instrument"), ("set", ("--params", "{}"), "set changes nothing"), ("blackout", (), "blackout needs either add or remove")])
def test_a_command_that_says_nothing_is_refused_before_it_is_written(workspace, verb, more, sentence):
    waiting()
    assert sentence in refused(verb, "live", *more)
    assert json.loads(paper("show", "live", "--json"))["commands_waiting"] == 0


def test_rows_of_a_file_that_are_no_bars_are_counted_and_named(workspace):
    path = plain(workspace, "m5.csv", walk(5, 60))
    lines = path.read_text().splitlines()
    lines[20] = ",".join([*lines[20].split(",")[:4], "", "0.0001"])
    lines[30] = ",".join([*lines[30].split(",")[:4], "none", "0.0001"])
    path.write_text("\n".join(lines) + "\n")
    shown = start(workspace, "--replay", f"EURUSD M5={path}")
    assert (shown["bars"], shown["dropped"]) == (58, 2)
    with desk().paper.store.read() as unit:
        remarks = [json.loads(event.body)["detail"]["remark"] for event in unit.trail.all(Filter(entity="session:one")) if event.kind == "session_remarked"]
    assert [remark.partition(":")[0] for remark in remarks] == ["a row of EURUSD M5 was dropped"] * 2 and "line 21" in remarks[0] and "'none', not a number" in remarks[1]


@pytest.mark.parametrize(("feed", "needs"), [("oanda", "TIDEMARK_OANDA_TOKEN"), ("mt5", "MetaTrader")])
def test_a_feed_that_cannot_be_reached_from_here_is_refused_before_there_is_a_session(workspace, feed, needs):
    assert needs in refused("start", "--session", "live", "--feed", feed, "--instrument", "EURUSD", "--timeframe", "M5", *STRATEGY)
    assert json.loads(paper("list", "--json")) == []


def test_a_session_in_the_foreground_waits_while_the_database_is_away(workspace, monkeypatch):
    seen, troubles = paper_run._seen, [OperationalError("SELECT 1", {}, Exception("connection refused"))] * 2

    def seen_later(store, name):
        if troubles:
            raise troubles.pop()
        return seen(store, name)

    monkeypatch.setattr(paper_run, "_seen", seen_later)
    assert start(workspace, "--replay", f"EURUSD M5={plain(workspace, 'm5.csv', walk(5, 30))}")["state"] == "finished" and not troubles


@pytest.mark.parametrize(
    ("timeframe", "more", "sentence"),
    [("H1", (), "bars of m5.csv are M5 apart, not H1"), ("M5", ("--from", "2030-01-01"), "EURUSD M5 has no bar to trade from --from on"), ("M5", ("--to", "2010-01-01"), "EURUSD M5 has no bar before --to")],
)
def test_bars_of_another_timeframe_or_of_another_time_are_refused(workspace, timeframe, more, sentence):
    assert sentence in refused("start", "--session", "x", "--replay", f"EURUSD={plain(workspace, 'm5.csv', walk(5, 60))}", "--timeframe", timeframe, *STRATEGY, *more)


def test_a_command_that_the_session_refuses_is_named_where_it_was_started(workspace, capsys):
    (workspace / "commands.csv").write_text('ts,who,command,arguments,reason\n2024-01-02T01:00:00Z,bob,set,"{""parameters"": {""nope"": 1}}",no\n')
    words = ["paper", "start", "--session", "one", *STRATEGY, "--replay", f"EURUSD M5={plain(workspace, 'm5.csv', walk(5, 30))}", "--commands", workspace / "commands.csv"]
    assert "refused  set of bob: no parameter of" in CliRunner().invoke(app, list(map(str, words))).stderr


def test_a_session_whose_terminal_has_ended_says_how_to_go_on(workspace):
    at = desk()
    with at.paper.store.unit() as unit:
        asking.start(unit, "left", SERIES, dict(feed="replay", foreground=True), "ana")
    (alarm,) = json.loads(paper("show", "left", "--json"))["alarms"]
    assert alarm.endswith("tidemark paper resume left")
    with at.paper.store.unit() as unit:
        unit.leases.take(lease_of("left"), f"here:{os.getpid()}:{MACHINE}-{began(os.getpid())}-x")
    assert json.loads(paper("show", "left", "--json"))["alarms"] == []
