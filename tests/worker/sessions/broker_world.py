"""A session at a vendor's double, through the real runner and the real store: bars are handed in, and the line to the broker is stepped by hand."""

from __future__ import annotations

import importlib
import os
from collections import deque
from datetime import timedelta
from typing import Any

import pandas as pd

from domain.live.inputs import Inputs
from domain.live.quotes import Ended, FeedState, Instant, Opened
from domain.live.signal_rows import SIGNALS
from domain.trading.signals import read_signals
from tests.conformance.rig import NOON, Rig
from worker.sessions import brokers, feeds
from worker.sessions.accounts import LiveAccounts
from worker.sessions.broker_line import BrokerLine
from worker.sessions.runner import Runner
from worker.store.order_intents import StoredIntents
from worker.store.session_asking import ask, start
from worker.store.session_inputs import stored
from worker.store.trail import Filter

BROKER = {"metatrader": "mt5", "oanda": "oanda"}
SERIES, M5 = "EURUSD M5", timedelta(minutes=5)
LONG = dict(instrument="EURUSD", side="long", order="market", lots=0.30, stop_loss=1.095, target_1=1.11, fraction_1=0.5, target_2=1.12, fraction_2=0.3, tag="swing")


class Prices:
    """The feed: what the test tells, each once."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.reports, self.fresh = rig, deque[tuple[Any, ...]](), True

    def history(self, request: Any) -> list[Any]:
        return []

    def open(self, request: Any) -> Prices:
        return self

    def next(self, timeout: float) -> tuple[Any, ...]:
        return self.reports.popleft() if self.reports else ()

    def shown(self) -> tuple[Any, ...]:
        return ()

    def state(self) -> FeedState:
        return FeedState("", ns(self.rig.time.now), {"EURUSD": 0.0 if self.fresh else 99.0}, {}, ())

    def silent(self, instruments: Any) -> tuple[str, ...]:
        return ()

    def close(self) -> None: ...


class World:
    """The session gold; ``again`` is the next process on the same database. Each round is one of the runner, with a step of its line on each side."""

    def __init__(self, vendor: str, store: Any, settings: Any, monkeypatch: Any) -> None:
        self.vendor, self.store, self.settings = vendor, store, settings
        self.rig: Rig = importlib.import_module(f"tests.conformance.rig_{vendor}").RIG()
        self.rig.intents = StoredIntents(store, BROKER[vendor], "tidemark")
        self.prices = Prices(self.rig)
        monkeypatch.setitem(feeds.SOURCES, "told", self.prices)
        monkeypatch.setitem(brokers.BROKERS, BROKER[vendor], lambda environment, intents: self.rig.broker())
        monkeypatch.setattr(BrokerLine, "open", lambda line: None)
        monkeypatch.setattr("worker.sessions.runner.LOOK", 0.0)
        self.bar: Any = None
        self.opened = 1.1
        self.runners = 0

    def start(self, *signals: dict[str, Any], rules: dict[str, Any] | None = None, mode: str = "auto", source: dict[str, Any] | None = None) -> None:
        """Signals by the number of the bar, from noon on, at whose end they are decided."""
        rows = [{"ts": NOON + M5 * row.pop("at"), **row} for row in (dict(signal) for signal in signals)]
        table = read_signals(pd.DataFrame(rows).assign(ts=lambda frame: pd.to_datetime(frame["ts"], utc=True)), ("EURUSD",))
        plan = dict(series=[SERIES], strategies=[dict(name=SIGNALS, params={}, series=[])], rules=rules or {}, mode=mode)
        with self.store.unit() as unit:
            start(unit, "gold", plan, dict(feed="told", inputs=stored(self.store.frames, Inputs(table)), **(source or {})), "ana", BROKER[self.vendor], mode)
        self.again()

    def again(self) -> None:
        """The next process: the one before is gone with all that it had not written."""
        with self.store.unit() as unit:
            if lease := unit.leases.get("session:gold"):
                unit.leases.free(lease.name, lease.epoch, lease.beats)
        self.runners += 1
        self.runner = Runner(self.store, self.settings, LiveAccounts(), f"runner {self.runners}", only="gold", clock=self.rig.time.monotonic)
        self.runner.step()

    @property
    def work(self) -> Any:
        return self.runner.held["gold"]

    def tell(self, close: float = 1.1) -> None:
        """The bar that is open ends, and the next one opens, at the present moment."""
        now = self.rig.time.now
        ended = [] if self.bar is None else [Ended(SERIES, max(self.opened, close), min(self.opened, close), close, 1.0)]
        self.prices.reports.append((*ended, Opened(SERIES, ns(now), close, 0.0001, ns(now + M5)), Instant(ns(now))))
        self.bar, self.opened = now, close

    def round(self, seconds: float = 0.0) -> None:
        self.rig.time.advance(seconds)
        for _ in range(2):
            self.runner.step()
            if "gold" in self.runner.held:
                self.work.broker.line.step()
        self.runner.step()

    def bars(self, count: int = 1, close: float = 1.1) -> None:
        """So many bars of five minutes, with two looks in each."""
        for _ in range(count):
            if self.bar is not None and self.rig.time.now < self.bar + M5:
                self.rig.time.advance((self.bar + M5 - self.rig.time.now).total_seconds())
            self.rig.move("EURUSD", f"{close:.5f}", f"{close + 0.0001:.5f}")
            self.tell(close)
            self.round()
            self.round(6.0)

    def ask(self, command: str, **arguments: Any) -> None:
        with self.store.unit() as unit:
            ask(unit, "gold", command, arguments, "ana", "because")
        self.round()
        self.round(6.0)

    # what came of it

    @property
    def view(self) -> dict[str, Any]:
        with self.store.read() as unit:
            return dict(unit.sessions.progress("gold").view)

    @property
    def session(self) -> Any:
        with self.store.read() as unit:
            return unit.sessions.get("gold")

    def rows(self, kind: str) -> list[dict[str, Any]]:
        with self.store.read() as unit:
            return [dict(output.row) for output in unit.session_tape.rows("gold", kind)]

    def there(self) -> list[tuple[str, str]]:
        """Positions at the broker: client id and lots."""
        return [(position.client_id, f"{position.lots:.2f}") for position in self.rig.broker().positions()]

    def story(self, client_id: str) -> list[str]:
        with self.store.read() as unit:
            return [record.kind for record in unit.trail.all(Filter(entity=f"order:{client_id}"))]

    def remarks(self) -> list[Any]:
        with self.store.read() as unit:
            return [record for record in unit.trail.all(Filter(entity="session:gold")) if record.kind == "session_remarked"]

    def held(self) -> float:
        return round(sum(position["lots"] for position in self.view["positions"]), 8)

    def close(self) -> None:
        self.rig.close()


def at_vendors(metafunc: Any, both: tuple[str, ...]) -> None:
    """The vendor of each test: one by its name, and both of those named, or of all where TIDEMARK_CASES is set."""
    name, vendors = metafunc.function.__name__, tuple(BROKER)
    if "vendor" in metafunc.fixturenames:
        metafunc.parametrize("vendor", vendors if name in both or "TIDEMARK_CASES" in os.environ else (vendors[len(name) % 2],))


def ns(at: Any) -> int:
    return int(at.timestamp()) * 1_000_000_000
