"""What happens, as it happens: over a WebSocket, or as server-sent events. A client that comes back with its cursor misses nothing.

Audit events are the stream: orders, fills, trades, halts, breaches, and the lives of jobs and sessions are all in the trail, so its numbers are the
cursor. Beside them go snapshots, of which only the newest counts: progress of open jobs, and equity and price age of open sessions, whenever they change.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from app.api.audit import event
from app.api.plain import plain
from app.api.problem import Problem
from app.api.submission import Here
from worker.desk import Desk

router = APIRouter(prefix="/v1/stream", tags=["stream"])
LOOK, ALIVE, PART = 0.5, 15.0, 500      # seconds between looks, between heartbeats; events a part
PROGRESS = ("id", "kind", "title", "state", "progress", "note")


class Follower:
    """What one client has seen. ``after``: number of the last audit event; below 0: those from now on; ``still``: whether it may hear more, such as while its token is valid."""

    over = False        # whether it was refused at the last look

    def __init__(self, desk: Desk, after: int, still: Callable[[], bool] = lambda: True) -> None:
        self._desk, self.after, self._still, self._seen = desk, after, still, dict[str, Any]()

    def place(self) -> int:
        """The cursor to come back with."""
        if self.after < 0:
            self.after = self._desk.trail.head()[0]
        return self.after

    def look(self) -> list[dict[str, Any]]:
        """What is new since the last look, each with the cursor to come back with; nothing for one that may no longer hear it."""
        self.over = not self._still()
        if self.over:
            return []
        self.place()
        rows = list(reversed(self._desk.trail.rows(size=PART, after=self.after)))
        messages = [dict(type="event", cursor=each.seq, **event(each)) for each in rows]
        self.after = rows[-1].seq if rows else self.after
        return messages + list(self._snapshots())

    def _snapshots(self) -> list[dict[str, Any]]:
        jobs = {f"job:{job.id}": {name: plain(getattr(job, name)) for name in PROGRESS} for job in self._desk.listing.jobs(("queued", "running"), ())}
        sessions = {f"session:{row.name}": dict(name=row.name, state=row.state, equity=plain(row.equity), balance=plain(row.balance), open=row.open, bars=row.bars, price_age=plain(row.price_age)) for row in self._desk.paper.all() if not row.over}
        now = jobs | sessions
        changed = [dict(type=name.partition(":")[0], cursor=self.after, **value) for name, value in now.items() if self._seen.get(name) != value]
        self._seen = now
        return changed


@router.get("", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def events(request: Request, desk: Here, cursor: Annotated[int | None, Query(ge=0, lt=2**62, description="number of the last event seen; left out: from now on")] = None) -> Response:
    """Server-sent events. A browser that connects again sends `Last-Event-ID` by itself, and that counts more than `cursor`. It ends when the token does."""
    follower = Follower(desk, place_of(request, cursor), request.scope["state"]["still"])
    return StreamingResponse(lines(follower, request.is_disconnected), media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"})


async def lines(follower: Follower, gone: Callable[[], Any]) -> AsyncIterator[str]:
    silent = 0.0
    if follower.after < 0:
        yield f"id: {await run_in_threadpool(follower.place)}\n\n"      # so that a client that is cut off before the first event misses none
    while not await gone():
        messages = await run_in_threadpool(follower.look)
        if follower.over:
            return
        for each in messages:
            yield f"id: {each['cursor']}\nevent: {each['type']}\ndata: {json.dumps(each)}\n\n"
        silent = 0.0 if messages else silent + LOOK
        if silent >= ALIVE:
            silent = 0.0
            yield ": alive\n\n"
        if len(messages) < PART:
            await asyncio.sleep(LOOK)


def place_of(request: Request, cursor: int | None) -> int:
    given = request.headers.get("last-event-id", "")
    if given:
        if not given.isascii() or not given.isdigit() or len(given) > 18:
            raise Problem(422, f"Last-Event-ID is {given[:40]!r}; give the number of the last event that you have")
        return int(given)
    return -1 if cursor is None else cursor


@router.websocket("")
async def socket(websocket: WebSocket, cursor: Annotated[int | None, Query(ge=0, lt=2**62)] = None) -> None:
    """The same as one JSON text a message; without a cursor the first is `{"type": "start", "cursor": N}`. It is closed with 1008 when the token ends."""
    desk: Desk = websocket.scope["state"]["desk"]
    await websocket.accept()
    follower = Follower(desk, -1 if cursor is None else cursor, websocket.scope["state"]["still"])
    closing = asyncio.create_task(_closed(websocket))
    try:
        if follower.after < 0:
            await websocket.send_text(json.dumps(dict(type="start", cursor=await run_in_threadpool(follower.place))))
        while not closing.done():
            messages = await run_in_threadpool(follower.look)
            if follower.over:
                return await websocket.close(1008, "the token is not valid any more")
            for each in messages:
                await websocket.send_text(json.dumps(each))
            if len(messages) < PART:
                await asyncio.wait({closing}, timeout=LOOK)
    except (WebSocketDisconnect, RuntimeError):     # it went while something was sent
        pass
    finally:
        closing.cancel()


async def _closed(websocket: WebSocket) -> None:
    """Ends when the client goes; what it says is not read."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
