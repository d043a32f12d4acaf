"""Each request of the API under an id: that of the client's X-Request-ID, or a new one. It stands in the answer, the log, and the audit events of what was requested."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.desk import begin_request

HEADER = "x-request-id"
log = logging.getLogger("app.requests")


class Traced:
    """``log_each``: a line for each request; never with its query or body."""

    def __init__(self, app: ASGIApp, log_each: bool = False) -> None:
        self._app, self._log_each = app, log_each

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            return await self._app(scope, receive, send)
        name, began, status = begin_request("api", Headers(scope=scope).get(HEADER, "")), time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            if self._log_each:
                seconds = round(time.perf_counter() - began, 4)
                log.info("%s %s %s", scope["method"], scope["path"], status, extra=dict(fields=dict(method=scope["method"], path=scope["path"], status=status, seconds=seconds)))
