"""Dukascopy's ticks (.bi5) made into bars: the file of an hour, a folder of them as Dukascopy lays them out, or a .zip of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.bi5_files import ENDING, HourFile, Hours, hours_in
from domain.market.readers.bi5_hour import quotes_of
from domain.market.readers.files import ZIP
from domain.market.readers.points import points_in_one
from domain.market.readers.sample import PREVIEW, instrument_in
from domain.market.readers.tick_bars import TickBars

SAY = 100       # hours between two reports of progress


class Bi5(Reader):
    """Times are UTC, prices points of the instrument. Lines are ticks, from 1."""

    key = "bi5"
    title = "Dukascopy ticks (.bi5), made into bars"
    family = "Dukascopy (CSV, .bi5)"
    folders = True
    ticks = True
    whole = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        """An hour's file by its name, as it may be empty; a .zip that was not opened, as it holds no table."""
        if name.lower().endswith(ENDING) or head.startswith(ZIP):
            return Recognised(self.key, self.title, instrument_in(name), "M1", "UTC", "bid", "Dukascopy's compressed ticks")
        return None

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        with hours_in(path, max_bytes) as hours:
            return replace(recognised, instrument=instrument_in(hours.symbol) or recognised.instrument, evidence=_evidence(hours), preview=_preview(hours))

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        ticks, empty, points = TickBars(), [], points_in_one(instrument)
        with hours_in(path, limits.max_bytes) as hours:
            for count, file in enumerate(hours.files, 1):
                try:
                    if not _add(file, points, ticks):
                        empty.append(file)
                except ValueError as error:
                    ticks.refuse(ticks.ticks + 1, file.name, str(error))
                if ticks.rows > limits.max_rows:
                    raise BadRequest(f"{path.name} has more than {limits.max_rows:,} minutes, which is the limit; import it year by year, or raise the limit in the settings")
                if count % SAY == 0:
                    progress(count / len(hours.files), f"{ticks.ticks:,} ticks read")
        if not ticks.ticks:
            raise BadRequest(f"{path.name} holds no ticks: {_why(ticks, hours)}")
        raw = ticks.bars(limits.timeframe, instrument.calendar, utc=True)
        progress(1.0, f"{ticks.ticks:,} ticks read")
        return replace(raw, clock="UTC", notes=(ticks.sentence(len(raw), limits.timeframe), *_notes(hours, empty)))


def _add(file: HourFile, points: float, ticks: TickBars) -> int:
    quotes = quotes_of(file.load(), file.hour.start, points)
    if len(quotes.ts):
        line = np.arange(ticks.ticks + 1, ticks.ticks + 1 + len(quotes.ts), dtype=np.int64)
        ticks.add(dict(ts=quotes.ts, line=line, bid=quotes.bid, ask=quotes.ask))
    return len(quotes.ts)


def _why(ticks: TickBars, hours: Hours) -> str:
    if ticks.malformed:
        return f"{ticks.malformed[0].text} cannot be read: {ticks.malformed[0].reason}"
    return "Dukascopy quoted nothing in that hour" if len(hours.files) == 1 else f"all of its {len(hours.files):,} hours are empty"


def _notes(hours: Hours, empty: list[HourFile]) -> tuple[str, ...]:
    notes = [f"{len(empty):,} of {len(hours.files):,} hours are empty, so nothing was quoted in them; the first is {_moment(empty[0])}"] if empty else []
    others = hours.others
    return (*notes, *([f"{others:,} .bi5 file{' is' if others == 1 else 's are'} no hour of ticks and {'was' if others == 1 else 'were'} not read"] if others else []))


def _evidence(hours: Hours) -> str:
    first, last = hours.files[0], hours.files[-1]
    count = f"{len(hours.files):,} hours, {_moment(first)} to {_moment(last)}" if len(hours.files) > 1 else f"the hour {_moment(first)}"
    return f"{hours.symbol or 'ticks'}: {count}, by the names of the folders, whose months count from 00; a file holds ticks, made into bars of the bid with the mean spread"


def _moment(file: HourFile) -> str:
    return f"{str(np.datetime64(file.hour.start, 'ns'))[:16]}Z"


def _preview(hours: Hours) -> pd.DataFrame:
    """The first ticks, prices in points."""
    for file in hours.files[:24]:
        try:
            quotes = quotes_of(file.load(), file.hour.start, 1.0)
        except ValueError:
            continue
        if len(quotes.ts):
            shown = slice(0, PREVIEW)
            return pd.DataFrame(dict(ts=quotes.ts[shown].view("datetime64[ns]"), bid=quotes.bid[shown].astype(np.int64), ask=quotes.ask[shown].astype(np.int64))).astype(str)
    return pd.DataFrame()


READERS.add(Bi5.key, Bi5())
