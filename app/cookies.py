"""The cookies of signing in. None can be read by a script, and none is sent along from another site."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION, DEVICE, FORM = "tidemark_session", "tidemark_device", "tidemark_form"
HOST = "__Host-"            # a name that no other host can set, where the connection is encrypted
KNOWN = 180 * 86_400        # seconds for which a browser is remembered
LONGEST = 200               # letters of a cookie of ours


def secure(connection: HTTPConnection) -> bool:
    """Whether the browser's connection is encrypted, as far as the server or the proxy before it says."""
    return connection.scope.get("scheme") in ("https", "wss")


def cookie(cookies: Mapping[str, str], name: str, encrypted: bool = False) -> str:
    """The value of a cookie; over an encrypted connection only one that no other host can have set.

    >>> cookie({"tidemark_session": "a"}, SESSION), cookie({"tidemark_session": "a"}, SESSION, True), cookie({"__Host-tidemark_session": "b", "tidemark_session": "a"}, SESSION)
    ('a', '', 'b')
    """
    value = cookies.get(HOST + name, "" if encrypted else cookies.get(name, ""))
    return value if len(value) <= LONGEST else ""


def given(connection: HTTPConnection, name: str) -> str:
    """The cookie that a request has."""
    return cookie(connection.cookies, name, secure(connection))


def put(answer: Response, connection: HTTPConnection, name: str, value: str, seconds: int) -> None:
    """Set a cookie; 0 seconds: remove it."""
    encrypted = secure(connection)
    answer.set_cookie(HOST + name if encrypted else name, value, max_age=seconds, path="/", httponly=True, samesite="strict", secure=encrypted)
