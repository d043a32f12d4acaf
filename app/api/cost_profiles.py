"""Cost profiles: trading costs under a name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.paging import json_of
from app.api.plain import plain
from app.api.shapes import Body
from app.api.submission import Here

router = APIRouter(prefix="/v1/cost-profiles", tags=["cost profiles"])


class CostsBody(Body):
    costs: dict[str, Any] = Field(description="values of [costs], as in config.toml", examples=[{"spread": 0.8, "commission": 3.5}])
    instruments: list[str] = Field(default=[], max_length=200, description="those that it is for; left out: all")
    source: str = Field(default="", max_length=500, description="where the figures are from")
    dated: str = Field(default="", description="the day that they are of, as 2024-01-31; left out: today")


@router.get("")
def profiles(desk: Here) -> Response:
    """All, by name."""
    return json_of(dict(items=[plain(each) for each in desk.cost_profiles.list()]))


@router.get("/{name}")
def profile(desk: Here, name: str) -> Response:
    """One with its costs."""
    return json_of(plain(desk.cost_profiles.get(name)))


@router.put("/{name}")
def save(desk: Here, name: str, body: CostsBody) -> Response:
    """Save costs under a name; those that it had are replaced, and runs that used them keep their numbers."""
    return json_of(plain(desk.cost_profiles.save(name, body.costs, body.instruments, body.source, body.dated)))


@router.delete("/{name}", status_code=204)
def delete(desk: Here, name: str) -> Response:
    """Delete a profile. Runs that used it keep their numbers."""
    desk.cost_profiles.delete(name)
    return Response(status_code=204)
