"""A session on OANDA's feed and at OANDA's broker, both its double: prices are played 60 times as fast, the runner and its threads are real, and the connection is cut once.

``TIDEMARK_CASES`` is the number of bars of five minutes that are played, 18 by default.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from domain.venues.oanda_wire import ACCOUNT, TOKEN
from tests.doubles.oanda import Oanda
from tests.doubles.oanda_play import SECOND, Play, Tick
from worker.sessions import feed_source
from worker.sessions.accounts import LiveAccounts
from worker.sessions.runner import Runner
from worker.settings import load
from worker.store.session_asking import ask, start

pytestmark = pytest.mark.faults
BARS, SPEED = int(os.environ.get("TIDEMARK_CASES", "18")), 60.0
BEGIN = int(datetime(2024, 7, 10, 12, tzinfo=UTC).timestamp()) * SECOND
PLAN = dict(series=["EURUSD M5"], strategies=[dict(name="simple_ma", params=dict(fast=2, slow=4), series=[])], rules={}, mode="auto")

REQUEST = (
    ("order", dict(instrument="EURUSD", side="long", lots=0.1, stop=1.05, target=1.2)), ("close", dict(share=0.5)), ("close-all", {}),
    ("order", dict(instrument="EURUSD", side="short", lots=0.2, stop=1.15)), ("close-all", {}),
)  # fmt: skip


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def played() -> Iterator[tuple[Play, Oanda]]:
    chance, price, ticks = random.Random(5), 1.1, list[Tick]()
    for number in range(-60, (BARS + 6) * 150):
        price += chance.gauss(0, 0.00012)
        ticks.append((BEGIN + number * 2 * SECOND, f"{price:.5f}", f"{price + 0.0001:.5f}"))
    middle = BEGIN + BARS * 150 * SECOND
    play = Play({"EUR_USD": ticks}, BEGIN - 90 * SECOND, SPEED, [(middle, middle + 40 * SECOND)])
    double, over = Oanda(lambda: play.clock, play=play), threading.Event()

    def quoting() -> None:
        """The account's prices are those that are played."""
        while not over.wait(0.02):
            at = max(0, min((play.now - ticks[0][0]) // (2 * SECOND), len(ticks) - 1))
            with double.lock:
                double.account.move("EUR_USD", *ticks[at][1:])

    threading.Thread(target=quoting, daemon=True).start()
    yield play, double
    over.set()
    double.close()


def test_what_the_session_has_booked_is_what_the_broker_has_filled(played, store, settings, monkeypatch):
    play, double = played
    vendor = {"TIDEMARK_OANDA_URL": double.url, TOKEN: double.token, ACCOUNT: double.account.number}
    own = load(environment={"TIDEMARK_STORAGE_HOME": str(settings.home), "TIDEMARK_DATABASE_URL": settings.database_url, **vendor})
    monkeypatch.setattr(feed_source, "HUBS", {})
    with store.unit() as unit:
        start(unit, "live", PLAN, dict(feed="oanda", instruments=["EURUSD"]), "ana", "oanda")
    stopping, runner = threading.Event(), Runner(store, own, LiveAccounts(), only="live")
    thread = threading.Thread(target=runner.run, args=(stopping,))
    thread.start()
    try:
        for number in range(BARS - 2):
            while play.now < BEGIN + (number + 1) * 300 * SECOND:
                time.sleep(0.1)
            request = REQUEST[number % len(REQUEST)]
            with store.unit() as unit:
                ask(unit, "live", request[0], request[1], "ana", "drill")
        while play.now < BEGIN + BARS * 300 * SECOND:
            time.sleep(0.5)
        with store.unit() as unit:
            ask(unit, "live", "stop", dict(close=True), "ana", "over")
        until = time.monotonic() + 60
        while time.monotonic() < until and session(store).state == "running":
            time.sleep(0.5)
    finally:
        stopping.set()
        thread.join(30)
        for hub in feed_source.HUBS.values():
            hub.close()
    with store.read() as unit:
        booked = [row.row for row in unit.session_tape.rows("live", "fills")]
        decided = [row.row["reason"] or row.row["verdict"] for row in unit.session_tape.rows("live", "decisions")]
        trades, view = list(unit.session_tape.rows("live", "trades")), unit.sessions.progress("live").view
    filled = [(row["units"], row["price"]) for row in double.account.transactions if row["type"] == "ORDER_FILL"]
    print(f"\n{view['bars']} bars, {len(booked)} fills, {len(trades)} trades, decisions {Counter(decided)}, {view['broker']['trouble']}")
    assert session(store).state == "stopped" and double.account.open_trades() == [] and view["broker"]["state"] == ""
    assert [(round(row["lots"] * 100_000) * (1 if row["side"] == "buy" else -1), row["price"]) for row in booked] == [(int(float(units)), float(price)) for units, price in filled]
    assert len(trades) >= 2


def session(store):
    with store.read() as unit:
        return unit.sessions.get("live")
