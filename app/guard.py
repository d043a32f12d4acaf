"""Host and origin checks before every answer of the server, and its security headers.

A page of another site cannot reach this server by its address, but it can by a name of its own that points here, and a browser then takes
both for one site. So foreign names and origins are refused before anything is read: pages, files, uploads, the websocket, the API.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/api/"
INDEX = Path(st.__file__).parent / "static" / "index.html"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")      # no address has one, and routes stop at the end of a line
COMPONENT = "/component/"       # frames of components: AgGrid compiles the formats of its columns
REFUSED = "This server does not answer to that name. If it is yours, add it to [app] hosts in config.toml, or to TIDEMARK_APP_HOSTS."
FOREIGN = "This request comes from a page of another site. If that site is yours, add its name to [app] hosts in config.toml, or to TIDEMARK_APP_HOSTS; a site whose pages only call the API goes to [api] origins."
NO_ADDRESS = "There is nothing at such an address; those that there are stand in /api/v1/openapi.json."
FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def name_of(host: str) -> str:
    """The name in ``name:port``, in small letters; empty where it is none.

    >>> name_of("LOCALHOST.:8501"), name_of("[::1]:8501"), name_of("a@b"), name_of("a/b"), name_of("a:x"), name_of("")
    ('localhost', '::1', '', '', '', '')
    """
    try:
        parts = urlsplit(f"//{host}")
        parts.port      # noqa: B018  a port that is no number is refused here
    except ValueError:
        return ""
    valid = parts.netloc == host and "@" not in host and not any(letter.isspace() for letter in host)
    return (parts.hostname or "").rstrip(".") if valid else ""


def policy(host: str, component: bool, inline: tuple[str, ...]) -> str:
    """The Content-Security-Policy: resources of this host only, and of inline scripts only those that Streamlit
    ships."""
    scripts = ["'self'", *inline, *(["'unsafe-eval'"] if component else [])]
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(scripts),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "connect-src": f"'self' ws://{host} wss://{host}" if host else "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def inline_scripts(page: str) -> tuple[str, ...]:
    """The hashes that allow the scripts inside a page of HTML, and no others.

    >>> inline_scripts("<script src='a.js'></script><script>let a = 1</script>")
    ("'sha256-LAfYd7pbFUgwfQu8b4q135PeTG2z+/coPEUYCd74eCQ='",)
    """
    bodies = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    return tuple(f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in bodies)


class Guard:
    """The server with host and origin checks. ``names``: the host names that it answers to; ``sites``: origins whose pages may call the API, and nothing else."""

    def __init__(self, app: ASGIApp, names: frozenset[str], sites: Collection[str] = ()) -> None:
        self._app, self._names, self._sites = app, names, sites
        self._inline = inline_scripts(INDEX.read_text(encoding="utf-8"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        hosts, origins = (Headers(scope=scope).getlist(name) for name in ("host", "origin"))
        accepted = len(hosts) == 1 and name_of(hosts[0]) in self._names
        headers = {**FIXED, "content-security-policy": policy(hosts[0] if accepted else "", COMPONENT in scope["path"], self._inline)}

        async def answer(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                given = MutableHeaders(scope=message)
                for name, value in headers.items():
                    given[name] = value
            await send(message)

        if not accepted:
            return await refuse(scope, receive, answer, REFUSED, 403)
        of_api = scope["path"].startswith(API)
        if not all(self._allowed(origin, hosts[0]) or (of_api and origin in self._sites) for origin in origins):
            return await refuse(scope, receive, answer, FOREIGN, 403)
        if of_api and (".." in re.split(r"[/\\]", scope["path"]) or CONTROL.search(scope["path"])):
            return await refuse(scope, receive, answer, NO_ADDRESS, 404)     # Streamlit would refuse it too, but not in JSON
        await self._app(scope, receive, answer)

    def _allowed(self, origin: str, host: str) -> bool:
        """Whether the origin is this address, this machine at the same port, or a name that the settings allow."""
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        name, port = name_of(parts.netloc), host.rpartition("]")[2].rpartition(":")[2]
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}" or name not in self._names:
            return False
        return parts.netloc == host or name not in LOOPBACK or parts.netloc.endswith(f":{port}")


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


async def refuse(scope: Scope, receive: Receive, send: Send, sentence: str, status: int) -> None:
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        problem = dict(type="about:blank", title="Not found" if status == 404 else "Not allowed", status=status, detail=sentence)
        answer = JSONResponse(problem, status, media_type="application/problem+json") if scope["path"].startswith(API) else PlainTextResponse(f"{sentence}\n", status)
        await answer(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
