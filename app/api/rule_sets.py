"""Rule sets of your own, version by version; presets are read at /api/v1/compliance/presets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.paging import Rows, json_of
from app.api.plain import plain
from app.api.shapes import Body, Table
from app.api.submission import Here

router = APIRouter(prefix="/v1/rule-sets", tags=["rule sets"])
Why = Field(max_length=2_000, description="for the trail", examples=["the firm's page of 3 March"])


class RulesBody(Body):
    """A whole rule set as TOML, of the shape that GET answers."""

    content: str
    why: str = Why
    base: str = Field(default="", description="the preset that it began from")


class Retirement(Body):
    why: str = Why


@router.get("/difference", response_model=Table)
def difference(desk: Here, a: str, b: str, rows: Rows, phase: str = "") -> Any:
    """Figures in which two differ, each by its name, or as NAME@VERSION."""
    return rows.of(desk.rule_sets.difference(a, b, phase))


@router.get("/{name}")
def text(desk: Here, name: str, version: Annotated[int, Query(ge=0, lt=2**31, description="left out: the newest")] = 0) -> Response:
    """A rule set or preset as TOML, and its versions, newest first."""
    versions = [{field: value for field, value in plain(each).items() if field != "text"} for each in desk.rule_sets.versions(name)]
    return json_of(dict(name=name, content=desk.rule_sets.text(name, version), versions=versions))


@router.put("/{name}")
def save(desk: Here, name: str, body: RulesBody) -> Response:
    """Save it as the newest version under a name; results by earlier versions stay as they are."""
    return json_of(plain(desk.rule_sets.save(name, body.content, body.why, body.base)))


@router.post("/{name}/retire")
def retire(desk: Here, name: str, body: Retirement) -> Response:
    """Take it off the lists. Its versions and the results by them stay."""
    return json_of(plain(desk.rule_sets.retire(name, body.why)))
