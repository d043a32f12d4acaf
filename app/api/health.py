"""Health, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from fastapi import APIRouter, Response
from starlette.responses import PlainTextResponse

from app.api.paging import json_of
from app.api.shapes import Answer
from app.api.submission import Here

router = APIRouter(prefix="/v1", tags=["health"])
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class HealthAnswer(Answer):
    """How the parts are. ``feeds``: of open sessions on live prices; `price_age_seconds` is null before the first one."""

    status: Literal["ok", "failed"]
    parts: list[dict[str, Any]]
    feeds: list[dict[str, Any]]
    versions: dict[str, Any]


@router.get("/health", response_model=HealthAnswer, responses={503: {"model": HealthAnswer, "description": "A part has failed"}})
def health(desk: Here) -> Response:
    """Database, queue, workers, audit trail, disk, feeds and broker: what is well, and what to do where it is not. 503 where a part has failed."""
    parts, sessions = desk.system.health(), [row for row in desk.paper.all() if not row.over]
    feeds = [dict(session=row.name, state=row.state, source=row.source, broker=row.broker, price_age_seconds=row.price_age) for row in sessions if row.source in ("oanda", "mt5")]
    well = all(part.state != "failed" for part in parts)
    return json_of(dict(status="ok" if well else "failed", parts=parts, feeds=feeds, versions=desk.system.versions()), 200 if well else 503)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(desk: Here) -> Response:
    """The same in the text format of Prometheus."""
    return PlainTextResponse(exposed(desk), media_type=PROMETHEUS)


def exposed(desk: Here) -> str:
    figures, pulse = desk.system.figures(), desk.jobs.pulse()
    rows = desk.paper.all()
    parts = [
        family("tidemark_workers", "gauge", "worker processes alive", [({}, pulse.workers)]),
        family("tidemark_scheduler_up", "gauge", "1 where the scheduler is alive", [({}, int(pulse.scheduler))]),
        family("tidemark_queue_depth", "gauge", "jobs that wait, by queue", [({"queue": name}, depth) for name, depth in figures.waiting.items()]),
        family("tidemark_jobs_running", "gauge", "jobs that run", [({}, pulse.running)]),
        family("tidemark_jobs_total", "gauge", "jobs of the last day, by kind and state", [({"kind": kind, "state": state}, count) for (kind, state), count in figures.jobs.items()]),
        family("tidemark_job_seconds", "gauge", "mean seconds of finished jobs of the last day, by kind", [({"kind": kind}, seconds) for kind, seconds in figures.seconds.items()]),
        family("tidemark_audit_events", "counter", "events in the audit trail", [({}, pulse.rows)]),
        family("tidemark_audit_lag_events", "gauge", "events that no signed checkpoint covers yet", [({}, figures.uncovered)]),
        family("tidemark_sessions", "gauge", "paper sessions, by state", [({"state": state}, sum(row.state == state for row in rows)) for state in sorted({row.state for row in rows})]),
        family("tidemark_feed_age_seconds", "gauge", "seconds since the newest price of a session", [({"session": row.name}, row.price_age) for row in rows if row.price_age is not None and not row.over]),
        family("tidemark_step_lateness_seconds", "gauge", "seconds from the end of a bar to its commit, the last one of each session", [({"session": name}, late) for name, late in figures.lateness.items()]),
    ]
    return "".join(parts)


def family(name: str, kind: str, about: str, samples: Iterable[tuple[dict[str, str], float]]) -> str:
    """
    >>> print(family("jobs", "gauge", "waiting", [({"queue": 'a"b'}, 2)]), end="")
    # HELP jobs waiting
    # TYPE jobs gauge
    jobs{queue="a\\"b"} 2
    """
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inside = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
