"""Every answer of the API names its request: as the client named it, or anew."""

from __future__ import annotations

import asyncio
import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.traced import Traced
from tests.app.api.calling import Answer, answered
from worker.following import REQUEST


def plain_answer(request: Request) -> PlainTextResponse:
    """In a thread, as the desk is called."""
    return PlainTextResponse(REQUEST.get())


def get(path: str, name: str = "", query: str = "", log_each: bool = False) -> Answer:
    app = Traced(Starlette(routes=[Route("/api/v1/x", plain_answer), Route("/page", plain_answer)]), log_each)
    headers = [(b"x-request-id", name.encode())] if name else []
    scope = dict(type="http", method="GET", path=path, raw_path=path.encode(), root_path="", query_string=query.encode(), http_version="1.1", scheme="http", headers=headers)
    return asyncio.run(answered(app, scope, b""))


@pytest.mark.parametrize(("given", "same"), [("trace-17", True), ("", False), ("a b", False), ("x" * 65, False), ('"}', False)])
def test_the_answer_and_what_it_does_have_the_id_of_the_request(given, same):
    answer = get("/api/v1/x", given)
    assert answer.headers["x-request-id"] == answer.body.decode() and (answer.body.decode() == given) is same
    assert same or answer.body.decode().startswith("api-")


def test_pages_have_ids_of_their_own():
    assert "x-request-id" not in get("/page").headers


def test_a_line_a_request_without_its_query(caplog):
    with caplog.at_level(logging.INFO):
        get("/api/v1/x", query="token=s3cret", log_each=True)
        get("/api/v1/x")
    lines = [record for record in caplog.records if record.name == "app.requests"]
    assert [record.getMessage() for record in lines] == ["GET /api/v1/x 200"] and "s3cret" not in caplog.text
    assert lines[0].fields["status"] == 200 and lines[0].fields["seconds"] >= 0
