"""Batches: several backtests that belong together, each on an account of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.backtests import BacktestBody
from app.api.paging import Rows, json_of
from app.api.runs import shown
from app.api.shapes import Body, RunAnswer, Table
from app.api.submission import Here

router = APIRouter(prefix="/v1/batches", tags=["batches"])


class BatchBody(Body):
    """All are checked before the first is submitted."""

    requests: list[BacktestBody] = Field(min_length=1, max_length=50)


@router.post("", response_model=RunAnswer, status_code=202)
def submit(desk: Here, body: BatchBody) -> Any:
    """Run them; `summary.jobs` are their jobs."""
    return shown(desk.batches.submit([each.request(desk) for each in body.requests]), "batches")


@router.get("")
def batches(desk: Here) -> Response:
    """The newest twenty, newest first."""
    return json_of(dict(items=[shown(each, "batches") for each in desk.batches.latest()]))


@router.get("/{batch_id}", response_model=Table)
def members(desk: Here, batch_id: str, rows: Rows) -> Any:
    """A row a backtest: its job, its state and its figures."""
    return rows.of(desk.batches.table(batch_id))


@router.post("/{batch_id}/cancel")
def cancel(desk: Here, batch_id: str) -> Response:
    """Cancel those that have not ended."""
    return json_of(dict(cancelled=desk.batches.cancel(batch_id)))


@router.delete("/{batch_id}", status_code=204)
def delete(desk: Here, batch_id: str) -> Response:
    """Ungroup them. The backtests stay."""
    desk.batches.delete(batch_id)
    return Response(status_code=204)
