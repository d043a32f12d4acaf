"""Foreign host names and origins are refused before anything is read, and every answer has the security headers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from app.guard import FIXED, Guard
from worker.settings import App

NAMES = App(hosts="desk.example.com").names
HERE = "127.0.0.1:8501"


async def page(scope: dict, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    elif scope["path"] == "/broken":
        raise ZeroDivisionError
    else:
        await PlainTextResponse("the desk", headers={"X-Frame-Options": "ALLOWALL"})(scope, receive, send)


def request(path: str = "/", kind: str = "http", extensions: Any = None, **headers: str) -> tuple[Any, dict[str, str], bytes]:
    """Status (or what became of the websocket), headers and body of one request."""
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, values in headers.items() for value in values.split(" & ")]
    scope = dict(type=kind, path=path, method="GET", headers=pairs, extensions=extensions or {})
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        sent.append(message)

    asyncio.run(Guard(page, NAMES, SITES)(scope, receive, send))
    start = sent[0]
    return start.get("status", start["type"]), {name.decode(): value.decode() for name, value in start.get("headers", [])}, b"".join(message.get("body", b"") for message in sent)


SITES = ("https://pages.example.org",)
OURS = [
    dict(host=HERE), dict(host="localhost"), dict(host="LocalHost.:9"), dict(host="[::1]:8501"), dict(host="desk.example.com"), dict(host="desk.example.com:443"),
    dict(host=HERE, origin=f"http://{HERE}"), dict(host="localhost:8501", origin="http://127.0.0.1:8501"), dict(host="desk.example.com", origin="https://desk.example.com"),
    dict(host=HERE, origin="https://desk.example.com"),
]  # fmt: skip
FOREIGN = [
    dict(), dict(host=""), dict(host="evil.example"), dict(host="evil.example:8501"), dict(host="127.0.0.1.evil.example"), dict(host="localhost:8501@evil.example"),
    dict(host="evil.example#localhost"), dict(host="localhost:port"), dict(host="localhost evil"), dict(host="2130706433"), dict(host="0.0.0.0:8501"),
    dict(host=f"{HERE} & evil.example"), dict(host=f"{HERE} & {HERE}"), dict(host="evil.example", x_forwarded_host=HERE),
    dict(host=HERE, origin="http://evil.example"), dict(host=HERE, origin="null"), dict(host=HERE, origin="http://localhost:3000"), dict(host=HERE, origin=""),
    dict(host=HERE, origin="http://127.0.0.1.evil.example"), dict(host=HERE, origin="file://"), dict(host=HERE, origin="http://127.0.0.1:8501@evil.example"),
    dict(host=HERE, origin=f"http://{HERE} & http://evil.example"), dict(host=HERE, origin="chrome-extension://127.0.0.1:8501"), dict(host=HERE, origin=f"http://{HERE}/path"),
]  # fmt: skip
PATHS = ("/", "/static/js/index.js", "/api/health", "/api/nothing", "/_stcore/health", "/_stcore/upload_file/a/b", "/media/x.csv", "/component/st_aggrid.agGrid/index.html")


@pytest.mark.parametrize("headers", OURS, ids=str)
def test_own_names_and_origins_are_answered(headers):
    assert request(**headers)[0] == 200 and request("/_stcore/stream", "websocket", **headers)[0] == "websocket.accept"


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_foreign_names_and_origins_are_refused_on_every_path(headers):
    for path in PATHS:
        status, given, body = request(path, **headers)
        assert status == 403 and b"the desk" not in body and b"[app] hosts" in body and b"evil" not in body and FIXED.items() <= given.items()
    assert request("/_stcore/stream", "websocket", **headers)[0] == "websocket.close"
    assert request("/_stcore/stream", "websocket", {"websocket.http.response": {}}, **headers)[0] == 403


def test_pages_of_a_named_site_may_call_the_api_and_nothing_else():
    here = dict(host=HERE, origin=SITES[0])
    for path in PATHS:
        assert request(path, **here)[0] == (200 if path.startswith("/api/") else 403), path
    for origin in ("http://pages.example.org", "https://pages.example.org:444", "https://pages.example.org.evil.example", f"{SITES[0]} & https://evil.example"):
        assert request("/api/health", host=HERE, origin=origin)[0] == 403, origin
    assert request("/_stcore/stream", "websocket", **here)[0] == "websocket.close"


def test_what_is_refused_of_the_api_is_stated_in_json():
    status, headers, body = request("/api/v1/jobs", host="evil.example")
    assert status == 403 and headers["content-type"] == "application/problem+json" and json.loads(body)["status"] == 403
    for path in ("/api/v1/../x", "/api/v1/backtests/\0", "/api/v1/..\\x"):
        status, headers, body = request(path, host=HERE)
        assert status == 404 and headers["content-type"] == "application/problem+json" and json.loads(body)["status"] == 404, path
    assert request("/api/v1/data/a..b", host=HERE)[0] == 200


def test_every_answer_has_the_security_headers_once(recwarn):
    for path in PATHS:
        status, given, _ = request(path, host=HERE)
        assert status == 200 and FIXED.items() <= given.items() and given["x-frame-options"] == "SAMEORIGIN"
        assert f"connect-src 'self' ws://{HERE} wss://{HERE}" in given["content-security-policy"] and "frame-ancestors 'self'" in given["content-security-policy"]


def test_only_frames_of_components_may_compile_text():
    def scripts(path: str) -> str:
        return request(path, host=HERE)[1]["content-security-policy"].split("script-src ")[1].split(";")[0]

    assert "unsafe" not in scripts("/") and scripts("/").count("'sha256-") >= 1
    assert "'unsafe-eval'" in scripts("/component/st_aggrid.agGrid/index.html") and "unsafe-inline" not in scripts("/component/st_aggrid.agGrid/index.html")
