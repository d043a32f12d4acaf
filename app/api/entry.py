"""The API as the server mounts it: made at its first request, so that pages open without waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.desk import Desk


class Entry:
    """An ASGI application that is built by its first request. ``desk``: gives the desk of this process."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk, self._lock = desk, asyncio.Lock()
        self._app: ASGIApp | None = None
        self._safe = ServerErrorMiddleware(self._answer, _failed)       # database or disk may be away before a route is reached

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        await self._safe(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app or await self._built()
        await app(scope, receive, send)

    async def _built(self) -> ASGIApp:
        async with self._lock:
            if self._app is None:
                self._app = await run_in_threadpool(_build, self._desk)
        return self._app


def _build(desk: Callable[[], Desk]) -> ASGIApp:
    from app.api.build import build

    return build(desk)


def _failed(request: Request, error: Exception) -> Response:
    from app.api.problem import failed

    return failed(request, error)


class Elsewhere:
    """The answer of ``path`` of the API under another address."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "path": self._path, "raw_path": self._path.encode(), "root_path": "/api"}, receive, send)
