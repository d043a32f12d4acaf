"""Calls the server's gate and entrance in this process, as a browser does: with a jar of cookies."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import PlainTextResponse

from app.entrance import PATHS, Entrance
from app.gate import Gate
from worker.desk import Desk

WORD = "four words of a sentence"


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """What the gate stands before."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": message.get("text", "")})
        return
    await PlainTextResponse("the desk")(scope, receive, send)


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def cookies(self) -> dict[str, str]:
        """Each cookie that is set, with all of its flags."""
        return {value.partition("=")[0]: value for key, value in self.headers if key == "set-cookie"}


@dataclass
class Browser:
    """``jar``: its cookies; ``address``: where it is."""

    desk: Desk
    jar: dict[str, str] = field(default_factory=dict)
    address: str = "10.0.0.1"
    scheme: str = "http"

    def __post_init__(self) -> None:
        self.gate = Gate(behind, lambda: self.desk, Entrance(lambda: self.desk).app(), PATHS)

    def scope(self, path: str, kind: str = "http", method: str = "GET", **headers: str) -> dict[str, Any]:
        parts = urlsplit(path) if not path.startswith("//") else None
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        given = {"host": "127.0.0.1:8501", "accept": "text/html", **({"cookie": cookies} if cookies else {}), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return dict(
            type=kind, method=method, path=parts.path if parts else path, raw_path=path.encode(), root_path="", query_string=(parts.query if parts else "").encode(), http_version="1.1",
            scheme=self.scheme if kind == "http" else self.scheme.replace("http", "ws"), headers=[(name.encode(), value.encode("latin-1")) for name, value in given.items()],
            client=(self.address, 5), server=("127.0.0.1", 8501), state={}, extensions={},
        )  # fmt: skip

    def get(self, path: str, **headers: str) -> Reply:
        return self.call(path, **headers)

    def call(self, path: str, body: bytes = b"", method: str = "GET", **headers: str) -> Reply:
        reply = asyncio.run(_replied(self.gate, self.scope(path, "http", method, **headers), body))
        for value in reply.cookies.values():
            for name, morsel in SimpleCookie(value).items():
                self.jar.pop(name, None)
                if morsel["max-age"] != "0":
                    self.jar[name] = morsel.value
        return reply

    def enter(self, name: str, password: str = WORD, code: str = "", wanted: str = "/", **headers: str) -> Reply:
        """Open the form, fill it in, send it."""
        form = re.search(r"name=form value='([^']*)'", self.get("/sign-in").body)
        fields = dict(name=name, password=password, code=code, next=wanted, form=form[1] if form else "")
        return self.call("/sign-in", urlencode(fields).encode(), "POST", content_type="application/x-www-form-urlencoded", **headers)


async def _replied(app: Any, scope: Any, body: bytes) -> Reply:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in start.get("headers", [])]
    return Reply(start.get("status", 0), headers, b"".join(message.get("body", b"") for message in sent[1:]).decode())
