"""Whose work this is: the request that submitted it, and the job that does it. Log lines and audit events name both."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("request", default="")
JOB: ContextVar[str] = ContextVar("job", default="")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def begin_request(of: str, given: str = "") -> str:
    """Name the request of this thread or task: as ``given`` where that is an id, else by a new one.

    >>> begin_request("api", "trace-17"), begin_request("api", "no id\\n").startswith("api-"), REQUEST.set("") is None
    ('trace-17', True, False)
    """
    name = given if ID.fullmatch(given) else f"{of}-{secrets.token_hex(6)}"
    REQUEST.set(name)
    return name


@contextmanager
def job_of(job_id: str, request: str) -> Iterator[None]:
    """Inside, everything is about this job, and about the request that submitted it."""
    job, before = JOB.set(job_id), REQUEST.set(request)
    try:
        yield
    finally:
        JOB.reset(job)
        REQUEST.reset(before)
