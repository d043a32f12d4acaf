"""Paper trading on OANDA's double that plays recorded ticks 60 times as fast, with the feed cut three times: the terminal's backtest of the tape gives the same bytes.

``TIDEMARK_CASES`` is the number of hours that are played, one by default; 24 take 24 minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.live.plan import Plan, StrategyPlan
from domain.live.quotes import Ended, Event, Instant, Opened
from domain.live.session import Session
from domain.live.tape import write as tape_text
from domain.live.worked import Worked, tables
from domain.venues.oanda_live import OandaLive
from domain.venues.oanda_wire import ACCOUNT, OANDA, TOKEN
from tests.doubles.oanda import Oanda
from tests.doubles.oanda_play import RECORDED, SECOND, Play, recorded
from worker.cli import app
from worker.sessions.feed_hub import FeedHub
from worker.sessions.feed_live import LiveFeed
from worker.terminal import csv
from worker.terminal.backtest import rules_in
from worker.vendors import connection_to

pytestmark = [pytest.mark.faults, pytest.mark.data]
HOURS, SPEED = int(os.environ.get("TIDEMARK_CASES", "1")), float(os.environ.get("PLAY_SPEED", "60"))
HOUR = 3_600 * SECOND
BEGIN = pd.Timestamp("2014-05-08T00:00Z" if HOURS > 16 else "2014-05-08T07:00Z").value
SERIES = ("EURUSD M1", "XAUUSD M1", "EURUSD M5", "XAUUSD M5", "EURUSD H1")
STRATEGY = StrategyPlan("simple_ma", {"fast": 3, "slow": 8})


@pytest.fixture
def play() -> Iterator[tuple[Play, FeedHub]]:
    if "TIDEMARK_DATA" not in os.environ:
        pytest.skip("TIDEMARK_DATA names no folder of data")
    ticks = {name: recorded(Path(os.environ["TIDEMARK_DATA"]), name) for name in RECORDED}
    cuts = [(BEGIN + int(share * HOURS * HOUR), BEGIN + int(share * HOURS * HOUR) + seconds * SECOND) for share, seconds in ((0.2, 50), (0.45, 400), (0.7, 7))]
    created = Play(ticks, BEGIN - 90 * SECOND, SPEED, cuts)
    double = Oanda(lambda: created.clock, play=created)
    environment = {"TIDEMARK_OANDA_URL": double.url, TOKEN: double.token, ACCOUNT: double.account.number}
    hub = FeedHub(OandaLive(lambda: connection_to(OANDA, environment)))
    yield created, hub
    hub.close()
    double.close()


def traded(session: Session, feed: LiveFeed, play: Play) -> list[Worked]:
    """The session until the last full hour; what opens then is left out."""
    end, worked = BEGIN + HOURS * HOUR, list[Worked]()
    while play.now < end + 90 * SECOND or feed.state().away:
        for event in feed.next(0.2):
            worked += worked_on(session, event, end)
    return [*worked, *session.finish()]


def worked_on(session: Session, event: Event, end: int) -> list[Worked]:
    if isinstance(event, Opened) and event.ts < end:
        assert session.open_bar(event.series, event.ts, event.open, event.spread, event.end)
    elif isinstance(event, Ended) and session.view().opened.get(event.series):
        assert session.end_bar(event.series, event.high, event.low, event.close, event.volume, event.recovered)
    elif isinstance(event, Instant):
        return session.work(min(event.at, end))
    return []


def backtest(folder: Path) -> Path:
    words = ["backtest", "--bars", folder / "tape.csv", "--strategy", STRATEGY.name, "--params", '{"fast": 3, "slow": 8}', "--config", folder / "config.toml", "--out", folder / "backtest", "--no-report"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception:
        raise result.exception
    return folder / "backtest"


def written(folder: Path, worked: Sequence[Worked]) -> None:
    created = tables(worked)
    for name in ("trades", "fills", "equity"):
        csv.write(getattr(created, name), folder / f"{name}.csv")
    (folder / "tape.csv").write_text(tape_text(bar for each in worked for bar in each.bars))


def test_the_backtest_of_the_tape_gives_the_sessions_trades_fills_and_equity_byte_for_byte(play, tmp_path):
    playing, hub = play
    (tmp_path / "config.toml").write_text('[account]\nbalance = 10000.0\ncurrency = "USD"\n')
    session = Session.start(Plan(SERIES, (STRATEGY,), rules_in(tmp_path / "config.toml")[0]))
    worked = traded(session, hub.open(SERIES), playing)
    written(tmp_path, worked)
    out = backtest(tmp_path)
    bars = [bar for each in worked for bar in each.bars]
    print(f"\n{HOURS} h at {SPEED:g} ×: {len(bars)} bars, {sum(bar.recovered for bar in bars)} of them recovered, {hub.cuts} cuts, {len(tables(worked).trades)} trades, {sum(bar.ts % SECOND or bar.ts % (60 * SECOND) > 0 for bar in bars)} opened late")
    assert hub.cuts == 3 and any(bar.recovered for bar in bars) and len(tables(worked).trades) > 5
    for name in ("trades.csv", "fills.csv", "equity.csv"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name
