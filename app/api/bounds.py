"""What a request must be before it is read: JSON, small enough, not too many, and from somebody known.

A body is read whole here, up to the bound. Who asks is found by the token; without one it is the user of this machine, where nobody else can reach it and nobody signs in.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.callers import Callers
from app.api.problem import answer
from app.api.strict import LARGE, flaw
from worker.desk import Desk

OPEN = ("/api/v1/openapi.json", "/api/docs")      # what says nothing of this installation
SLOWEST = 120.0     # seconds for a body to come whole
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
NOT_JSON = "this takes JSON; send the header Content-Type: application/json"
NO_TOKEN = "the API of this server needs a token, and takes no cookie: Authorization: Bearer …; make one in Settings, or with tidemark tokens create"
BAD_TOKEN = "this token is not valid; it may have expired or been revoked. tidemark tokens list shows those that are"


@dataclass
class Bucket:
    """Requests that a client may still make: ``rate`` a second, at most ``burst`` at once."""

    rate: float
    burst: float
    left: float = field(default=-1.0)
    at: float = 0.0

    def take(self, now: float) -> float:
        """0 where the request may be made, else the seconds until the next one may.

        >>> bucket = Bucket(2.0, 2.0)
        >>> [bucket.take(10.0), bucket.take(10.0), bucket.take(10.0), bucket.take(10.5)]
        [0.0, 0.0, 0.5, 0.0]
        """
        self.left = self.burst if self.left < 0 else min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) / self.rate


class Bounds:
    """``per_minute``: requests of one client; ``most``: bytes of a body."""

    def __init__(self, app: ASGIApp, desk: Callable[[], Desk], per_minute: int, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._desk, self._most, self._clock = app, desk, most, clock
        self._rate, self._buckets = per_minute / 60.0, OrderedDict[str, Bucket]()
        self._callers = Callers(desk)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        if scope["type"] == "http" and (unfit := _unfit(scope)):
            return await answer(unfit, "the address holds U+0000, which no text does")(scope, receive, send)
        if waits := self._waits(scope, headers):
            return await answer(429, f"more requests than {self._rate * 60:,.0f} a minute; try again in {waits:.1f} s", {"retry-after": str(int(waits) + 1)})(scope, receive, send)
        who, refusal = await self._who(scope, headers)
        if who is None:
            return await _refused(scope, receive, send, refusal)
        if given := headers.get("authorization"):
            self._bucket(given)
        scope.setdefault("state", {}).update(desk=who, still=lambda: self._still(scope, headers))
        await self._answered(scope, headers, receive, send)
        if given:
            await self._callers.note()

    async def _answered(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" or scope["method"] not in CHANGING:
            return await self._app(scope, receive, send)
        try:
            async with asyncio.timeout(SLOWEST):
                body = await self._body(headers, receive)
        except ClientDisconnect:
            return      # what it had sent is not the whole, so nothing is done
        except TimeoutError:
            return await answer(408, f"the body did not come whole within {SLOWEST:.0f} s; nothing was done, send it again", {"connection": "close"})(scope, receive, send)
        if body is None:
            return await answer(413, f"the body is larger than {self._most // 1_000_000} MB; send it in parts")(scope, receive, send)
        if body and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return await answer(415, NOT_JSON)(scope, receive, send)
        if reason := flaw(body) if len(body) < LARGE else await run_in_threadpool(flaw, body):
            return await answer(400, f"the body cannot be taken: {reason}")(scope, receive, send)
        scope["state"]["body"] = body
        await self._app(scope, _again(body, receive), send)

    def _waits(self, scope: Scope, headers: Headers) -> float:
        given = headers.get("authorization", "")
        return self._bucket(given if given in self._buckets else (scope.get("client") or ("",))[0]).take(self._clock())

    def _bucket(self, client: str) -> Bucket:
        """Of a token that was valid once, else of an address: so inventing tokens makes no room for more requests."""
        bucket = self._buckets.pop(client, None) or Bucket(self._rate, max(self._rate * 10, 1.0))
        self._buckets[client] = bucket
        if len(self._buckets) > 10_000:
            self._buckets.popitem(last=False)
        return bucket

    async def _who(self, scope: Scope, headers: Headers) -> tuple[Desk | None, str]:
        """The desk for whoever asks, else why there is none."""
        if given := headers.get("authorization", ""):
            secret = _secret(given)
            return (await self._callers.desk_of(secret) if secret else None), BAD_TOKEN
        desk = self._desk()
        return (desk, "") if desk.settings.alone or scope["path"] in OPEN else (None, NO_TOKEN)

    def _still(self, scope: Scope, headers: Headers) -> bool:
        """Whether whoever has opened a stream may still ask."""
        given = headers.get("authorization", "")
        return self._desk().tokens.actor_of(_secret(given)) is not None if given else self._desk().settings.alone or scope["path"] in OPEN

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        stated = headers.get("content-length", "0")
        if not stated.isascii() or not stated.isdigit() or int(stated[:20]) > self._most:
            return None
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._most:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


def _secret(given: str) -> str:
    """
    >>> _secret("Bearer abc "), _secret("Basic abc")
    ('abc', '')
    """
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _unfit(scope: Scope) -> int:
    """The status where no database would take what the address names, else 0."""
    return 404 if "\0" in scope["path"] else 422 if b"%00" in scope.get("query_string", b"") else 0


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, then what comes after it."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


async def _refused(scope: Scope, receive: Receive, send: Send, sentence: str) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        return await send({"type": "websocket.close", "code": 1008, "reason": "not signed in"})
    await answer(401, sentence, {"www-authenticate": 'Bearer realm="Tidemark"'})(scope, receive, send)
