"""Requests to a second person over HTTP: the same as on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.app.api.calling import Client
from tests.app.api.one_database import kind as kind
from worker.desk import Desk

pytestmark = pytest.mark.usefixtures("quick_hash")
WORD = "four words of a sentence"


@pytest.fixture
def settings(settings):
    return replace(settings, people=replace(settings.people, sign_in="local", two_persons=True))


def client_of(desk: Desk, name: str, role: str) -> Client:
    """A program of a user who signed in."""
    from worker.desk import Caller

    desk.users.add(name, role, WORD)
    page = desk.signed_in(desk.sign_in.by_password(name, WORD, "", Caller()).secret)
    assert page is not None
    return Client(desk, page.tokens.create("robot", role)[1])


def test_a_halt_is_released_by_two_programs_of_two_people(desk: Desk):
    ana, bob, eve = (client_of(desk, name, role) for name, role in (("ana", "trader"), ("bob", "trader"), ("eve", "viewer")))
    assert ana.post("/paper/emergency", dict(reason="odd fills")).status == 202
    reply = ana.post("/paper/release", dict(reason="looked at it"), idempotency_key="once")
    assert reply.status == 202 and reply.headers["location"] == reply.json["href"] == f"/api/v1/approvals/{reply.json['request']}" and "second person" in reply.json["sentence"]
    assert ana.post("/paper/release", dict(reason="looked at it"), idempotency_key="once").json == reply.json
    waiting, = bob.get("/approvals").json["items"]
    assert (waiting["person"], waiting["state"]) == ("ana", "pending") and waiting["requested_by"].endswith("of ana")
    assert (waiting["asked_by"], waiting["asked_at"]) == (waiting["requested_by"], waiting["requested_at"])      # their names of one release before
    address = f"/approvals/{reply.json['request']}"
    assert [client.post(f"{address}/approve", {}).status for client in (ana, eve)] == [403, 403]
    assert bob.post(f"{address}/approve", dict(note="so did I")).json["state"] == "approved" and not desk.paper.halts()
    assert bob.post(f"{address}/approve").status == 422 and bob.get("/approvals/nothing").status == 404 and bob.get(address).json["note"] == "so did I"
    assert bob.get("/approvals").json["items"] == [] and len(bob.get("/approvals?pending=false").json["items"]) == 1


def test_a_refused_and_a_withdrawn_request_are_over(desk: Desk):
    ana, bob = client_of(desk, "ana", "trader"), client_of(desk, "bob", "trader")
    ana.post("/paper/emergency", dict(reason="odd fills"))
    first, second = (ana.post("/paper/release", dict(reason=reason)).json["href"].removeprefix("/api/v1") for reason in ("one", "two"))
    assert bob.post(f"{first}/withdraw").status == 403 and bob.post(f"{first}/refuse", dict(note="no")).json["state"] == "refused"
    assert ana.post(f"{second}/withdraw").json["state"] == "withdrawn" and desk.paper.halts()
