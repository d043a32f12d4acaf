"""Sessions from a form: signals, a scanner, commands, releases, and what is missing said in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.worker.test_paper_desk import connected
from worker import actors
from worker.desk import StartRequest
from worker.desk.scanner import Choice, ScanRequest
from worker.terminal.paper_run import work

START, END = datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 1, 20, tzinfo=UTC)
TIME = "%Y-%m-%dT%H:%M:%SZ"


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def dataset(desk, system) -> str:
    created = desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3)
    actors.run(created.job.id)
    return desk.jobs.get(created.job.id).result["dataset"]


def start_request(dataset: str, name: str, **more) -> StartRequest:
    return StartRequest(**(dict(name=name, strategy="", params={}, timeframes=("H1",), datasets=(dataset,)) | more))


def test_signals_and_commands_are_uploaded_and_a_scan_trades(desk, store, dataset):
    bars = store.frames.get(desk.data.get(dataset).frame)
    ts = bars["ts"].dt.strftime(TIME)
    signals = pd.DataFrame(dict(ts=ts.iloc[5:120:9], side="long", max_bars=4)).to_csv(index=False).encode()
    commands = f"ts,who,command,arguments,reason\n{ts.iloc[60]},bob,pause,,lunch\n{ts.iloc[80]},bob,continue,,\n".encode()
    desk.paper.start(start_request(dataset, "told", signals=signals, commands=commands))
    assert work(desk, "told", quiet=True).state == "finished"
    view = desk.paper.get("told")
    assert view.trades_total > 5 and (view.commands["who"] == "bob").all() and (desk.paper.table("told", "decisions")["reason"] == "halted").any()
    job = desk.scanner.submit(ScanRequest([Choice("breakout", dict(lookback=10))], [dataset], criteria=dict(fewest=2))).job
    actors.run(job.id)
    desk.paper.start(start_request(dataset, "scanned", scan=desk.jobs.get(job.id).result["run"]))
    assert work(desk, "scanned", quiet=True).state == "finished"
    assert desk.paper.get("scanned").plan["scan"]["criteria"]["fewest"] == 2
    assert {"few_trades", "grade"} & set(desk.paper.table("scanned", "decisions")["reason"])


def test_a_session_trades_at_the_costs_of_a_saved_profile(desk, store, dataset):
    desk.cost_profiles.save("mine", dict(slippage=0.3), ["EURUSD"], "broker's sheet", "2024-01-01")
    desk.paper.start(start_request(dataset, "costed", strategy="breakout", cost_profile="mine"))
    view = desk.paper.get("costed")
    with store.read() as unit:
        source = unit.sessions.get("costed").source
    assert view.plan["rules"]["costs"]["slippage"] == 0.3 and source["cost_profile"] == dict(name="mine", source="broker's sheet", date="2024-01-01")


MISSING = (
    (dict(), "choose one of a strategy, a file of signals and a scanner"),
    (dict(strategy="breakout", scan="abc"), "choose one of a strategy"),
    (dict(scan="abcdef"), "there is no scan abcdef"),
    (dict(signals=b"ts,side\n2024-01-08T00:30:00Z,long\n"), "is not the open of a bar of EURUSD H1"),
    (dict(signals=b"ts\n2024-01-08T00:00:00Z\n"), "have no column 'side'"),
    (dict(signals=b"\xff\xfe\x00"), "the signals file are not a CSV in UTF-8"),
    (dict(strategy="breakout", commands=b"ts,what\n"), "the commands"),
    (dict(strategy="breakout", commands=b"\xff\xfe"), "the commands are not a CSV in UTF-8"),
    (dict(strategy="breakout", model="gold"), "no model named 'gold'"),
    (dict(strategy="breakout", model="gold", timeframes=("H1", "H4")), "a model filters one timeframe of each instrument"),
    (dict(scan="abcdef", rules=dict(sizing=dict(kind="volatility", value=0.1))), "sizing by volatility needs the whole past"),
    (dict(strategy="breakout", cost_profile="gone"), "there is no cost profile gone"),
    (dict(strategy="aggressive"), "aggressive decides on the quantiles"),
    (dict(strategy="breakout", datasets=(), feed="oanda", instruments=("EURUSD",)), "OANDA needs TIDEMARK_OANDA_TOKEN"),
)  # fmt: skip


def test_what_is_missing_is_stated_before_anything_is_written(desk, dataset):
    for more, sentence in MISSING:
        with pytest.raises(BadRequest, match=sentence):
            desk.paper.start(start_request(dataset, "no", **more))
    assert not desk.paper.all()


def test_a_live_feed_says_what_it_needs_of_the_environment(desk, store):
    assert desk.paper.feed_lacks("mt5").startswith("MetaTrader 5 needs ")
    assert connected(desk, store).paper.feed_lacks("oanda") == ""
