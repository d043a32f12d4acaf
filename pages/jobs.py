"""Jobs: every long task with its state, its progress and what can be done with it."""

from __future__ import annotations

from app.jobs.active import active_jobs
from app.jobs.filters import filters
from app.jobs.heading import heading
from app.jobs.listed import jobs_list
from app.kit.page import Page

PAGE = Page("Jobs", "System", 5, "list_alt")


def render(desk) -> None:
    heading(desk)
    active_jobs(desk)
    jobs_list(desk, filters(desk))
