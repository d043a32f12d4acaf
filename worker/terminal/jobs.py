"""``tidemark jobs``: what is queued, running and done."""

from __future__ import annotations

import typer

from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Jobs: list, cancel, retry.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the latest jobs, newest first."""
    from worker.terminal.here import desk

    at = desk()
    now = at.jobs.now()
    rows = [
        dict(id=job.id, created=job.created_at, title=job.title, kind=job.kind, state=job.state, progress=job.progress, seconds=at.jobs.seconds(job, now), actor=job.actor, note=(job.error or {}).get("sentence", job.note))
        for job in at.jobs.latest()
    ]
    say(rows, as_json, ("id", "created", "title", "state", "progress", "seconds", "actor", "note"))


@app.command()
def cancel(job: str = typer.Argument(..., help="Job id."), as_json: Json = False) -> None:
    """Cancel a job."""
    from worker.terminal.here import desk

    say(dict(job=job, stopped=desk().jobs.cancel(job)), as_json)


@app.command()
def retry(job: str = typer.Argument(..., help="Job id."), as_json: Json = False) -> None:
    """Queue a failed or cancelled job again."""
    from worker.terminal.here import desk

    say(dict(job=job, queued=desk().jobs.retry(job).new), as_json)
