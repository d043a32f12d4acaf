"""One file per kind of job."""

from domain.registry import discover
from worker.jobs.base import JOBS as JOBS
from worker.jobs.base import JobResult as JobResult
from worker.jobs.base import Work as Work
from worker.jobs.base import job as job

discover(__name__, __path__)
