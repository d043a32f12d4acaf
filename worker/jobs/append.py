"""A newer file appended to stored bars: compared bar by bar, then joined to a new version; the old one stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.market import Instrument, content_version, instrument, repair
from domain.market.append import Overlap, joined, overlap
from domain.market.timeframe import Timeframe
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.imports import read_bars
from worker.jobs.save_dataset import plain_ledger, save_dataset
from worker.store import Dataset, Unit

SHOWN = 1_000       # differing bars of a comparison that its result holds


@job("append_check", limit=900)
def compare_file(spec: Mapping[str, Any], work: Work) -> Commit:
    """Read a file and compare it with the series, changing nothing. ``spec`` as for an import, and ``dataset``: the id of the series."""
    old, new, report, clocks = _read(spec, work)
    bars, known = work.store.frames.get(old.frame), _instrument(spec, work)
    compared = overlap(bars, new)
    result = dict(report=report.to_json(), clocks=clocks, dataset=old.id, version=old.version, **_facts(compared, known))

    def commit(unit: Unit) -> JobResult:
        return JobResult(result, "file_compared", (f"dataset:{old.id}", f"file:{spec['file'][:16]}"), dict(name=spec["name"], sentence=result["sentence"], verdict=report.verdict))

    return commit


@job("append", limit=1_800)
def append_file(spec: Mapping[str, Any], work: Work) -> Commit:
    """Join a file to a series as a new version. ``spec`` as above, ``repair``, and ``overlap``: keep, replace, or "" where nothing may differ."""
    old, new, report, clocks = _read(spec, work)
    if report.verdict == "refused" or (report.verdict == "repairable" and not spec["repair"]):
        raise BadRequest(f"{spec['name']}: {report.sentence} Nothing was stored" + ("" if report.verdict == "refused" else ". Choose repair, or append a clean file"))
    work.stage("Compare")
    known = _instrument(spec, work)
    bars = work.store.frames.get(old.frame)
    compared = overlap(bars, new)
    if len(compared.differences) and not spec["overlap"]:
        raise BadRequest(f"{spec['name']}: {compared.sentence(known.digits)} Nothing was stored. Choose to keep the stored bars or to replace them (on the terminal --overlap keep or replace)")
    both = joined(bars, new, spec["overlap"] or "keep")
    if not compared.added and (spec["overlap"] != "replace" or not len(compared.differences)):
        raise BadRequest(f"{spec['name']} holds nothing new: {compared.sentence(known.digits)} Nothing was stored")
    return _saved(spec, work, old, report, _evidence(report, clocks), compared, both, known)


def _saved(spec: Mapping[str, Any], work: Work, old: Dataset, new_report: Any, evidence: str, compared: Overlap, both: pd.DataFrame, known: Instrument) -> Commit:
    """The commit of the new version, checked as a whole, with where it came from."""
    work.stage("Check")
    with work.store.read() as unit:
        at = unit.now()
    timeframe = Timeframe.named(old.timeframe)
    bars, report = repair(both, known, timeframe, "UTC", at, progress=work.within(0.6, 0.95))
    if report.verdict == "refused":
        raise BadRequest(f"{old.instrument} {old.timeframe} with {spec['name']}: {report.sentence} Nothing was stored")
    work.stage("Store")
    ledgers = [ledger for ledger in (work.store.frames.get(old.ledger) if old.ledger else None, new_report.ledger, report.ledger) if ledger is not None and len(ledger)]
    frames = dict(frame=work.store.frames.put(bars), ledger=work.store.frames.put(plain_ledger(pd.concat(ledgers, ignore_index=True))) if ledgers else None)
    origin = dict(
        file=spec["file"], name=spec["name"], format=spec["format"], clock_evidence=evidence, notes=list(new_report.notes), **{key: spec[key] for key in ("ask", "mapping", "mapping_name") if key in spec},
        **{key: old.provenance[key] for key in ("bar_time",) if key in old.provenance},
        appended_to=dict(dataset=old.id, version=old.version, bars=old.bars, first=old.first_ts.isoformat(), last=old.last_ts.isoformat()),
        overlap=dict(choice=spec["overlap"] or "keep", **{key: value for key, value in _facts(compared, known).items() if key != "rows"}), earlier=dict(old.provenance),
    )  # fmt: skip
    return save_dataset(
        work, bars, content_version(bars, old.instrument, timeframe, old.side), frames, replace(report, clock=old.clock),
        event="dataset_appended", entities=(f"dataset:{old.id}",), instrument=old.instrument, timeframe=old.timeframe, side=old.side, source=old.source,
        verdict="repaired" if "repaired" in (old.verdict, *(["repaired"] if new_report.verdict != "clean" or report.verdict != "clean" else [])) else "clean",
        provenance=origin, synthetic=False,
    )  # fmt: skip


def _read(spec: Mapping[str, Any], work: Work) -> tuple[Dataset, pd.DataFrame, Any, list[dict[str, Any]]]:
    with work.store.read() as unit:
        old = unit.datasets.get(spec["dataset"])
    if old is None:
        raise BadRequest(f"there is no dataset {spec['dataset']}; it may have been deleted. Choose one from the list")
    bars, report, clocks, *_ = read_bars(spec, work)
    if report.timeframe != old.timeframe:
        raise BadRequest(f"{spec['name']} holds bars of {report.timeframe}, and the series is {old.timeframe}; append a file of the same timeframe, or import it as a series of its own")
    return old, bars, report, clocks


def _facts(compared: Overlap, known: Instrument) -> dict[str, Any]:
    """The comparison as plain values; ``rows``: the first bars that differ."""
    rows = compared.differences.head(SHOWN)
    rows = rows.assign(ts=rows["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).replace([float("inf")], None).astype(object)
    return dict(
        sentence=compared.sentence(known.digits), both=compared.bars, differing=len(compared.differences), largest=min(compared.largest, 1e300), added=compared.added, inside=compared.inside, absent=compared.absent,
        rows=rows.where(rows.notna(), None).to_dict("records"),
    )  # fmt: skip


def _instrument(spec: Mapping[str, Any], work: Work) -> Instrument:
    return instrument(spec["instrument"], work.settings.instruments_file)


def _evidence(report: Any, clocks: list[dict[str, Any]]) -> str:
    return next((clock["sentence"] for clock in clocks if clock["clock"] == report.clock), "that of the series, or chosen by the user")
