"""Replay of what is stored as it is: bars, external data, settings of jobs, verifications."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from domain.audit import canonical, plain
from domain.audit.replay import Answer, Check, compared
from domain.audit.verify import Checker
from domain.errors import BadRequest
from domain.market import content_version, instrument
from domain.market.timeframe import Timeframe
from domain.params import build
from domain.venues.synthetic import MODELS, generate
from worker.jobs.base import Work
from worker.store import Dataset
from worker.store.frames import content_hash
from worker.store.outside import version_of

Event = Mapping[str, Any]
NOTHING = "nothing"
EVERY = 2_000       # rows between two reports of progress


def entity(event: Event, kind: str) -> str:
    """The id of the first entity of that kind; empty where there is none."""
    return next((name.partition(":")[2] for name in event["entities"] if name.startswith(f"{kind}:")), "")


def gone(what: str, name: str) -> Answer:
    return Answer("impossible", (), (f"The {what} {name} is no longer here.",))


def of_dataset(event: Event, work: Work) -> Answer:
    """The bars of the dataset hash to the version that the event recorded; synthetic ones are generated again."""
    with work.store.read() as unit:
        dataset = unit.datasets.as_stored(entity(event, "dataset"))
    if dataset is None:
        return gone("dataset", entity(event, "dataset"))
    work.stage("Hash the bars")
    recorded = event["detail"]["version"]
    checks = [Check("version in the catalogue", recorded, dataset.version), Check("version of the stored bars", recorded, _version(dataset, work))]
    if dataset.synthetic and "model" in dataset.provenance:
        work.stage("Generate again")
        checks.append(Check("version of the bars generated again", recorded, _generated(dataset, work)))
    return compared(checks, equal="equal" if len(checks) > 2 else "unchanged")


def _version(dataset: Dataset, work: Work) -> str:
    try:
        bars = work.store.frames.as_stored(dataset.frame)
    except (OSError, pa.ArrowException):
        return NOTHING
    return content_version(bars.assign(ts=bars["ts"].dt.as_unit("ns")), dataset.instrument, Timeframe.named(dataset.timeframe), dataset.side)


def _generated(dataset: Dataset, work: Work) -> str:
    from datetime import datetime

    origin, timeframe = dataset.provenance, Timeframe.named(dataset.timeframe)
    instrument_ = instrument(dataset.instrument, work.settings.instruments_file)
    start, end = (datetime.fromisoformat(origin[edge]) for edge in ("start", "end"))
    bars = generate(build(MODELS[origin["model"]], origin["params"]), instrument_, timeframe, start, end, origin["seed"])
    return content_version(bars, dataset.instrument, timeframe, dataset.side)


def of_outside(event: Event, work: Work) -> Answer:
    """The rows of the external data hash to the version that the event recorded."""
    name = entity(event, "outside")
    with work.store.read() as unit:
        outside = unit.outside.as_stored(name)
    if outside is None:
        return gone("import", name)
    work.stage("Hash the rows")
    try:
        frame = content_hash(work.store.frames.as_stored(outside.frame))
    except (OSError, pa.ArrowException):
        frame = NOTHING
    return compared([Check("version of the stored rows", event["detail"]["version"], version_of(outside.kind, outside.name, frame))], equal="unchanged")


def of_job(event: Event, work: Work) -> Answer:
    """The job's settings hash to what was recorded when it was submitted."""
    name = entity(event, "job")
    with work.store.read() as unit:
        job = unit.jobs.get(name)
    if job is None:
        return gone("job", name)
    now = hashlib.sha256(canonical(plain(job.spec))).hexdigest()
    kind = Check("kind of job", event["detail"]["job"], job.kind)
    return compared([kind, Check("hash of the settings", event["detail"]["spec"], now)], equal="unchanged")


def of_verification(event: Event, work: Work) -> Answer:
    """The rows that were verified then are verified again: same head, same root, same verdict."""
    detail, checker, why = event["detail"], Checker(), ""
    rows = int(detail["rows"])
    work.stage("Verify again")
    with work.store.read() as unit:
        for record in unit.trail.all():
            if record.seq > rows or (why := checker.take(record)):
                break
            if record.seq % EVERY == 0:
                work.progress(record.seq / max(rows, 1), f"{record.seq:,} of {rows:,} events")
    if "root" not in detail:
        raise BadRequest("this verification is of a version that recorded no root, so it cannot be compared")
    checks = [Check("rows that verify", str(rows), str(checker.rows)), Check("head", detail["head"], checker.head), Check("root of the tree", detail["root"], checker.root())]
    return compared(checks, [why] if why else [])
