"""Clients that poll one address share its answer: work that began before a request came is never its answer, roles are kept apart, and one who leaves takes nobody's answer along."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from app.api.shared import AT_ONCE, Shared


class Slow:
    """An application whose every answer waits to be let go. ``begun``: paths, in the order in which they were worked on."""

    def __init__(self) -> None:
        self.begun, self.go = list[str](), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun.append(scope["path"])
        number = len(self.begun)
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(number).encode()})


async def polled(shared: Shared, path: str = "/api/v1/jobs", role: str = "viewer", accept: str = "", name: str = "ana") -> bytes:
    sent: list[Any] = []
    scope = dict(type="http", method="GET", path=path, root_path="/api", query_string=b"", headers=[(b"accept", accept.encode())], state=dict(desk=SimpleNamespace(actor=SimpleNamespace(role=role, name=name))))

    async def send(message: Any) -> None:
        sent.append(message)

    await shared(scope, asyncio.Event().wait, send)
    return b"".join(message.get("body", b"") for message in sent)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_those_who_come_while_one_is_worked_on_share_the_next():
    async def course() -> None:
        slow = Slow()
        shared = Shared(slow)
        first = asyncio.create_task(polled(shared))
        await settled()
        later = [asyncio.create_task(polled(shared)) for _ in range(50)]
        await settled()
        slow.go.set()
        assert await first == b"1" and set(await asyncio.gather(*later)) == {b"2"} and len(slow.begun) == 2

    asyncio.run(course())


@pytest.mark.parametrize(("path", "answers"), [("/api/v1/backtests", 2), ("/api/v1/jobs", 1)])
def test_people_are_kept_apart_where_favourites_are_their_own_and_share_everything_else(path: str, answers: int):
    async def course() -> None:
        slow = Slow()
        shared = Shared(slow)
        tasks = [asyncio.create_task(polled(shared, path, name=name)) for name in ("ana", "bob")]
        await settled()
        slow.go.set()
        assert len(set(await asyncio.gather(*tasks))) == answers

    asyncio.run(course())


def test_roles_and_forms_are_kept_apart_and_few_are_worked_on_at_once():
    async def course() -> None:
        slow = Slow()
        shared = Shared(slow)
        tasks = [asyncio.create_task(polled(shared, f"/api/v1/jobs/{number}", role, accept)) for number in range(3) for role in ("viewer", "admin") for accept in ("", "application/json")]
        await settled()
        assert len(slow.begun) == AT_ONCE
        slow.go.set()
        assert len(set(await asyncio.gather(*tasks))) == 12

    asyncio.run(course())


def test_one_who_leaves_takes_nobody_s_answer_along():
    async def course() -> None:
        slow = Slow()
        shared = Shared(slow)
        first, second = (asyncio.create_task(polled(shared)) for _ in range(2))
        await settled()
        first.cancel()
        slow.go.set()
        assert await second == b"1"

    asyncio.run(course())


def test_what_is_not_polled_is_passed_through():
    async def course() -> None:
        slow = Slow()
        slow.go.set()
        assert [await polled(Shared(slow), path) for path in ("/api/v1/stream", "/api/v1/audit/bundle")] == [b"1", b"2"]

    asyncio.run(course())
