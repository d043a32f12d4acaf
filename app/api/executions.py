"""External executors: proposals for them, and their reports."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.paging import json_of, utc
from app.api.plain import plain
from app.api.shapes import Amount, Body, Exact, Time
from app.api.submission import Here
from worker.desk import Report

router = APIRouter(prefix="/v1/executions", tags=["executions"])


class ReportBody(Body):
    """What an executor did. Lots, price and profit are texts, so that they are exact."""

    signal: str = Field(default="", max_length=160, description="id of the proposal; left out: none")
    ticket: str = Field(max_length=64)
    symbol: str = Field(max_length=64)
    action: Literal["buy", "sell", "close"]
    lots: Amount
    price: Amount
    time: Time
    profit: Exact | None = Field(default=None, description="account currency")

    def report(self) -> Report:
        return Report(self.ticket, self.symbol, self.action, self.lots, self.price, utc(self.time), self.signal, self.profit or "")


@router.get("/proposals")
def proposals(desk: Here, most: Annotated[int, Query(ge=1, le=100)] = 3) -> Response:
    """Current proposals of grade A or A+, the best first."""
    return json_of(dict(items=[dict(id=each.id, **each.row) for each in desk.executions.proposals(most)]))


@router.post("", status_code=201)
def report(desk: Here, body: ReportBody) -> Response:
    """Report an execution. It is matched to its proposal, or kept as unmatched with the reason; the same ticket and action is one report."""
    return json_of(desk.executions.report(body.report()), 201)


@router.get("")
def executions(desk: Here, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> Response:
    """The last reports."""
    return json_of(dict(items=[plain(each) for each in desk.executions.latest(limit)]))
