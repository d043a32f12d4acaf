"""A session at OANDA's double, whose process is killed (SIGKILL) at each moment of an entry and then at random ones: every leg is there once, booked once, told once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pandas as pd
import pytest

from domain.live.inputs import Inputs
from domain.live.signal_rows import SIGNALS
from domain.trading.signals import read_signals
from domain.venues.oanda_wire import ACCOUNT, TOKEN
from tests.conformance.rig import NOON
from tests.doubles.oanda import Oanda
from tests.worker.sessions.broker_world import LONG, SERIES
from worker.store import Store
from worker.store.migrate import upgrade
from worker.store.session_asking import start
from worker.store.session_inputs import stored
from worker.store.trail import Filter

pytestmark = pytest.mark.faults
KILLS = int(os.environ.get("TIDEMARK_CASES", "12"))
LEGS = {"gold-1-0": "6000", "gold-1-1": "15000", "gold-1-2": "9000"}


@pytest.fixture
def double() -> Iterator[Oanda]:
    created, over = Oanda(), threading.Event()

    def quoting() -> None:
        while not over.wait(0.5):
            created.account.tick()

    threading.Thread(target=quoting, daemon=True).start()
    yield created
    over.set()
    created.close()


class Killed:
    """The session, and its processes one after the other."""

    def __init__(self, folder, double: Oanda) -> None:
        self.url, self.home, self.double = f"sqlite:///{folder / 'tidemark.db'}", folder, double
        self.store = Store(self.url, str(folder / "frames"))
        upgrade(self.store.engine)
        table = read_signals(pd.DataFrame([{"ts": pd.Timestamp(NOON), **LONG}]), ("EURUSD",))
        with self.store.unit() as unit:
            start(unit, "gold", dict(series=[SERIES], strategies=[dict(name=SIGNALS, params={}, series=[])], rules={}, mode="auto"), dict(feed="told", inputs=stored(self.store.frames, Inputs(table))), "ana", "oanda")

    def process(self, moment: str = "") -> subprocess.Popen:
        vendor = {"TIDEMARK_OANDA_URL": self.double.url, TOKEN: self.double.token, ACCOUNT: self.double.account.number}
        return subprocess.Popen([sys.executable, "-m", "tests.worker.sessions.broker_child"], env=dict(os.environ, DATABASE=self.url, HOME_FOLDER=str(self.home), MOMENT=moment, PYTHONPATH=os.getcwd(), **vendor))

    def fills(self) -> list[float]:
        with self.store.read() as unit:
            return sorted(output.row["lots"] for output in unit.session_tape.rows("gold", "fills"))

    def to_its_end(self) -> None:
        child, until = self.process(), time.monotonic() + 120
        while len(self.fills()) < 3 and time.monotonic() < until and child.poll() is None:
            time.sleep(0.2)
        time.sleep(1.0)                 # whatever would be booked twice has had its time
        child.kill()
        child.wait()

    def whole(self) -> None:
        assert self.fills() == [0.06, 0.09, 0.15]
        sent = Counter(row["clientExtensions"]["id"] for row in self.double.account.transactions if row["type"] == "MARKET_ORDER")
        assert sent == dict.fromkeys(LEGS, 1)
        assert {trade["clientExtensions"]["id"]: trade["currentUnits"] for trade in self.double.account.open_trades()} == LEGS
        with self.store.read() as unit:
            for name in LEGS:
                kinds = Counter(record.kind for record in unit.trail.all(Filter(entity=f"order:{name}")))
                assert kinds["order_intent"] == kinds["order_filled"] == 1, kinds


@pytest.mark.parametrize("moment", ["before_intent", "after_intent", "after_call", "after_answer", "before_commit"])
def test_a_kill_at_each_moment_of_an_entry_leaves_one_of_it(tmp_path, double, moment):
    session = Killed(tmp_path, double)
    assert session.process(moment).wait(120) == -signal.SIGKILL
    session.to_its_end()
    session.whole()


def test_random_kills_leave_one_of_it(tmp_path, double):
    session, chance = Killed(tmp_path, double), random.Random(3)
    for _ in range(KILLS):
        child = session.process()
        time.sleep(chance.uniform(1.0, 6.0))
        child.kill()
        child.wait()
    session.to_its_end()
    session.whole()
