"""Bars: catalogue, inspection of files, import, synthetic bars, deletion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pandas as pd

from domain.errors import BadRequest
from domain.market import CLOCKS, TIMEFRAMES, Instrument, check_bar_time, clock, gap_map, instruments, readers
from domain.market.append import KEEP, REPLACE
from domain.market.example_files import EXAMPLES, example
from domain.market.report import CHECKS, verdict_words
from domain.market.side import check_pair, resolve_side
from domain.market.timeframe import Timeframe
from domain.params import Param, build, params_of, values_of, whole_number
from domain.venues import SYNTHETIC
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of, file_of
from worker.desk.incoming import Source, may_open_paths, of_this_machine, size_limited, stage, uploaded
from worker.desk.thin import candles
from worker.store import Dataset


@dataclass(frozen=True)
class Staged:
    """A staged file: recognised, not yet imported."""

    file: str
    name: str
    size: int
    recognised: readers.Recognised
    mapping: Mapping[str, Any] | None = None        # of its columns, where no reader recognises it
    mapping_name: str = ""


class Data:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- choices

    def instruments(self) -> Mapping[str, Instrument]:
        return instruments(self._context.instruments_file)

    def timeframes(self) -> list[str]:
        return [str(timeframe) for timeframe in TIMEFRAMES]

    def clocks(self) -> dict[str, str]:
        """Key -> title of the clocks that have a name; any IANA zone and UTC+2 will do too."""
        return {key: CLOCKS[key].title for key in CLOCKS}

    def clock_name(self, key: str) -> str:
        """How a clock is called, never its key."""
        return clock(key).title if key else "UTC"

    def check_titles(self) -> dict[str, str]:
        """Key of a quality check -> title."""
        return {key: check.title for key, check in CHECKS.items()}

    def quality_word(self, dataset: Dataset) -> str:
        """How good the bars are, in a word or two."""
        return "generated" if dataset.synthetic else verdict_words(dataset.verdict, dataset.quality.get("findings", []))

    def formats(self) -> dict[str, str]:
        return {key: readers.READERS[key].title for key in readers.READERS}

    def known_formats(self) -> str:
        """The formats that can be imported, as one line."""
        return readers.known_formats()

    def models(self) -> dict[str, tuple[Param, ...]]:
        """Synthetic models: name -> parameters."""
        return {name: params_of(SYNTHETIC[name]) for name in SYNTHETIC}

    # -- what is there

    def catalogue(self) -> list[Dataset]:
        with self._context.store.read() as unit:
            return unit.datasets.all()

    def get(self, name: str) -> Dataset:
        """By id, or by version."""
        with self._context.store.read() as unit:
            return required(unit.datasets.get(name), "dataset", name)

    def candles(self, name: str, start: datetime, end: datetime, budget: int = 220) -> tuple[pd.DataFrame, int]:
        """At most ``budget`` candles over the bars with ``start <= ts < end``, and how many bars those are."""
        bars = self._context.store.frames.get(self.get(name).frame, ["ts", "open", "high", "low", "close"], start, end)
        return candles(bars, budget), len(bars)

    def bars(self, name: str, start: datetime | None = None, end: datetime | None = None) -> pd.DataFrame:
        """``ts, open, high, low, close, volume`` and, where they have one, ``spread`` of the bars with ``start <= ts < end``."""
        return self._context.store.frames.get(self.get(name).frame, None, start, end)

    def gap_map(self, name: str) -> pd.DataFrame:
        """``weekday, hour, bars, missing`` over the whole dataset, weekdays from 0 (Monday), hours UTC."""
        dataset = self.get(name)
        columns = ["ts", "open", "spread"] if dataset.spread is not None else ["ts", "open"]
        bars = self._context.store.frames.get(dataset.frame, columns)
        return gap_map(bars, Timeframe.named(dataset.timeframe), self.instruments()[dataset.instrument].calendar)

    def repairs(self, name: str) -> pd.DataFrame | None:
        """The rows that were dropped, merged or changed on import; None if there are none."""
        ledger = self.get(name).ledger
        return self._context.store.frames.get(ledger) if ledger else None

    def used_by(self, name: str) -> list[str]:
        """Runs that read this dataset."""
        with self._context.store.read() as unit:
            return unit.runs.of_dataset(self.get(name).version)

    def hanging_on(self, name: str) -> dict[str, int]:
        """What is deleted with this dataset: kind of run -> number, sorted by kind."""
        with self._context.store.read() as unit:
            runs = [unit.runs.get(run_id) for run_id in unit.runs.of_dataset(required(unit.datasets.get(name), "dataset", name).version)]
        return dict(sorted(Counter(run.kind for run in runs if run).items()))

    # -- import

    def may_open_paths(self) -> bool:
        """May a page open files of this machine by their path?"""
        return may_open_paths(self._context.settings)

    def stage_upload(self, name: str, content: bytes | memoryview | IO[bytes], unmapped: bool = False) -> Staged:
        """Recognise an uploaded file and stage it under an internal name. With ``unmapped`` a table that no reader recognises is staged too, for its columns to be mapped."""
        return self._staged(uploaded(name, content), unmapped)

    def stage_path(self, path: str, own_rights: bool = False, unmapped: bool = False) -> Staged:
        """Recognise a file of this machine and stage it. A page may open files that the settings allow, the terminal files that the user may read (``own_rights``)."""
        return self._staged(of_this_machine(path, self._context.settings, own_rights), unmapped)

    def _staged(self, source: Source, unmapped: bool) -> Staged:
        context, look = self._context, readers.recognise_or_table if unmapped else readers.recognise
        return Staged(*stage(context.store.frames, context.settings, context.quota, source, size_limited(look, context.settings)))

    def staged_again(self, spec: Mapping[str, Any]) -> Staged | None:
        """The file of an earlier check, whose job has ``spec``; None where it is no longer staged."""
        name, mapping = str(spec["name"]), spec.get("mapping")
        recognise = (lambda path, most: readers.recognise_mapped(path, readers.mapping_of(mapping), most)) if mapping else readers.recognise
        try:
            with self._context.store.frames.open_file(str(spec["file"]), name) as path:
                return Staged(str(spec["file"]), name, path.stat().st_size, size_limited(recognise, self._context.settings)(path), mapping, str(spec.get("mapping_name", "")))
        except BadRequest:
            return None

    def moment(self, text: str) -> str:
        """A date or time as entered, converted to ISO 8601 in UTC; empty for none, and the text itself where it is not a time."""
        try:
            return _moment(text) if text else ""
        except BadRequest:
            return text

    def discard(self, staged: Staged) -> None:
        """Remove a file that will not be imported."""
        self._context.store.frames.discard(staged.file)

    def inspect(self, staged: Staged, instrument: str, timeframe: str, side: str = "", clock_key: str = "", format: str = "", ask: Staged | None = None, start: str = "", bar_time: str = "") -> Submitted:
        """Read the whole file in the background and report its quality; nothing is stored. ``side`` is as the file says if left out, ``timeframe`` the one
        of most rows; ``ask`` has the asks of the same bars; ``start`` (ISO 8601, UTC) leaves out the bars before it; ``bar_time``: whether times are
        those of a bar's open or close, as its weeks show if left out."""
        spec = self._import_spec(staged, instrument, timeframe, side, clock_key, format, ask, start, bar_time)
        return self._context.submit("inspect", f"Check {staged.name}", spec, key=key_of("inspect", spec))

    def import_(
        self, staged: Staged, instrument: str, timeframe: str, side: str = "", clock_key: str = "", format: str = "", repair: bool = False, ask: Staged | None = None,
        start: str = "", bar_time: str = "",
    ) -> Submitted:  # fmt: skip
        """Import the file's bars: refuse what is not clean, or ``repair`` it and store a list of the repairs."""
        spec = self._import_spec(staged, instrument, timeframe, side, clock_key, format, ask, start, bar_time) | dict(repair=repair)
        return self._context.submit("import", f"Import {instrument} {timeframe}".strip(), spec, key=key_of("import", spec))

    # -- a newer file of a stored series

    def compare(self, name: str, staged: Staged, clock_key: str = "", ask: Staged | None = None, bar_time: str = "") -> Submitted:
        """Read a newer file of the dataset ``name`` in the background, check it, and compare what both have, bar by bar; nothing is stored."""
        spec = self._append_spec(name, staged, clock_key, ask, bar_time)
        return self._context.submit("append_check", f"Compare {staged.name}", spec, key=key_of("append_check", spec))

    def append(self, name: str, staged: Staged, overlap: str = "", clock_key: str = "", ask: Staged | None = None, repair: bool = False, bar_time: str = "") -> Submitted:
        """Append the file to the dataset as a new version; the old one stays. ``overlap``: of bars that differ those of the dataset (keep) or of the file (replace); without it such files are refused."""
        if overlap not in ("", KEEP, REPLACE):
            raise BadRequest(f"the overlap is {overlap!r}; give keep (the stored bars) or replace (those of the file)")
        spec = self._append_spec(name, staged, clock_key, ask, bar_time) | dict(overlap=overlap, repair=repair)
        return self._context.submit("append", f"Append {staged.name}", spec, key=key_of("append", spec))

    def _append_spec(self, name: str, staged: Staged, clock_key: str, ask: Staged | None, bar_time: str) -> dict[str, Any]:
        """As of an import, of the same instrument, timeframe and side. A file that does not say its clock is on that of the series, unless its weekly open says another."""
        dataset = self.get(name)
        if dataset.synthetic:
            raise BadRequest(f"{dataset.instrument} {dataset.timeframe} is synthetic, and a file of real bars cannot be appended to it; import the file as a series of its own")
        seen = staged.recognised.instrument
        if seen and seen != dataset.instrument:
            raise BadRequest(f"{staged.name} seems to hold {seen}, and the series is {dataset.instrument}; choose another file, or rename it if its name is wrong")
        spec = self._import_spec(staged, dataset.instrument, dataset.timeframe, "" if ask else dataset.side, clock_key, "", ask, "", bar_time)
        if spec["side"] != dataset.side:
            raise BadRequest(f"{staged.name} quotes the {spec['side']}, and the series the {dataset.side}; append a file of the same side")
        series = dict(series_bar_time=dataset.provenance["bar_time"]) if "bar_time" in dataset.provenance else {}
        return spec | series | dict(dataset=dataset.id, natural_clock=staged.recognised.clock or dataset.clock)

    def _import_spec(
        self, staged: Staged, instrument: str, timeframe: str, side: str, clock_key: str, format: str, ask: Staged | None, start: str, bar_time: str
    ) -> dict[str, Any]:  # fmt: skip
        traded = self._instrument(instrument)
        if staged.recognised.format == readers.UNMAPPED:
            raise BadRequest(f"{staged.name}: {staged.recognised.evidence.rstrip('.')}. Choose its columns first")
        side = _joined_side(staged, ask, side) if ask else resolve_side(side, staged.recognised.side, staged.name)
        if clock_key:
            clock(clock_key)
        format = format or staged.recognised.format
        if format != readers.MAPPED:
            readers.READERS[format]
        elif not staged.mapping:
            raise BadRequest(f"{staged.name} is to be read by a column mapping, and none is given; name one")
        clock_key = clock_key or str((staged.mapping or {}).get("clock", ""))
        bar_time = check_bar_time(bar_time or str((staged.mapping or {}).get("bar_time", "")))
        if timeframe:
            Timeframe.named(timeframe)
        spec: dict[str, Any] = dict(file=staged.file, name=staged.name, format=format, instrument=traded.name, timeframe=timeframe, side=side, clock=clock_key, natural_clock=staged.recognised.clock)
        asks: dict[str, Any] = dict(ask=dict(file=ask.file, name=ask.name, format=ask.recognised.format) | _mapped(ask)) if ask else {}
        return spec | _mapped(staged) | asks | (dict(start=_moment(start)) if start else {}) | (dict(bar_time=bar_time) if bar_time else {}) | ({} if timeframe else dict(first_rows=staged.recognised.timeframe))

    def _instrument(self, name: str) -> Instrument:
        from domain.market import instrument

        return instrument(name, self._context.instruments_file)

    # -- making bars up

    def generate(self, model: str, params: Mapping[str, Any], instrument: str, timeframe: str, start: datetime, end: datetime, seed: int, example: bool = False, user: str = "") -> Submitted:
        model_ = build(SYNTHETIC[model], params)
        if end <= start:
            raise BadRequest(f"the date range ends on {end:%Y-%m-%d}, before it starts on {start:%Y-%m-%d}; choose an end after the start")
        bars, most = int((end - start) / timedelta(minutes=Timeframe.named(timeframe).minutes)), self._context.settings.data.max_rows
        if bars > most:
            raise BadRequest(f"{start:%Y-%m-%d} to {end:%Y-%m-%d} in {timeframe} bars is up to {bars:,} bars, and the limit is {most:,}; choose a shorter period or a longer timeframe")
        spec = dict(
            model=model, params=values_of(model_), instrument=self._instrument(instrument).name, timeframe=str(Timeframe.named(timeframe)),
            start=start.isoformat(), end=end.isoformat(), seed=whole_number("seed", seed, 0, 2**53 - 1),
        )  # fmt: skip
        return self._context.submit("generate", f"Make synthetic {instrument} {timeframe}", spec, key=key_of("generate", spec), example=example, user=user)

    # -- taking bars away, and along

    def delete(self, name: str) -> tuple[Dataset, list[str]]:
        """Delete a dataset and the runs that used it; returns the dataset and the ids of those runs."""
        with self._context.store.unit() as unit:
            dataset = required(unit.datasets.as_stored(name), "dataset", name)
            runs = unit.runs.of_dataset(dataset.version)
            removed = [required(unit.runs.as_stored(run_id), "run", run_id) for run_id in runs]
            unit.runs.remove(runs)
            unit.datasets.remove(dataset.id)
            unit.jobs.forget_key(*(run.job_id for run in removed))
            unit.jobs.forget_result("dataset", dataset.id)
            for run in removed:
                unit.audit(self._context.user, "run_deleted", f"run:{run.id}", f"dataset:{dataset.id}", title=run.title)
            unit.audit(self._context.user, "dataset_deleted", f"dataset:{dataset.id}", instrument=dataset.instrument, timeframe=dataset.timeframe, version=dataset.version, runs=runs)
        return dataset, runs

    def download(self, name: str, form: str) -> bytes:
        """The bars as CSV or Parquet, of the shape that can be imported again."""
        dataset = self.get(name)
        bars = self._context.store.frames.get(dataset.frame)
        self._note_download(f"dataset:{dataset.id}", "bars", form, len(bars))
        return file_of(bars, form)

    def write_download(self, name: str, form: str, path: Path) -> None:
        """Write the download to a file in parts, so that a long series is never in memory at once."""
        dataset, frames = self.get(name), self._context.store.frames
        self._note_download(f"dataset:{dataset.id}", "bars", form, dataset.bars)
        if form == "parquet":
            return frames.copy(dataset.frame, path)
        with path.open("w", encoding="utf-8", newline="") as file:
            for number, bars in enumerate(frames.parts(dataset.frame)):
                bars.assign(ts=bars["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(file, index=False, header=number == 0)

    def download_repairs(self, name: str) -> bytes:
        rows = self.repairs(name)
        self._note_download(f"dataset:{name}", "repairs", "csv", 0 if rows is None else len(rows))
        return csv_of(rows if rows is not None else pd.DataFrame())

    def example_files(self) -> dict[str, tuple[str, str, str]]:
        """Key -> name, what it holds, where it is imported."""
        return {key: (each.name, each.title, each.use) for key, each in EXAMPLES.items()}

    def download_example(self, key: str) -> bytes:
        """An example file, as CSV."""
        name, content = example(key)
        self._note_download(f"example:{name}", "example file", "csv", content.count(b"\n") - 1)
        return content

    def _note_download(self, entity: str, what: str, form: str, rows: int) -> None:
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", entity, what=what, form=form, rows=rows)


def _moment(text: str) -> str:
    """A date or time as ISO 8601 in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"the start is {text!r}; write it like 2012-01-02 or 2012-01-02T22:00Z") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _mapped(staged: Staged) -> dict[str, Any]:
    """The column mapping of a file, for the spec of its import."""
    name = dict(mapping_name=staged.mapping_name) if staged.mapping_name else {}
    return dict(mapping=dict(staged.mapping)) | name if staged.mapping else {}


def _joined_side(bid: Staged, ask: Staged, side: str) -> str:
    """Checks that the two files are bids and asks of the same bars; returns the side, bid."""
    if side not in ("", "bid"):
        raise BadRequest(f"the side is {side!r}, but bids joined with asks are bars of the bid with a spread; leave the side out")
    check_pair(bid.recognised.side, ask.recognised.side, bid.name, ask.name)
    for what in ("instrument", "timeframe"):
        first, second = getattr(bid.recognised, what), getattr(ask.recognised, what)
        if first and second and first != second:
            raise BadRequest(f"{bid.name} holds bars of {first} and {ask.name} of {second}; the bids and the asks must be of the same {what}")
    return "bid"
