"""Changes that wait for a second person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.paging import json_of
from app.api.shapes import Body
from app.api.submission import Here

router = APIRouter(prefix="/v1/approvals", tags=["approvals"])
FIELDS = ("id", "verb", "summary", "state", "requested_by", "person", "requested_at", "expires_at", "decided_by", "decided_at", "note")


class Decision(Body):
    note: str = Field(default="", max_length=500, description="for the trail")


@router.get("")
def all_(desk: Here, pending: Annotated[bool, Query(description="only those that wait, oldest first; else the newest 200, newest first")] = True) -> Response:
    """Requests to a second person: releasing a halt, rule sets, models in production."""
    return json_of(dict(items=[_shown(each) for each in (desk.approvals.pending() if pending else desk.approvals.all())]))


@router.get("/{request}")
def approval(desk: Here, request: str) -> Response:
    """One request, and what became of it."""
    return json_of(_shown(desk.approvals.get(request)))


@router.post("/{request}/approve")
def approve(desk: Here, request: str, body: Decision = Decision()) -> Response:
    """Approve a request: the change is made in the name of who requested it. Nobody approves a request of their own."""
    return json_of(_shown(desk.approvals.approve(request, body.note)))


@router.post("/{request}/refuse")
def refuse(desk: Here, request: str, body: Decision = Decision()) -> Response:
    """Refuse a request: the change is not made."""
    return json_of(_shown(desk.approvals.refuse(request, body.note)))


@router.post("/{request}/withdraw")
def withdraw(desk: Here, request: str) -> Response:
    """Withdraw your own request."""
    return json_of(_shown(desk.approvals.withdraw(request)))


def _shown(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in FIELDS} | dict(asked_by=request.requested_by, asked_at=request.requested_at)     # their names of one release before
