"""Calls the API in this process, as a client does over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from app.api.entry import Entry
from worker.desk import Desk


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


BUILT: dict[Any, tuple[ASGIApp, list[Desk]]] = {}       # the application of each bounds, and the desk that it asks: building it takes longer than most requests


class Client:
    """``token``: sent with each request."""

    def __init__(self, desk: Desk, token: str = "", prefix: str = "/api/v1") -> None:
        self._desk, self._token, self._prefix = desk, token, prefix
        requested = [desk]
        self._app, self._requests = BUILT.setdefault(desk.settings.api, (Starlette(routes=[Mount("/api", app=Entry(lambda: requested[0]))]), requested))

    @property
    def app(self) -> ASGIApp:
        """The application, asking this client's desk."""
        self._requests[0] = self._desk
        return self._app

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, None, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """``body``: JSON, or bytes as they are. Names of ``headers`` with underscores for hyphens."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"host": "127.0.0.1", **({"content-type": "application/json"} if body is not None else {}), **({"authorization": f"Bearer {self._token}"} if self._token else {})}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        address = urlsplit(path if path.startswith("/api") else self._prefix + path)
        scope = dict(
            type="http", method=method, path=unquote(address.path), raw_path=address.path.encode(), root_path="", query_string=address.query.encode(), http_version="1.1", scheme="http",
            headers=[(name.encode(), value.encode("latin-1")) for name, value in given.items()], client=("127.0.0.1", 5), server=("127.0.0.1", 8501), state={},
        )  # fmt: skip
        return asyncio.run(answered(self.app, scope, content))


async def answered(app: ASGIApp, scope: dict[str, Any], content: bytes) -> Answer:
    sent: list[Any] = []
    given = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Any:
        if given:
            return given.pop()
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return Answer(start["status"], {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}, b"".join(message.get("body", b"") for message in sent[1:]))
