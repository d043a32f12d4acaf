"""Evidence that leaves the system: a bundle of the audit trail, and the proof of one event."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, InternalError, ProgrammingError

from domain.audit import bundle, plain
from domain.audit.bundle import Point, Proof
from domain.errors import BadRequest
from worker import bundle as writer
from worker.bundle_evidence import evidence_of, point_of
from worker.checkpoints.key_file import KeyFile
from worker.desk.context import DeskContext, Submitted, required
from worker.held import Held, in_store
from worker.store import Filter, Job, Unit
from worker.store.append import TrailBroken

MOST_HERE = 5_000       # events that a page's process writes itself: some 0.2 s
KIND = "audit_bundle"       # of the job that writes more
KEPT = timedelta(hours=23)  # how long its file is offered; it is removed after a day
log = logging.getLogger("bundle")


class BundleView:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def write(self, path: Path, wanted: Filter = Filter(), checkpoint: str = "") -> dict[str, Any]:
        """Write the bundle of the events that fit ``wanted`` to a ZIP file, part by part.

        Returns rows, their range, the last checkpoint, bytes, SHA-256, and whether the download could be recorded: it
        is an event that carries the last checkpoint. ``checkpoint``: one that somebody holds, which the proofs then
        lead to. Raises ``BadRequest`` where nothing fits, or the checkpoint is of more rows than there are.
        """
        with self._context.store.read() as unit:
            written = writer.write(unit, path, wanted, evidence_of(unit, self.keys(), checkpoint), self._about(unit, wanted)).__dict__
        return written | dict(recorded=self._downloaded("audit bundle", "zip", **written | dict(filter=_parts(wanted))))

    def is_large(self, wanted: Filter = Filter()) -> bool:
        """Whether a page would wait for it: more than 5,000 events are written as a job."""
        with self._context.store.read() as unit:
            return unit.trail_index.count(wanted, MOST_HERE) > MOST_HERE

    def submit(self, wanted: Filter = Filter()) -> Submitted:
        """Write the bundle in the background, once a state of the trail; ``fetch`` copies it when it is ready."""
        with self._context.store.read() as unit:
            spec = dict(wanted=plain(wanted.__dict__), keys=self.keys(), about=self._about(unit, wanted))
            rows = unit.trail.head()[0]
            open_ = next((job for job in unit.jobs.latest(kinds=(KIND,), limit=20) if job.open and job.spec["wanted"] == spec["wanted"]), None)
        if open_:
            return Submitted(open_, False)
        what = ", ".join(f"{name} {value}" for name, value in _parts(wanted).items()) or f"all {rows:,} events"
        return self._context.submit(KIND, f"Bundle of the audit trail: {what}"[:200], spec)

    def job(self, job_id: str) -> Job | None:
        """The job of a bundle that was submitted; None where the id names none."""
        with self._context.store.read() as unit:
            job = unit.jobs.get(job_id)
        return job if job and job.kind == KIND else None

    def ready(self) -> Job | None:
        """The newest bundle that was written in the background and is still stored."""
        with self._context.store.read() as unit:
            done = next(iter(unit.jobs.latest(("done",), (KIND,), 1)), None)
            return done if done and done.result and done.ended_at and done.ended_at > unit.now() - KEPT else None

    def fetch(self, job_id: str, path: Path) -> None:
        """Copy the bundle of a finished job to a file; the download is an event that carries the last checkpoint."""
        job = required(self.job(job_id), "bundle", job_id)
        if not job.result:
            raise BadRequest(f"the bundle {job_id} is not ready; wait for its job, or prepare another on the Audit page")
        self._context.store.blobs.copy(job.result["file"], path)
        self._downloaded("audit bundle", "zip", **{key: job.result[key] for key in ("scope", "rows", "first", "last", "bytes", "sha256")}, job=job_id)

    def _about(self, unit: Unit, wanted: Filter) -> dict[str, Any]:
        return dict(filter=_parts(wanted), made_at=f"{unit.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", made_by=self._context.user)

    def proof(self, event: str, checkpoint: str = "") -> Proof:
        """The proof of the event with this number, id or hash, in the tree of the last checkpoint, or of the one that is given.

        Raises ``BadRequest`` where there is no such event, or it came after that checkpoint.
        """
        with self._context.store.read() as unit:
            record = unit.trail_index.named(event)
            if record is None:
                raise BadRequest(f"the trail has no event {event!r}; give its number, its id or its whole hash")
            proof = bundle.proof_of(record, self._size(unit, checkpoint), unit.trail.node)
        self._downloaded("proof of an event", "json", event=record.seq, hash=record.hash)
        return proof

    def against(self, verdict: dict[str, Any], held: Held) -> dict[str, Any]:
        """The verdict on the trail, and on whether a checkpoint that somebody holds is of it."""
        return in_store(verdict, self._context.store, held)

    def keys(self) -> str:
        """The public keys of the trail, each with the statement by which it followed; empty where none was made yet."""
        chain = KeyFile(self._context.settings.home).chain()
        return chain.text if chain else ""

    def name(self, wanted: Filter = Filter(), at: datetime | None = None) -> str:
        """What to call the file.

        >>> from datetime import datetime
        >>> BundleView(None).name(Filter(since="2026-11-20T09:00:00", entity="run:91d4"), datetime(2026, 11, 21))
        'tidemark-audit-run-91d4-from-2026-11-20-made-2026-11-21.zip'
        """
        parts = [wanted.entity.replace(":", "-"), wanted.since and f"from-{wanted.since[:10]}", wanted.until and f"to-{wanted.until[:10]}", at and f"made-{at:%Y-%m-%d}"]
        return "-".join(("tidemark-audit", *(part for part in parts if part))) + ".zip"

    def _size(self, unit: Unit, checkpoint: str) -> int:
        rows = unit.trail.head()[0]
        if checkpoint:
            return point_of(checkpoint, rows).checkpoint.size
        latest = unit.checkpoints.latest()
        return Point.of(latest.note).checkpoint.size if latest else rows

    def _downloaded(self, what: str, form: str, **detail: Any) -> bool:
        """False where the trail is so damaged that it takes no more events: its evidence leaves all the same."""
        try:
            with self._context.store.unit() as unit:
                latest = unit.checkpoints.latest()
                carried = dict(size=latest.size, root=latest.root, note=latest.note) if latest else {}
                unit.audit(self._context.user, "downloaded", "audit:trail", what=what, form=form, **detail | dict(checkpoint=carried))
        except (TrailBroken, IntegrityError, DataError, InternalError, ProgrammingError):
            log.exception("the audit trail takes no more events; a download of it (%s) is not recorded", what)
            return False
        return True


def _parts(wanted: Filter) -> dict[str, Any]:
    """The parts of the filter that are given."""
    return {name: value for name, value in plain(wanted.__dict__).items() if value}
