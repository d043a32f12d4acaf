"""Outside data: what there may be and what is there, what a file holds, bringing it in, looking at it, taking it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import pandas as pd

from domain.errors import BadRequest
from domain.outside.recognise import KINDS, Recognised, recognise
from domain.outside.releases import IMPACTS
from domain.outside.series import EconomicSeries, series
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.desk.incoming import Source, looked_at, may_open_paths, of_this_machine, take_in, uploaded
from worker.desk.thin import thinned
from worker.store import Outside

LONGEST = 64        # letters of a name
WHAT = "outside data"
NAMES = {"headlines": "headlines", "releases": "calendar"}      # that a person is offered
TIME = {"series": "date", "headlines": "ts", "releases": "ts"}


@dataclass(frozen=True)
class StagedExternal:
    """A file that was taken in and looked at, not yet imported."""

    file: str
    name: str
    size: int
    found: Recognised


@dataclass(frozen=True)
class Choice:
    """A series of the table, and the import of it that is in use."""

    about: EconomicSeries
    held: Outside | None


class OutsideData:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- choices, and what is there

    def kinds(self) -> dict[str, str]:
        """Kind -> title."""
        return dict(KINDS)

    def choices(self) -> list[Choice]:
        """Every series of the table, in its order."""
        with self._context.store.look() as unit:
            return [Choice(one, unit.outside.newest("series", name)) for name, one in series().items()]

    def offered_name(self, kind: str) -> str:
        """What headlines and calendars are called where the person gives no name."""
        return NAMES.get(kind, "")

    def catalogue(self) -> list[Outside]:
        """The newest import of each kind and name."""
        return list({(one.kind, one.name): one for one in reversed(self.every())}.values())[::-1]

    def every(self) -> list[Outside]:
        """Every import, by kind and name, the newest first."""
        with self._context.store.look() as unit:
            return unit.outside.all()

    def versions(self, one: Outside) -> list[Outside]:
        """The imports under the same kind and name, the newest first."""
        return [each for each in self.every() if (each.kind, each.name) == (one.kind, one.name)]

    def is_used(self, one: Outside) -> bool:
        """Is it what features look at? Of a series the newest import; of headlines and calendars the newest of all names."""
        with self._context.store.look() as unit:
            newest = unit.outside.newest(one.kind, one.name if one.kind == "series" else "")
        return newest is not None and newest.id == one.id

    def get(self, name: str) -> Outside:
        """By id, version or name; under a name the newest."""
        with self._context.store.look() as unit:
            held = unit.outside.get(name)
        return required(held or next((one for one in self.catalogue() if one.name == name), None), "outside data", name)

    def about(self, one: Outside) -> EconomicSeries | None:
        """The row of the table of series."""
        return series().get(one.name) if one.kind == "series" else None

    def used_by(self, name: str) -> list[str]:
        """Runs that looked at this version."""
        with self._context.store.look() as unit:
            return unit.runs.of_outside(self.get(name).version)

    # -- bringing it in

    def may_open_paths(self) -> bool:
        """May a page open files of this machine by their path?"""
        return may_open_paths(self._context.settings)

    def stage_upload(self, name: str, content: bytes | memoryview | IO[bytes]) -> StagedExternal:
        """Look at an uploaded file, and take it in under our own name."""
        return self._brought(uploaded(name, content))

    def stage_path(self, path: str, own_rights: bool = False) -> StagedExternal:
        """Look at a file of this machine, and take it in. A page may open what the settings allow, the terminal what the person may read (``own_rights``)."""
        return self._brought(of_this_machine(path, self._context.settings, own_rights))

    def _brought(self, source: Source) -> StagedExternal:
        context = self._context
        return StagedExternal(*take_in(context.store.frames, context.settings, context.quota, source, looked_at(recognise, context.settings), WHAT))

    def discard(self, brought: StagedExternal) -> None:
        """Remove a file that will not be imported."""
        self._context.store.frames.discard(brought.file)

    def import_(self, brought: StagedExternal, kind: str = "", name: str = "", utc: bool = False, added: bool = False) -> Submitted:
        """Bring the file in as the newest of its kind and name. ``name``: of a series its name in the table. ``utc``: times without a zone are in UTC.
        ``added``: to what is there under that name, instead of in its place."""
        kind = kind or brought.found.kind
        if kind not in KINDS:
            raise BadRequest(f"{kind!r} is no kind of outside data; choose {', '.join(KINDS)}")
        name = self._named(kind, name.strip() or brought.found.series)
        with self._context.store.look() as unit:
            held = unit.outside.newest(kind, name)
        if added and held is None:
            raise BadRequest(f"there is nothing called {name} that {brought.name} could be added to; import it by itself")
        spec = dict(file=brought.file, source=brought.name, kind=kind, name=name, utc=utc and kind != "series", after=held.id if held else "", added=added)
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

    # -- looking at it

    def line(self, name: str, budget: int = 1_000) -> pd.DataFrame:
        """``date, value, known`` of a series, thinned so that it keeps its extremes."""
        return thinned(self._frame(name), ("value",), budget)

    def latest(self, name: str, count: int = 200) -> pd.DataFrame:
        """The last rows of headlines or of a calendar, newest first."""
        return self._frame(name).tail(count).iloc[::-1].reset_index(drop=True)

    def tally(self, name: str) -> dict[str, int]:
        """Releases by impact, from the most."""
        counted = self._frame(name)["impact"].value_counts()
        return {level: int(counted.get(level, 0)) for level in reversed(IMPACTS)}

    def _frame(self, name: str) -> pd.DataFrame:
        return self._context.store.frames.get(self.get(name).frame)

    # -- taking it along, and away

    def download(self, name: str) -> bytes:
        """What was imported, as CSV of a shape that can be imported again."""
        one = self.get(name)
        frame = self._context.store.frames.get(one.frame)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"outside:{one.id}", what=f"{one.kind} {one.name}", form="csv", rows=len(frame))
        return csv_of(frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d")) if one.kind == "series" else frame)

    def remove(self, name: str) -> Outside:
        """Take one import away. One that a run names stays: the run could not be made again without it."""
        with self._context.store.unit() as unit:
            one = required(unit.outside.get(name), "outside data", name)
            runs = unit.runs.of_outside(one.version)
            if runs and not self._elsewhere(unit.outside.all(), one):
                raise BadRequest(f"{one.name} of {one.created_at:%Y-%m-%d %H:%M} UTC is used by {len(runs)} run{'s' if len(runs) > 1 else ''} ({', '.join(runs[:5])}{' …' if len(runs) > 5 else ''}); delete those first")
            unit.outside.remove(one.id)
            unit.jobs.forget_result("outside", one.id)
            unit.audit(self._context.user, "outside_removed", f"outside:{one.id}", what=one.kind, name=one.name, version=one.version, rows=one.rows, source=one.source)
        return one

    def _elsewhere(self, every: Sequence[Outside], one: Outside) -> bool:
        """Is the same version there a second time?"""
        return any(each.version == one.version and each.id != one.id for each in every)
