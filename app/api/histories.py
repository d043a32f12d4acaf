"""Account histories from elsewhere: statements and equity files, judged like backtests."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.content import Content
from app.api.paging import Rows, json_of
from app.api.plain import plain
from app.api.problem import Problem
from app.api.shapes import Body, JobAnswer, Table
from app.api.submission import Here, Submitting

router = APIRouter(prefix="/v1/histories", tags=["account histories"])


class StatementBody(Content):
    """A statement or equity file. Text in `content`, anything else in `content_base64`."""

    clock: str = Field(default="", description="whose times they are; needed of a broker's statement", examples=["UTC"])
    currency: str = Field(default="", max_length=8, description="where the file does not say it")
    initial: float | None = Field(default=None, gt=0, description="balance at the start, where the file does not say it")
    title: str = Field(default="", max_length=64, description="what to call it")
    format: str = Field(default="", description="left out: as it is recognised")

    def submit(self, desk: Here) -> Any:
        if self.format and self.format not in desk.histories.formats():
            raise Problem(422, f"there is no format {self.format[:40]!r}; there are {', '.join(desk.histories.formats())}")
        staged = desk.histories.stage_upload(self.name, self.bytes())
        return desk.histories.import_(staged, self.clock, self.currency, self.initial, self.title, self.format)


class Title(Body):
    title: str = Field(max_length=64)


@router.post("", response_model=JobAnswer, status_code=202)
async def import_history(submission: Submitting, body: StatementBody) -> Any:
    """Import a file."""
    return await submission.submit(body.submit)


@router.get("")
def histories(desk: Here) -> Response:
    """All of them."""
    return json_of(dict(items=[plain(each) for each in desk.histories.all()]))


@router.get("/{name}")
def history(desk: Here, name: str) -> Response:
    """One, and the tables that it has."""
    return json_of(dict(plain(desk.histories.get(name)), tables=sorted(desk.histories.tables(name))))


@router.get("/{name}/{table}", response_model=Table)
def table(desk: Here, name: str, table: Literal["points", "trades", "flows"], rows: Rows) -> Any:
    """Rows of it: the balance's path, its trades, its deposits and withdrawals."""
    return rows.of(dict(points=desk.histories.points, trades=desk.histories.trades, flows=desk.histories.flows)[table](name))


@router.post("/{name}/rebuild", response_model=JobAnswer, status_code=202)
async def rebuild(submission: Submitting, name: str) -> Any:
    """Rebuild the equity between bookings from stored bars."""
    return await submission.submit(lambda desk: desk.histories.rebuild(name))


@router.patch("/{name}")
def rename(desk: Here, name: str, body: Title) -> Response:
    """Call it something else."""
    return json_of(plain(desk.histories.rename(name, body.title)))


@router.delete("/{name}", status_code=204)
def delete(desk: Here, name: str) -> Response:
    """Delete it. Its audit events stay."""
    desk.histories.delete(name)
    return Response(status_code=204)
