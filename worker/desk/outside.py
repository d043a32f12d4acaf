"""External data: supported series, catalogue, inspection of files, import, deletion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO

import pandas as pd

from domain.errors import BadRequest
from domain.outside.recognise import KINDS, Recognised, recognise
from domain.outside.releases import IMPACTS
from domain.outside.series import EconomicSeries, series
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.desk.incoming import Source, may_open_paths, of_this_machine, size_limited, stage, uploaded
from worker.desk.thin import thinned
from worker.store import Outside
from worker.store.former_names import SERIES, current

LONGEST = 64        # letters of a name
WHAT = "external data"
NAMES = {"headlines": "headlines", "releases": "calendar"}      # shown in forms
BY_PUBLICATION = "FRED: "        # what a download from there is named after
TIME = {"series": "date", "headlines": "ts", "releases": "ts"}


@dataclass(frozen=True)
class StagedExternal:
    """A staged file: recognised, not yet imported."""

    file: str
    name: str
    size: int
    recognised: Recognised


@dataclass(frozen=True)
class Choice:
    """A series of the table, and the import of it that is in use."""

    about: EconomicSeries
    newest: Outside | None


class OutsideData:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- choices, and what is there

    def kinds(self) -> dict[str, str]:
        """Kind -> title."""
        return dict(KINDS)

    def choices(self) -> list[Choice]:
        """Every series of the table, in its order."""
        with self._context.store.read() as unit:
            return [Choice(about, unit.outside.newest("series", name)) for name, about in series().items()]

    def offered_name(self, kind: str) -> str:
        """Default name of headlines and calendars."""
        return NAMES.get(kind, "")

    def catalogue(self) -> list[Outside]:
        """The newest import of each kind and name."""
        return list({(dataset.kind, dataset.name): dataset for dataset in reversed(self.every())}.values())[::-1]

    def every(self) -> list[Outside]:
        """Every import, by kind and name, the newest first."""
        with self._context.store.read() as unit:
            return unit.outside.all()

    def versions(self, outside: Outside) -> list[Outside]:
        """The imports under the same kind and name, the newest first."""
        return [version for version in self.every() if (version.kind, version.name) == (outside.kind, outside.name)]

    def is_used(self, outside: Outside) -> bool:
        """Whether features use this import: of a series the newest; of headlines and calendars the newest of all names."""
        with self._context.store.read() as unit:
            newest = unit.outside.newest(outside.kind, outside.name if outside.kind == "series" else "")
        return newest is not None and newest.id == outside.id

    def get(self, name: str) -> Outside:
        """By id, version or name; under a name the newest."""
        with self._context.store.read() as unit:
            outside = unit.outside.get(name)
        return required(outside or next((candidate for candidate in self.catalogue() if candidate.name == name), None), "external data", name)

    def about(self, outside: Outside) -> EconomicSeries | None:
        """The row of the table of series."""
        row = series().get(outside.name) if outside.kind == "series" else None
        return replace(row, by_publication=True, revised=False) if row and outside.source.startswith(BY_PUBLICATION) else row

    def used_by(self, name: str) -> list[str]:
        """Runs that used this version."""
        with self._context.store.read() as unit:
            return unit.runs.of_outside(self.get(name).version)

    # -- bringing it in

    def may_open_paths(self) -> bool:
        """May a page open files of this machine by their path?"""
        return may_open_paths(self._context.settings)

    def stage_upload(self, name: str, content: bytes | memoryview | IO[bytes]) -> StagedExternal:
        """Recognise an uploaded file and stage it under an internal name."""
        return self._staged(uploaded(name, content))

    def stage_path(self, path: str, own_rights: bool = False) -> StagedExternal:
        """Recognise a file of this machine and stage it. A page may open files that the settings allow, the terminal files that the user may read (``own_rights``)."""
        return self._staged(of_this_machine(path, self._context.settings, own_rights))

    def _staged(self, source: Source) -> StagedExternal:
        context = self._context
        return StagedExternal(*stage(context.store.frames, context.settings, context.quota, source, size_limited(recognise, context.settings), WHAT))

    def discard(self, staged: StagedExternal) -> None:
        """Remove a file that will not be imported."""
        self._context.store.frames.discard(staged.file)

    def import_(self, staged: StagedExternal, kind: str = "", name: str = "", utc: bool = False, added: bool = False) -> Submitted:
        """Import the file as the newest of its kind and name. ``name``: of a series its name in the table. ``utc``: times without a zone are in UTC.
        ``added``: appended to the newest import of that name, instead of replacing it."""
        kind = kind or staged.recognised.kind
        if kind not in KINDS:
            raise BadRequest(f"{kind!r} is no kind of external data; choose {', '.join(KINDS)}")
        name = self._named(kind, name.strip() or staged.recognised.series)
        with self._context.store.read() as unit:
            newest = unit.outside.newest(kind, name)
        if added and newest is None:
            raise BadRequest(f"there is nothing called {name} that {staged.name} could be added to; import it by itself")
        spec = dict(file=staged.file, source=staged.name, kind=kind, name=name, utc=utc and kind != "series", after=newest.id if newest else "", added=added)
        return self._context.submit("import_outside", f"Import {name}", spec, key=key_of("import_outside", spec))

    def _named(self, kind: str, name: str) -> str:
        if kind == "series":
            if not name:
                raise BadRequest(f"the file does not say which series it is; choose one of {', '.join(series())}")
            return self._series(name)
        name = name or NAMES[kind]
        if len(name) > LONGEST or not name.isprintable():
            raise BadRequest(f"the name is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters")
        return name

    def _series(self, name: str) -> str:
        from domain.errors import unknown

        if name not in series():
            raise unknown("series", name, series())
        return name

    # -- reading

    def line(self, name: str, budget: int = 1_000) -> pd.DataFrame:
        """``date, value, published`` of a series, thinned so that it keeps its extremes."""
        return thinned(self._frame(name), ("value",), budget)

    def latest(self, name: str, count: int = 200) -> pd.DataFrame:
        """The last rows of headlines or of a calendar, newest first."""
        return self._frame(name).tail(count).iloc[::-1].reset_index(drop=True)

    def tally(self, name: str) -> dict[str, int]:
        """Releases by impact, from the most."""
        counted = self._frame(name)["impact"].value_counts()
        return {level: int(counted.get(level, 0)) for level in reversed(IMPACTS)}

    def _frame(self, name: str) -> pd.DataFrame:
        return current(self._context.store.frames.get(self.get(name).frame), SERIES)

    # -- taking it along, and away

    def download(self, name: str) -> bytes:
        """An import as CSV that can be imported again."""
        outside = self.get(name)
        frame = current(self._context.store.frames.get(outside.frame), SERIES)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"outside:{outside.id}", what=f"{outside.kind} {outside.name}", form="csv", rows=len(frame))
        return csv_of(frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d")) if outside.kind == "series" else frame)

    def remove(self, name: str) -> Outside:
        """Delete an import. One that a run uses is not deleted, as the run could not be reproduced without it."""
        with self._context.store.unit() as unit:
            outside = required(unit.outside.as_stored(name), "external data", name)
            runs = unit.runs.of_outside(outside.version)
            if runs and not self._elsewhere(unit.outside.all(), outside):
                raise BadRequest(f"{outside.name} of {outside.created_at:%Y-%m-%d %H:%M} UTC is used by {len(runs)} run{'s' if len(runs) > 1 else ''} ({', '.join(runs[:5])}{' …' if len(runs) > 5 else ''}); delete those first")
            unit.outside.remove(outside.id)
            unit.jobs.forget_result("outside", outside.id)
            unit.audit(self._context.user, "outside_removed", f"outside:{outside.id}", what=outside.kind, name=outside.name, version=outside.version, rows=outside.rows, source=outside.source)
        return outside

    def _elsewhere(self, every: Sequence[Outside], outside: Outside) -> bool:
        """Is the same version there a second time?"""
        return any(other.version == outside.version and other.id != outside.id for other in every)
