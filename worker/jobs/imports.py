"""Bars from a file: inspect and report; then refuse or repair and import, as the user chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market import BarTime, Instrument, bar_time, content_version, infer, instrument, join_ask, likely, readers, repair
from domain.market.report import moment
from domain.market.step import step_words, usual_step, usual_timeframe
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, instant
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.save_dataset import plain_ledger, save_dataset
from worker.store import Unit

EVIDENCE = 5        # clocks that are shown with their evidence
NO_CLOCK = "its times are those of the broker's server, and daily bars or bars of less than a week do not tell that clock"
SOURCES = {
    "csv": "CSV", "parquet": "Parquet", "mt5": "MetaTrader 5", "mt4": "MetaTrader 4", "hst": "MetaTrader 4", "histdata": "HistData", "histdata_mt": "HistData",
    "metastock": "MetaStock", "dukascopy": "Dukascopy", "yfinance": "Yahoo", "lean": "LEAN", "bid_ask": "CSV", "ticks": "ticks",
    "bi5": "Dukascopy", "yahoo_chart": "Yahoo", "oanda": "OANDA", "trading_data_stream": "Dukascopy",
    "mapped": "mapped file",
}  # fmt: skip


@job("inspect", limit=900)
def inspect_file(spec: Mapping[str, Any], work: Work) -> Commit:
    """Read the whole file and report its quality, changing nothing.

    ``spec``: file, name, format, instrument, timeframe ("": that of most rows), side, clock ("" to infer); ``ask`` (file, name, format)
    where the asks are in a file of their own; ``start`` where only the bars from then on are meant; ``bar_time`` (open or close) where it is chosen.
    """
    read = read_bars(spec, work)
    report = _with_clock_note(read.report, spec, read.clocks)
    result = dict(report=report.to_json(), clocks=read.clocks, bar_time=read.stamped.at if read.stamped.note else "")

    def commit(unit: Unit) -> JobResult:
        return JobResult(result, "file_inspected", (f"file:{spec['file'][:16]}",), dict(name=spec["name"], verdict=report.verdict, sentence=report.sentence, clock=report.clock))

    return commit


@job("import", limit=1_800)
def import_file(spec: Mapping[str, Any], work: Work) -> Commit:
    """Import the bars of a file. ``spec`` as for inspect, and ``repair``: whether broken rows may be dropped, merged or mended."""
    bars, report, clocks, raw_notes, stamped = read_bars(spec, work)
    if _clock_is_a_guess(spec, clocks):
        raise BadRequest(f"{spec['name']}: {NO_CLOCK}. Choose it (on the terminal --clock mt5_us, mt5_eu or another) and import again")
    if report.verdict == "refused":
        raise BadRequest(f"{spec['name']}: {report.sentence}")
    if report.verdict == "repairable" and not spec["repair"]:
        raise BadRequest(f"{spec['name']} is not clean: {report.sentence} Nothing was stored. Choose repair, or import a clean file")
    work.stage("Store")
    timeframe = Timeframe.named(report.timeframe)
    version = content_version(bars, spec["instrument"], timeframe, spec["side"])
    frames = dict(frame=work.store.frames.put(bars), ledger=work.store.frames.put(plain_ledger(report.ledger)) if len(report.ledger) else None)
    evidence = next((clock["sentence"] for clock in clocks if clock["clock"] == report.clock), "chosen by the user" if spec["clock"] else "stated by the file")
    source = dict(file=spec["file"], name=spec["name"], format=spec["format"], clock_evidence=evidence, notes=list(raw_notes), **by_close(stamped), **{key: spec[key] for key in ("ask", "mapping", "mapping_name") if key in spec})
    return save_dataset(
        work, bars, version, frames, report,
        instrument=spec["instrument"], timeframe=report.timeframe, side=spec["side"], source=SOURCES.get(spec["format"], spec["format"]),
        verdict="clean" if report.verdict == "clean" else "repaired", provenance=source, synthetic=False,
    )  # fmt: skip


class Read(NamedTuple):
    """The bars, the report, the clocks with their evidence, the reader's notes, and what its times are."""

    bars: pd.DataFrame
    report: Any
    clocks: list[dict[str, Any]]
    notes: tuple[str, ...]
    stamped: BarTime


def read_bars(spec: Mapping[str, Any], work: Work) -> Read:
    """The bars of a file, each labelled by its open, in UTC."""
    instrument_ = instrument(spec["instrument"], work.settings.instruments_file)
    work.stage("Read")
    named = Timeframe.named(spec["timeframe"]) if spec["timeframe"] else None
    raw = _raw(spec, instrument_, named, work, 0.0, 0.2 if "ask" in spec else 0.4)
    if "ask" in spec:
        raw = join_ask(raw, _raw(spec["ask"], instrument_, named, work, 0.2, 0.4))
    timeframe = Timeframe.named(spec["timeframe"] or ("M1" if _reader(spec).ticks else _usual(raw, spec)))
    work.stage("Clock")
    clock = spec.get("natural_clock") or raw.clock
    raw, stamped = _by_opens(raw, spec, timeframe, instrument_.calendar)
    start = instant(datetime.fromisoformat(spec["start"])) if spec.get("start") else None
    evidence = infer(raw.local_ns if start is None else _from(start, raw, spec["name"]), timeframe, instrument_.calendar)
    chosen = spec["clock"] or likely(clock, evidence)
    clocks = [dict(clock=e.clock, title=e.title, share=e.share, sentence=e.sentence, certain=e.certain, tied=list(e.tied)) for e in evidence[:EVIDENCE]]
    work.stage("Check")
    with work.store.read() as unit:
        at = unit.now()
    bars, report = repair(raw, instrument_, timeframe, chosen, at, progress=work.within(0.5, 0.95), start=start)
    if clock and not spec["clock"] and chosen != clock:
        report = replace(report, notes=(*report.notes, f"its times state {clock}, but its weeks open and close as those of {chosen}, so they are read on that clock; choose {clock} to read them as written"))
    return Read(bars, report, clocks, raw.notes, stamped)


def _by_opens(raw: readers.RawBars, spec: Mapping[str, Any], timeframe: Timeframe, calendar_name: str) -> tuple[readers.RawBars, BarTime]:
    """The rows labelled by their open, with a note where their times are, or may be, those of their close. Bars of ticks are as we made them."""
    if _reader(spec).ticks:
        return raw, BarTime("open")
    stated = spec["clock"] or spec.get("natural_clock") or raw.clock or ""
    stamped = bar_time(raw.local_ns, timeframe, calendar_name, stated, spec.get("bar_time", ""), raw.bar_time or spec.get("series_bar_time", ""))
    shift = timeframe.nanoseconds if stamped.at == "close" else 0
    return replace(raw, local_ns=raw.local_ns - shift if shift else raw.local_ns, notes=(*raw.notes, *filter(None, [stamped.note]))), stamped


def by_close(stamped: BarTime) -> dict[str, str]:
    """What the provenance says of files stamped at bar close, so that a newer one is read alike."""
    return dict(bar_time="close") if stamped.at == "close" else {}


def _from(start: int, raw: readers.RawBars, name: str) -> np.ndarray:
    """The times from a day before the start on: what is left out does not change the inference of their clock."""
    used = raw.local_ns[raw.local_ns >= start - DAY]
    if not len(used) and len(raw):
        raise BadRequest(f"{name} ends at {moment(int(raw.local_ns.max()))[:10]}, before the chosen start, {moment(start)[:10]}; choose an earlier one")
    return used


def _usual(raw: readers.RawBars, spec: Mapping[str, Any]) -> str:
    """The timeframe of most rows, or that of the first rows or the file name where most rows have none."""
    step, name = usual_step(raw.local_ns), spec["name"]
    timeframe = usual_timeframe(raw.local_ns) or spec.get("first_rows")
    if timeframe is None:
        what = f"most of its rows are {step_words(step)} apart, which is no timeframe" if step else "its rows do not say how far apart bars are"
        raise BadRequest(f"{name}: {what}; choose its timeframe")
    return timeframe


def _raw(file: Mapping[str, Any], instrument: Instrument, timeframe: Timeframe | None, work: Work, start: float, stop: float) -> readers.RawBars:
    """The rows of a staged file: its ``file``, ``name`` and ``format``. Ticks become bars of ``timeframe``."""
    data = work.settings.data
    with work.store.frames.open_file(file["file"], file["name"]) as path:
        return readers.read(path, file["format"], instrument, work.within(start, stop), max_bytes=data.max_import_mb * 1_000_000, max_rows=data.max_rows, timeframe=timeframe, mapping=file.get("mapping"))


def _reader(spec: Mapping[str, Any]) -> readers.Reader:
    return readers.reader_of(spec["format"], spec.get("mapping"))


def _clock_is_a_guess(spec: Mapping[str, Any], clocks: list[dict[str, Any]]) -> bool:
    """Whether the bars are on a broker's server clock that neither the user nor the file states."""
    return not spec["clock"] and not clocks and _reader(spec).server_clock


def _with_clock_note(report: Any, spec: Mapping[str, Any], clocks: list[dict[str, Any]]) -> Any:
    return replace(report, notes=(*report.notes, f"{NO_CLOCK}; {report.clock} is only assumed for this check")) if _clock_is_a_guess(spec, clocks) else report
