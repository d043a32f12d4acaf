"""Checking and repairing bars: every check, one report, and bars that keep the contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from domain.market import mend
from domain.market.bars import OPTIONAL, PRICES, check, frame, ts_of
from domain.market.calendar import bar_ends, calendar
from domain.market.clock import Clock, clock, to_utc
from domain.market.coverage import Coverage, coverage
from domain.market.gaps import gap_findings, outside_finding
from domain.market.instrument import Instrument
from domain.market.plausible import price_sentence, spread_sentence
from domain.market.readers import Progress, RawBars
from domain.market.remarks import remarks
from domain.market.report import CHECKS, LEDGER, Example, Finding, Report, finding, moment, sentence_of
from domain.market.sessions import Calendar
from domain.market.step import not_apart
from domain.market.timeframe import Timeframe
from domain.market.verdict import FileFacts, cut_words, day_or_moment, verdict
from domain.market.zones import instant

NUMBERS = (*PRICES, *OPTIONAL)
WORST = 0.2                     # more of the rows than this dropped or in conflict: refused


def inspect(
    source: RawBars | pd.DataFrame, instrument: Instrument, timeframe: Timeframe, clock_key: Clock | str, at: datetime | int,
    known_until: int | None = None, worst: float = WORST, start: int | None = None,
) -> Report:  # fmt: skip
    """What is wrong with bars, nothing done: as ``repair`` would find it, with ``did`` "none" wherever it would change something."""
    report = repair(source, instrument, timeframe, clock_key, at, known_until, worst, start=start)[1]
    findings = tuple(replace(finding, did="none" if finding.severity == "broken" else finding.did) for finding in report.findings)
    sentence = report.sentence if report.verdict == "refused" else sentence_of(findings)
    return replace(report, findings=findings, sentence=sentence, ledger=pd.DataFrame(columns=list(LEDGER)))


def repair(
    source: RawBars | pd.DataFrame, instrument: Instrument, timeframe: Timeframe, clock_key: Clock | str, at: datetime | int,
    known_until: int | None = None, worst: float = WORST, progress: Progress | None = None, start: int | None = None,
) -> tuple[pd.DataFrame, Report]:  # fmt: skip
    """Valid bars, and the report of the findings and repairs. If the verdict is ``refused`` they must not be used.

    ``source`` is what a reader gave, or a frame of bars whose ``ts`` shows the wall time of ``clock_key``. ``at`` is the moment of asking (aware, or
    nanoseconds UTC): a bar that ends after it, or after ``known_until`` where the source knows no further, had not ended and is dropped.
    ``start`` (nanoseconds UTC) leaves out the rows before it, as if the file began there.
    """
    report_progress = progress or (lambda share, note: None)
    this = clock(clock_key) if isinstance(clock_key, str) else clock_key
    raw = source if isinstance(source, RawBars) else _raw(source)
    report_progress(0.0, "reading the clock")
    rows = _read_clock(raw, this, calendar(instrument.calendar))
    left_out = _leave_out(rows, start)
    times, prices, spreads = rows["ts"], price_sentence(rows["close"], instrument), _spread_sentence(rows, instrument)
    mend.mend(rows, timeframe, instrument, lambda note: report_progress(0.2, note))
    latest = instant(at) if known_until is None else min(instant(at), known_until)
    mend.drop_unfinished(rows, bar_ends(rows["ts"], timeframe, instrument.calendar), latest)
    report_progress(0.4, "checking the result")
    bars = check(frame(rows["ts"], **{name: rows[name] for name in NUMBERS if name in rows.columns}), instrument.negative_prices)
    report_progress(0.5, "looking for spikes")
    apart, cut = not_apart(np.unique(times), timeframe) or "", cut_words(times, timeframe)
    rows.findings += [_timeframe(rows["ts"], apart), *remarks(bars, timeframe, instrument.tick)]
    report_progress(0.7, "looking for gaps")
    covered = _check_coverage(rows, calendar(instrument.calendar), timeframe)
    rows_read = len(raw) + raw.malformed_count - left_out
    complete = day_or_moment(covered.complete_from, rows["ts"]) if apart or covered.insufficient else ""
    report = _report(rows, raw, bars, instrument, this, FileFacts(timeframe, rows_read, len(bars), worst, prices, spreads, apart, cut, covered, complete), left_out)
    report_progress(1.0, report.sentence)
    return bars, report


def _raw(bars: pd.DataFrame) -> RawBars:
    columns: dict[str, Any] = {name: bars[name].to_numpy(np.float64) if name in bars else None for name in NUMBERS}
    local = bars["ts"].dt.tz_localize(None).dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").view(np.int64)
    return RawBars(local, line=np.arange(1, len(bars) + 1), **columns)


def _read_clock(raw: RawBars, this: Clock, market: Calendar) -> mend.SourceRows:
    """The rows on UTC; those without a time on the clock, or in a year no calendar knows, are gone."""
    utc, bad = to_utc(raw.local_ns, this)
    rows = mend.SourceRows({"ts": utc, "line": raw.line, **{name: getattr(raw, name) for name in NUMBERS if getattr(raw, name) is not None}})
    _add_malformed(rows, raw)
    mend.drop_unreadable(rows, bad | ~market.knows(utc))
    return rows


def _add_malformed(rows: mend.SourceRows, raw: RawBars) -> None:
    examples = tuple(Example("", f"line {bad.line}: {bad.reason}: {bad.text}") for bad in raw.malformed)
    rows.findings.append(finding("malformed", raw.malformed_count, examples))
    if raw.malformed:
        lost = pd.DataFrame({"line": [bad.line for bad in raw.malformed], "action": "dropped", "reason": [f"{bad.reason}: {bad.text}" for bad in raw.malformed]})
        rows.ledger.append(lost.assign(ts=pd.DatetimeIndex(np.full(len(lost), "NaT", "datetime64[ns]"), tz="UTC")).reindex(columns=list(LEDGER)))


def _leave_out(rows: mend.SourceRows, start: int | None) -> int:
    """Leave out the rows before ``start``; how many those were."""
    early = rows["ts"] < start if start is not None else np.zeros(len(rows), bool)
    if early.any():
        rows.take(~early)
    return int(early.sum())


def _spread_sentence(rows: mend.SourceRows, instrument: Instrument) -> str:
    spread = rows.columns.get("spread", np.empty(0))
    return spread_sentence(spread, instrument) if (spread > 0).any() else ""


def _timeframe(ts: np.ndarray, apart: str) -> Finding:
    """Whether most bars are as far apart as the timeframe says."""
    return finding("timeframe", 1, (Example(moment(ts[0]) if len(ts) else "", f"bars are {apart}"),)) if apart else finding("timeframe", 0)


def _check_coverage(rows: mend.SourceRows, market: Calendar, timeframe: Timeframe) -> Coverage:
    """Findings on bars outside sessions and missing inside them, and how much of them is covered."""
    ts = rows["ts"]
    covered = coverage(ts, timeframe, market)
    examples = tuple(Example(moment(stretch.first), f"{stretch.bars:,} bars to {moment(stretch.last)[:10]}, {stretch.missing:,} missing") for stretch in covered.stretches)
    sparse = finding("sparse", sum(stretch.bars for stretch in covered.stretches) or (covered.bars if covered.insufficient else 0), examples)
    rows.findings += [replace(sparse, severity="broken", did="none") if covered.insufficient else sparse, outside_finding(ts, timeframe, market), *gap_findings(ts, timeframe, market)]
    return covered


def _report(rows: mend.SourceRows, raw: RawBars, bars: pd.DataFrame, instrument: Instrument, this: Clock, facts: FileFacts, left_out: int) -> Report:
    findings = tuple(sorted(rows.findings, key=lambda item: list(CHECKS).index(item.key)))
    start, end = (moment(ts_of(bars)[at]) if len(bars) else "" for at in (0, -1))
    outcome, sentence = verdict(findings, facts)
    ledger = pd.concat(rows.ledger, ignore_index=True).sort_values("line", ignore_index=True) if rows.ledger else pd.DataFrame(columns=list(LEDGER))
    return Report(
        instrument.name, str(facts.timeframe), this.key, facts.read, len(bars), start, end, findings, outcome, sentence, _notes(raw, left_out), facts.complete_from, left_out, ledger
    )


def _notes(raw: RawBars, left_out: int) -> tuple[str, ...]:
    hidden = raw.malformed_count - len(raw.malformed)
    more = (f"the first {len(raw.malformed):,} malformed lines are in the ledger, {hidden:,} more are only counted",) if hidden else ()
    return (*raw.notes, *more, *((f"{left_out:,} rows before the chosen start are left out",) if left_out else ()))
