"""Ask for a model to be mirrored, where a server is set: a job beside the change, which it never fails."""

from __future__ import annotations

import os

from worker.store.models import Model
from worker.store.unit import Unit

KIND, URI = "mlflow", "MLFLOW_TRACKING_URI"


def ask_for_mirror(unit: Unit, model: Model, actor: str) -> None:
    """Queue the job with the change itself; the scheduler sends it to a worker."""
    if os.environ.get(URI):
        job, _ = unit.jobs.add(KIND, "interactive", f"Mirror {model.title} to MLflow", dict(model=model.id), actor, unit.now())
        unit.audit(actor, "job_submitted", f"job:{job.id}", job=KIND, title=job.title)
