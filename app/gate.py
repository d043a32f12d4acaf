"""Nothing of the server is given to whoever has not signed in, but the page for that: pages, scripts, files, uploads and the websocket.

What has a check of its own passes: the API takes tokens, and no cookie; /health says whether the server is well, and no more. Where nobody signs in, all passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cookies import SESSION, given, put
from app.sign_in_page import again
from worker.desk import Desk, SourceAway, valid_sessions

OWN_CHECK = {"http": ("/health", "/metrics"), "websocket": ("/ws",)}       # and all below /api/
SIGNED_OUT = "You are signed out. Sign in again.\n"
FILES = "/media/"       # what pages offer: downloads and pictures
LOOK = 1.0              # seconds between two looks at the sessions of open sockets


class Gate:
    """``desk``: gives the desk of this process; ``entrance``: answers at ``paths``, and makes sessions; ``farewell``: the last message of a socket whose session ended."""

    def __init__(self, app: ASGIApp, desk: Callable[[], Desk], entrance: ASGIApp, paths: Collection[str], farewell: bytes = b"") -> None:
        self._app, self._desk, self._entrance, self._paths = app, desk, entrance, frozenset(paths)
        self._sockets = Sockets(self._valid, farewell)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith("/api/") or scope["path"] in OWN_CHECK[scope["type"]]:
            return await self._app(scope, receive, send)
        if scope["type"] == "http" and scope["path"] in self._paths:
            return await self._entrance(scope, receive, send)
        secret = given(HTTPConnection(scope), SESSION)
        try:
            valid = bool(secret) and bool(await run_in_threadpool(self._valid, {secret}))
        except SourceAway as error:
            return await _refused(scope, receive, send, PlainTextResponse(f"{error}\n", 503, {"retry-after": "10"}))
        if not valid:
            return await _refused(scope, receive, send, _elsewhere(scope, bool(secret)))
        if scope["type"] == "websocket":
            return await self._sockets.serve(self._app, scope, receive, send, secret)
        await self._app(scope, receive, _kept_by_nobody(send) if scope["path"].startswith(FILES) else send)

    def _valid(self, secrets: Collection[str]) -> set[str]:
        return valid_sessions(self._desk, secrets)


class Sockets:
    """Open sockets, each of a session: it is closed once that ends, after a last message."""

    def __init__(self, valid: Callable[[Collection[str]], set[str]], farewell: bytes = b"") -> None:
        self._valid, self._farewell, self._open = valid, farewell, dict[asyncio.Event, str]()
        self._watch: asyncio.Task[None] | None = None

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, secret: str) -> None:
        over = asyncio.Event()
        self._open[over] = secret
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look())
        socket = Socket(receive, send, over, self._farewell)
        try:
            await app(scope, socket.receive, socket.send)
        finally:
            self._open.pop(over, None)

    async def _look(self) -> None:
        while self._open:
            await asyncio.sleep(LOOK)
            try:
                valid = await run_in_threadpool(self._valid, set(self._open.values()))
            except SourceAway:      # the database is away, and with it everything that could be requested
                continue
            for over in [over for over, secret in self._open.items() if secret not in valid]:
                over.set()


class Socket:
    """A websocket that ends when ``over`` is set: the application sees that its client went."""

    def __init__(self, receive: Receive, send: Send, over: asyncio.Event, farewell: bytes = b"") -> None:
        self._receive, self._send, self._over, self._farewell = receive, send, over, farewell

    async def receive(self) -> Message:
        coming, ending = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not self._over.is_set():
                return coming.result()
            if self._farewell:
                await self._send({"type": "websocket.send", "bytes": self._farewell})
            await self._send({"type": "websocket.close", "code": 1008, "reason": "signed out"})
            return {"type": "websocket.disconnect", "code": 1008}
        finally:
            coming.cancel()
            ending.cancel()

    async def send(self, message: Message) -> None:
        if not self._over.is_set():
            await self._send(message)


def _elsewhere(scope: Scope, had: bool) -> Response:
    """A browser that opens a page is sent to sign in; anything else is refused. ``had``: it has a cookie, which is worth nothing any more."""
    headers = Headers(scope=scope)
    opens = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and (headers.get("sec-fetch-mode", "navigate") == "navigate" and "text/html" in headers.get("accept", ""))
    if not opens:
        return PlainTextResponse(SIGNED_OUT, 401, {"cache-control": "no-store"})
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    if headers.get("sec-fetch-site") == "cross-site" and not had:
        return HTMLResponse(again(wanted), headers={"cache-control": "no-store"})      # followed from another site, the cookie was not sent along: requested again from here
    answer = RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303, {"cache-control": "no-store"})
    if had:
        put(answer, HTTPConnection(scope), SESSION, "", 0)
    return answer


def _kept_by_nobody(send: Send) -> Send:
    """Answers that neither a proxy nor the browser keeps for whoever comes next."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["cache-control"] = "private, no-store"
        await send(message)

    return sent


async def _refused(scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        return await answer(scope, receive, send)
    await send({"type": "websocket.close", "code": 1008, "reason": "signed out"})
