"""The package MetaTrader5 in a process of its own: the same values, and a call that hangs stops nobody and is ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.venues.http import Clock, Connection
from domain.venues.metatrader_apart import Apart
from domain.venues.metatrader_link import LOGIN, PASSWORD, SERVER, Link, Way
from tests.doubles import metatrader

HANGS_ONCE = """
import os, time
from collections import namedtuple
Info = namedtuple("AccountInfo", "login currency")
def initialize(login, password, server, timeout):
    return password == "correct"
def last_error():
    return (1, "Success")
def account_info():
    print("this is no answer")
    if not os.path.exists({marker!r}):
        open({marker!r}, "w").close()
        time.sleep(60)
    return Info(1, "USD")
"""


@pytest.fixture
def apart(monkeypatch) -> Iterator[Apart]:
    monkeypatch.setenv("PYTHONPATH", metatrader.FOLDER)
    module = Apart()
    yield module
    module.end()


def test_values_cross_the_pipes_whole(apart):
    assert apart.symbol_info("EURUSD") is None and apart.last_error() == (-10_004, "No IPC connection")
    assert apart.initialize(login=12345678, password="correct", server="Double-Demo", timeout=1000) is True
    info, rates = apart.symbol_info("EURUSD"), apart.copy_rates_from_pos("EURUSD", 0x4001, 0, 50)
    assert (info.digits, info.point, info.name, len(info)) == (5, 0.00001, "EURUSD", 96)
    assert len(rates) == 50 and rates.dtype.names[0] == "time" and rates.dtype.itemsize == 60 and (np.diff(rates["time"]) >= 3_600).all()
    sent = apart.order_send(dict(action=1, symbol="EURUSD", volume=0.1, type=0, type_filling=1, magic=2**47 + 1))
    assert (sent.retcode, sent.request.magic, sent.request.volume) == (10_009, 2**47 + 1, 0.1)
    (position,) = apart.positions_get()
    assert position.ticket == sent.order and apart.orders_get() == () and [each.name for each in apart.symbols_get(group="USD*")] == ["USDJPY"]
    apart.end()
    assert apart.account_info() is None and apart.last_error()[0] == -10_004        # a new process, not signed in


def test_a_call_that_hangs_stops_no_other_thread_and_is_ended(tmp_path: Path, monkeypatch):
    (tmp_path / "MetaTrader5.py").write_text(HANGS_ONCE.format(marker=str(tmp_path / "hung")))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    keys, slept, turns, over = {LOGIN: "1", PASSWORD: "correct", SERVER: "s"}, [], [0], threading.Event()

    def turn() -> None:
        while not over.wait(0.01):
            turns[0] += 1

    used = Way.apart()
    connection = Connection("MetaTrader 5", "", Clock(time.time_ns, time.monotonic, slept.append), lambda: 0.0, keys=keys, tries=4, timeout=0.3)
    connection.wait = slept.append
    other = threading.Thread(target=turn, daemon=True)
    other.start()
    began = time.monotonic()
    try:
        assert Link(connection, way=used).ask("account_info")._asdict() == {"login": 1, "currency": "USD"}
    finally:
        over.set()
        used.end()
    assert os.path.exists(tmp_path / "hung") and time.monotonic() - began < 10 and turns[0] > 20 and slept
