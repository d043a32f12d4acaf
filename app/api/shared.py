"""Many clients that poll the same address share its answer, so a hundred of them cost the pages little more than one.

A request joins only work that begins after it came: it sees what was written before it. Whoever may not ask is refused before, one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.desk import Desk

POLLED = ("/v1/jobs", "/v1/paper/sessions", "/v1/paper/halts", "/v1/signals/latest", "/v1/analytics/overview", "/v1/audit/events", "/v1/audit/head", "/v1/executions/proposals", "/v1/data", "/v1/backtests", "/v1/health", "/v1/metrics", "/signals", "/analytics")
AT_ONCE = 4         # answers to reading requests that are worked on at one time; pages need the same connections and the same interpreter

OWN = ("/v1/backtests",)        # favourites are a person's own; everything else is the same for whoever has the role

Key = tuple[str, bytes, str, str]


class Shared:
    def __init__(self, app: ASGIApp) -> None:
        self._app, self._turns = app, asyncio.Semaphore(AT_ONCE)
        self._waiting = dict[Key, asyncio.Task[Sequence[Message]]]()        # work that has not begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or scope["method"] != "GET" or not path.startswith(POLLED):
            return await self._app(scope, receive, send)
        for message in await asyncio.shield(self._answer(scope, path)):
            await send(message)

    def _answer(self, scope: Scope, path: str) -> asyncio.Task[Sequence[Message]]:
        key = _key(scope, path)
        task = self._waiting.get(key)
        if task is None or task.done():
            task = self._waiting[key] = asyncio.create_task(self._work(key, scope))
        return task

    async def _work(self, key: Key, scope: Scope) -> Sequence[Message]:
        messages = list[Message]()

        async def keep(message: Message) -> None:
            messages.append(message)

        async with self._turns:
            self._waiting.pop(key, None)        # whoever comes from now on waits for the next
            await self._app(scope, _silent, keep)
        return messages


async def _silent() -> Message:
    """A client that sends nothing more, and stays."""
    await asyncio.Event().wait()
    raise RuntimeError("nothing is sent")


def _key(scope: Scope, path: str) -> Key:
    """Requests with one answer: of one address, form and role."""
    desk: Desk = scope["state"]["desk"]
    return scope["path"], scope.get("query_string", b""), Headers(scope=scope).get("accept", ""), f"{desk.actor.role} {desk.actor.name if path.startswith(OWN) else ''}"
