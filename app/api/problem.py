"""Answers to what cannot be done: RFC 9457 problem+json, with the sentence that the page would show."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from worker.desk import Forbidden, Refused, SecondPerson, SourceAway, UnknownName, shown, trouble

log = logging.getLogger("api")
JSON = "application/problem+json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 408: "Not sent in time", 405: "Method not allowed", 406: "Not acceptable", 409: "Conflict", 412: "Changed meanwhile", 413: "Too large",
    415: "Not JSON", 422: "Cannot be done as requested", 429: "Too many requests", 500: "Internal error", 503: "Not available",
}  # fmt: skip


class Problem(Exception):
    """An answer that is no success. ``detail``: the sentence; ``more``: further members; ``headers`` of the answer."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    return JSONResponse(dict(type="about:blank", title=TITLES.get(status, "Error"), status=status, detail=shown(detail), **more), status, dict(headers or {}), JSON)


def install(app: FastAPI) -> None:
    """Every failure of the application becomes such an answer."""
    app.add_exception_handler(Problem, lambda _, error: answer(error.status, error.detail, error.headers, **error.more))
    app.add_exception_handler(Refused, refused)                    # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)     # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, plain)                # type: ignore[arg-type]
    app.add_exception_handler(Exception, failed)


def refused(request: Request, error: Refused) -> JSONResponse:
    """What the desk refuses. A name in the address that names nothing is 404; anything else that was requested wrongly 422."""
    if isinstance(error, SecondPerson):
        at = f"/api/v1/approvals/{error.request}"
        return JSONResponse(dict(request=error.request, href=at, sentence=str(error)), 202, {"location": at})
    if isinstance(error, Forbidden):
        return answer(403, str(error))
    if isinstance(error, SourceAway):
        return answer(503, str(error), {"retry-after": "10"})
    in_address = isinstance(error, UnknownName) and any(value and str(value) in str(error) for value in request.path_params.values())
    return answer(404 if in_address else 422, str(error))


def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """What does not have the shape that the reference describes, field by field."""
    entries = [dict(field=field(each["loc"]), detail=sentence(each)) for each in error.errors()[:50]]
    return answer(422, "; ".join(f"{each['field']}: {each['detail']}" if each["field"] else each["detail"] for each in entries[:5]), errors=entries)


def plain(request: Request, error: HTTPException) -> JSONResponse:
    path = request.url.path
    headers = {"allow": ", ".join(methods_at(request))} if error.status_code == 405 else error.headers
    sentences = {400: "the body cannot be read as JSON: it must be UTF-8, and not nested deeply", 404: f"there is nothing at {path}; the addresses are listed in /api/v1/openapi.json", 405: f"{path} does not take {request.method}; it takes {(headers or {}).get('allow')}"}
    return answer(error.status_code, sentences.get(error.status_code, str(error.detail)), headers)


def methods_at(request: Request) -> list[str]:
    """What this address takes."""
    routes = request.app.router.routes
    entries = [method for method in METHODS if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)]
    return ["GET", "HEAD", *entries[1:]] if "GET" in entries else entries


def failed(request: Request, error: Exception) -> JSONResponse:
    """What the world did is a sentence and 503; a bug is an id here and its traceback in the log."""
    if message := trouble(error):
        log.warning("%s %s: %s", request.method, request.url.path, message)
        return answer(503, message, {"retry-after": "10"})
    error_id = secrets.token_hex(3)
    log.error("error %s at %s %s", error_id, request.method, request.url.path, exc_info=error)
    return answer(500, f"The details are in the log, under the id {error_id}.", error_id=error_id)


def field(place: Sequence[Any]) -> str:
    """
    >>> field(("body", "rules", "costs", 0)), field(("query", "limit")), field(("body", 17))
    ('rules.costs.0', 'limit', '')
    """
    return "" if len(place) == 2 and isinstance(place[1], int) else ".".join(str(part) for part in place[1:])


def sentence(each: Mapping[str, Any]) -> str:
    """
    >>> sentence({"type": "extra_forbidden", "msg": "Extra inputs are not permitted"})
    'there is no field of this name'
    >>> sentence({"type": "missing", "msg": "Field required", "loc": ("body", "name")}), sentence({"type": "int_parsing", "msg": "Input should be a valid integer", "input": "x"})
    ('is missing', "should be a valid integer; found 'x'")
    """
    if each["type"] in ("extra_forbidden", "missing"):
        return ("the body is missing" if tuple(each["loc"]) == ("body",) else "is missing") if each["type"] == "missing" else "there is no field of this name"
    if each["type"] == "json_invalid":
        return f"the body is not JSON: {each.get('ctx', {}).get('error', 'it cannot be read')}, at character {each['loc'][-1]}"
    message = str(each["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    given = each.get("input")
    return f"{message}; found {str(given)[:80]!r}" if isinstance(given, str | int | float | bool) else message
