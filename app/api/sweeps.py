"""Sweeps, walk-forwards, stress tests and searches."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.backtests import BacktestBody
from app.api.paging import Cursor, Limit, Rows, Since, Until
from app.api.runs import part, shown
from app.api.shapes import JobAnswer, Listed, RunAnswer, Table
from app.api.submission import Here, Submitting

router = APIRouter(prefix="/v1/sweeps", tags=["sweeps"])
KINDS = ("sweep", "walk_forward", "stress", "optimise")


class SweepBody(BacktestBody):
    """A backtest of many combinations. What each kind needs: sweep and walk_forward a `grid`, optimise a `space`; stress neither."""

    kind: Literal["sweep", "walk_forward", "stress", "optimise"] = "sweep"
    grid: dict[str, list[Any]] = Field(default={}, description="parameter: its values; of rules as costs.slippage", examples=[{"lookback": [20, 40], "stop_atr": [1.5, 2.0]}])
    space: dict[str, Any] = Field(default={}, description="parameter: [low, high], [low, high, step], or {choices: […]}")
    windows: dict[str, Any] = Field(default={}, description="of a walk-forward: changed values")
    objective: dict[str, Any] = Field(default={}, description="what the best combination of a window is chosen by")
    search: dict[str, Any] = Field(default={}, description="of optimise: trials, sampler, seed")
    scenarios: list[str] = Field(default=[], description="of stress; all where none is named")

    def submit(self, desk: Here) -> Any:
        request, sweeps = self.request(desk), desk.sweeps
        if self.kind == "walk_forward":
            return sweeps.submit_walk_forward(request, self.grid, self.windows, self.objective)
        if self.kind == "stress":
            return sweeps.submit_stress(request, self.scenarios)
        return sweeps.submit_optimise(request, self.space, self.search) if self.kind == "optimise" else sweeps.submit_sweep(request, self.grid)


@router.post("", response_model=JobAnswer, status_code=202)
async def run(submission: Submitting, body: SweepBody) -> Any:
    """Run it. Every combination is a trial that is counted."""
    return await submission.submit(body.submit)


@router.get("", response_model=Listed)
def sweeps(desk: Here, limit: Limit = 100, cursor: Cursor = "", since: Since = None, until: Until = None) -> Any:
    """Finished ones, newest first."""
    return part(desk, "sweeps", KINDS, limit, cursor, since, until)


@router.get("/{run_id}", response_model=RunAnswer)
def result(desk: Here, run_id: str) -> Any:
    """A result with its figures; `tables` are those that it has."""
    return shown(desk.listing.run(run_id, *KINDS), "sweeps", whole=True)


@router.get("/{run_id}/{table}", response_model=Table)
def table(desk: Here, run_id: str, table: str, rows: Rows) -> Any:
    """Rows of one of its tables."""
    return rows.of(desk.listing.table(desk.listing.run(run_id, *KINDS), table))


@router.delete("/{run_id}", status_code=204)
def delete(desk: Here, run_id: str) -> Response:
    """Delete a result. Its trials stay counted."""
    desk.listing.run(run_id, *KINDS)
    desk.sweeps.delete(run_id)
    return Response(status_code=204)
