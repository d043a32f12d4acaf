"""Bars: what is there, what a file holds, bringing it in, making some up, taking it away."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.market import CLOCKS, TIMEFRAMES, Instrument, calendar, clock, gap_map, instruments, readers
from domain.market.timeframe import Timeframe
from domain.params import Param, build, params_of, values_of
from domain.venues import SYNTHETIC
from worker.desk.export import csv_of
from worker.desk.room import Room, Submitted, found, key_of
from worker.desk.thin import candles
from worker.store import Dataset

SIDES = ("bid", "mid")
PART = 1 << 20      # bytes


@dataclass(frozen=True)
class Staged:
    """A file that was taken in and looked at, not yet imported."""

    file: str
    name: str
    size: int
    found: readers.Found


class Data:
    def __init__(self, room: Room) -> None:
        self._room = room

    # -- choices

    def instruments(self) -> Mapping[str, Instrument]:
        return instruments(self._room.settings.instruments_file)

    def timeframes(self) -> list[str]:
        return [str(timeframe) for timeframe in TIMEFRAMES]

    def clocks(self) -> dict[str, str]:
        """Key -> title of the clocks that have a name; any IANA zone and UTC+2 will do too."""
        return {key: CLOCKS[key].title for key in CLOCKS}

    def formats(self) -> dict[str, str]:
        return {key: readers.READERS[key].title for key in readers.READERS}

    def models(self) -> dict[str, tuple[Param, ...]]:
        """Synthetic models: name -> parameters."""
        return {name: params_of(SYNTHETIC[name]) for name in SYNTHETIC}

    # -- what is there

    def catalogue(self) -> list[Dataset]:
        with self._room.store.look() as unit:
            return unit.datasets.all()

    def get(self, name: str) -> Dataset:
        """By id, or by version."""
        with self._room.store.look() as unit:
            return found(unit.datasets.get(name), "dataset", name)

    def candles(self, name: str, start: datetime, end: datetime, budget: int = 220) -> tuple[pd.DataFrame, int]:
        """At most ``budget`` candles over the bars with ``start <= ts < end``, and how many bars those are."""
        bars = self._room.store.frames.get(self.get(name).frame, ["ts", "open", "high", "low", "close"], start, end)
        return candles(bars, budget), len(bars)

    def gap_map(self, name: str) -> pd.DataFrame:
        """``weekday, hour, bars, missing`` over the whole dataset, weekdays from 0 (Monday), hours UTC."""
        dataset = self.get(name)
        columns = ["ts", "open", "spread"] if dataset.spread is not None else ["ts", "open"]
        bars = self._room.store.frames.get(dataset.frame, columns)
        return gap_map(bars, Timeframe.named(dataset.timeframe), self.instruments()[dataset.instrument].calendar)

    def repairs(self, name: str) -> pd.DataFrame | None:
        """The rows that were dropped, merged or changed on import; None if there are none."""
        ledger = self.get(name).ledger
        return self._room.store.frames.get(ledger) if ledger else None

    def used_by(self, name: str) -> list[str]:
        """Runs that read this dataset."""
        with self._room.store.look() as unit:
            return unit.runs.of_dataset(self.get(name).version)

    # -- bringing bars in

    def stage_upload(self, name: str, content: bytes | memoryview) -> Staged:
        """Take in an uploaded file under our own name, and look at it."""
        return self._staged(*taken_in(self._room, *parts_of(name, content)))

    def stage_path(self, path: str) -> Staged:
        """Take in a file of this machine, and look at it."""
        return self._staged(*taken_in(self._room, *parts_of(path)))

    def _staged(self, file: str, name: str, size: int) -> Staged:
        with self._room.store.frames.open_file(file, name) as path:
            return Staged(file, name, size, readers.recognise(path, self._room.settings.data.max_import_mb * 1_000_000))

    def inspect(self, staged: Staged, instrument: str, timeframe: str, side: str = "bid", clock_key: str = "", format: str = "") -> Submitted:
        """Read the whole file in the background and judge it; nothing is stored."""
        spec = self._import_spec(staged, instrument, timeframe, side, clock_key, format)
        return self._room.submit("inspect", f"Check {staged.name}", spec, key=key_of("inspect", spec))

    def import_(self, staged: Staged, instrument: str, timeframe: str, side: str = "bid", clock_key: str = "", format: str = "", repair: bool = False) -> Submitted:
        """Bring the file's bars in: refuse what is not clean, or ``repair`` it and keep a list of what was done."""
        spec = self._import_spec(staged, instrument, timeframe, side, clock_key, format) | dict(repair=repair)
        return self._room.submit("import", f"Import {instrument} {timeframe}", spec, key=key_of("import", spec))

    def _import_spec(self, staged: Staged, instrument: str, timeframe: str, side: str, clock_key: str, format: str) -> dict[str, Any]:
        one = self._room_instrument(instrument)
        if side not in SIDES:
            raise BadRequest(f"side is {side!r}; bars quote the bid or the mid: choose one of {', '.join(SIDES)}")
        if clock_key:
            clock(clock_key)
        format = format or staged.found.format
        readers.READERS[format]
        Timeframe.named(timeframe)
        return dict(file=staged.file, name=staged.name, format=format, instrument=one.name, timeframe=timeframe, side=side, clock=clock_key, natural_clock=staged.found.clock)

    def _room_instrument(self, name: str) -> Instrument:
        from domain.market import instrument

        return instrument(name, self._room.settings.instruments_file)

    # -- making bars up

    def generate(self, model: str, params: Mapping[str, Any], instrument: str, timeframe: str, start: datetime, end: datetime, seed: int, example: bool = False, user: str = "") -> Submitted:
        made = build(SYNTHETIC[model], params)
        if end <= start:
            raise BadRequest(f"the span ends on {end:%Y-%m-%d}, before it starts on {start:%Y-%m-%d}; choose an end after the start")
        spec = dict(
            model=model, params=values_of(made), instrument=self._room_instrument(instrument).name, timeframe=str(Timeframe.named(timeframe)),
            start=start.isoformat(), end=end.isoformat(), seed=int(seed),
        )  # fmt: skip
        return self._room.submit("generate", f"Make synthetic {instrument} {timeframe}", spec, key=key_of("generate", spec), example=example, user=user)

    # -- taking bars away, and along

    def delete(self, name: str) -> tuple[Dataset, list[str]]:
        """Remove a dataset and the runs that used it; what was removed."""
        with self._room.store.unit() as unit:
            dataset = found(unit.datasets.get(name), "dataset", name)
            runs = unit.runs.of_dataset(dataset.version)
            removed = [found(unit.runs.get(run_id), "run", run_id) for run_id in runs]
            unit.runs.remove(runs)
            unit.datasets.remove(dataset.id)
            unit.jobs.forget_key(*(run.job_id for run in removed))
            unit.jobs.forget_result("dataset", dataset.id)
            for run in removed:
                unit.audit(self._room.user, "run_deleted", f"run:{run.id}", f"dataset:{dataset.id}", title=run.title)
            unit.audit(self._room.user, "dataset_deleted", f"dataset:{dataset.id}", instrument=dataset.instrument, timeframe=dataset.timeframe, version=dataset.version, runs=runs)
        return dataset, runs

    def download(self, name: str, form: str) -> bytes:
        """The bars as CSV or Parquet, of the shape that can be imported again."""
        dataset = self.get(name)
        bars = self._room.store.frames.get(dataset.frame)
        self._note_download(f"dataset:{dataset.id}", "bars", form, len(bars))
        if form == "parquet":
            sink = io.BytesIO()
            bars.to_parquet(sink, index=False, compression="zstd")
            return sink.getvalue()
        return csv_of(bars)

    def download_repairs(self, name: str) -> bytes:
        rows = self.repairs(name)
        self._note_download(f"dataset:{name}", "repairs", "csv", 0 if rows is None else len(rows))
        return csv_of(rows if rows is not None else pd.DataFrame())

    def _note_download(self, entity: str, what: str, form: str, rows: int) -> None:
        with self._room.store.unit() as unit:
            unit.audit(self._room.user, "downloaded", entity, what=what, form=form, rows=rows)

    def shut_between(self, dataset: Dataset) -> str:
        """The calendar its gaps are judged by."""
        return calendar(self.instruments()[dataset.instrument].calendar).title


def parts_of(name: str, content: bytes | memoryview | None = None) -> tuple[str, Iterable[bytes], int]:
    """The name, the bytes and the size of an uploaded file, or, without ``content``, of the file of this machine at the path ``name``."""
    if content is not None:
        view = memoryview(content)
        return Path(name).name, (bytes(view[at : at + PART]) for at in range(0, len(view), PART)), len(view)
    try:
        where = Path(name).expanduser()
        facts = where.stat()
    except (OSError, ValueError, RuntimeError) as error:
        raise BadRequest(f"there is no file {name!r} that can be read: {getattr(error, 'strerror', None) or error}. Give its full path on this machine") from None
    if not stat.S_ISREG(facts.st_mode):
        raise BadRequest(f"{name} is a folder or a device, not a file; give the path of one file")
    return where.name, _parts(where), facts.st_size


def taken_in(room: Room, name: str, parts: Iterable[bytes], size: int, what: str = "bars") -> tuple[str, str, int]:
    """Keep a file of ``what`` until it is imported: what it is kept as, its name as it can be stored and shown, its size."""
    name = name.encode("utf-8", "replace").decode().replace("\0", "?")       # a name may be any bytes
    most = room.settings.data.max_import_mb * 1_000_000
    if size > most:
        raise BadRequest(f"{name} is {size / 1e6:,.0f} MB; the most that may be imported is {most / 1e6:,.0f} MB. Split it, or raise [data] max_import_mb in config.toml")
    if size == 0:
        raise BadRequest(f"{name} is empty; choose a file that holds {what}")
    file, size = room.store.frames.put_file(parts, most)
    return file, name, size


def _parts(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while part := file.read(PART):
                yield part
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}. Give the path of a file you may read") from None
