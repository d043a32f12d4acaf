"""External data: series, headlines and economic calendars."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.content import Content
from app.api.paging import json_of
from app.api.plain import plain
from app.api.problem import Problem
from app.api.shapes import Body, JobAnswer
from app.api.submission import Here, Submitting

router = APIRouter(prefix="/v1/outside", tags=["external data"])


class ExternalBody(Content):
    """A file of a series, of headlines or of a calendar. Text in `content`, anything else in `content_base64`."""

    kind: str = Field(default="", description="left out: as it is recognised")
    title: str = Field(default="", description="of a series its name in the table; else what to call it")
    utc: bool = Field(default=False, description="times without a zone are in UTC")
    added: bool = Field(default=False, description="appended to the newest of its name, instead of replacing it")

    def submit(self, desk: Here) -> Any:
        return desk.outside.import_(desk.outside.stage_upload(self.name, self.bytes()), self.kind, self.title, self.utc, self.added)


class SourceBody(Body):
    source: str = Field(description="GET /api/v1/outside names them under sources")
    name: str = Field(default="", description="of a series its name in the table; else what to call it")
    url: str = Field(default="", max_length=2_000, description="of a calendar or a feed; left out: the vendor's own")
    start: date | None = None
    end: date | None = None
    utc: bool = False

    def submit(self, desk: Here) -> Any:
        if self.source not in desk.outside_downloads.sources():
            raise Problem(422, f"there is no source {self.source[:40]!r}; there are {', '.join(desk.outside_downloads.sources())}")
        return desk.outside_downloads.submit(self.source, self.name, self.url, self.start, self.end, self.utc)


@router.get("")
def outside(desk: Here) -> Response:
    """What is stored, the newest of each name; series that there may be; sources that give them."""
    return json_of(dict(items=[plain(each) for each in desk.outside.catalogue()], series=desk.outside_downloads.series(), sources=desk.outside_downloads.sources()))


@router.post("/files", response_model=JobAnswer, status_code=202)
async def import_file(submission: Submitting, body: ExternalBody) -> Any:
    """Import a file as the newest of its kind and name."""
    return await submission.submit(body.submit)


@router.post("/downloads", response_model=JobAnswer, status_code=202)
async def download(submission: Submitting, body: SourceBody) -> Any:
    """Download a series, a calendar or a feed, and add it to the newest of its name."""
    return await submission.submit(body.submit)


@router.delete("/{name}", status_code=204)
def delete(desk: Here, name: str) -> Response:
    """Delete an import; one that a run uses is refused."""
    desk.outside.remove(name)
    return Response(status_code=204)
