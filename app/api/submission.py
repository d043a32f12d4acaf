"""A request with the desk of whoever asks, and long work: 202 with the job and its address, or its end where the client waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from app.api.plain import plain
from worker.desk import Desk

LONGEST, LOOK = 60.0, 0.1       # seconds a client may wait, and between two looks
JOB = ("id", "kind", "title", "state", "progress", "note", "created_at", "started_at", "ended_at", "actor", "result", "error", "live")


def desk_of(request: Request) -> Desk:
    desk: Desk = request.scope["state"]["desk"]
    return desk


Here = Annotated[Desk, Depends(desk_of)]


class Submission:
    def __init__(self, request: Request) -> None:
        self._request, self.desk = request, desk_of(request)

    async def submit(self, work: Callable[[Desk], Any], **more: Any) -> JSONResponse:
        """Submit by ``work``; the answer is the job, with ``more`` beside it. 200 where it has ended, else 202."""
        submitted = await run_in_threadpool(work, self.desk)
        job = await self._ended(submitted.job, wait_of(self._request.headers.get("prefer", "")))
        ended = job.state not in ("queued", "running")
        headers = {"location": job_address(job.id), **({} if ended else {"retry-after": "1"})}
        return JSONResponse({**shown(job), **plain(more)}, 200 if ended else 202, headers)

    async def _ended(self, job: Any, seconds: float) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while job.state in ("queued", "running") and loop.time() < until and not await self._request.is_disconnected():
            await asyncio.sleep(LOOK)
            job = await run_in_threadpool(self.desk.jobs.get, job.id) or job
        return job


Submitting = Annotated[Submission, Depends(Submission)]


def wait_of(prefer: str) -> float:
    """Seconds that a client prefers to wait, RFC 7240.

    >>> wait_of("respond-async, wait=10"), wait_of("wait=9999"), wait_of("")
    (10.0, 60.0, 0.0)
    """
    match = re.search(r"(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])", prefer)
    return min(float(match[1]), LONGEST) if match else 0.0


def job_address(job_id: str) -> str:
    return f"/api/v1/jobs/{job_id}"


def shown(job: Any) -> dict[str, Any]:
    """A job as it is answered."""
    return {**{name: plain(getattr(job, name)) for name in JOB}, "href": job_address(job.id)}
