"""Bars of files for commands that compute in this process: validated, in UTC, of the requested timeframe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from domain.errors import BadRequest, TidemarkError
from domain.parsing import is_file, is_folder, shown

OWN = ("csv", "parquet")        # our own formats: times without a zone are UTC
CLOCK = (
    "Clock of files that do not say theirs, such as MetaTrader exports, and of signals without a zone: UTC, mt5_us, mt5_eu, a zone like Europe/Prague, UTC+2. "
    "Default: times without a zone in CSV and Parquet with ts are UTC, and other files are refused."
)

Clock = Annotated[str, typer.Option("--clock", help=CLOCK)]


@dataclass(frozen=True)
class FileBars:
    """The bars of a file, their timeframe, and the side that its reader recognised."""

    bars: Any
    timeframe: Any
    side: str | None


@dataclass
class BarFiles:
    """Reads the files of one command. ``clock`` is for files that do not state theirs. ``checks`` False: bad bars are taken as they are, for one
    who drops and names them."""

    table: Mapping[str, Any]
    clock: str = ""
    checks: bool = True
    unread: dict[str, tuple[int, list[str]]] = field(default_factory=dict)     # without checks: series -> how many of its rows are no bars, and the first of them
    _used: bool = field(default=False, repr=False)

    def read(self, path: Path, name: str, timeframe: Any = None) -> FileBars:
        """The bars of a file of the instrument ``name``; their spacing must be ``timeframe``, or that of any timeframe without one."""
        from domain.errors import unknown
        from domain.market import check, frame, readers

        if name not in self.table:
            raise unknown("instrument", name, self.table)
        if not is_file(path) and not is_folder(path):
            raise BadRequest(f"there is no file {shown(path)}")
        instrument, recognised = self.table[name], readers.recognise(path)
        raw = readers.read(path, recognised.format, instrument, timeframe=timeframe)
        if raw.malformed_count and self.checks:
            raise _refused(path, f"it is not a clean file of bars: {raw.malformed[0].reason} in line {raw.malformed[0].line}")
        _refuse_closes(path, raw, timeframe, instrument.calendar, recognised, self.clock)
        ts = self._instants(path, recognised, raw)
        bars = frame(ts, open=raw.open, high=raw.high, low=raw.low, close=raw.close, volume=raw.volume, spread=raw.spread)
        if not self.checks:
            known = _timeframe(path, np.unique(ts), timeframe)
            if raw.malformed_count:
                self.unread[f"{name} {known}"] = raw.malformed_count, [f"line {bad.line}: {bad.reason}" for bad in raw.malformed]
            return FileBars(bars, known, recognised.side)
        try:
            check(bars, instrument.negative_prices)
        except TidemarkError as error:
            raise _refused(path, str(error)) from None
        timeframe_ = _timeframe(path, ts, timeframe)
        _check(path, bars, instrument, timeframe_)
        return FileBars(bars, timeframe_, recognised.side)

    def finish(self) -> None:
        """All files are read: a clock that none of them needed is refused, as it would change nothing."""
        if self.clock and not self._used:
            raise BadRequest(f"--clock {self.clock} is not needed: every file says its own clock. Leave it out")

    def signals(self, table: Any) -> Any:
        """A table of signals, its times without a zone read on ``clock``, as those of the bars are; without one they are in UTC."""
        from domain.market import to_utc
        from domain.market.readers import stamps
        from domain.market.report import moment

        if not self.clock or "ts" not in table:
            return table
        texts = [str(text).strip() for text in table["ts"]]
        read = {k: stamps.parse_one(text, stamps.ISO) for k, text in enumerate(texts) if stamps.kind_of(text) == stamps.ISO}
        naive = [k for k, stamp in read.items() if not stamp.aware]
        instants, bad = to_utc(np.array([read[k].ns for k in naive], np.int64), self.clock)
        if bad.any():
            row = naive[int(bad.argmax())]
            raise BadRequest(f"row {row + 1} of the signals: {texts[row]} cannot be read on the clock {self.clock}; write it in UTC, with a Z at its end")
        for k, ns in zip(naive, instants, strict=True):
            texts[k] = moment(int(ns))
        return table.assign(ts=texts)

    def _instants(self, path: Path, recognised: Any, raw: Any) -> Any:
        """The times of the rows in UTC: by the file's own clock, or by ``clock``; never taken for UTC because nothing is known."""
        from domain.market import to_utc

        natural = recognised.clock or raw.clock
        if natural and natural != "UTC" and self.clock not in ("", natural):
            raise BadRequest(f"{shown(path)} is {recognised.title}, which uses the clock {natural}, and --clock says {self.clock}; leave --clock out, or give {natural}")
        if natural == "UTC" or (not self.clock and recognised.format in OWN and not natural):
            return raw.local_ns
        if not self.clock:
            raise _refused(path, f"it is not a clean file of bars in UTC ({recognised.title}, on a clock of its own)", "or say its clock with --clock")
        self._used = True
        ts, bad = to_utc(raw.local_ns, self.clock)
        if bad.any():
            raise _refused(path, f"{int(bad.sum()):,} of its times cannot be read on the clock {self.clock}, the first in line {raw.line[bad][0]}")
        return ts


def unnamed() -> Any:
    """An instrument for bars that are checked as bars and as those of no instrument: any prices, the days of FX."""
    from dataclasses import replace

    from domain.market import instruments

    return replace(instruments()["EURUSD"], name="these bars", kind="", margin_class="", tick=0.0, spread=0.0, negative_prices=True)


def _refuse_closes(path: Path, raw: Any, wanted: Any, calendar_name: str, recognised: Any, clock: str) -> None:
    """Bars stamped at their close, or at what may be it, are no bars to compute on: every decision would come a bar late."""
    from domain.market import bar_time, readers
    from domain.market.step import usual_timeframe
    from domain.market.timeframe import Timeframe

    usual = usual_timeframe(raw.local_ns)
    timeframe = wanted or (Timeframe.named(usual) if usual else None)
    if readers.reader_of(recognised.format).ticks or timeframe is None:
        return
    stated = recognised.clock or raw.clock or clock or "UTC"
    stamped = bar_time(raw.local_ns, timeframe, calendar_name, stated, by_format=raw.bar_time)
    if stamped.at == "close":
        raise _refused(path, "its times are the ends of its bars")
    if stamped.note and raw.bar_time != "close":
        raise _refused(path, "its times may be the ends of its bars", "with --bar-time close if they are, else open")


def _refused(path: Path, why: str, more: str = "") -> BadRequest:
    return BadRequest(f"{shown(path)}: {why}; import it with: tidemark data import {shown(path)}{', ' if more else ''}{more}")


def _timeframe(path: Path, ts: Any, wanted: Any) -> Any:
    """The requested timeframe if the bars have it; without a request that of most bars."""
    from domain.market.step import not_apart, step_words, usual_step, usual_timeframe
    from domain.market.timeframe import Timeframe

    if wanted is not None:
        apart = not_apart(ts, wanted)
        if apart:
            raise BadRequest(f"bars of {shown(path.name)} are {apart}; give their timeframe, or bars of {wanted}")
        return wanted
    usual = usual_timeframe(ts)
    if usual is None:
        what = f"most bars of {shown(path.name)} are {step_words(usual_step(ts))} apart, which is no timeframe" if len(ts) > 1 else f"{shown(path.name)} has one bar, which does not say its timeframe"
        raise BadRequest(f"{what}; give bars of M1 M5 M15 M30 H1 H4 D1")
    return Timeframe.named(usual)


def _check(path: Path, bars: Any, instrument: Any, timeframe: Any) -> None:
    """Prices and spreads of the instrument's size, and no part of another timeframe."""
    from domain.market import calendar, ts_of
    from domain.market.bars import PRICES
    from domain.market.coverage import coverage
    from domain.market.plausible import implausible_prices, implausible_spreads, price_sentence, spread_sentence
    from domain.market.report import moment
    from domain.market.verdict import day_or_moment

    ts, close = ts_of(bars), bars["close"].to_numpy()
    wrong = implausible_prices(tuple(bars[price].to_numpy() for price in PRICES), instrument)
    if wrong.any():
        raise _refused(path, price_sentence(close, instrument) or f"the bar at {moment(ts[wrong][0])} has a price of another order of magnitude, {close[wrong][0]:g}")
    spread = bars["spread"].to_numpy() if "spread" in bars else None
    if spread is not None and (odd := implausible_spreads(spread, close, instrument)).any():
        raise _refused(path, f"the spread at {moment(ts[odd][0])} is {spread[odd][0]:g}, and {spread_sentence(spread, instrument)}")
    covered = coverage(ts, timeframe, calendar(instrument.calendar))
    if any(stretch.coarse for stretch in covered.stretches):
        complete = day_or_moment(covered.complete_from, ts)
        raise _refused(path, covered.sentence(timeframe), f"from when it is complete: --from {complete}" if complete else "")
