"""Replay of an audit event: the decision that it records computed again; equal, or what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.audit import GENESIS, Record, chain_hash
from domain.audit.kinds import current_kind
from domain.audit.replay import OF_SESSIONS, ORDERS_OF, REPLAYS, Answer, Check
from domain.errors import BadRequest
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.replay_order import of_order
from worker.jobs.replay_runs import of_run
from worker.jobs.replay_session import of_session
from worker.jobs.replay_stored import of_dataset, of_job, of_outside, of_verification
from worker.store import Unit

OF_KIND = {
    **dict.fromkeys(("run_finished", "run_reproduced", "run_histories_drawn", "gate_passed", "gate_refused", "run_judged", "chance_estimated", "risk_measured"), of_run),
    **dict.fromkeys(("dataset_imported", "dataset_appended", "dataset_unchanged"), of_dataset),
    **dict.fromkeys(("outside_imported", "outside_unchanged"), of_outside),
    **dict.fromkeys(("audit_verified", "audit_broken"), of_verification),
    "job_submitted": of_job,
    **dict.fromkeys(OF_SESSIONS, of_session),
}


@job("replay", limit=86_400, after="compile")
def replay(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: ``seq`` of the event; for one order inside a run ``order`` (its number) and ``instrument``. A difference is a result, not a failure."""
    work.stage("Check the event")
    record, before = _read(spec["seq"], work)
    if current_kind(record.kind) not in REPLAYS:
        raise BadRequest(f"event {record.seq:,} ({record.kind.replace('_', ' ')}) records no decision that can be computed again; choose an event of a run, an order of a session, a dataset, a job or a verification")
    row = _row_check(record, before)
    event = json.loads(record.body)
    if not row.same:
        answer = Answer("differs", (row,), (f"Row {record.seq:,} is not what was recorded, so nothing was computed from it. Verify the trail.",))
    elif spec.get("order"):
        answer = of_order(event, spec, work) if record.kind in ORDERS_OF else _no_orders(record)
    else:
        answer = OF_KIND[current_kind(record.kind)](event, work)
    return _kept(record, event, replace(answer, checks=(row, *answer.checks)) if row.same else answer, spec)


def _read(seq: int, work: Work) -> tuple[Record, Record | None]:
    with work.store.read() as unit:
        record = unit.trail_index.named(str(seq))
        before = unit.trail_index.named(str(seq - 1)) if seq > 1 else None
    if record is None:
        raise BadRequest(f"there is no event {seq:,} in the audit trail")
    return record, before


def _row_check(record: Record, before: Record | None) -> Check:
    """The event's own row: its hash from its text and from the hash of the row before it."""
    head = before.hash if before else GENESIS
    return Check("row of the event", record.hash, chain_hash(record.seq, head, record.body))


def _no_orders(record: Record) -> Answer:
    raise BadRequest(f"event {record.seq:,} ({record.kind.replace('_', ' ')}) has no orders; choose an event of a backtest, or leave the order out")


def _kept(record: Record, event: Mapping[str, Any], answer: Answer, spec: Mapping[str, Any]) -> Commit:
    order = dict(order=spec["order"], instrument=spec["instrument"]) if spec.get("order") else {}
    detail = dict(of=record.seq, hash=record.hash, replayed=record.kind, verdict=answer.verdict, sentence=answer.sentence, **order)
    result = dict(**detail, checks=[check.plain() for check in answer.checks], notes=list(answer.notes), decision=answer.decision)

    def commit(unit: Unit) -> JobResult:
        return JobResult(result, "decision_replayed", (f"event:{record.seq}", *event["entities"][:1]), detail)

    return commit
