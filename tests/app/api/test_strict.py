"""Hostile requests by name: what JSON leaves open, letters that no database keeps, markup and formulas in names, addresses that are none. On both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.errors import BadRequest
from tests.app.api.calling import Client
from tests.app.api.test_others import stored
from worker.desk import Desk, StartRequest
from worker.store import Store

DEEP = {"a": 1}
for _ in range(60):
    DEEP = {"a": DEEP}      # type: ignore[dict-item]
BODIES: tuple[tuple[bytes, str], ...] = (
    (b'{"name": "x", "columns": ["rsi(14)"], "name": "y"}', "name is given twice"), (b'{"name": "x", "columns": [NaN]}', "NaN is no number"), (b'{"name": "x", "columns": [-Infinity]}', "-Infinity is no number"),
    (b'{"name": 1e400, "columns": []}', "1e400 is too large"), (json.dumps(DEEP).encode(), "nested more than 32 deep"), (b"[" * 50_000, "nested more than 32 deep"), (b'{"name": "\\u0000", "columns": []}', "U+0000"),
    (b'{"name": "\\ud800", "columns": []}', "half a letter"), (b'{"\\udfff": 1}', "half a letter"), (b'{"name": "\xff"}', "not UTF-8"), ('{"name": "x"}'.encode("utf-16"), "not UTF-8"), (b'{"name": "\xed\xa0\x80"}', "not UTF-8"),
)  # fmt: skip
NAMES = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "'; DROP TABLE jobs; --", "{{7*7}}", "${jndi:ldap://x}", "%s%n%x", "../../etc/passwd", "..\\..\\x", "\u202egnp.exe", "a\r\nSet-Cookie: b=1", "A" * 100_000)


def test_bodies_that_readers_read_differently_are_refused_with_the_reason_and_do_nothing(client: Client, desk: Desk):
    for body, reason in BODIES:
        answer = client.post("/features/recipes", body)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json") and reason in answer.json["detail"], body[:60]
    number = client.post("/features/recipes", b'{"name": "x", "columns": ' + b"9" * 5_000 + b"}")
    assert number.status in (400, 422) and not desk.trail.rows()


def test_u_0000_in_an_address_finds_nothing(client: Client):
    assert client.get("/jobs/%00").status == 404 and client.get("/audit/stories/run:%00").status == 404
    assert client.get("/audit/events?entity=a%00").status == 422 and client.get("/data?instrument=%00").status == 422


def test_a_text_that_the_database_does_not_keep_is_a_sentence_wherever_it_comes_from(desk: Desk, kind: str):
    if kind == "sqlite":
        assert desk.listing.runs(["a\0b"]).rows == []
    else:
        with pytest.raises(BadRequest, match=r"U\+0000"):
            desk.listing.runs(["a\0b"])


def test_hostile_names_are_refused_or_kept_as_the_texts_that_they_are(client: Client, desk: Desk, store: Store):
    for name in NAMES:
        for path, body in (("/features/recipes", dict(name=name, columns=["rsi(14)"])), ("/strategies", dict(definition=dict(name=name, long="close > sma(5)"), why=name)), ("/api/strategies/create", dict(name=name, entry_conditions=name))):
            answer = client.post(path, body)
            assert answer.status in (201, 202, 422) and answer.headers["content-type"].startswith("application/"), (path, name[:40])
            assert len(answer.body) < 4_000 or answer.status != 422, (path, name[:40])
        assert client.get("/audit/events?limit=50").status == 200
    kept = {each["name"] for each in client.get("/features/recipes").json["items"]}
    assert all(name.isprintable() for name in kept)


def test_no_header_of_an_answer_takes_what_a_client_gave_as_a_line_of_its_own(client: Client, desk: Desk, store: Store):
    stored(store, "EURUSD", "H1", "1h", 400)
    desk.paper.start(StartRequest("gold-1", "breakout", {}, ("H1",), (desk.data.catalogue()[0].id,)))
    for path in ("/audit/bundle?entity=a%0D%0ASet-Cookie:%20b=1", "/audit/bundle?actor=%22%0D%0AX:%20y", "/jobs/a%0D%0AX:%20y", "/paper/sessions/gold-1?newest=1%0D%0AX:%20y"):
        answer = client.get(path)
        assert not any("\r" in text or "\n" in text for pair in answer.headers.items() for text in pair) and answer.status < 500, path
    answer = client.post("/features/recipes", dict(name="x", columns=["rsi(14)"]), idempotency_key="a\r\nX: y")
    assert answer.status == 422


def test_orders_by_hostile_numbers_are_refused_and_leave_nothing_on_the_tape(client: Client, desk: Desk, store: Store):
    stored(store, "EURUSD", "H1", "1h", 400)
    desk.paper.start(StartRequest("gold-1", "breakout", {}, ("H1",), (desk.data.catalogue()[0].id,)))
    hostile: tuple[Any, ...] = ("NaN", "Infinity", "-1", "0", "1e400", "0x10", "1_000", "١", "", " ", "0.1; DROP", "=1+1", None, True, [], {}, 2**70, "9" * 5_000)
    for lots in hostile:
        assert client.post("/paper/sessions/gold-1/order", dict(instrument="EURUSD", side="buy", lots=lots)).status in (400, 422), lots
    assert client.get("/paper/sessions/gold-1/commands").json["rows"] == []


def test_an_order_s_numbers_stand_on_the_tape_as_they_were_written(client: Client, desk: Desk, store: Store):
    stored(store, "EURUSD", "H1", "1h", 400)
    desk.paper.start(StartRequest("gold-1", "breakout", {}, ("H1",), (desk.data.catalogue()[0].id,)))
    given = dict(instrument="EURUSD", side="buy", lots="0.30", stop="61.123456789012", target="999999999999999")
    assert client.post("/paper/sessions/gold-1/order", given | dict(key="k")).status == 202 and client.post("/paper/sessions/gold-1/order", given | dict(key="k")).status == 202
    with store.read() as unit:
        (request,) = unit.session_commands.waiting(["gold-1"])
    assert request.arguments == given
    number = client.post("/paper/sessions/gold-1/order", given | dict(lots=0.1 + 0.2))
    assert number.status == 422 and 'lots: should be a text such as "0.10", so that it is exact' in number.json["detail"]
    client.post("/api/v1/futurequant/paper-trading/order", dict(session_id="gold-1", symbol="EURUSD", side="sell", quantity=0.00001, order_type="market"))
    with store.read() as unit:
        assert unit.session_commands.waiting(["gold-1"])[1].arguments["lots"] == "0.00001"


def test_reports_of_executors_take_texts_only(client: Client):
    report = dict(ticket="7", symbol="XAUUSD", action="buy", lots="0.10", price="2000.50", time="2024-05-01T10:00:00Z", profit="-0.30")
    kept = client.post("/executions", report).json
    assert (kept["lots"], kept["price"], kept["profit"]) == ("0.10", "2000.50", "-0.30")
    for field in ("lots", "price", "profit"):
        assert client.post("/executions", report | {field: 0.1}).status == 422 and client.post("/executions", report | {field: "1e5"}).status == 422
