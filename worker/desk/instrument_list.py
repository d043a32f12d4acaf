"""Instruments: the table, its edits as versions, and the differences between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from domain.errors import BadRequest, unknown
from domain.market import Instrument, instruments
from domain.market.calendar import CALENDARS
from domain.market.instrument import TRIPLE_DAYS, group_of
from domain.market.instrument_edit import KINDS, TITLES, check, differences, edited
from worker.desk.context import DeskContext
from worker.desk.export import csv_of
from worker.store.instrument_versions import InstrumentVersion

LONGEST = 500       # letters of a reason


class InstrumentList:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def all(self) -> Mapping[str, Instrument]:
        """By name, as they are now."""
        return instruments(self._context.instruments_file)

    def file(self) -> str:
        """The table with its edits as a file; "" for the shipped one."""
        return self._context.instruments_file

    def get(self, name: str) -> Instrument:
        table = self.all()
        if name not in table:
            raise unknown("instrument", name, table)
        return table[name]

    def version(self, name: str) -> int:
        """The newest version; 0 while it was not edited."""
        versions = self._versions(self.get(name).name)
        return versions[0].version if versions else 0

    def titles(self) -> dict[str, str]:
        """Field -> how it is called, with its unit."""
        return TITLES

    def choices(self) -> dict[str, list[str]]:
        """Field -> its values, of those that are chosen from a list."""
        table = self.all()
        return dict(
            kind=list(KINDS), triple_day=list(TRIPLE_DAYS), calendar=list(CALENDARS), margin_class=sorted({row.margin_class for row in table.values()}),
            group=sorted({group_of(row) for row in table.values()}),
        )  # fmt: skip

    def table(self) -> pd.DataFrame:
        """One row an instrument, with its version (0: as shipped)."""
        with self._context.store.read() as unit:
            newest = unit.instrument_versions.newest()
        rows = [dict(name=name, version=newest[name].version if name in newest else 0, **{key: getattr(row, key) for key in TITLES}) | dict(group=group_of(row)) for name, row in self.all().items()]
        return pd.DataFrame(rows)

    def history(self, name: str) -> list[dict[str, Any]]:
        """Versions, newest first: ``version, at, by, why, changed`` (field -> before, after)."""
        versions, shipped = self._versions(self.get(name).name), instruments(self._context.settings.instruments_file)
        rows = []
        for at, each in enumerate(versions):
            before = Instrument(name=name, **versions[at + 1].row) if at + 1 < len(versions) else shipped.get(name)
            changed = differences(before, Instrument(name=name, **each.row)) if before else {}
            rows.append(dict(version=each.version, at=each.created_at, by=each.actor, why=each.why, changed=changed, new=before is None))
        return rows

    def changes(self, name: str, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """What ``values`` would change, checked: field -> before, after."""
        before = self.get(name)
        return differences(before, edited(before, values))

    def edit(self, name: str, values: Mapping[str, Any], why: str) -> InstrumentVersion:
        """A new version of an instrument. Runs made before keep the version they used."""
        before = self.get(name)
        after, why = edited(before, values), _reason(why)
        changed = differences(before, after)
        if not changed:
            raise BadRequest(f"nothing of {name} would change; change a value, or leave it as it is")
        return self._add(after, why, "instrument_edited", {key: f"{old} → {new}" for key, (old, new) in changed.items()})

    def add(self, name: str, like: str, values: Mapping[str, Any], why: str) -> InstrumentVersion:
        """A new instrument, with the values of another where ``values`` has none."""
        name, table = name.strip(), self.all()
        if name in table:
            raise BadRequest(f"there is an instrument {name} already; edit it instead")
        after = edited(Instrument(**{**asdict(self.get(like)), "name": name}), values)
        check(after)
        return self._add(after, _reason(why), "instrument_added", dict(like=like))

    def download(self) -> bytes:
        """The table as CSV."""
        rows = self.table()
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", "instruments:table", what="instruments", form="csv", rows=len(rows))
        return csv_of(rows)

    def _add(self, after: Instrument, why: str, event: str, detail: dict[str, Any]) -> InstrumentVersion:
        row = {key: value for key, value in asdict(after).items() if key != "name"}
        with self._context.store.unit() as unit:
            unit.alone_with("instruments")
            version: InstrumentVersion = unit.instrument_versions.add(after.name, row, why, self._context.user, unit.now())
            unit.audit(self._context.user, event, f"instrument:{after.name}", why=why, name=after.name, version=version.version, changed=detail)
        return version

    def _versions(self, name: str) -> list[InstrumentVersion]:
        with self._context.store.read() as unit:
            return unit.instrument_versions.versions(name)


def _reason(why: str) -> str:
    why = why.strip()
    if not 0 < len(why) <= LONGEST:
        raise BadRequest(f"an edit needs a reason of 1 to {LONGEST} letters; say why the numbers change")
    return why
