"""A process that submits orders is killed at random moments, hundreds of times; whoever comes after it goes on. Each order is at the vendor once.

The vendor fills whatever arrives, as often as it arrives: it is OANDA's double, in a process of its own, over HTTP to the real SDK.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest
import requests

from domain.audit import verify
from domain.trading.order import Order
from domain.venues.oanda_broker import OandaBroker
from domain.venues.oanda_wire import OANDA
from worker.store import Store
from worker.store.migrate import upgrade
from worker.store.order_intents import StoredIntents
from worker.vendors import connection_to

pytestmark = pytest.mark.faults
KILLS = int(os.environ.get("TIDEMARK_CASES", "200"))
ROOT = Path(__file__).resolve().parents[2]
DOUBLE = "from tests.doubles.oanda import Oanda; d = Oanda(); print(d.url, d.token, d.account.number, flush=True)\nwhile not d.over.wait(0.5): d.account.tick()"


def submit_all(store_url: tuple[str, str], environment: dict[str, str], orders: int) -> NoReturn:
    """What the process does that is killed: every order from the first, each to its end."""
    broker = OandaBroker(connection_to(OANDA, environment), StoredIntents(Store(*store_url), "practice", "runner"), apart=0.2)
    for number in range(orders):
        while (state := broker.submit(Order(f"order-{number}", "EURUSD", "buy", "market", Decimal("0.01"))).state) != "filled":
            if state != "unknown":
                os._exit(1)
    os._exit(0)


def test_every_order_is_at_the_vendor_once_whatever_dies(tmp_path, record_property):
    at, url = random.Random(7), (f"sqlite:///{tmp_path / 'tidemark.db'}", str(tmp_path / "frames"))
    store = Store(*url)
    upgrade(store.engine)
    store.close()
    vendor = subprocess.Popen([sys.executable, "-c", DOUBLE], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert vendor.stdout is not None
        address, token, number = vendor.stdout.readline().split()
        environment = {"TIDEMARK_OANDA_URL": address, "TIDEMARK_OANDA_TOKEN": token, "TIDEMARK_OANDA_ACCOUNT": number}
        orders, kills, code = 4 * KILLS, 0, -1
        while code != 0:
            child = os.fork()
            if child == 0:
                submit_all(url, environment, orders)
            if kills < KILLS:
                time.sleep(at.uniform(0.02, 0.9))
                os.kill(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            kills += code == -signal.SIGKILL
            assert code in (0, -signal.SIGKILL)
        rows = requests.get(f"{address}/v3/accounts/{number}/transactions/idrange?from=1&to=1000000", headers={"Authorization": f"Bearer {token}"}, timeout=10).json()["transactions"]
    finally:
        vendor.kill()
        vendor.wait()
    sent = Counter(row["clientExtensions"]["id"] for row in rows if row["type"] == "MARKET_ORDER")
    with Store(*url).read() as unit:
        trail, root, size, open_intents = list(unit.trail.all()), unit.trail.root(), unit.trail.head()[0], unit.order_intents.open("practice")
    record_property("kills", kills)
    record_property("orders", len(sent))
    assert sent == Counter(f"order-{number}" for number in range(orders)) and open_intents == []
    assert verify(trail, root, size).holds
    assert Counter(record.kind for record in trail if record.kind == "order_intent") == {"order_intent": orders}
    print(f"{kills} kills, {len(sent)} orders, each at the vendor once")
