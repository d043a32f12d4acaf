"""Features: the catalogue, recipes, columns on stored bars."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.paging import Cursor, Limit, Rows, Since, Until, json_of, utc
from app.api.runs import part, shown
from app.api.shapes import Body, JobAnswer, Listed, RunAnswer, Table, Time
from app.api.submission import Here, Submitting
from worker.desk import FeatureRequest

router = APIRouter(prefix="/v1/features", tags=["features"])
KINDS = ("columns",)


class FeatureBody(Body):
    """Columns on stored bars: by the name of a recipe, or one by one."""

    datasets: list[str] = Field(min_length=1, max_length=50)
    timeframe: str
    start: Time | None = None
    end: Time | None = None
    recipe: str = ""
    columns: list[str] = Field(default=[], examples=[["rsi(14)", "atr_share(14)"]])

    def request(self, desk: Here) -> FeatureRequest:
        datasets = [desk.data.get(name) for name in self.datasets]
        columns = [*(desk.features.columns_of(self.recipe) if self.recipe else ()), *self.columns]
        start, end = utc(self.start) or min(each.first_ts for each in datasets), utc(self.end) or max(each.last_ts for each in datasets)
        return FeatureRequest([each.id for each in datasets], self.timeframe, start, end, columns)


class GateBody(FeatureBody):
    strategy: str = Field(default="", description="whose signals are checked, in place of columns")
    params: dict[str, Any] = Field(default={})


class ExaminationBody(FeatureBody):
    """How well columns predict a target: the return over the next bars, or the trades of a strategy."""

    target: dict[str, Any] = Field(default={}, description="changed values")
    strategy: str = ""
    params: dict[str, Any] = Field(default={})
    plan: dict[str, Any] = Field(default={}, description="changed values")
    rules: dict[str, Any] = Field(default={}, description="thresholds: changed values")
    regimes: list[str] = Field(default=[], description="runs of regimes, one an instrument")


class SimilarBody(FeatureBody):
    """Bars like one bar."""

    at: Time | None = Field(default=None, description="that bar; left out: the last")
    instrument: str = Field(default="", description="left out: the first")
    likeness: dict[str, Any] = Field(default={}, description="changed values")


class RecipeBody(Body):
    name: str
    columns: list[str]
    note: str = ""


class Batch(Body):
    requests: list[FeatureBody] = Field(min_length=1, max_length=50)


@router.get("")
def catalogue(desk: Here) -> Response:
    """Every feature: unit, range, warm-up, parameters, formula and source."""
    return json_of(dict(items=desk.features.catalogue()))


@router.get("/recipes")
def recipes(desk: Here) -> Response:
    """Named lists of columns."""
    return json_of(dict(items=desk.features.recipes()))


@router.post("/recipes", status_code=201)
def save_recipe(desk: Here, body: RecipeBody) -> Response:
    """Save a recipe of your own."""
    return json_of(desk.features.save_recipe(body.name, body.columns, body.note), 201)


@router.delete("/recipes/{name}", status_code=204)
def delete_recipe(desk: Here, name: str) -> Response:
    """Delete a recipe of your own."""
    desk.features.delete_recipe(name)
    return Response(status_code=204)


@router.post("/compute", response_model=JobAnswer, status_code=202)
async def compute(submission: Submitting, body: FeatureBody) -> Any:
    """Compute columns; row t of each depends on bars up to t alone."""
    return await submission.submit(lambda desk: desk.features.submit_columns(body.request(desk)))


@router.post("/batch", status_code=202)
def batch(desk: Here, body: Batch) -> Response:
    """Several at once, each a job of its own. All are checked before the first is submitted."""
    requests = [each.request(desk) for each in body.requests]
    for request in requests:
        desk.features.spec(request)
    jobs = [desk.features.submit_columns(request).job for request in requests]
    return json_of(dict(jobs=[dict(id=job.id, href=f"/api/v1/jobs/{job.id}") for job in jobs]), 202)


@router.post("/look-ahead", response_model=JobAnswer, status_code=202)
async def look_ahead(submission: Submitting, body: GateBody) -> Any:
    """Check whether any column, or any signal of a strategy, changes when later bars are removed. `result.run` is read at `/api/v1/runs/{run}`."""
    return await submission.submit(lambda desk: desk.features.submit_gate(body.request(desk), body.strategy, body.params))


@router.post("/examine", response_model=JobAnswer, status_code=202)
async def examine(submission: Submitting, body: ExaminationBody) -> Any:
    """Examine columns; every test is counted. `result.run` is read at `/api/v1/runs/{run}`."""
    return await submission.submit(lambda desk: desk.examinations.submit_examination(body.request(desk), body.target, body.strategy, body.params, body.plan, body.rules, body.regimes))


@router.post("/similar", response_model=JobAnswer, status_code=202)
async def similar(submission: Submitting, body: SimilarBody) -> Any:
    """Find bars like one bar. `result.run` is read at `/api/v1/runs/{run}`."""
    return await submission.submit(lambda desk: desk.examinations.submit_similar(body.request(desk), utc(body.at), body.instrument, body.likeness))


@router.get("/runs", response_model=Listed)
def runs(desk: Here, limit: Limit = 100, cursor: Cursor = "", since: Since = None, until: Until = None) -> Any:
    """Computed columns, newest first."""
    return part(desk, "features/runs", KINDS, limit, cursor, since, until)


@router.get("/runs/{run_id}", response_model=RunAnswer)
def result(desk: Here, run_id: str) -> Any:
    """What was computed."""
    return shown(desk.listing.run(run_id, *KINDS), "features/runs", whole=True)


@router.get("/runs/{run_id}/{instrument}", response_model=Table)
def columns(desk: Here, run_id: str, instrument: str, rows: Rows) -> Any:
    """The columns of one instrument, with the time of each bar."""
    desk.listing.run(run_id, *KINDS)
    return rows.of(desk.features.frame(run_id, instrument))
