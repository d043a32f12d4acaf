"""Requests that name an Idempotency-Key are answered once, and results carry an ETag."""

from __future__ import annotations

import hashlib

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problem import answer
from worker.desk import Desk, Refused

KEPT = ("content-type", "location", "retry-after")
LARGEST = 4_000_000         # bytes of an answer that is given an ETag, or kept


class Once:
    """POST with a key: the same request gives the same answer and has no second effect, another one of that key is 422."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get("idempotency-key") if scope["type"] == "http" and scope["method"] == "POST" else None
        if key is None:
            return await self._app(scope, receive, send)
        desk: Desk = scope["state"]["desk"]
        address = f"{scope['path']}?{scope.get('query_string', b'').decode('latin-1')}"
        try:
            earlier = await run_in_threadpool(desk.requests.begin, key, scope["method"], address, scope["state"]["body"])
        except Refused as error:
            return await answer(422, str(error))(scope, receive, send)
        if earlier is None:
            return await self._first(desk, key, scope, receive, send)
        if earlier.other:
            return await answer(422, f"the key {key!r} was used for another request; use a new one")(scope, receive, send)
        if earlier.open:
            return await answer(409, "the first request of this key is still being answered; ask again", {"retry-after": "1"})(scope, receive, send)
        await Response(earlier.body, earlier.status, {**earlier.headers, "idempotency-replayed": "true"})(scope, receive, send)

    async def _first(self, desk: Desk, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and keep the answer before it is sent; where none comes, the key is free again. What was done is answered also where the answer cannot be kept."""
        status, headers, parts = 500, dict[str, str](), list[bytes]()

        async def keep(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], {name: value for name, value in Headers(raw=message["headers"]).items() if name in KEPT}
                return
            parts.append(message.get("body", b""))

        try:
            await self._app(scope, receive, keep)
        finally:
            try:
                await run_in_threadpool(desk.requests.end, key, status, headers, b"".join(parts).decode("utf-8", "replace"))
            finally:
                await Response(b"".join(parts), status, headers)(scope, receive, send)


class Tagged:
    """GET: a strong ETag of the body; where the client has that one already, 304 and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        known, start = Headers(scope=scope).get("if-none-match", ""), list[Message]()

        async def tag(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200 and not _streams(message):
                return start.append(message)
            if start and message["type"] == "http.response.body":
                first, body = start.pop(), message.get("body", b"")
                if not message.get("more_body") and len(body) <= LARGEST:
                    return await _tagged(first, body, known, send)
                await send(first)
            await send(message)

        await self._app(scope, receive, tag)


def _streams(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")


async def _tagged(first: Message, body: bytes, known: str, send: Send) -> None:
    """The answer with its tag. ``known``: the tags that the client has."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = MutableHeaders(raw=list(first["headers"]))
    headers["etag"] = etag
    headers["cache-control"] = "private, no-cache"
    same = known.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in known.split(",")]
    if same:
        del headers["content-length"]
    await send({**first, "status": 304 if same else 200, "headers": headers.raw})
    await send({"type": "http.response.body", "body": b"" if same else body})
