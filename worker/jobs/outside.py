"""Outside data: bringing it in from a file, and what stands of it around the bars of a job that names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.features.sentiment import scored, scorer_name
from domain.market.instrument import Instrument
from domain.outside.headlines import headlines_of
from domain.outside.releases import concerning, read_releases
from domain.outside.rows import ReadTable, in_order
from domain.outside.series import known_of, series_table
from domain.outside.timed_values import TimedValues
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Outside, Unit
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
        read = _together(kind, *_before(spec, work), read)
    if kind == "headlines":
        work.stage("Score")
        read = ReadTable(scored(read.frame, watch=work.within(0.3, 0.9)), read.notes)
    work.stage("Store")
    frame = work.store.frames.put(read.frame)
    edges = [read.frame[TIME[kind]].iloc[edge].to_pydatetime() for edge in (0, -1)]
    about = dict(
        kind=kind, name=name, version=version_of(kind, name, frame), rows=len(read.frame), first_ts=edges[0], last_ts=edges[1], source=spec["source"], notes=list(read.notes),
        scorer=scorer_name() if kind == "headlines" else "", frame=frame, bytes=work.store.frames.size(frame), actor=work.job.actor, example=work.job.example,
    )  # fmt: skip

    def keep(unit: Unit) -> JobResult:
        unit.alone_with("outside")
        held, new = unit.outside.add(**about, created_at=unit.now())
        told = dict(what=kind, name=name, version=held.version, rows=held.rows, source=spec["source"], notes=about["notes"])
        return JobResult(dict(outside=held.id, new=new), "outside_imported" if new else "outside_known", (f"outside:{held.id}",), told)

    return keep


def _read(spec: Mapping[str, Any], work: Work) -> ReadTable:
    limits: dict[str, Any] = dict(max_bytes=work.settings.data.max_import_mb * 1_000_000, max_rows=work.settings.data.max_rows)
    with work.store.frames.open_file(spec["file"], spec["source"]) as path:
        if spec["kind"] == "series":
            return series_table(path, spec["name"], **limits)
        return (headlines_of if spec["kind"] == "headlines" else read_releases)(path, spec["utc"], **limits)


def _before(spec: Mapping[str, Any], work: Work) -> tuple[Outside, pd.DataFrame]:
    with work.store.look() as unit:
        held = unit.outside.get(spec["after"])
    if held is None:
        raise BadRequest(f"what {spec['source']} was to be added to is no longer here; import it by itself")
    return held, work.store.frames.get(held.frame)


def _together(kind: str, held: Outside, before: pd.DataFrame, read: ReadTable) -> ReadTable:
    """Both, each row once; of a date that both have the new value counts."""
    notes = (*read.notes, f"Added to the {held.rows:,} rows of {held.source}.")
    both = pd.concat([before[list(read.frame)], read.frame], ignore_index=True)
    if kind == "series":
        return ReadTable(both.drop_duplicates("date", keep="last").sort_values("date", ignore_index=True), notes)
    return ReadTable(in_order(both, kind).frame, notes)


def context_of(spec: Mapping[str, Any], work: Work) -> Callable[[Instrument], dict[str, Any]]:
    """What of ``spec["outside"]`` stands around an instrument's bars, as ``Around`` takes it: series and headlines by when they were known, and instants of its own releases."""
    asked = spec.get("outside", {})
    macro = {name: known_of(_frame(version, name, work)) for name, version in asked.get("series", {}).items()}
    shared: dict[str, Any] = dict(macro=macro) if macro else {}
    if "headlines" in asked:
        told = _frame(asked["headlines"], "headlines", work)
        shared["headlines"] = TimedValues(told["ts"].dt.as_unit("ns").astype("int64").to_numpy(), told["score"].to_numpy(float, copy=True))
    releases = _frame(asked["releases"], "releases", work) if "releases" in asked else None
    return lambda one: shared if releases is None else shared | dict(releases=concerning(releases, one, asked["impact"]))


def _frame(version: str, what: str, work: Work) -> pd.DataFrame:
    with work.store.look() as unit:
        held: Outside | None = unit.outside.get(version)
    if held is None:
        raise BadRequest(f"the external data {what} with version {version[:8]}… is no longer here; run it again to use the newest, or import it again")
    return work.store.frames.get(held.frame)
