"""Judging and mending bars: every check, one report, and bars that keep the contract."""

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
from domain.market.gaps import gap_findings, outside_finding
from domain.market.instrument import Instrument
from domain.market.readers import Progress, RawBars
from domain.market.remarks import remarks
from domain.market.report import CHECKS, LEDGER, Example, Finding, Report, finding, moment, sentence_of
from domain.market.sessions import Calendar
from domain.market.timeframe import MINUTES, Timeframe
from domain.market.zones import instant

NUMBERS = (*PRICES, *OPTIONAL)
WORST = 0.2                     # more of the rows than this dropped or in conflict: refused


def inspect(
    source: RawBars | pd.DataFrame, instrument: Instrument, timeframe: Timeframe, clock_key: Clock | str, at: datetime | int,
    known_until: int | None = None, worst: float = WORST,
) -> Report:  # fmt: skip
    """What is wrong with bars, nothing done: as ``repair`` would find it, with ``did`` "none" wherever it would change something."""
    report = repair(source, instrument, timeframe, clock_key, at, known_until, worst)[1]
    findings = tuple(replace(found, did="none" if found.severity == "broken" else found.did) for found in report.findings)
    sentence = report.sentence if report.verdict == "refused" else sentence_of(findings)
    return replace(report, findings=findings, sentence=sentence, ledger=pd.DataFrame(columns=list(LEDGER)))


def repair(
    source: RawBars | pd.DataFrame, instrument: Instrument, timeframe: Timeframe, clock_key: Clock | str, at: datetime | int,
    known_until: int | None = None, worst: float = WORST, progress: Progress | None = None,
) -> tuple[pd.DataFrame, Report]:  # fmt: skip
    """Bars that keep the contract, and the report of what that took. If the verdict is ``refused`` they must not be used.

    ``source`` is what a reader gave, or a frame of bars whose ``ts`` shows the wall time of ``clock_key``. ``at`` is the moment of asking (aware, or
    nanoseconds UTC): a bar that ends after it, or after ``known_until`` where the source knows no further, had not ended and is dropped.
    """
    tell = progress or (lambda share, note: None)
    this = clock(clock_key) if isinstance(clock_key, str) else clock_key
    raw = source if isinstance(source, RawBars) else _raw(source)
    tell(0.0, "reading the clock")
    rows = _read_clock(raw, this, calendar(instrument.calendar))
    mend.mend(rows, timeframe, instrument.negative_prices, lambda note: tell(0.2, note))
    known = instant(at) if known_until is None else min(instant(at), known_until)
    mend.drop_unfinished(rows, bar_ends(rows["ts"], timeframe, instrument.calendar), known)
    tell(0.4, "checking the result")
    bars = check(frame(rows["ts"], **{name: rows[name] for name in NUMBERS if name in rows.columns}), instrument.negative_prices)
    tell(0.5, "looking for spikes")
    rows.findings += [_timeframe(rows["ts"], timeframe), *remarks(bars, timeframe, instrument.tick)]
    tell(0.7, "looking for gaps")
    rows.findings += _against(calendar(instrument.calendar), rows["ts"], timeframe)
    report = _report(rows, raw, bars, instrument, timeframe, this, worst)
    tell(1.0, report.sentence)
    return bars, report


def _raw(bars: pd.DataFrame) -> RawBars:
    columns: dict[str, Any] = {name: bars[name].to_numpy(np.float64) if name in bars else None for name in NUMBERS}
    local = bars["ts"].dt.tz_localize(None).dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").view(np.int64)
    return RawBars(local, line=np.arange(1, len(bars) + 1), **columns)


def _read_clock(raw: RawBars, this: Clock, market: Calendar) -> mend.Rows:
    """The rows on UTC; those without a time on the clock, or in a year no calendar knows, are gone."""
    utc, bad = to_utc(raw.local_ns, this)
    rows = mend.Rows({"ts": utc, "line": raw.line, **{name: getattr(raw, name) for name in NUMBERS if getattr(raw, name) is not None}})
    _tell_malformed(rows, raw)
    mend.drop_unreadable(rows, bad | ~market.knows(utc))
    return rows


def _tell_malformed(rows: mend.Rows, raw: RawBars) -> None:
    shown = tuple(Example("", f"line {bad.line}: {bad.reason}: {bad.text}") for bad in raw.malformed)
    rows.findings.append(finding("malformed", raw.malformed_count, shown))
    if raw.malformed:
        lost = pd.DataFrame({"line": [bad.line for bad in raw.malformed], "action": "dropped", "reason": [f"{bad.reason}: {bad.text}" for bad in raw.malformed]})
        rows.ledger.append(lost.assign(ts=pd.DatetimeIndex(np.full(len(lost), "NaT", "datetime64[ns]"), tz="UTC")).reindex(columns=list(LEDGER)))


def _timeframe(ts: np.ndarray, timeframe: Timeframe) -> Finding:
    """Whether the bars come as often as the timeframe says: not more often, and not never as often."""
    if len(ts) < 10:
        return finding("timeframe", 0)
    steps = np.diff(ts)
    usual, least = float(np.median(steps)), float(np.quantile(steps, 0.01))
    if timeframe.nanoseconds * 0.9 <= usual and least <= timeframe.nanoseconds * 1.1:
        return finding("timeframe", 0)
    found = next((name for name, minutes in MINUTES.items() if minutes * 60e9 == usual), f"{usual / 60e9:g} minutes")
    return finding("timeframe", 1, (Example(moment(ts[0]), f"bars are {found} apart, not {timeframe}"),))


def _against(market: Calendar, ts: np.ndarray, timeframe: Timeframe) -> list[Finding]:
    return [outside_finding(ts, timeframe, market), *gap_findings(ts, timeframe, market)]


def _report(rows: mend.Rows, raw: RawBars, bars: pd.DataFrame, instrument: Instrument, timeframe: Timeframe, this: Clock, worst: float) -> Report:
    findings = tuple(sorted(rows.findings, key=lambda found: list(CHECKS).index(found.key)))
    read = len(raw) + raw.malformed_count
    start, end = (moment(ts_of(bars)[at]) if len(bars) else "" for at in (0, -1))
    verdict, sentence = _verdict({found.key: found for found in findings}, findings, read, len(bars), worst)
    ledger = pd.concat(rows.ledger, ignore_index=True).sort_values("line", ignore_index=True) if rows.ledger else pd.DataFrame(columns=list(LEDGER))
    return Report(instrument.name, str(timeframe), this.key, read, len(bars), start, end, findings, verdict, sentence, _notes(raw), ledger)


def _notes(raw: RawBars) -> tuple[str, ...]:
    hidden = raw.malformed_count - len(raw.malformed)
    return (*raw.notes, f"the first {len(raw.malformed):,} malformed lines are in the ledger, {hidden:,} more are only counted") if hidden else raw.notes


def _verdict(by_key: dict[str, Finding], findings: tuple[Finding, ...], read: int, kept: int, worst: float) -> tuple[str, str]:
    lost = sum(by_key[key].count for key in ("malformed", "clock", "prices", "inverted", "grid", "conflicts"))
    if by_key["timeframe"].count:
        return "refused", f"Refused: {by_key['timeframe'].examples[0].what}; choose that timeframe, or resample. {sentence_of(findings)}"
    if not kept:
        return "refused", f"Refused: of {read:,} rows no bar is left. {sentence_of(findings)}"
    if lost > worst * read:
        return "refused", f"Refused: {lost:,} of {read:,} rows are broken, and {worst:.0%} is the most. {sentence_of(findings)}"
    broken = any(found.count for found in findings if found.severity == "broken")
    return "repairable" if broken else "clean", sentence_of(findings)
