"""The audit trail: events, verification, bundle, proofs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.paging import Cursor, Limit, Since, Until, cursor_of, json_of, listed, number_of, utc
from app.api.plain import plain
from app.api.shapes import Listed
from app.api.submission import Here, Submitting
from worker.desk import Filter

router = APIRouter(prefix="/v1/audit", tags=["audit"])
SHOWN = ("seq", "event_id", "ts", "actor", "kind", "entities", "detail", "prev_hash", "hash")
Kinds = Annotated[tuple[str, ...], Query(description="kinds of event; all where none is named")]


def filter_of(since: Since = None, until: Until = None, kind: Kinds = (), actor: str = "", entity: str = "", text: str = "") -> Filter:
    return Filter(_stored(since), _stored(until), kind, actor, entity, text)


Wanted = Annotated[Filter, Depends(filter_of)]


def _stored(at: datetime | None) -> str:
    """A time as the trail has it, so that texts compare as times do.

    >>> _stored(datetime.fromisoformat("2024-05-01T14:00:00+02:00")), _stored(None)
    ('2024-05-01T12:00:00.000000Z', '')
    """
    return "" if at is None else utc(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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


@router.get("/head")
def head(desk: Here) -> Response:
    """Events, the last hash, the tree's root, the last signed checkpoint, and the last verification."""
    rows, last, root = desk.trail.head()
    return json_of(dict(rows=rows, hash=last, root=root, checkpoint=desk.checkpoints.latest_text(), fingerprint=desk.checkpoints.fingerprint(), verified=desk.trail.verified()))


@router.post("/verify", status_code=202)
async def verify(submission: Submitting) -> Any:
    """Verify the whole trail, and what stands beside it."""
    return await submission.submit(lambda desk: desk.trail.verify())


@router.get("/bundle", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def bundle(desk: Here, wanted: Wanted, checkpoint: str = "") -> Response:
    """The bundle of these events: with proofs, public key and verifier, for somebody who trusts neither us nor the download."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        desk.bundle.write(path, wanted, checkpoint)
        return Response(path.read_bytes(), headers={"content-disposition": f'attachment; filename="{desk.bundle.name(wanted, desk.jobs.now())}"'}, media_type="application/zip")


@router.get("/stories/{entity:path}")
def story(desk: Here, entity: str) -> Response:
    """Everything that happened to one job, run, dataset, order or session, oldest first."""
    return json_of(dict(items=[event(each) for each in desk.trail.history(entity)]))


def event(each: Any) -> dict[str, Any]:
    return {name: plain(getattr(each, name)) for name in SHOWN}

