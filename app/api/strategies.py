"""Strategies: those of the library, and those that users write."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.paging import json_of
from app.api.plain import plain
from app.api.shapes import Body, JobAnswer
from app.api.submission import Here, Submitting

router = APIRouter(prefix="/v1/strategies", tags=["strategies"])


class StrategyBody(Body):
    """A strategy of your own. `definition`: its name and fields, as the Strategies page downloads it; `GET /api/v1/strategies/fields` describes them."""

    definition: dict[str, Any]
    why: str = Field(max_length=2_000, description="what this version is for")


class PreviewBody(Body):
    definition: dict[str, Any]
    dataset: str


@router.get("")
def strategies(desk: Here) -> Response:
    """All strategies, with what each does, and whether it is your own."""
    own = {each.stored.name for each in desk.strategies.all()}
    return json_of(dict(items=[dict(name=name, about=about, own=name in own) for name, about in desk.backtests.strategies().items()]))


@router.get("/fields")
def fields(desk: Here) -> Response:
    """The fields of a strategy of your own, and the functions that its conditions may use."""
    return json_of(dict(fields=desk.strategies.fields(), functions=desk.strategies.functions()))


@router.post("", status_code=201)
def create(desk: Here, body: StrategyBody) -> Response:
    """Save a strategy. One of that name gets a new version; earlier ones are kept."""
    return _saved(desk.strategies.save(body.definition, body.why), 201)


@router.get("/{name}")
def strategy(desk: Here, name: str, version: int = Query(default=0, ge=0, le=10**9, description="0: the newest")) -> Response:
    """A strategy: parameters with bounds, units and defaults; of your own also its definition and versions."""
    own = desk.strategies.find(name) if not version else desk.strategies.get(name, version)
    if own is None:
        params = desk.backtests.params(name)
        return json_of(dict(name=name, about=desk.backtests.strategies().get(name, ""), own=False, params=params, presets=desk.backtests.presets(name)))
    return _saved(own, 200, versions=[plain(each.stored) for each in desk.strategies.versions(name)])


@router.put("/{name}")
def update(desk: Here, name: str, body: StrategyBody) -> Response:
    """A new version of a strategy of your own."""
    desk.strategies.get(name)
    return _saved(desk.strategies.save({**body.definition, "name": name}, body.why))


@router.delete("/{name}")
def delete(desk: Here, name: str, why: str = Query(default="deleted over the API", max_length=2_000)) -> Response:
    """Take a strategy of your own from the lists. Versions that runs name are kept."""
    desk.strategies.get(name)
    return json_of(dict(deleted=name, version=desk.strategies.retire(name, why)))


@router.post("/preview", response_model=JobAnswer, status_code=202)
async def preview(submission: Submitting, body: PreviewBody) -> Any:
    """The signals of a definition on stored bars, before it is saved."""
    return await submission.submit(lambda desk: desk.strategies.submit_preview(body.definition, body.dataset))


def _saved(saved: Any, status: int = 200, **more: Any) -> Response:
    return json_of(dict(name=saved.stored.name, about=saved.about, own=True, version=saved.stored.version, stored=plain(saved.stored), definition=plain(saved.definition), **more), status)
