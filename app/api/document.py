"""The OpenAPI document: what FastAPI makes of the routes, and what all operations share and no route says, such as bounds of bodies, keys, waiting and tags."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from app.api.paging import ARROW
from app.api.problem import JSON, TITLES

CHANGING = ("post", "put", "patch", "delete")
OF_ALL = (401, 403, 404, 422, 429, 500, 503)
PROBLEM = {JSON: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
RETRY = {"Retry-After": {"description": "seconds until another try", "schema": {"type": "integer"}}}
BEARER = {"type": "http", "scheme": "bearer", "description": "A token of tidemark tokens create. A server that only this machine reaches asks for none."}


def document(app: FastAPI) -> dict[str, Any]:
    """Made once."""
    if app.openapi_schema is None:
        whole = app.openapi()
        for methods in whole["paths"].values():
            for method, operation in methods.items():
                _completed(method, operation)
        whole["components"].setdefault("securitySchemes", {})["token"] = BEARER
        whole["security"] = [{"token": []}, {}]
    return app.openapi_schema or {}


def _completed(method: str, operation: dict[str, Any]) -> None:
    """``operation`` with the answers and headers that are no route's own."""
    answers = operation["responses"]
    for status in (*OF_ALL, *_of_method(method, "requestBody" in operation)):
        answers.setdefault(str(status), {"description": TITLES[status], "content": PROBLEM, **({"headers": RETRY} if status in (429, 503) else {})})
    if method == "get":
        _read(operation, answers)
    if method == "post":
        _header(operation, "Idempotency-Key", "the same key and body are one request, and have one answer", maxLength=200)
    if _is_job(answers.get("202", {})):
        answers["200"] = {**answers["202"], "description": "The job has ended while the client waited"}
        answers["202"]["headers"] = {"Location": {"description": "the job", "schema": {"type": "string"}}, **RETRY}
        _header(operation, "Prefer", "wait=10 waits so many seconds for the job's end, at most 60")


def _of_method(method: str, body: bool) -> tuple[int, ...]:
    """
    >>> _of_method("get", False), _of_method("delete", False), _of_method("post", True)
    ((), (408, 409, 413), (408, 409, 413, 400, 415))
    """
    return (*((408, 409, 413) if method in CHANGING else ()), *((400, 415) if body else ()))


def _read(operation: dict[str, Any], answers: dict[str, Any]) -> None:
    """What GET answers more: a tag, nothing new, and tables as Arrow."""
    content = answers["200"].get("content", {})
    if "text/event-stream" in content:
        return
    answers["200"]["headers"] = {"ETag": {"description": "of what is answered, up to 4 MB", "schema": {"type": "string"}}}
    answers["304"] = {"description": "Not changed"}
    if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/Table"):
        content[ARROW] = {"schema": {"type": "string", "format": "binary"}}
        answers["200"]["headers"]["Tidemark-Checkpoint"] = {"description": "the audit trail's last signed checkpoint, in base64", "schema": {"type": "string"}}
    _header(operation, "If-None-Match", "tags that the client has; 304 where one is that of the answer")


def _header(operation: dict[str, Any], header: str, about: str, **bounds: Any) -> None:
    operation.setdefault("parameters", []).append({"name": header, "in": "header", "required": False, "description": about, "schema": {"type": "string", **bounds}})


def _is_job(answer: dict[str, Any]) -> bool:
    return bool(answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/JobAnswer"))
