"""A large bundle of the audit trail, written beside the page: it is downloaded when it is ready."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from worker.bundle import write
from worker.bundle_evidence import evidence_of
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Filter, Unit

KIND = "audit_bundle"


@job("audit_bundle", limit=6 * 3_600)
def audit_bundle(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: wanted (the filter), keys (public, as text), about (what the manifest says). The file is stored for a day by its SHA-256."""
    work.stage("Write")
    wanted = Filter(**{**spec["wanted"], "kinds": tuple(spec["wanted"]["kinds"])})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.zip"
        with work.store.read() as unit:
            written = write(unit, path, wanted, evidence_of(unit, spec["keys"]), dict(spec["about"]), work.within(0.0, 0.95))
        work.stage("Store")
        work.store.blobs.put_file(path, written.sha256)

    def commit(unit: Unit) -> JobResult:
        detail = asdict(written)
        return JobResult(dict(detail, file=written.sha256), "audit_bundled", ("audit:trail",), {key: value for key, value in detail.items() if key != "checkpoint"})

    return commit
