"""Every finished computation by its id, and what is computed of one: stress, Monte Carlo, regimes of its trades, a reproduction."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.paging import Cursor, Limit, Rows, Since, Until
from app.api.runs import part, shown
from app.api.shapes import Body, JobAnswer, Listed, RunAnswer, Table
from app.api.submission import Here, Submitting
from worker.desk.policies import EVERY

router = APIRouter(prefix="/v1/runs", tags=["runs"])


class Plan(Body):
    plan: dict[str, Any] = Field(default={}, description="changed values: paths, seed")


class By(Body):
    """Regimes by a rule, or by the pairings of several."""

    by: str = Field(examples=["volatility", "trend & volatility"])
    instrument: str = Field(default="", description="left out: the first")


class Policies(Body):
    grid: dict[str, Any] = Field(default={}, description="changed values of what the actions are made of")
    policies: str = Field(default=EVERY, description="names, comma-separated")
    params: dict[str, Any] = Field(default={}, description="policy: changed parameters")


@router.get("", response_model=Listed)
def runs(desk: Here, kind: Annotated[tuple[str, ...], Query(description="left out: every kind")] = (), limit: Limit = 100, cursor: Cursor = "", since: Since = None, until: Until = None) -> Any:
    """Finished computations, newest first."""
    return part(desk, "runs", kind, limit, cursor, since, until)


@router.get("/{run_id}", response_model=RunAnswer)
def result(desk: Here, run_id: str) -> Any:
    """A result of any kind with its figures; `tables` are those that it has."""
    return shown(desk.listing.run(run_id), "runs", whole=True)


@router.get("/{run_id}/{table}", response_model=Table)
def table(desk: Here, run_id: str, table: str, rows: Rows) -> Any:
    """Rows of one of its tables."""
    return rows.of(desk.listing.table(desk.listing.run(run_id), table))


@router.delete("/{run_id}", status_code=204)
def delete(desk: Here, run_id: str) -> Response:
    """Delete a result and what was made of it. Its trials stay counted, and the audit trail keeps its story."""
    desk.features.delete(run_id)
    return Response(status_code=204)


@router.post("/{run_id}/reproduce", response_model=JobAnswer, status_code=202)
async def reproduce(submission: Submitting, run_id: str) -> Any:
    """Run a backtest again, and compare its bytes."""
    return await submission.submit(lambda desk: desk.compare.reproduce(run_id))


@router.post("/{run_id}/stress", response_model=JobAnswer, status_code=202)
async def stress(submission: Submitting, run_id: str) -> Any:
    """The same backtest under higher costs, delayed entries and missed trades."""
    return await submission.submit(lambda desk: desk.robustness.submit_stress(run_id))


@router.post("/{run_id}/monte-carlo", response_model=JobAnswer, status_code=202)
async def monte_carlo(submission: Submitting, run_id: str, body: Plan = Plan()) -> Any:
    """Monte Carlo paths of a backtest's trades."""
    return await submission.submit(lambda desk: desk.robustness.submit_histories(run_id, body.plan))


@router.post("/{run_id}/regimes", response_model=JobAnswer, status_code=202)
async def regimes(submission: Submitting, run_id: str, body: By) -> Any:
    """A backtest's trades by the regime that was known at the time."""
    return await submission.submit(lambda desk: desk.splits.submit_split(run_id, body.by, body.instrument))


@router.post("/{run_id}/explain", response_model=JobAnswer, status_code=202)
async def explain(submission: Submitting, run_id: str) -> Any:
    """Explain the models of a training on bars that they have not seen."""
    return await submission.submit(lambda desk: desk.explanations.submit(run_id))


@router.post("/{run_id}/policies", response_model=JobAnswer, status_code=202)
async def policies(submission: Submitting, run_id: str, body: Policies = Policies()) -> Any:
    """Fit policies on the folds of a training, and replay them."""
    return await submission.submit(lambda desk: desk.policies.submit(run_id, body.grid, body.policies, body.params))


@router.post("/{run_id}/resume", response_model=JobAnswer, status_code=202)
async def resume(submission: Submitting, run_id: str) -> Any:
    """Go on with a training of which folds are missing."""
    return await submission.submit(lambda desk: desk.training.resume(run_id))
