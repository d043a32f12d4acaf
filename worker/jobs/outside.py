"""External data: import from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.features.sentiment import scored, scorer_name
from domain.outside.headlines import headlines_of
from domain.outside.releases import read_releases
from domain.outside.rows import ReadTable, in_order
from domain.outside.series import series_table
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Outside, Unit
from worker.store.former_names import SERIES, current, stored
from worker.store.outside import version_of

Watch = Callable[[float], None]
TIME = {"series": "date", "headlines": "ts", "releases": "ts"}      # the column that says when


@job("import_outside", limit=1_800)
def import_outside(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: file, source (the file's own name), kind, name, utc (times without a zone are in UTC), after (id of the import in use at submission, or none),
    added (whether this is added to that one; else it takes its place)."""
    kind, name = spec["kind"], spec["name"]
    work.stage("Read")
    read = _read(spec, work)
    if spec["added"]:
        read = together(kind, *before(spec, work), read)
    return saved(kind, name, read, spec["source"], work)


def saved(kind: str, name: str, read: ReadTable, source: str, work: Work) -> Commit:
    """The last steps of what came from a file or a vendor: headlines are scored, and the rows become the newest of their kind and name."""
    if kind == "headlines":
        work.stage("Score")
        read = ReadTable(scored(read.frame, watch=work.within(0.3, 0.9)), read.notes)
    work.stage("Store")
    frame = work.store.frames.put(stored(read.frame, SERIES))
    edges = [read.frame[TIME[kind]].iloc[edge].to_pydatetime() for edge in (0, -1)]
    about = dict(
        kind=kind, name=name, version=version_of(kind, name, frame), rows=len(read.frame), first_ts=edges[0], last_ts=edges[1], source=source, notes=list(read.notes),
        scorer=scorer_name() if kind == "headlines" else "", frame=frame, bytes=work.store.frames.size(frame), actor=work.job.actor, example=work.job.example,
    )  # fmt: skip

    def commit(unit: Unit) -> JobResult:
        unit.alone_with("outside")
        outside, new = unit.outside.add(**about, created_at=unit.now())
        detail = dict(what=kind, name=name, version=outside.version, rows=outside.rows, source=source, notes=about["notes"])
        return JobResult(dict(outside=outside.id, new=new), "outside_imported" if new else "outside_unchanged", (f"outside:{outside.id}",), detail)

    return commit


def _read(spec: Mapping[str, Any], work: Work) -> ReadTable:
    limits: dict[str, Any] = dict(max_bytes=work.settings.data.max_import_mb * 1_000_000, max_rows=work.settings.data.max_rows)
    with work.store.frames.open_file(spec["file"], spec["source"]) as path:
        if spec["kind"] == "series":
            return series_table(path, spec["name"], **limits)
        return (headlines_of if spec["kind"] == "headlines" else read_releases)(path, spec["utc"], **limits)


def before(spec: Mapping[str, Any], work: Work) -> tuple[Outside, pd.DataFrame]:
    """The import ``spec["after"]`` and its rows."""
    with work.store.read() as unit:
        outside = unit.outside.get(spec["after"])
    if outside is None:
        raise BadRequest(f"what {spec['source']} was to be added to is no longer here; import it by itself")
    return outside, current(work.store.frames.get(outside.frame), SERIES)


def together(kind: str, outside: Outside, before: pd.DataFrame, read: ReadTable) -> ReadTable:
    """Both, each row once; of a date that both have the new value counts."""
    notes = (*read.notes, f"Added to the {outside.rows:,} rows of {outside.source}.")
    both = pd.concat([before[list(read.frame)], read.frame], ignore_index=True)
    if kind == "series":
        return ReadTable(both.drop_duplicates("date", keep="last").sort_values("date", ignore_index=True), notes)
    return ReadTable(in_order(both, kind).frame, notes)
