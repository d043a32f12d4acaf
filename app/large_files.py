"""Middleware before Streamlit: an upload goes to disk and a ticket replaces it; a download whose content is a ticket is
streamed from disk."""

from __future__ import annotations

import contextlib
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, MutableHeaders, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.spool import spool

UPLOADS, DOWNLOADS = "/_stcore/upload_file/", "/media/"
PART = 1 << 20          # bytes
FRAME = 100_000         # bytes of a form around its file
BOUNDARY = "tidemark-ticket"


class TooLarge(Exception):
    """The body is larger than a file may be."""


class LargeFiles:
    """``most``: bytes of one upload; ``total``: of all that were uploaded and not yet imported."""

    def __init__(self, app: ASGIApp, most: int, total: int) -> None:
        self.app, self.most, self.total = app, most, total
        self.uploads: dict[str, Path] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope.get("path", ""), scope.get("method", "")
        if method == "PUT" and path.startswith(UPLOADS):
            await self._upload(scope, receive, send)
        elif method == "GET" and path.startswith(DOWNLOADS):
            await Download(self.app).answer(scope, receive, send)
        else:
            if method == "DELETE" and path.startswith(UPLOADS):
                self._forget(path)
            await self.app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await run_in_threadpool(spool().size) > self.total:
            return await PlainTextResponse("too many uploads wait to be imported", 413)(scope, receive, send)
        try:
            async with Request(scope, self._bounded(receive)).form(max_files=1, max_fields=8) as form:
                stored = await self._stored(form)
        except TooLarge:
            return await PlainTextResponse("the file is too large", 413)(scope, receive, send)
        except (ClientDisconnect, MultiPartException):
            return await PlainTextResponse("the upload broke off", 400)(scope, receive, send)
        if stored is None:
            return await PlainTextResponse("an upload is one file", 400)(scope, receive, send)
        self._forget(scope["path"])
        self.uploads[scope["path"]] = stored[0]
        if not await _accepted(self.app, scope, send, _form(*stored)):
            self._forget(scope["path"])

    def _forget(self, path: str) -> None:
        if stored := self.uploads.pop(path, None):
            stored.unlink(missing_ok=True)

    def _bounded(self, receive: Receive) -> Receive:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most + FRAME:
                raise TooLarge
            return message

        return bounded

    async def _stored(self, form: FormData) -> tuple[Path, str, str] | None:
        """The file of a form on disk, its name and its type."""
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if len(files) != 1:
            return None
        path = spool().new()
        with spool().open_new(path) as file:
            while part := await files[0].read(PART):
                await run_in_threadpool(file.write, part)
        return path, files[0].filename or "", files[0].content_type or "application/octet-stream"


class Download:
    """One answer of Streamlit, passed on unchanged unless its body is a ticket."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._start: Message | None = None

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200 and Headers(raw=message["headers"]).get("content-length") == str(spool().ticket_size):
                self._start = message
            elif self._start is None:
                await send(message)
            else:
                await self._body(scope, receive, send, message)

        await self.app(_unranged(scope), receive, sent)

    async def _body(self, scope: Scope, receive: Receive, send: Send, message: Message) -> None:
        start, self._start = self._start, None
        path = spool().path_of(message.get("body", b""))
        if path is None or start is None:
            await send(start or message)
            await send(message)
            return
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in ("content-length", "etag", "content-encoding", "accept-ranges"):
            with contextlib.suppress(KeyError):
                del headers[name]
        headers.update(spool().headers_of(path))
        await FileResponse(path, headers=dict(headers))(_unranged(scope), receive, send)


def _unranged(scope: Scope) -> Scope:
    """The request without range and compression headers: a ticket must arrive complete."""
    return dict(scope) | dict(headers=[(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range", b"accept-encoding")])


def _form(path: Path, name: str, kind: str) -> bytes:
    """A form with the ticket of the file instead of its content."""
    quoted = quote(name, safe=" !#$&'()+,-.;=@[]^_`{}~") if any(letter in name for letter in '"\r\n\\') else name
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode("utf-8", "replace") + spool().ticket(path) + f"\r\n--{BOUNDARY}--\r\n".encode()


async def _accepted(app: ASGIApp, scope: Scope, send: Send, body: bytes) -> bool:
    """Whether the app accepted the same request with another body."""
    headers = MutableHeaders(raw=[(name, value) for name, value in scope["headers"] if name not in (b"content-type", b"content-length", b"transfer-encoding")])
    headers["content-type"], headers["content-length"] = f"multipart/form-data; boundary={BOUNDARY}", str(len(body))
    accepted = False

    async def receive() -> Message:
        return dict(type="http.request", body=body, more_body=False)

    async def sent(message: Message) -> None:
        nonlocal accepted
        if message["type"] == "http.response.start":
            accepted = message["status"] < 300
        await send(message)

    await app(dict(scope) | dict(headers=headers.raw), receive, sent)
    return accepted
