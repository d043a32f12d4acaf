"""What a careless or a hostile client sends is refused by name, and half of a request does nothing."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import Request
from sqlalchemy.exc import OperationalError

from app.api import bounds, stream
from app.api.paging import ARROW, cursor_of
from tests.app.api.calling import Client
from tests.app.api.one_database import kind as kind
from worker.desk import Actor, Desk

RECIPE = json.dumps(dict(name="Mine", columns=["rsi(14)"])).encode()


def talked(client: Client, receive: Any, token: str = "", until: Any = lambda sent: False, **more: Any) -> list[Any]:
    """What the application sends to a client that sends what ``receive`` gives, ``until`` that client is satisfied."""
    sent: list[Any] = []
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), *([(b"authorization", f"Bearer {token}".encode())] if token else [])]
    scope = {**dict(type="http", method="POST", path="/api/v1/features/recipes", root_path="", query_string=b"", http_version="1.1", scheme="http", headers=headers, client=("127.0.0.1", 5), server=("127.0.0.1", 80), state={}), **more}

    async def send(message: Any) -> None:
        sent.append(message)
        until(sent)

    async def run() -> None:
        await asyncio.wait_for(client.app(scope, receive, send), 20)

    asyncio.run(run())
    return sent


def test_a_parameter_that_an_address_does_not_have_is_named_and_so_is_one_given_twice(client: Client):
    answer = client.get("/jobs?limti=5&limit=1")
    assert answer.status == 422 and answer.json["detail"] == "limti: there is no parameter of this name; did you mean limit?" and answer.json["errors"][0]["field"] == "limti"
    assert "takes none" in client.get("/features?x=1").json["detail"] and client.call("DELETE", "/strategies/none?wyh=x").status == 422
    assert "give it once" in client.get("/jobs?limit=1&limit=2").json["detail"]
    assert client.get("/jobs?kind=generate&kind=import&state=done").status == 200           # a list of values


def test_a_parameter_of_a_websocket_that_is_not_there_closes_it(client: Client):
    async def receive() -> Any:
        return {"type": "websocket.connect"}

    sent = talked(client, receive, type="websocket", path="/api/v1/stream", query_string=b"cusror=1", subprotocols=[], extensions={})
    assert [(each["type"], each["code"]) for each in sent] == [("websocket.close", 1008)]


def test_head_is_get_without_its_body(client: Client):
    whole, head = client.get("/data/instruments"), client.call("HEAD", "/data/instruments")
    assert (head.status, head.body, head.headers) == (200, b"", whole.headers)
    assert client.call("HEAD", "/jobs/none").status == 404 and client.call("HEAD", "/stream").status == 405


def test_a_method_that_an_address_does_not_take_is_answered_with_those_that_it_takes(client: Client):
    for method, path, takes in (("DELETE", "/backtests", "GET, HEAD, POST"), ("POST", "/strategies/none", "GET, HEAD, PUT, DELETE"), ("GET", "/paper/emergency", "POST")):
        answer = client.call(method, path)
        assert answer.status == 405 and answer.headers["allow"] == takes and takes in answer.json["detail"]


def test_a_cursor_that_was_tampered_with_is_refused(client: Client):
    for place in (["0001-01-01T00:00:00+14:00", "x"], ["9999-12-31T23:59:59-14:00", "x"], ["2024-01-01T00:00:00Z", {"a": 1}], ["2024-01-01T00:00:00Z", "x\0"], ["2024-01-01T00:00:00Z"], [True], [1.5], [-1], []):
        for path in ("/jobs", "/backtests", "/audit/events"):
            assert client.get(f"{path}?cursor={cursor_of(*place)}").status == 422, (path, place)


def test_events_are_found_by_times_of_any_zone(client: Client, desk: Desk):
    client.post("/features/recipes", RECIPE)
    at = datetime.fromisoformat(client.get("/audit/events").json["items"][0]["ts"])
    for hours in (-11, 0, 14):
        local = (at + timedelta(hours=hours)).replace(tzinfo=None).isoformat()
        zone = f"{'%2B' if hours >= 0 else '-'}{abs(hours):02}:00"
        assert [len(client.get(f"/audit/events?{name}={local}{zone}").json["items"]) for name in ("since", "until")] == [1, 0], hours
    assert client.get("/audit/events?since=yesterday").status == 422


def test_a_number_is_no_time(client: Client):
    for number in ("1704067200", "1e12", "-5.5"):
        assert client.get(f"/jobs?since={number}").status == 422, number
    answer = client.post("/data/synthetic", dict(model="gbm", instrument="EURUSD", timeframe="H1", start=1704067200, end="2024-02-01"))
    assert answer.status == 422 and answer.json["errors"][0]["field"] == "start" and "2024-05-01T14:00:00Z" in answer.json["detail"]


def test_the_next_part_of_an_arrow_stream_is_linked_with_all_that_was_requested(client: Client, stored_bars):
    path = f"/data/{stored_bars[0]}/bars"
    link = client.get(f"{path}?limit=2&fields=ts,close&since=2024-01-02", accept=ARROW).headers["link"]
    part = client.get(path + link.partition("<")[2].partition(">")[0]).json
    assert part["columns"] == ["ts", "close"] and [row["ts"] for row in part["rows"]] == ["2024-01-02T02:00:00Z", "2024-01-02T03:00:00Z"]
    assert client.get(path, accept=f"{ARROW};q=0, application/json").headers["content-type"] == "application/json"


def test_a_body_that_breaks_off_does_nothing_though_what_came_is_whole_json(client: Client, desk: Desk):
    given = [{"type": "http.disconnect"}, {"type": "http.request", "body": RECIPE, "more_body": True}]

    async def receive() -> Any:
        return given.pop()

    assert talked(client, receive) == [] and not desk.trail.rows()


def test_a_body_that_does_not_come_whole_in_time_is_given_up(client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bounds, "SLOWEST", 0.01)
    given = [{"type": "http.request", "body": RECIPE, "more_body": True}]

    async def receive() -> Any:
        return given.pop() if given else await asyncio.Event().wait()

    assert talked(client, receive)[0]["status"] == 408 and not desk.trail.rows()


def test_inventing_tokens_makes_no_room_for_more_requests(desk: Desk):
    store, settings, send = desk._opened
    slow = Desk(store, replace(settings, api=replace(settings.api, requests_per_minute=61)), Actor("ana"), send)
    good = Client(slow, slow.tokens.create("program", "viewer")[1])
    assert good.get("/nothing").status == 404
    answers = [Client(slow, f"tidemark_{number}").get("/nothing").status for number in range(15)]
    assert answers[0] == 401 and answers[-1] == 429 and good.get("/nothing").status == 404      # a client with a token has its own


def test_the_stream_of_a_token_ends_when_it_is_revoked(client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "LOOK", 0.01)
    for more in (dict(type="http", method="GET"), dict(type="websocket", subprotocols=[], extensions={})):
        token, secret = desk.tokens.create("program", "viewer")
        connect = [{"type": f"{more['type']}.connect"}]

        async def receive(connect: Any = connect) -> Any:
            return connect.pop() if connect else await asyncio.Event().wait()

        def until(sent: Any, name: str = token.id) -> None:
            if len(sent) == 2:      # it is open, and has told where it stands
                desk.tokens.revoke(name)

        last = talked(client, receive, secret, until, path="/api/v1/stream", **more)[-1]
        assert (last.get("code"), last.get("more_body")) in ((1008, None), (None, False))


def test_a_browser_that_connects_again_goes_on_after_the_last_event_that_it_has(client: Client, desk: Desk):
    request = Request(dict(type="http", headers=[(b"last-event-id", b"9")]))
    assert stream.place_of(request, 3) == 9         # its address still names the cursor that it began with
    client.post("/features/recipes", RECIPE)

    async def first() -> str:
        async def here() -> bool:
            return False

        return await anext(stream.lines(stream.Follower(desk, -1), here))

    assert asyncio.run(first()) == "id: 1\n\n"      # so that one that is cut off before its first event misses none


@pytest.mark.parametrize(("method", "status"), [("begin", 503), ("end", 201)])
def test_a_full_disk_is_a_sentence_before_a_route_too_and_what_was_done_is_answered(client: Client, monkeypatch, method: str, status: int):
    def full(*_: Any) -> Any:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))

    async def receive() -> Any:
        return {"type": "http.request", "body": RECIPE, "more_body": False}

    monkeypatch.setattr(f"worker.desk.requests.Requests.{method}", full)
    sent: list[Any] = []
    with pytest.raises(OperationalError):       # the server writes it into its log
        talked(client, receive, until=lambda messages: sent.append(messages[-1]), headers=[(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"idempotency-key", b"k")])
    assert sent[0]["status"] == status and (status == 201 or "The disk is full" in json.loads(sent[1]["body"])["detail"])
