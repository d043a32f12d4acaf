"""Verification of the audit trail on a user's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker import evidence
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Unit


@job("verify_audit", limit=3_600)
def verify_audit(spec: Mapping[str, Any], work: Work) -> Commit:
    work.stage("Verify")
    verdict = evidence.check(work.store, progress=work.progress, tables=True)
    detail = {key: value for key, value in verdict.items() if key != "at"}

    def commit(unit: Unit) -> JobResult:
        return JobResult(detail, "audit_verified" if detail["holds"] else "audit_broken", ("audit:trail",), detail)

    return commit
