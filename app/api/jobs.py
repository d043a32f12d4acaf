"""Jobs: state, progress, cancel, retry."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from app.api.paging import Cursor, Limit, Since, Until, before_of, cursor_of, listed, utc
from app.api.problem import Problem
from app.api.shapes import JobAnswer, Listed
from app.api.submission import Here, Submitting, shown
from worker.desk import Part

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
State = Literal["queued", "running", "done", "failed", "cancelled"]


@router.get("", response_model=Listed)
def jobs(desk: Here, state: Annotated[tuple[State, ...], Query()] = (), kind: Annotated[tuple[str, ...], Query()] = (), limit: Limit = 100, cursor: Cursor = "", since: Since = None, until: Until = None) -> Any:
    """Jobs, newest first."""
    jobs = desk.listing.jobs(state, kind, Part(limit + 1, before_of(cursor), utc(since), utc(until)))
    return listed(jobs, limit, shown, lambda job: cursor_of(job.created_at.isoformat(), job.id))


@router.get("/{job_id}", response_model=JobAnswer)
def job(desk: Here, job_id: str) -> Any:
    """A job with its progress; once it is done, `result` names what it made."""
    return shown(job_of(desk, job_id))


@router.post("/{job_id}/cancel", response_model=JobAnswer)
def cancel(desk: Here, job_id: str) -> Any:
    """Cancel a job that waits or runs. What it has finished stays; 409 where it had ended."""
    job_of(desk, job_id)
    if not desk.jobs.cancel(job_id):
        raise Problem(409, f"job {job_id} has ended, or is being cancelled; there is nothing to cancel")
    return shown(job_of(desk, job_id))


@router.post("/{job_id}/retry", response_model=JobAnswer, status_code=202)
async def retry(submission: Submitting, job_id: str) -> Any:
    """Queue a failed or cancelled job again; it goes on where it stopped."""
    return await submission.submit(lambda desk: desk.jobs.retry(job_id))


def job_of(desk: Here, job_id: str) -> Any:
    job = desk.jobs.get(job_id)
    if job is None:
        raise Problem(404, f"there is no job {job_id[:40]}")
    return job
