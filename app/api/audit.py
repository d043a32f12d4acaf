"""The audit trail: events, verification, bundle, proofs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from app.api.paging import Cursor, Limit, Since, Until, cursor_of, json_of, listed, number_of, utc
from app.api.plain import plain
from app.api.problem import JSON, Problem
from app.api.shapes import Body, JobAnswer, Listed, ProblemAnswer, Time
from app.api.submission import Here, Submitting
from worker.desk import Filter

router = APIRouter(prefix="/v1/audit", tags=["audit"])
SHOWN = ("seq", "event_id", "ts", "actor", "kind", "entities", "detail", "prev_hash", "hash")
ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}}}
Kinds = Annotated[tuple[str, ...], Query(description="kinds of event; all where none is named")]


def filter_of(since: Since = None, until: Until = None, kind: Kinds = (), actor: str = "", entity: str = "", text: str = "") -> Filter:
    return Filter(_stored(since), _stored(until), kind, actor, entity, text)


class BundleBody(Body):
    """The events of a bundle; all where nothing is named."""

    since: Time | None = None
    until: Time | None = None
    kind: list[str] = Field(default=[], max_length=100)
    actor: str = ""
    entity: str = ""
    text: str = ""

    def filter(self) -> Filter:
        return filter_of(self.since, self.until, tuple(self.kind), self.actor, self.entity, self.text)


Wanted = Annotated[Filter, Depends(filter_of)]


def _stored(at: datetime | None) -> str:
    """A time as the trail has it, so that texts compare as times do.

    >>> _stored(datetime.fromisoformat("2024-05-01T14:00:00+02:00")), _stored(None)
    ('2024-05-01T12:00:00.000000Z', '')
    """
    return "" if at is None else utc(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Replay(Body):
    """One order inside the event's run, where the event is of a finished backtest."""

    order: int = Field(default=0, ge=0, lt=2**31, description="its number from 1; left out: what the event itself records")
    instrument: str = Field(default="", description="left out: the run's first")


@router.get("/events", response_model=Listed)
def events(desk: Here, wanted: Wanted, limit: Limit = 100, cursor: Cursor = "") -> Any:
    """Events, newest first: as fast at a million as at ten."""
    rows = desk.trail.rows(wanted, limit + 1, number_of(cursor) or None)
    return listed(rows, limit, event, lambda each: cursor_of(each.seq))


@router.get("/events/{name}")
def event_of(desk: Here, name: str) -> Response:
    """An event by its number, id or hash."""
    return json_of(event(desk.trail.find(name)))


@router.get("/events/{name}/proof")
def proof(desk: Here, name: str, checkpoint: str = "") -> Response:
    """Its inclusion proof, which verify.py of a bundle checks offline."""
    return Response(desk.bundle.proof(name, checkpoint).text, media_type="application/json")


@router.post("/events/{name}/replay", response_model=JobAnswer, status_code=202)
async def replay(submission: Submitting, name: str, body: Replay = Replay()) -> Any:
    """Compute the decision of an event again, and compare."""
    return await submission.submit(lambda desk: desk.trail.replay(name, body.order, body.instrument))


@router.get("/head")
def head(desk: Here) -> Response:
    """Events, the last hash, the tree's root, the last signed checkpoint, and the last verification."""
    rows, last, root = desk.trail.head()
    return json_of(dict(rows=rows, hash=last, root=root, checkpoint=desk.checkpoints.latest_text(), fingerprint=desk.checkpoints.fingerprint(), verified=desk.trail.verified()))


@router.post("/verify", status_code=202)
async def verify(submission: Submitting) -> Any:
    """Verify the whole trail, and what stands beside it."""
    return await submission.submit(lambda desk: desk.trail.verify())


@router.get("/bundle", response_class=Response, responses=ZIP)
def bundle(desk: Here, wanted: Wanted, checkpoint: str = "") -> Response:
    """The bundle of at most 5,000 events: with proofs, public key and verifier, for somebody who trusts neither us nor the download. `checkpoint`: one that you hold, to which the proofs then lead."""
    if desk.bundle.is_large(wanted):
        raise Problem(422, "these are more than 5,000 events; POST what you want to /api/v1/audit/bundles, and fetch the bundle when its job is done")
    return _zip(desk, wanted, lambda path: desk.bundle.write(path, wanted, checkpoint))


@router.post("/bundles", response_model=JobAnswer, status_code=202)
async def prepare(work: Submitting, body: BundleBody = BundleBody()) -> Any:
    """Write a bundle of any size as a job; it is kept for a day at `/api/v1/audit/bundles/{job}`."""
    return await work.submit(lambda desk: desk.bundle.submit(body.filter()))


@router.get("/bundles/{job_id}", response_class=Response, responses={**ZIP, 409: {"description": "Its job is not done", "model": ProblemAnswer, "content": {JSON: {}}}})
def prepared(desk: Here, job_id: str) -> Response:
    """A bundle that was prepared; 409 while its job is at work."""
    job = desk.bundle.job(job_id)
    if job is None:
        raise Problem(404, f"there is no bundle {job_id[:40]}")
    if not job.result:
        raise Problem(409, f"the bundle {job_id} is not ready: its job is {job.state}", {"retry-after": "1"} if job.open else None)
    return _zip(desk, Filter(), lambda path: desk.bundle.fetch(job_id, path))


def _zip(desk: Here, wanted: Filter, write: Callable[[Path], Any]) -> Response:
    """The file that ``write`` makes; it goes when it was sent."""
    folder = TemporaryDirectory()
    try:
        write(Path(folder.name) / "bundle.zip")
    except BaseException:       # whatever stopped it: the folder goes, and the error goes on
        folder.cleanup()
        raise
    return FileResponse(Path(folder.name) / "bundle.zip", filename=desk.bundle.name(wanted, desk.jobs.now()), media_type="application/zip", background=BackgroundTask(folder.cleanup))


@router.get("/stories/{entity:path}")
def story(desk: Here, entity: str) -> Response:
    """Everything that happened to one job, run, dataset, order or session, oldest first."""
    return json_of(dict(items=[event(each) for each in desk.trail.history(entity)]))


def event(each: Any) -> dict[str, Any]:
    return {name: plain(getattr(each, name)) for name in SHOWN}

