"""What the expert advisor of examples/mt5 asks and reads is what the API takes and answers: a double that reads JSON as it does runs a day.

The expert itself needs MetaTrader to be compiled; its requests and the names that it reads are taken from its source here, so that neither changes alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.app.api.calling import Client
from tests.app.api.one_database import kind as kind
from tests.app.api.test_others import proposal
from worker.desk import Desk
from worker.store import Store

SOURCE = (Path(__file__).resolve().parents[3] / "examples" / "mt5" / "TidemarkExecutor.mq5").read_text()


def text(result: str, name: str) -> str:
    """As the expert reads a text."""
    start = result.find(f'"{name}":"')
    return "" if start < 0 else result[start + len(name) + 4 : result.index('"', start + len(name) + 4)]


def number(result: str, name: str, before: str = "") -> float:
    """As the expert reads a number, or with ``before`` the first of a list."""
    start = result.find(f'"{name}":{before}')
    digits = re.match(r"-?[0-9.eE+-]+", result[start + len(name) + 3 + len(before) :]) if start >= 0 else None
    return float(digits[0]) if digits else 0.0


def objects(body: str) -> list[str]:
    """As the expert cuts a list into objects."""
    result, depth, start = [], 0, -1
    for place, letter in enumerate(body):
        if depth == 0 and body.startswith('{"id"', place):
            start = place
        depth += (letter == "{" and start >= 0) - (letter == "}" and start >= 0)
        if start >= 0 and depth == 0 and letter == "}":
            result.append(body[start : place + 1])
            start = -1
    return result


def test_the_expert_asks_addresses_that_there_are_and_reads_fields_that_are_answered(desk: Desk, store: Store):
    client, name = Client(desk), proposal(store)
    request = set(re.findall(r'Ask\("(\w+)", "([^"]+)"', SOURCE))
    assert request == {("GET", "/api/v1/paper/halts"), ("GET", "/api/signals"), ("POST", "/api/executions")}
    signals = client.get("/api/signals").body.decode()
    read = {*re.findall(r'(?:Text|Number|First)\(signal, "(\w+)"\)', SOURCE)}
    assert read <= json.loads(signals)["signals"][0].keys() and json.loads(signals)["signals"][0]["id"] == name
    fields = set(re.findall(r'\\"(\w+)\\":', SOURCE[SOURCE.index("void Report(") :].partition("string answer")[0]))
    assert fields == {"signal_id", "ticket", "symbol", "action", "lots", "price", "time", "profit"}


def test_a_day_of_the_expert(desk: Desk, store: Store):
    client, name = Client(desk), proposal(store)
    assert '"items":[]' in client.get("/api/v1/paper/halts").body.decode()
    signal = objects(client.get("/api/signals").body.decode())[0]
    assert (text(signal, "id"), text(signal, "symbol"), text(signal, "action")) == (name, "XAUUSD", "BUY")
    assert (number(signal, "lots"), number(signal, "stop_loss"), number(signal, "take_profit_levels", "[")) == (0.1, 1990.0, 2030.0)
    report = '{{"signal_id":"{}","ticket":"{}","symbol":"XAUUSD","action":"{}","lots":0.10,"price":2000.50000000,"time":"2024-05-01T10:00:00Z","profit":{}}}'
    opened = client.post("/api/executions", report.format(name, 1, "BUY", "null").encode())
    again = client.post("/api/executions", report.format(name, 1, "BUY", "null").encode())          # the answer was lost
    closed = client.post("/api/executions", report.format(name, 2, "CLOSE", "-12.50").encode())
    assert opened.json == again.json and opened.json["matched"] and closed.json["matched"] and closed.json["profit"] == "-12.5"
    desk.paper.halt("enough for today")
    assert '"items":[]' not in client.get("/api/v1/paper/halts").body.decode()
