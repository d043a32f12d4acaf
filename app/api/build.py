"""Puts the API together: its nouns, its answers to failures, its bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp

from app.api import (
    analytics,
    approvals,
    audit,
    backtests,
    batches,
    compliance,
    cost_profiles,
    data,
    executions,
    features,
    health,
    histories,
    jobs,
    journal,
    models,
    outside,
    paper,
    parameters,
    problem,
    regimes,
    rule_sets,
    signals,
    strategies,
    stream,
    studies,
    sweeps,
)
from app.api.bounds import Bounds
from app.api.document import document
from app.api.heads import Headed
from app.api.once import Once, Tagged
from app.api.others import futurequant, sidecar, trading
from app.api.reference import page
from app.api.shapes import ProblemAnswer
from app.api.shared import Shared
from worker.desk import Desk

NOUNS = (
    data, outside, features, regimes, models, strategies, signals, journal, backtests, batches, sweeps, studies, cost_profiles, paper, executions, compliance, rule_sets, histories, approvals, audit, analytics, jobs, health, stream, futurequant, sidecar, trading,
)  # fmt: skip
FAILS: dict[int | str, dict[str, Any]] = {status: {"model": ProblemAnswer, "description": problem.TITLES[status], "content": {problem.JSON: {}}} for status in (401, 403, 404, 422, 429, 503)}
EXPOSED = ("ETag", "Tidemark-Checkpoint", "Idempotency-Replayed", "Link", "Location", "Retry-After")        # what pages of other sites may read of an answer
ABOUT = (
    "Everything that a person can do on a page. JSON only. Times are RFC 3339 in UTC; amounts are of the account's currency, prices of the instrument; lots and prices of orders are texts, "
    "figures are numbers, and one that does not exist is null. Long work answers 202 with a job; send Prefer: wait=10 to wait for it. A POST with an Idempotency-Key is done once. Errors are RFC 9457."
)


def build(desk: Callable[[], Desk]) -> ASGIApp:
    """The application as it is mounted at /api. ``desk``: gives the desk of this process."""
    settings = desk().settings.api
    app = FastAPI(title="Tidemark", version="1", description=ABOUT, openapi_url=None, docs_url=None, redoc_url=None, responses=FAILS, redirect_slashes=False, telemetry={"tracing": False}, servers=[{"url": "/api"}], dependencies=[Depends(parameters.known)])
    for noun in NOUNS:
        app.include_router(noun.router)
    problem.install(app)
    app.add_route("/v1/openapi.json", _document, include_in_schema=False)
    app.add_route("/docs", _reference, include_in_schema=False)
    app.router.default = _nothing
    checked = Bounds(Headed(Tagged(Shared(Once(app)))), desk, settings.requests_per_minute, settings.body_mb * 1_000_000)
    names = settings.sites
    return CORSMiddleware(checked, allow_origins=names, allow_methods=["*"], allow_headers=["*"], expose_headers=EXPOSED) if names else checked


async def _document(request: Request) -> JSONResponse:
    return JSONResponse(document(request.app))


async def _reference(request: Request) -> HTMLResponse:
    return HTMLResponse(page(document(request.app)))


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "nothing here"})
        return
    await problem.answer(404, f"there is nothing at {scope['path']}; the addresses are listed in /api/v1/openapi.json")(scope, receive, send)
